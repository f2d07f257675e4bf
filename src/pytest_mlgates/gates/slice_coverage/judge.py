"""Whether each slice is there often enough. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_mlgates.core.errors import Unfit
from pytest_mlgates.core.records import Headline, Outcome, Verdict
from pytest_mlgates.core.words import percent, plural
from pytest_mlgates.gates.slice_coverage.details import Seen, SliceCount

__all__ = ["Limits", "headline", "judge"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How large each slice must be; without a limit it must occur."""

    min_share: float | None
    min_count: int | None

    def __str__(self) -> str:
        share = None if self.min_share is None else f"min_share {100 * self.min_share:g} %"
        count = None if self.min_count is None else f"min_count {self.min_count}"
        return ", ".join(filter(None, (share, count))) or "each must occur"

    def reason_to_fail(self, row: SliceCount, n: int) -> str:
        """Return what is wrong with a slice among ``n`` rows, or an empty text."""
        if row.rows == 0:
            return f"the slice {row.slice!r} is in none of {n} rows"
        small = self.min_share is not None and row.rows / n < self.min_share
        if small or row.rows < (self.min_count or 1):
            share = percent(row.rows / n)
            return f"the slice {row.slice!r} is {row.rows} of {n} rows, {share} ({self})"
        return ""


def headline(seen: Seen, n: int, *, by_share: bool) -> Headline:
    """Return the number that the policy is about, as the details give it."""
    n = n if seen.rows is None else seen.rows
    least = seen.smallest.rows if seen.slices else 0
    value, unit = (least / max(1, n), "of rows") if by_share else (least, "rows")
    return Headline(value=value, unit=unit, n=n)


def judge(seen: Seen, n: int, limits: Limits) -> Verdict:
    """FAIL where a slice is missing or too small, PASS where none is."""
    if seen.unnamed > n or any(row.rows > n for row in seen.slices):
        raise Unfit(f"details: counts of more rows than {n}")
    faults = [fault for row in seen.slices if (fault := limits.reason_to_fail(row, n))]
    if faults:
        more = f"; and {plural(len(faults) - 1, 'more slice')}" if len(faults) > 1 else ""
        return Verdict(Outcome.FAIL, faults[0] + more)
    if not seen.occur:
        return Verdict(
            Outcome.INCONCLUSIVE, f"none of {n} rows has the name of a slice: is it the column?"
        )
    least = seen.smallest
    if seen.occur == 1 and not seen.wanted:
        return Verdict(
            Outcome.INCONCLUSIVE,
            f"all {n} rows are in one slice, {least.slice!r}: name those that must occur in `slices`",
        )
    also = f"; {plural(seen.unnamed, 'row has', 'rows have')} no slice" if seen.unnamed else ""
    return Verdict(
        Outcome.PASS,
        f"the smallest of {seen.occur} slices, {least.slice!r}, is {least.rows} of {n} rows,"
        f" {percent(least.rows / n)} ({limits}){also}",
    )
