"""What was counted of each slice, as it is recorded and read back."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from pytest_mlgates.stats.ebh import ebh
from pytest_mlgates.stats.rate import over, under

__all__ = ["OVERALL", "Row", "Seen"]

OVERALL = "(all inputs)"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One slice, or ``count`` unnamed slices that were counted alike.

    ``distinct`` are inputs that differ from each other; ``weight`` is the slice's part of the error
    of a FAIL, fixed before anything was run; ``needed`` tells whether a PASS waits for it.
    """

    name: str
    n: int
    divergent: int
    distinct: int
    distinct_divergent: int
    share: float
    weight: float
    needed: bool = True
    found: bool = False
    shadow_right: int = 0
    control_right: int = 0
    count: int = 1

    def __post_init__(self) -> None:
        counts = (self.n, self.divergent, self.distinct, self.distinct_divergent, self.count)
        for number in (*counts, self.shadow_right, self.control_right):
            if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= 2**53:
                raise ValueError("a count is none")
        fits = self.distinct_divergent <= self.distinct <= self.n and self.divergent <= self.n
        fits = fits and self.shadow_right + self.control_right <= self.n and self.count > 0
        fits = fits and self.distinct_divergent <= self.divergent
        fits = fits and (self.distinct_divergent > 0) == (self.divergent > 0)
        if not (fits and 0 < self.weight <= 1 and 0 <= self.share <= 1 + 1e-9):
            raise ValueError("counts of a slice do not fit together")
        if not isinstance(self.name, str) or {self.needed, self.found} - {True, False}:
            raise TypeError("a slice has a name and is needed or not")

    @property
    def rate(self) -> float:
        """The share of its inputs that diverged."""
        return self.divergent / self.n if self.n else 0.0

    def over(self, limit: float) -> float:
        """Return the log evidence that the rate is above ``limit``."""
        return over(self.divergent, self.n, limit)

    def under(self, limit: float) -> float:
        """Return the log evidence that it is below; an input that repeats counts once for it."""
        every = under(self.divergent, self.n, limit)
        return min(every, under(self.distinct_divergent, self.distinct, limit))

    def to_dict(self) -> dict[str, Any]:
        """Return the row as JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def read(cls, row: Any) -> Row:
        """Read a recorded row; ValueError or TypeError where it does not fit."""
        if not isinstance(row, Mapping) or any(
            isinstance(row.get(k), str) for k in ("n", "weight")
        ):
            raise TypeError("a row is a mapping")
        return cls(**row)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """All that a verdict rests on; ``rate`` is that over all inputs, strata weighted back.

    >>> row = dict(name="a", n=9, divergent=0, distinct=9, distinct_divergent=0, share=1, weight=0.5)
    >>> whole = {"overall": row, "slices": [row], "others": [], "ended": True, "order": "given"}
    >>> Seen.read({**whole, "blank": False, "rate": 0}, 9).slices[0].n
    9
    """

    overall: Row
    slices: tuple[Row, ...]
    rate: float
    ended: bool
    order: str
    blank: bool

    @classmethod
    def read(cls, details: Any, n: int) -> Seen:
        """Read recorded details; ValueError, TypeError or LookupError where they do not fit."""
        overall = Row.read(details["overall"])
        rows = tuple(Row.read(row) for key in ("slices", "others") for row in details[key])
        if overall.n != n or any(row.n > n or row.divergent > overall.divergent for row in rows):
            raise ValueError("counts of another number of inputs")
        if overall.weight + math.fsum(row.weight * row.count for row in rows) > 1 + 1e-9:
            raise ValueError("more error is spent than there is")
        names = [row.name for row in rows if row.name]
        flags = (details["ended"], details["blank"])
        if len(set(names)) < len(names) or not all(flag in (True, False) for flag in flags):
            raise ValueError("a slice is there twice")
        if details["order"] not in ("routed", "shuffled", "given", "stream"):
            raise ValueError("an unknown order")
        rate = details["rate"]
        if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not 0 <= rate <= 1:
            raise ValueError("a rate is none")
        return cls(
            overall=overall,
            slices=rows,
            rate=float(rate),
            ended=details["ended"] is True,
            order=details["order"],
            blank=details["blank"] is not False,
        )

    def leaving(self, limit: float, level: float) -> list[Row]:
        """Return the slices whose rate is above ``limit`` by e-BH at ``level``, the surest first."""
        rows = (self.overall, *self.slices)
        every: list[Row] = []
        evidence: list[float] = []
        for row in rows:
            every += [row] * min(row.count, 10**6)
            evidence += [row.over(limit)] * min(row.count, 10**6)
        return [every[i] for i in ebh(evidence, level, [row.weight for row in every])]
