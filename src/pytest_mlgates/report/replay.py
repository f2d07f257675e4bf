"""Decide again on recorded evidence and compare. No model, no trust in whoever measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

from pytest_mlgates.config.controls import Control
from pytest_mlgates.config.profiles import Profile
from pytest_mlgates.config.schema import make
from pytest_mlgates.config.waivers import Waiver
from pytest_mlgates.core import Evidence, Outcome
from pytest_mlgates.core.canonical import freeze, parse
from pytest_mlgates.core.errors import UnknownGate
from pytest_mlgates.registry import load
from pytest_mlgates.report.older import upgraded
from pytest_mlgates.report.report import EntryInfo, Scope, build

__all__ = ["Replay", "evidence_in", "read_report", "replay", "report_schema", "scopes_in"]


def report_schema() -> dict[str, Any]:
    """Return the JSON Schema of ``report.json``."""
    text = files("pytest_mlgates").joinpath("schemas/report.schema.json").read_text("utf-8")
    schema: dict[str, Any] = parse(text)
    return schema


def read_report(place: Path) -> dict[str, Any]:
    """Read a ``report.json`` (or the folder it is in) that follows the schema, or raise ValueError."""
    import jsonschema

    path = place / "report.json" if place.is_dir() else place
    try:
        data = parse(path.read_bytes())
    except OSError as error:
        raise ValueError(f"{path}: can't be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: is no JSON: {error}") from None
    try:
        data = upgraded(data)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    validator = jsonschema.Draft202012Validator(report_schema())
    fault = jsonschema.exceptions.best_match(validator.iter_errors(data))
    if fault is not None:
        where = "/".join(map(str, fault.absolute_path)) or "the top"
        message = fault.message if len(fault.message) < 200 else f"fails {fault.validator!r}"
        raise ValueError(f"{path}: does not follow the report schema at {where}: {message}")
    return dict(data)


class Replay:
    """What came of replaying one piece of evidence; ``fault`` is empty where all agrees."""

    def __init__(self, name: str, outcome: str, fault: str, digest: str = "") -> None:
        self.name, self.outcome, self.fault, self.digest = name, outcome, fault, digest


def evidence_in(data: Mapping[str, Any]) -> Evidence:
    """Return a piece of evidence as a report holds it, its digest set aside."""
    return Evidence.from_dict({key: value for key, value in data.items() if key != "digest"})


def replay(report: Mapping[str, Any]) -> Iterator[Replay]:
    """Yield what each piece of evidence in a report comes to, then what the summary does."""
    pieces = []
    for data in report["evidence"]:
        name = f"{data['test']} {data['entry']}".strip()
        try:
            evidence = evidence_in(data)
        except (TypeError, ValueError) as error:
            yield Replay(name, "?", f"is no evidence: {error}", data["digest"])
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


def _summary(report: Mapping[str, Any], pieces: list[Evidence]) -> Iterator[Replay]:
    """Make the report again from its evidence, and name each part that comes out differently."""
    try:
        now = datetime.fromisoformat(
            report["environment"].get("finished") or report["environment"]["started"]
        )
        scopes = list(scopes_in(report))
        again = build(pieces, scopes, report["incomplete"], report["environment"], now).to_dict()
    except (KeyError, TypeError, ValueError, UnknownGate) as error:
        yield Replay("summary", "?", f"can't be made again: {error}")
        return
    for part in _MADE:
        if freeze(report[part]) != again[part]:
            said = f"says {report[part]} and" if part == "outcome" else "is not what"
            came = f"comes to {again[part]}" if part == "outcome" else "the evidence comes to"
            yield Replay(f"summary: {part}", "?", f"{said} {came}")


_MADE = (
    "outcome",
    "problems",
    "systems",
    "missing",
    "waived",
    "false_alarm",
    "configs",
    "controls",
)


def scopes_in(report: Mapping[str, Any]) -> Iterator[Scope]:
    """Yield the configs that a report is about, with their profiles and waivers."""
    known = [
        Control(**{**control, "gates": _gates(control["gates"])}) for control in report["controls"]
    ]
    for system, config in zip(report["systems"], report["configs"], strict=True):
        entries = [
            EntryInfo(
                entry=gate["entry"],
                gate=gate["gate"],
                source=gate["source"],
                worse=load(gate["gate"]).worse,
            )
            for gate in system["gates"]
        ]
        waivers = [
            Waiver(**{key: value for key, value in w.items() if key not in ("system", "state")})
            for w in report["waived"]
            if w["system"] == system["system"]
        ]
        yield Scope(
            path=config["path"],
            sha256=config["sha256"],
            system=system["system"],
            owner=system["owner"],
            controls=tuple(system["controls"]),
            entries=tuple(entries),
            profile=Profile(name=system["profile"], **system["rules"]),
            waivers=tuple(waivers),
            known_controls=tuple(known),
        )


def _gates(names: Any) -> tuple[str, ...] | None:
    return None if names is None else tuple(names)
