"""What a name audit records: gaps between single names and between groups, trials of pairs.

Records of the versions 0.1 and 0.2 hold contrasts (a group less the others) where later ones hold
gaps between groups; both are read.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray

from pytest_mlgates.core.details import Count
from pytest_mlgates.core.fields import Limit
from pytest_mlgates.stats.betting import Sums
from pytest_mlgates.stats.eprocess import log_sign_e
from pytest_mlgates.stats.equivalence import Contrast, differs_p
from pytest_mlgates.stats.equivalence import log_e_above as symmetric_e

__all__ = [
    "MAX_TRIALS",
    "Counterexample",
    "Details",
    "Differences",
    "ExactGap",
    "Gap",
    "Group",
    "Mode",
    "Pair",
    "Tried",
    "needed_log_e",
]

#: pairs that may be put on trial; the error of single names is split over them beforehand
MAX_TRIALS = 32

Positive = Annotated[float, Limit(ge=0)]
#: whether the scorer repeats itself; ``frozen`` is noise that it draws once for each text
Mode = Literal["deterministic", "noisy", "frozen"]


def needed_log_e(level: float) -> float:
    """Return the log e-value of either of two tests that ends a trial; each has half of ``level``."""
    return -math.log(level / 2)


@dataclass(frozen=True, slots=True)
class Differences:
    """Differences of scores: how many, their sum and sum of squares, the lowest and the highest."""

    n: Count
    sum: float
    sum_sq: Positive
    least: float
    most: float

    def __post_init__(self) -> None:
        near = 1e-9 * (1 + abs(self.sum))
        fits = self.n * self.least <= self.sum + near and self.sum <= self.n * self.most + near
        if not fits or self.sum**2 > self.n * self.sum_sq * (1 + 1e-9) + 1e-12:
            raise ValueError(f"no {self.n} differences have these sums")

    @classmethod
    def of(cls, x: NDArray[np.float64]) -> Differences:
        """Return the sums of differences."""
        sums = Sums.of(x)
        return cls(*map(float, (sums.n, sums.total, sums.squares, sums.least, sums.most)))  # type: ignore[arg-type]

    @property
    def sums(self) -> Sums:
        """The sums as the bounds take them."""
        return Sums(self.n, self.sum, self.sum_sq, self.least, self.most)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """The mean of one group of names less that of another.

    ``calls`` are differences between names matched at random within a block, ``by_name`` those
    between the means of names, one for each two names. ``se`` is the standard error of the gap with
    the name as the unit, None with one name. ``width`` is the largest that a difference can be.
    """

    groups: tuple[str, str]
    names: tuple[Count, Count]
    gap: float
    se: Positive | None
    calls: Differences
    by_name: Differences

    def log_e_within(self, limit: float, width: float, *, by_name: bool = False) -> float:
        """Return the log evidence that the two are less than ``limit`` apart, on both sides."""
        sums = (self.by_name if by_name else self.calls).sums
        if width <= limit:  # then nothing can be further apart
            return math.inf
        return float(min(sums.log_e_below(limit, width), sums.log_e_above(-limit, -width)))

    def log_e_beyond(self, limit: float, width: float) -> float:
        """Return the log evidence that the first is more than ``limit`` off, on the side it is."""
        sums = self.calls.sums if self.gap > 0 else self.calls.sums.mirrored()
        return float(sums.log_e_above(limit, -width)) if width > limit else 0.0

    def p_by_name(self, limit: float) -> float:
        """Return the p-value of "the names just happen to differ so", with the name as the unit."""
        label = "/".join(self.groups)
        seen = Contrast(label, self.gap, self.se, min(self.names) - 1.0, sum(self.names))
        return differs_p(seen, limit)

    def at_most(self, width: float, error: float) -> float:
        """Return how far apart the two may be, but for a chance ``error`` on each side."""
        sums = self.calls.sums
        return max(sums.mean_below(width, error), -sums.mean_above(-width, error))

    def at_least(self, width: float, error: float) -> float:
        """Return how far apart the two are at least."""
        sums = self.calls.sums if self.gap > 0 else self.calls.sums.mirrored()
        return max(0.0, sums.mean_above(-width, error))


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The mean of a group of names; in older records its contrast with the other groups."""

    group: str
    names: Count
    mean: float
    contrast: float | None = None
    se: Positive | None = None
    df: Positive | None = None

    @property
    def statistic(self) -> Contrast:
        """The contrast of an older record as the tests take it."""
        return Contrast(self.group, self.contrast or 0.0, self.se, self.df or 0.0, self.names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """The widest pair of names on one template; ``digest`` tells templates apart."""

    names: tuple[str, str]
    scores: tuple[float, float]
    gap: float
    template: Count
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExactGap:
    """A gap that came back the same each of ``repeats`` times."""

    names: tuple[str, str]
    template: Count
    scores: tuple[float, float]
    gap: float
    repeats: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """Fresh differences of one pair: how many, their sum, sum of squares and range.

    No ``template`` where each comes from one drawn at random. ``over`` of them reach the limit.
    ``lower`` is a bound on their mean.
    """

    names: tuple[str, str]
    template: Count | None
    n: Count
    sum: float
    sum_sq: Positive
    lower: Positive
    least: float | None = None
    most: float | None = None
    over: Count | None = None

    @property
    def sums(self) -> Sums:
        """The sums as the bounds take them."""
        return Sums(self.n, self.sum, self.sum_sq, self.least or 0.0, self.most or 0.0)

    def log_e_typical(self) -> float:
        """Return the log evidence that more than half of the differences reach the limit."""
        return log_sign_e(self.over, self.n - self.over) if self.over is not None else -math.inf

    def log_e_mean(self, limit: float, width: float) -> float:
        """Return the log evidence that their mean is above the limit."""
        if self.least is None or self.most is None:  # older records have no range
            return symmetric_e(self.n, self.sum, self.sum_sq, limit)
        if not self.n or width <= limit:
            return -math.inf
        return float(self.sums.log_e_above(limit, -width))


@dataclass(frozen=True, slots=True, kw_only=True)
class Counterexample:
    """Two names on one template; what was made smaller of it, where that was possible."""

    names: tuple[str, str]
    template: Count
    digest: str
    scores: tuple[float, float] | None = None
    gap: float | None = None
    shrunk: str | None = None
    #: of the template's parts those left, and all
    parts: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """All that was seen at a look.

    ``complete`` says that a planned look was reached with every template; ``upper`` bounds the
    largest gap between the means of two names, None where nothing does. ``off`` is how often the name
    that was off most on one template was half the limit away from the middle of its block, of how
    many calls; ``calls_a_name`` how many each name had; ``span`` the lowest and the highest score;
    ``gaps`` the widest of ``pairs`` pairs of groups, None in older records.
    """

    mode: Mode
    complete: bool
    look: Count
    looks: Annotated[int, Limit(ge=1)]
    calls: Count
    calls_needed: Count
    repeats: Count
    #: a record holds a number beyond 2**53 as text
    repeats_needed: Count | str
    noise_sd: Positive
    templates: Count
    templates_given: str
    duplicate_templates: Count
    upper: Positive | None
    #: the largest gap between two names on one template, and the lower end of its interval
    widest: Positive | None = None
    lower: Positive | None = None
    groups: tuple[Group, ...]
    name_means: Mapping[str, float]
    worst_pairs: tuple[Pair, ...]
    exact: ExactGap | None
    trials: tuple[Tried, ...]
    counterexample: Counterexample | None
    findings: tuple[str, ...] = ()
    gaps: tuple[Gap, ...] | None = None
    pairs: Count = 0
    off: tuple[Count, Count] = (0, 0)
    calls_a_name: Count = 0
    span: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if len(self.groups) < 2 and (self.gaps is None or self.pairs):
            raise ValueError(f"{len(self.groups)} group(s) of names, two are needed")
        if len(self.trials) > MAX_TRIALS:
            raise ValueError(f"{len(self.trials)} trials, at most {MAX_TRIALS} are planned for")
        if len(self.gaps or ()) > self.pairs:
            raise ValueError(f"{len(self.gaps or ())} gaps between {self.pairs} pairs of groups")
        if self.off[0] > self.off[1]:
            raise ValueError(f"off in {self.off[0]} of {self.off[1]} calls")
