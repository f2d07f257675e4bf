"""The rows of a report that people read first; shared by the terminal and the writers."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from pytest_mlgates.core import Evidence, Measurement
from pytest_mlgates.report import Report

__all__ = ["HEADINGS", "Row", "number", "rows"]

HEADINGS = ("system", "gate", "verdict", "measured", "limit", "calls", "incident")


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """One configured gate in words; ``shown`` is the evidence the numbers are from."""

    system: str
    gate: str
    verdict: str
    measured: str
    limit: str
    calls: str
    incident: str
    shown: Evidence | None

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
            mine = [by_digest[digest] for digest in gate["evidence"]]
            order = ("fail", "error", "inconclusive", "pass")
            shown = min(mine, key=lambda e: order.index(e.outcome.value), default=None)
            seen = shown.measurement if shown is not None else None
            limit = shown.policy.get(shown.limit) if shown is not None else None
            yield Row(
                system=str(system["system"]),
                gate=gate["entry"],
                verdict=gate["status"].upper(),
                measured=f"{number(seen.value)} {seen.unit}".strip() if seen else "-",
                limit=f"{number(limit)} {seen.unit if seen else ''}".strip()
                if isinstance(limit, (int, float))
                else "-",
                calls=f"{_calls(seen):,}" if seen is not None else "-",
                incident=gate["incident"],
                shown=shown,
            )


def _calls(seen: Measurement) -> int:
    """Return the calls made: what the gate says, or one for each observation."""
    said = seen.details.get("calls")
    return said if isinstance(said, int) else seen.n


def number(value: float) -> str:
    """Return a number as people read it: four significant digits.

    >>> number(8.13274), number(15000.0), number(0.00001)
    ('8.133', '15,000', '1e-05')
    """
    text = f"{value:.4g}"
    if "e" in text and 1e-4 <= abs(value) < 1e15:
        text = f"{value:,.0f}"
    elif "." not in text and "e" not in text:
        text = f"{int(text):,}"
    return text
