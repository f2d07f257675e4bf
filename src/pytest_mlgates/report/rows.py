"""The rows of a report that people read first; shared by the terminal and the writers."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from pytest_mlgates.core import Evidence, Identity, Outcome, Role
from pytest_mlgates.core.words import first, number, plural
from pytest_mlgates.report.model import GateReport, Report, SystemReport

__all__ = [
    "GRAVEST_FIRST", "HEADINGS", "Identity", "Row", "false_alarm_line", "false_pass_line", "rows",
    "states",
]  # fmt: skip

HEADINGS = ("system", "gate", "verdict", "measured", "limit", "calls", "incident")

#: what a piece of evidence shows (see :func:`states`), in the order to read it
GRAVEST_FIRST = ("fail", "missed", "error", "inconclusive", "waived", "caught", "pass")

MAX_UNIT = 40
#: findings of an incident that are shown
MAX_FINDINGS = 4


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """One configured gate; ``evidence`` is the worst piece it has, the one that speaks for it.

    ``proof`` is the evidence that the gate caught its incident, or missed it; ``outcomes`` are those
    of all the runs that the row stands for.
    """

    system: SystemReport
    gate: GateReport
    evidence: Evidence | None
    proof: Evidence | None
    outcomes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The system and the entry."""
        return f"{self.system.system}: {self.gate.entry}"

    @property
    def verdict(self) -> str:
        """The state of the gate, in capitals."""
        return self.gate.status.upper()

    @property
    def fails_the_run(self) -> bool:
        """Whether the state of this gate makes the run exit with 1."""
        rules = self.system.rules
        lenient = {
            "pass": False,
            "waived": False,
            "inconclusive": rules.inconclusive == "fail",
            "missing": rules.complete,
        }
        return lenient.get(self.gate.status, True)

    @property
    def measured(self) -> str:
        """The measured value with its unit."""
        measurement = self.evidence.measurement if self.evidence is not None else None
        if measurement is None or not measurement.n:  # nothing was observed: that is not 0
            return "-"
        return f"{number(measurement.value)} {self._unit}".strip()

    @property
    def limit(self) -> str:
        """The limit with the unit of the measured value."""
        limits = self.evidence.limits if self.evidence is not None else ()
        return f"{number(limits[0])} {self._unit}".strip() if limits else "-"

    @property
    def calls(self) -> str:
        """The calls made: what the gate says, or one for each observation."""
        measurement = self.evidence.measurement if self.evidence is not None else None
        if measurement is None:
            return "-"
        calls = measurement.details.get("calls")
        count = calls if isinstance(calls, int) else measurement.n
        return f"{count:,}" if count else "-"

    @property
    def runs(self) -> str:
        """How many runs the row stands for, and how many of them came out like it; "" for one."""
        state = "fail" if self.gate.status == "waived" else self.gate.status
        count, like = len(self.outcomes), self.outcomes.count(state)
        if count < 2:
            return ""
        return f"{count} runs" if like in (0, count) else f"{like} of {count} runs"

    def took(self, report: Report) -> str:
        """Return how long the gate measured, all its runs together; "-" where that is not known."""
        shards = report.environment.get("shards")
        known = 0.0
        for facts in (report.environment, *(shards if isinstance(shards, (list, tuple)) else ())):
            seconds = facts.get("seconds") if isinstance(facts, Mapping) else None
            took = seconds.get(self.name) if isinstance(seconds, Mapping) else None
            known += took if isinstance(took, (int, float)) else 0.0
        return f"{known:.3g} s" if known else "-"

    @property
    def _unit(self) -> str:
        measurement = self.evidence.measurement if self.evidence is not None else None
        return measurement.unit[:MAX_UNIT] if measurement is not None else ""

    def incident_lines(self) -> list[str]:
        """Return lines that tell how the incident was caught, or none."""
        if self.proof is None or self.gate.incident != "caught":
            return []
        head = f"incident caught by {self.name}: {self.proof.verdict.reason}"
        return [head, *(f"  {line}" for line in first(self.proof.findings, MAX_FINDINGS))]

    def cells(self) -> tuple[str, ...]:
        """Return the texts in the order of :data:`HEADINGS`."""
        return (
            self.system.system, self.gate.entry, self.verdict, self.measured, self.limit,
            self.calls, self.gate.incident,
        )  # fmt: skip


