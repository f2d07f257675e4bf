"""Whether each slice is there often enough. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pytest_mlgates.core.errors import Unfit
from pytest_mlgates.core.records import BrokenLimit, Headline, Outcome, Verdict
from pytest_mlgates.core.words import percent, plural
from pytest_mlgates.gates.slice_coverage.details import Seen, SliceCount

__all__ = ["Limits", "headline", "judge"]


@dataclass(frozen=True, slots=True)
class Limits:
    """How large each slice must be; without a limit it must occur."""

    min_share: float | None
    min_count: int | None
    max_unnamed: float = 0.0

    def __str__(self) -> str:
        share = None if self.min_share is None else f"min_share {100 * self.min_share:g} %"
        count = None if self.min_count is None else f"min_count {self.min_count}"
        return ", ".join(filter(None, (share, count))) or "each must occur"

    def reason_to_fail(self, row: SliceCount, n: int, noun: str = "rows") -> str:
        """Return what is wrong with a slice among ``n`` rows, or an empty text."""
        if row.rows == 0:
            return f"the slice {row.slice!r} is in none of {n} {noun}"
        small = self.min_share is not None and row.rows / n < self.min_share
        if small or row.rows < (self.min_count or 1):
            share = percent(row.rows / n)
            return f"the slice {row.slice!r} is {row.rows} of {n} {noun}, {share} ({self})"
        return ""

    def broken(self, row: SliceCount, n: int) -> Iterator[BrokenLimit]:
        """Yield the limits that a slice among ``n`` rows breaks; one that is in no row, all of them."""
        if self.min_share is not None and row.rows / n < self.min_share:
            yield BrokenLimit("min_share", row.rows / n, row.slice)
        if row.rows < (self.min_count or 1):
            held = "min_count" if self.min_count is not None else "slices"
            yield BrokenLimit(held, row.rows, row.slice)


def headline(seen: Seen, n: int, *, by_share: bool) -> Headline:
    """Return the number that the policy is about, as the details give it."""
    n = n if seen.rows is None else seen.rows
    least = seen.smallest.rows if seen.slices else 0
    value = least / max(1, n) if by_share else least
    unit = f"of {seen.noun}" if by_share else seen.noun
    return Headline(value=value, unit=unit, n=n)


def judge(seen: Seen, n: int, limits: Limits) -> Verdict:
    """FAIL where a slice is missing or too small, PASS where none is."""
    if seen.unnamed > n or any(row.rows > n for row in seen.slices):
        raise Unfit(f"details: counts of more rows than {n}")
    faults = [
        (row, fault) for row in seen.slices if (fault := limits.reason_to_fail(row, n, seen.noun))
    ]
    if faults:
        more = f"; and {plural(len(faults) - 1, 'more slice')}" if len(faults) > 1 else ""
        broken = tuple(one for row, _ in faults for one in limits.broken(row, n))
        return Verdict(Outcome.FAIL, faults[0][1] + more, broken)
    if not seen.occur:
        return Verdict(
            Outcome.INCONCLUSIVE,
            f"none of {n} {seen.noun} has the name of a slice: is it the column?",
        )
    if seen.counted and seen.unnamed > limits.max_unnamed * n:
        share, most = percent(seen.unnamed / n), percent(limits.max_unnamed)
        return Verdict(
            Outcome.INCONCLUSIVE,
            f"{seen.unnamed} of {n} {seen.noun}, {share}, have no slice (max_unnamed {most}): what"
            " they are is not known",
        )
    least = seen.smallest
    if seen.occur == 1 and not seen.wanted:
        return Verdict(
            Outcome.INCONCLUSIVE,
            f"all {n} {seen.noun} are in one slice, {least.slice!r}: name those that must occur in `slices`",
        )
    also = f"; {seen.unnamed} {seen.noun} have no slice" if seen.unnamed else ""
    return Verdict(
        Outcome.PASS,
        f"the smallest of {seen.occur} slices, {least.slice!r}, is {least.rows} of {n} {seen.noun},"
        f" {percent(least.rows / n)} ({limits}){also}",
    )
