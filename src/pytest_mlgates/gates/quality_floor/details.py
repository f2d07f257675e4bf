"""What a run of ``quality_floor`` records: for all inputs, and for each slice, what a metric needs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pytest_mlgates.core.details import Count, Share

__all__ = ["STEPS", "Bin", "Histogram", "Pairs", "Row", "Seen"]

#: observations in [0, 1] are recorded in steps of a thousandth
STEPS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """Observations in [0, 1]: how many stand at each step; ``rounded`` where some stood between."""

    counts: tuple[tuple[Count, Count], ...]
    rounded: bool = False

    def __post_init__(self) -> None:
        if any(step > STEPS or not times for step, times in self.counts):
            raise ValueError(f"a step is beyond {STEPS}, or nothing stands at it")
        if len({step for step, _ in self.counts}) < len(self.counts):
            raise ValueError("a step appears twice")

    @classmethod
    def of(cls, values: Iterable[float]) -> Histogram:
        """Count observations.

        >>> Histogram.of([1.0, 0.0, 1.0]).counts
        ((0, 1), (1000, 2))
        """
        found: dict[int, int] = {}
        rounded = False
        for value in values:
            step = round(value * STEPS)
            rounded |= abs(value * STEPS - step) > 1e-6
            found[step] = found.get(step, 0) + 1
        return cls(counts=tuple(sorted(found.items())), rounded=rounded)

    @property
    def n(self) -> int:
        """How many observations there are."""
        return sum(times for _, times in self.counts)

    @property
    def mean(self) -> float:
        """Their mean, or 0 of none."""
        total = sum(step * times for step, times in self.counts)
        return total / STEPS / self.n if self.n else 0.0

    @property
    def is_binary(self) -> bool:
        """Whether each is 0 or 1."""
        return {step for step, _ in self.counts} <= {0, STEPS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """How often a positive scores above a negative, ties half: the area under the ROC curve."""

    above: Share
    positives: Count
    negatives: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """Inputs whose scores lie close together: their mean score, and how many are positive."""

    n: Count
    positives: Count
    score: Share

    def __post_init__(self) -> None:
        if not self.n or self.positives > self.n:
            raise ValueError(f"{self.positives} of {self.n} inputs are positive")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """All inputs (no name), or those of a slice; one of the three says what the metric comes to.

    ``drop`` holds how much better the baseline was at each observation, from -1 to 1, moved into
    [0, 1]; ``constant`` is what the best answer that never changes would reach.
    """

    name: str
    inputs: Count
    values: Histogram | None = None
    pairs: Pairs | None = None
    bins: tuple[Bin, ...] | None = None
    drop: Histogram | None = None
    constant: Share | None = None

    def __post_init__(self) -> None:
        if sum(part is not None for part in (self.values, self.pairs, self.bins)) != 1:
            raise ValueError(f"the row {self.name!r} must hold one of values, pairs and bins")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Everything that was asked; ``answers`` counts different answers, 2 standing for more."""

    metric: str
    whole: Row
    slices: tuple[Row, ...]
    unnamed: Count
    repeated: Count
    answers: Count
    units: bool
    calls: Count
    findings: tuple[str, ...] = ()
