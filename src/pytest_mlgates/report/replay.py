"""Decide again on recorded evidence and compare. No model, no trust in whoever measured.

Each piece names the rules that decided it, by a digest of their source. Under the same rules it
has to come out the same to the letter. Under others, those of another version, it has to come to
the same outcome: where only words differ, that is told and is no fault; where the outcome differs,
the fault says that the rules changed, which a forgery under the same rules can't claim. Whatever
the rules, value, unit, n and interval follow from the details, and the seed from the run's.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pytest_mlgates import __version__
from pytest_mlgates.core import Evidence, Gate, Outcome, Verdict
from pytest_mlgates.core.drive import contradiction
from pytest_mlgates.core.errors import Unfit, UnknownGate
from pytest_mlgates.core.gate import make
from pytest_mlgates.core.instants import instant
from pytest_mlgates.core.rules import rules_of
from pytest_mlgates.core.seeds import seed_for
from pytest_mlgates.registry import load
from pytest_mlgates.report.build import build
from pytest_mlgates.report.read import evidence_in, summary_of
from pytest_mlgates.report.scopes import scopes_in

__all__ = ["Replay", "decides_as", "made_by", "replay"]

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
    seeds = _seeds(report["environment"])
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
            fault, note = _again(evidence, version, seeds)
        yield Replay(name, evidence.outcome.value, fault, note, data["digest"])
    yield from _summary(report, pieces, version)


def made_by(report: Mapping[str, Any]) -> str:
    """Return the version that made a report, where that is another one or is not known."""
    version = report["environment"].get("pytest_mlgates")
    return "" if version == __version__ else str(version or "an unknown version")


def _again(evidence: Evidence, version: str, seeds: frozenset[int]) -> tuple[str, str]:
    """Return the fault and the note of a piece whose digest holds."""
    error = evidence.outcome == Outcome.ERROR  # also of a measure that broke: nothing to decide
    if evidence.measurement is None:
        return ("" if error else "has a verdict without a measurement"), ""
    try:
        cls = load(evidence.gate)
        gate = make(cls, evidence.policy)
    except (UnknownGate, ValueError) as unknown:
        return ("" if error else f"can't be decided again: {unknown}"), ""
    rules = _Rules(evidence.rules, rules_of(cls), version)
    if rules.missing:
        return f"names no rules, and {__version__} does: they were taken out", ""
    fault, note = _wrong_seed(evidence, seeds, gate), ""
    try:
        if not (error or fault):
            fault, note = rules.compare(evidence.verdict, gate.decide(evidence.measurement))
        if not fault:
            wrong = contradiction(gate, evidence.measurement)
            fault = f"contradicts itself: its {wrong}" if wrong else ""
    except Unfit as unfit:  # details that its rules do not read: of another version, or forged
        if not (error or rules.older):
            fault = f"can't be decided again: {unfit}"
        elif not error:
            note = f"{note}; " if note else ""
            note += f"its number stands alone: {rules.who} did not record what it follows from"
    except Exception as broke:  # noqa: BLE001  (a forged measurement may break any gate)
        fault = f"can't be decided again: {type(broke).__name__}"
    return fault, note


def _seeds(environment: Mapping[str, Any]) -> frozenset[int]:
    """Return the seeds of a run, or of the shards it was made of."""
    facts = [environment, *environment.get("shards", ())]
    found = (fact.get("seed") for fact in facts)
    return frozenset(seed for seed in found if isinstance(seed, int))


def _wrong_seed(evidence: Evidence, seeds: frozenset[int], gate: Gate) -> str:
    """Say that a piece was measured with another seed than its run gives it, or nothing."""
    if not evidence.rules or evidence.seed_by or not seeds:
        return ""
    if evidence.seed == "0" and "seed" not in inspect.signature(gate.measure).parameters:
        return ""  # recorded without pytest, of a gate that draws nothing
    names = (evidence.test, evidence.entry, evidence.call)
    if evidence.seed in {str(seed_for(seed, *names)) for seed in seeds}:
        return ""
    return f"its seed {evidence.seed} is not the one that the run's seed gives to its test"


@dataclasses.dataclass(frozen=True, slots=True)
class _Rules:
    """The rules that decided a piece, those of the same gate here, and the other version's name."""

    then: str
    now: str
    version: str

    @property
    def missing(self) -> bool:
        """Whether this very version made the piece, and it names no rules."""
        return not self.version and not self.then and bool(self.now)

    @property
    def older(self) -> bool:
        """Whether other rules decided it, as far as that is known."""
        return bool(self.version) and self.then != self.now

    @property
    def who(self) -> str:
        """The other version, with its rules where they are known."""
        known = f", by rules {self.then[:8]} (here {self.now[:8]})" if self.then else ""
        return f"{self.version}{known}"

    def compare(self, recorded: Verdict, again: Verdict) -> tuple[str, str]:
        """Return the fault and the note of a verdict that was made again."""
        if again == recorded:
            return "", ""
        if self.older and again.outcome == recorded.outcome:
            return "", f"{_OTHER_WORDS} {self.who}"
        came = f"{again.outcome.upper()}: {again.reason}"
        if not self.older:
            return f"decides differently: {came}", ""
        head = (
            "decides differently" if not self.then else "was decided by other rules, which changed"
        )
        return f"{head}: {came} (made by {self.who}: {decides_as(self.version)})", ""


def decides_as(version: str) -> str:
    """Return the command that installs what decides as a report of another version was decided."""
    return f'`pip install "pytest-mlgates=={version}"` decides as then'


def _summary(data: Mapping[str, object], pieces: list[Evidence], version: str) -> Iterator[Replay]:
    """Make the report again from its evidence, and name each part that comes out differently."""
    try:
        report = summary_of(data, pieces)
        facts = report.environment
        now = instant(facts.get("finished") or facts["started"])
        again = build(
            pieces, list(scopes_in(report)), report.incomplete, facts, now, absent=report.absent
        )
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
    first, second = ([line.split(": ")[:2] for line in lines] for lines in (one, other))
    return first == second
