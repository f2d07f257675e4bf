"""Decide again on recorded evidence and compare. No model, no trust in whoever measured."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from pytest_mlgates.core import Evidence, Outcome
from pytest_mlgates.registry import UnknownGate, load
from pytest_mlgates.report import overall, worst
from pytest_mlgates.schema import make

__all__ = ["Replay", "read_report", "replay", "report_schema"]


def report_schema() -> dict[str, Any]:
    """Return the JSON Schema of ``report.json``."""
    text = files("pytest_mlgates").joinpath("schemas/report.schema.json").read_text("utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def read_report(place: Path) -> dict[str, Any]:
    """Read a ``report.json`` (or the folder it is in) that follows the schema, or raise ValueError."""
    import jsonschema

    path = place / "report.json" if place.is_dir() else place
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"{path}: can't be read: {error.strerror}") from None
    except ValueError as error:
        raise ValueError(f"{path}: is no JSON: {error}") from None
    validator = jsonschema.Draft202012Validator(report_schema())
    fault = jsonschema.exceptions.best_match(validator.iter_errors(data))
    if fault is not None:
        where = "/".join(map(str, fault.absolute_path)) or "the top"
        message = fault.message if len(fault.message) < 200 else f"fails {fault.validator!r}"
        raise ValueError(f"{path}: does not follow the report schema at {where}: {message}")
    return dict(data)


class Replay:
    """What came of replaying one piece of evidence; ``fault`` is empty where all agrees."""

    def __init__(self, name: str, outcome: str, fault: str) -> None:
        self.name, self.outcome, self.fault = name, outcome, fault


def replay(report: Mapping[str, Any]) -> Iterator[Replay]:
    """Yield what each piece of evidence in a report comes to, then what the summary does."""
    digests = set()
    for data in report["evidence"]:
        plain = {key: value for key, value in data.items() if key != "digest"}
        name = f"{data.get('test', '')} {data.get('entry', '')}".strip()
        try:
            evidence = Evidence.from_dict(plain)
        except (TypeError, ValueError) as error:
            yield Replay(name, "?", f"is no evidence: {error}")
            continue
        digests.add(evidence.digest)
        yield Replay(name, evidence.outcome.value, _fault(evidence, str(data.get("digest"))))
    listed = {
        digest
        for system in report["systems"]
        for gate in system["gates"]
        for digest in (*gate["evidence"], *gate["proof"])
    }
    if listed - digests:
        yield Replay(
            "summary", "?", f"names {len(listed - digests)} pieces of evidence that are not there"
        )
    by_digest = {e["digest"]: e["verdict"]["outcome"] for e in report["evidence"]}
    states = [system["outcome"] for system in report["systems"]]
    if report["outcome"] != overall(states, report["problems"], report["incomplete"]):
        yield Replay("summary", "?", f"says {report['outcome']} where its systems do not")
    for system in report["systems"]:
        if system["outcome"] != worst(gate["status"] for gate in system["gates"]):
            fault = f"says {system['outcome']} where its gates do not"
            yield Replay(str(system["system"]), "?", fault)
        for gate in system["gates"]:
            outcomes = {by_digest.get(digest) for digest in gate["evidence"]}
            if gate["status"] == "pass" and outcomes != {"pass"}:
                fault = f"says PASS where the evidence says {', '.join(map(str, outcomes)) or 'nothing'}"
                yield Replay(f"{system['system']} {gate['entry']}", "?", fault)


def _fault(evidence: Evidence, digest: str) -> str:
    if evidence.digest != digest:
        return "was changed: its digest is not the recorded one"
    if evidence.measurement is None or evidence.outcome == Outcome.ERROR:
        return "" if evidence.outcome == Outcome.ERROR else "has a verdict without a measurement"
    try:
        gate = make(load(evidence.gate), evidence.policy)
    except (UnknownGate, ValueError) as error:
        return f"can't be decided again: {error}"
    again = gate.decide(evidence.measurement)
    if again != evidence.verdict:
        return f"decides differently: {again.outcome.upper()}: {again.reason}"
    return ""