def rows(report: Report) -> Iterator[Row]:
    """Yield a row for each configured gate; of several runs of a gate, the worst speaks."""
    by_digest = {piece.digest: piece for piece in report.evidence}
    for system in report.systems:
        for gate in system.gates:
            yield Row(
                system=system,
                gate=gate,
                evidence=_gravest_of(
                    gate.evidence, by_digest, ("fail", "error", "inconclusive", "pass")
                ),
                proof=_gravest_of(gate.proof, by_digest, ("pass", "inconclusive", "error", "fail")),
                outcomes=tuple(by_digest[digest].outcome.value for digest in gate.evidence),
            )


def states(report: Report) -> dict[Identity, str]:
    """Return what each piece of evidence shows: its outcome, or what became of a known-bad subject."""
    waived = {
        (system.system, gate.entry)
        for system in report.systems
        for gate in system.gates
        if gate.status == "waived"
    }
    by_identity = {}
    for piece in report.evidence:
        state = piece.outcome.value
        if piece.role == Role.KNOWN_BAD:
            state = "caught" if piece.outcome == Outcome.FAIL else "missed"
        elif state == "fail" and (piece.system, piece.entry) in waived:
            state = "waived"
        by_identity[piece.identity] = state
    return by_identity


def _gravest_of(
    digests: Iterable[str], known: Mapping[str, Evidence], order: tuple[str, ...]
) -> Evidence | None:
    """Return the evidence whose outcome comes first in ``order``."""
    pieces = (known[digest] for digest in digests)
    return min(pieces, key=lambda piece: order.index(piece.outcome.value), default=None)


def false_alarm_line(report: Report) -> str:
    """Return in a sentence how likely it is that a gate of the run failed a sound subject."""
    runs = report.false_alarm.runs
    if not runs:
        return ""
    text = (
        f"chance that any of {plural(runs, 'statistical gate run')} fails a sound subject: at most"
    )
    text += f" {_chance_words(report.false_alarm.at_most)}"
    spent = [
        f"{system.system} spends {chance.at_most:.3g} of {chance.budget:.3g}"
        + (", MORE THAN IT MAY" if chance.overspent else "")
        for system in report.systems
        if (chance := system.false_alarm).budget is not None
    ]
    return f"{text} (budget: {'; '.join(spent)})" if spent else text


def false_pass_line(report: Report) -> str:
    """Return in a sentence how likely it is that a gate of the run passed a subject it should not.

    Not a sum as that of false alarms is: each call that PASSed has its own subject. Attempts of a
    rerun test that do not all count are so many chances.
    """
    lenient = {system.system for system in report.systems if system.rules.reruns == "last"}
    tries = Counter(_call_of(piece) for piece in report.gated() if piece.system in lenient)
    chances = [
        beta * max(1, tries[_call_of(piece)])
        for piece in report.gated()
        if isinstance(beta := piece.policy.get("beta"), (int, float))
    ]
    if not chances:
        return ""
    return (
        "chance that a statistical gate passes a subject beyond its limit: at most"
        f" {_chance_words(min(1.0, max(chances)))} a call, where what the gate assumes holds"
    )


def _call_of(piece: Evidence) -> tuple[str, str, str, int]:
    return piece.system, piece.entry, piece.test, piece.call


def _chance_words(value: float) -> str:
    """Return a chance as people read it.

    >>> _chance_words(2e-4), _chance_words(0.25)
    ('0.0002 (1 in 5,000)', '0.25')
    """
    return f"{value:.3g}" if not 0 < value < 0.1 else f"{value:.3g} (1 in {1 / value:,.0f})"
