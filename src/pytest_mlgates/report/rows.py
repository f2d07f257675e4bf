"""The rows of a report that people read first; shared by the terminal and the writers."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pytest_mlgates.core import Evidence, Measurement, Outcome, Role
from pytest_mlgates.core.words import number
from pytest_mlgates.report.report import Report

__all__ = [
    "GRAVEST_FIRST", "HEADINGS", "Identity", "Row", "false_alarm", "rows", "states",
]  # fmt: skip

HEADINGS = ("system", "gate", "verdict", "measured", "limit", "calls", "incident")

#: what a piece of evidence shows (see :func:`states`), in the order to read it
GRAVEST_FIRST = ("fail", "missed", "error", "inconclusive", "waived", "caught", "pass")

#: what tells a piece of evidence from every other: test, entry, call and attempt
Identity = tuple[str, str, int, int]

_LONGEST = 40
#: findings of an incident that are told
_TOLD = 4


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """One configured gate in words; ``shown`` is the evidence the numbers are from.

    ``proof`` is the evidence that the gate caught its incident, or missed it.
    """

    system: str
    gate: str
    verdict: str
    measured: str
    limit: str
    calls: str
    incident: str
    shown: Evidence | None
    proof: Evidence | None

    def told(self) -> list[str]:
        """Return lines that tell how the incident was caught, or none."""
        if self.proof is None or self.incident != "caught":
            return []
        name = f"{self.system}: {self.gate}"
        head = f"incident caught by {name}: {self.proof.verdict.reason}"
        found = self.proof.findings
        more = [f"  and {len(found) - _TOLD} more"] if len(found) > _TOLD + 1 else []
        return [head, *(f"  {line}" for line in (found[:_TOLD] if more else found)), *more]

    def cells(self) -> tuple[str, ...]:
        """Return the texts in the order of :data:`HEADINGS`."""
        return (
            self.system, self.gate, self.verdict, self.measured, self.limit, self.calls,
            self.incident,
        )  # fmt: skip


def rows(report: Report) -> Iterator[Row]:
    """Yield a row for each configured gate; of several runs of a gate, the worst speaks."""
    by_digest = {piece.digest: piece for piece in report.evidence}
    for system in report.systems:
        for gate in system["gates"]:
            shown = _first(gate["evidence"], by_digest, ("fail", "error", "inconclusive", "pass"))
            seen = shown.measurement if shown is not None else None
            limits = shown.limits if shown is not None else ()
            unit = seen.unit[:_LONGEST] if seen is not None else ""
            yield Row(
                system=str(system["system"]),
                gate=gate["entry"],
                verdict=gate["status"].upper(),
                measured=f"{number(seen.value)} {unit}".strip() if seen is not None else "-",
                limit=f"{number(limits[0])} {unit}".strip() if limits else "-",
                calls=f"{_calls(seen):,}" if seen is not None and _calls(seen) else "-",
                incident=gate["incident"],
                shown=shown,
                proof=_first(gate["proof"], by_digest, ("pass", "inconclusive", "error", "fail")),
            )


def states(report: Report) -> dict[Identity, str]:
    """Return what each piece of evidence shows: its outcome, or what became of a known-bad subject."""
    waived = {
        (system["system"], gate["entry"])
        for system in report.systems
        for gate in system["gates"]
        if gate["status"] == "waived"
    }
    found = {}
    for piece in report.evidence:
        state = piece.outcome.value
        if piece.role == Role.KNOWN_BAD:
            state = "caught" if piece.outcome == Outcome.FAIL else "missed"
        elif state == "fail" and (piece.system, piece.entry) in waived:
            state = "waived"
        found[piece.identity] = state
    return found


def _first(
    digests: Iterable[str], known: Mapping[str, Evidence], order: tuple[str, ...]
) -> Evidence | None:
    """Return the evidence whose outcome comes first in ``order``."""
    pieces = (known[digest] for digest in digests)
    return min(pieces, key=lambda piece: order.index(piece.outcome.value), default=None)


def _calls(seen: Measurement) -> int:
    """Return the calls made: what the gate says, or one for each observation."""
    said = seen.details.get("calls")
    return said if isinstance(said, int) else seen.n


def false_alarm(report: Report) -> str:
    """Return in a sentence how likely it is that a gate of the run failed a sound subject."""
    runs = report.false_alarm["runs"]
    if not runs:
        return ""
    said = f"chance that any of {runs:,} statistical gate run(s) fails a sound subject: at most"
    said += f" {_chance(report.false_alarm['at_most'])}"
    spent = [
        f"{system['system']} spends {chance['at_most']:.3g} of {chance['budget']:.3g}"
        + (", MORE THAN IT MAY" if chance["at_most"] > chance["budget"] * (1 + 1e-9) else "")
        for system in report.systems
        if (chance := system["false_alarm"])["budget"] is not None
    ]
    return f"{said} (budget: {'; '.join(spent)})" if spent else said


def _chance(value: Any) -> str:
    """Return a chance as people read it.

    >>> _chance(2e-4), _chance(0.25)
    ('0.0002 (1 in 5,000)', '0.25')
    """
    return f"{value:.3g}" if not 0 < value < 0.1 else f"{value:.3g} (1 in {1 / value:,.0f})"
