"""Decide again on recorded evidence and compare. No model, no trust in whoever measured.

A report of this version has to come out the same to the letter. Versions differ in the words of
their reasons, so one of another version has to come to the same outcomes; where only words differ,
that is told and is not a fault.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pytest_mlgates import __version__
from pytest_mlgates.core import Evidence, Outcome, Verdict
from pytest_mlgates.core.errors import UnknownGate
from pytest_mlgates.core.gate import make
from pytest_mlgates.core.instants import instant
from pytest_mlgates.registry import load
from pytest_mlgates.report.build import build
from pytest_mlgates.report.read import evidence_in, summary_of
from pytest_mlgates.report.scopes import scopes_in

__all__ = ["Replay", "made_by", "replay"]

_OTHER_WORDS = "same outcome, other words: made by"

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
    """What came of replaying one piece of evidence, or one part of the summary.

    ``fault`` is empty where it agrees, and ``note`` where it also says so in the same words.
    """

    name: str
    outcome: str
    fault: str = ""
    note: str = ""
    digest: str = ""


def replay(report: Mapping[str, Any]) -> Iterator[Replay]:
    """Yield what each piece of evidence in a report comes to, then what the summary does.

    ``report`` is as ``read_report`` gives it.
    """
    version = made_by(report)
    pieces = []
    for data in report["evidence"]:
        name = f"{data['test']} {data['entry']}".strip()
        try:
            evidence = evidence_in(data)
        except (TypeError, ValueError) as error:
            yield Replay(name, "?", f"is not evidence: {error}", digest=data["digest"])
            continue
        pieces.append(evidence)
        fault, note = "was changed: its digest is not the recorded one", ""
        if evidence.digest == data["digest"]:
            again = _decide(evidence)
            fault, note = (
                (again, "") if isinstance(again, str) else _compare(evidence, again, version)
            )
        yield Replay(name, evidence.outcome.value, fault, note, data["digest"])
    yield from _summary(report, pieces, version)


def made_by(report: Mapping[str, Any]) -> str:
    """Return the version that made a report, where that is another one or is not known."""
    version = report["environment"].get("pytest_mlgates")
    return "" if version == __version__ else str(version or "an unknown version")


def _decide(evidence: Evidence) -> Verdict | str:
    """Return what the evidence comes to, or why it can't be decided again."""
    if (
        evidence.outcome == Outcome.ERROR
    ):  # also of a measure that broke: there is nothing to decide
        return evidence.verdict
    if evidence.measurement is None:
        return "has a verdict without a measurement"
    try:
        gate = make(load(evidence.gate), evidence.policy)
    except (UnknownGate, ValueError) as error:
        return f"can't be decided again: {error}"
    try:
        return gate.decide(evidence.measurement)
    except Exception as error:  # noqa: BLE001  (a forged measurement may break any gate)
        return f"can't be decided again: {type(error).__name__}"


def _compare(evidence: Evidence, again: Verdict, version: str) -> tuple[str, str]:
    """Return the fault and the note of a verdict that was made again."""
    if again == evidence.verdict:
        return "", ""
    if version and again.outcome == evidence.outcome:
        return "", f"{_OTHER_WORDS} {version}"
    return f"decides differently: {again.outcome.upper()}: {again.reason}", ""


def _summary(data: Mapping[str, object], pieces: list[Evidence], version: str) -> Iterator[Replay]:
    """Make the report again from its evidence, and name each part that comes out differently."""
    try:
        report = summary_of(data, pieces)
        facts = report.environment
        now = instant(facts.get("finished") or facts["started"])
        again = build(pieces, list(scopes_in(report)), report.incomplete, facts, now)
    except (KeyError, TypeError, ValueError, UnknownGate) as error:
        yield Replay("summary", "?", fault=f"can't be made again: {error}")
        return
    for part in _PARTS:
        if getattr(report, part) == getattr(again, part):
            continue
        if part == "problems" and version and _same_problems(report.problems, again.problems):
            note = f"{_OTHER_WORDS} {version}"
            yield Replay(f"summary: {part}", report.outcome, note=note)
        else:
            recorded = f"says {report.outcome} and" if part == "outcome" else "is not what"
            came = f"comes to {again.outcome}" if part == "outcome" else "the evidence comes to"
            yield Replay(f"summary: {part}", "?", f"{recorded} {came}")


def _same_problems(one: Sequence[str], other: Sequence[str]) -> bool:
    """Tell whether problems are the same ones, each of the same gate or config, in other words."""
    return [line.partition(": ")[0] for line in one] == [line.partition(": ")[0] for line in other]
