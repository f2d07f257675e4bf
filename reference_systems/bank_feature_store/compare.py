"""Incident and fix side by side; everything is done here, by seed, and no figure is written down."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pytest_mlgates.gates.feature_parity import FeatureParity
from pytest_mlgates.gates.lead_time import LeadTime
from reference_systems.bank_feature_store import handoffs, inputs
from reference_systems.bank_feature_store.builds import BUILDS, FEATURES, Store, commands

__all__ = ["rows"]

CUSTOMERS = 2_000


def rows(seed: int, customers: int = CUSTOMERS) -> Iterator[dict[str, Any]]:
    """Yield a row a question, with the answer of each build."""
    with tempfile.TemporaryDirectory() as name:
        store = Store(Path(name), customers, seed)
        found = {build: _parity(store, build) for build in BUILDS}
    for name in (f"{view}:{feature}" for view, feature in FEATURES):
        differ = f"{name}: rows of {customers:,} in which training and serving differ"
        yield {"question": differ} | {b: found[b][name]["differ"] for b in BUILDS}
        how = f"{name}: how they differ"
        yield {"question": how} | {b: dict(found[b][name]["kinds"]) for b in BUILDS}
        leaks = f"{name}: values of training from after the event"
        yield {"question": leaks} | {b: found[b][name]["leaks"] for b in BUILDS}
    yield from _lead_times(seed)


def _parity(store: Store, build: str) -> Any:
    gate = FeatureParity(max_mismatch_rate=0)
    evidence = gate.run(store.offline(build), store.online(build), store.entities)
    assert evidence.measurement is not None, evidence.verdict.reason
    return {feature["name"]: feature for feature in evidence.measurement.details["features"]}


def _lead_times(seed: int) -> Iterator[dict[str, Any]]:
    gate = LeadTime(max_minutes=30, max_handoffs=0)
    with tempfile.TemporaryDirectory() as name:
        inputs.write(Path(name), 200, seed)
        fixed = gate.run(commands(Path(name)))
    incident = gate.run(list(handoffs.log(["customer:age", "customer:tenure"])))
    told = {"incident": incident, "fixed": fixed}
    for question, pick in (
        ("clock of the onboarding", lambda seen: seen.details["clock"]),
        ("steps (commands, in the fix)", lambda seen: seen.n),
        ("minutes from the first step to the last", lambda seen: round(seen.value, 2)),
        ("hand-offs", lambda seen: seen.details["findings"][0].split(", ")[-1]),
    ):
        yield {"question": question} | {b: pick(e.measurement) for b, e in told.items()}
