"""Decide again on recorded evidence and compare. No model, no trust in whoever measured."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from pytest_mlgates.config.schema import make
from pytest_mlgates.core import Evidence, Outcome
from pytest_mlgates.core.errors import UnknownGate
from pytest_mlgates.registry import load
from pytest_mlgates.report.build import build
from pytest_mlgates.report.read import evidence_in, summary_of
from pytest_mlgates.report.scopes import scopes_in

__all__ = ["Replay", "replay"]

#: what follows from evidence and configs; `environment` and `history` stand for themselves
_PARTS = (
    "outcome",
    "problems",
    "systems",
    "missing",
    "waived",
    "false_alarm",
    "configs",
    "controls",
)


@dataclasses.dataclass(frozen=True, slots=True)
class Replay:
    """What came of replaying one piece of evidence; ``fault`` is empty where all agrees."""

    name: str
    outcome: str
    fault: str
    digest: str = ""


def replay(report: Mapping[str, Any]) -> Iterator[Replay]:
    """Yield what each piece of evidence in a report comes to, then what the summary does.

    ``report`` is as ``read_report`` gives it.
    """
    pieces = []
    for data in report["evidence"]:
        name = f"{data['test']} {data['entry']}".strip()
        try:
            evidence = evidence_in(data)
        except (TypeError, ValueError) as error:
            yield Replay(name, "?", f"is not evidence: {error}", data["digest"])
            continue
        pieces.append(evidence)
        fault = _fault(evidence, data["digest"])
        yield Replay(name, evidence.outcome.value, fault, data["digest"])
    yield from _summary(report, pieces)


def _fault(evidence: Evidence, digest: str) -> str:
    if evidence.digest != digest:
        return "was changed: its digest is not the recorded one"
    if evidence.outcome == Outcome.ERROR:
        return ""
    if evidence.measurement is None:
        return "has a verdict without a measurement"
    try:
        gate = make(load(evidence.gate), evidence.policy)
    except (UnknownGate, ValueError) as error:
        return f"can't be decided again: {error}"
    try:
        again = gate.decide(evidence.measurement)
    except Exception as error:  # noqa: BLE001  (a forged measurement may break any gate)
        return f"can't be decided again: {type(error).__name__}"
    if again != evidence.verdict:
        return f"decides differently: {again.outcome.upper()}: {again.reason}"
    return ""


def _summary(data: Mapping[str, Any], pieces: list[Evidence]) -> Iterator[Replay]:
    """Make the report again from its evidence, and name each part that comes out differently."""
    try:
        report = summary_of(data, pieces)
        facts = report.environment
        now = datetime.fromisoformat(str(facts.get("finished") or facts["started"]))
        again = build(pieces, list(scopes_in(report)), report.incomplete, facts, now)
    except (KeyError, TypeError, ValueError, UnknownGate) as error:
        yield Replay("summary", "?", f"can't be made again: {error}")
        return
    for part in _PARTS:
        if getattr(report, part) != getattr(again, part):
            said = f"says {report.outcome} and" if part == "outcome" else "is not what"
            came = f"comes to {again.outcome}" if part == "outcome" else "the evidence comes to"
            yield Replay(f"summary: {part}", "?", f"{said} {came}")
