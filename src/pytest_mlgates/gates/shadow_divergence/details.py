"""What was counted of each slice, as it is recorded and read back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pytest_mlgates.core.details import Count, Share
from pytest_mlgates.core.fields import Limit
from pytest_mlgates.stats.rate import over, under

__all__ = ["OVERALL", "Order", "Row", "Seen"]

OVERALL = "(all inputs)"
#: rare slices as often as common ones, at random, as given, or as a stream gives them
Order = Literal["routed", "shuffled", "given", "stream"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One slice, or ``count`` unnamed slices that were counted alike.

    ``distinct`` are inputs that differ from each other; ``weight`` is the slice's part of the error
    of a FAIL, fixed before anything was run; ``needed`` tells whether a PASS waits for it.
    """

    name: str
    n: Count
    divergent: Count
    distinct: Count
    distinct_divergent: Count
    share: Share
    weight: Annotated[float, Limit(gt=0, le=1)]
    needed: bool = True
    found: bool = False
    shadow_right: Count = 0
    control_right: Count = 0
    count: Annotated[int, Limit(ge=1)] = 1

    def __post_init__(self) -> None:
        fits = self.distinct_divergent <= self.distinct <= self.n and self.divergent <= self.n
        fits = fits and self.shadow_right + self.control_right <= self.n
        fits = fits and self.distinct_divergent <= self.divergent
        fits = fits and (self.distinct_divergent > 0) == (self.divergent > 0)
        if not fits:
            raise ValueError(f"the counts of the slice {self.name!r} do not fit together")

    @property
    def rate(self) -> float:
        """The share of its inputs that diverged."""
        return self.divergent / self.n if self.n else 0.0

    def log_e_above(self, limit: float) -> float:
        """Return the log evidence that the rate is above ``limit``."""
        return over(self.divergent, self.n, limit)

    def log_e_below(self, limit: float) -> float:
        """Return the log evidence that it is below; an input that repeats counts once for it."""
        every = under(self.divergent, self.n, limit)
        return min(every, under(self.distinct_divergent, self.distinct, limit))


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a run showed; ``rate`` is that over all inputs, strata weighted back to their shares.

    ``run`` inputs were run; of those brought forward for a rare slice ``overall`` and other slices
    count only as many as are a random sample of them.

    ``others`` are slices that are not recorded by name, grouped by their counts; ``why`` counts how
    answers differ, ``labelled`` and ``excused`` the divergences that a label judged and let through.
    """

    measured_with: Mapping[str, object]
    ended: bool
    order: Order
    inputs: Count | None
    control: str
    control_digest: str | None
    twins: bool
    blank: bool
    rate: Share
    overall: Row
    slices: tuple[Row, ...]
    others: tuple[Row, ...]
    why: Mapping[str, Count] = field(default_factory=dict)
    labelled: Count | None = None
    excused: Count | None = None
    findings: tuple[str, ...] = ()
    run: Count | None = None

    def __post_init__(self) -> None:
        if self.overall.n > self.inputs_run:
            raise ValueError("more inputs are counted than were run")
        as_run = self.run is None and self.order == "routed"  # an older record
        most = self.overall.divergent if as_run or self.order != "routed" else self.inputs_run
        if any(row.n > self.inputs_run or row.divergent > most for row in self.rows):
            raise ValueError("a slice has more inputs than there are")
        if self.overall.weight + math.fsum(row.weight * row.count for row in self.rows) > 1 + 1e-9:
            raise ValueError("more error is spent than there is")
        names = [row.name for row in self.rows if row.name]
        if len(set(names)) < len(names):
            raise ValueError("a slice appears twice")

    @property
    def inputs_run(self) -> int:
        """How many inputs both models were given; older records count them overall."""
        return self.overall.n if self.run is None else self.run

    @property
    def rows(self) -> tuple[Row, ...]:
        """All slices, those without a name at the end."""
        return (*self.slices, *self.others)
