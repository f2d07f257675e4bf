"""Observations in [0, 1] as gates record them, and bounds of their mean.

The bounds hold for what has not occurred yet, too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from pytest_mlgates.core.details import Count
from pytest_mlgates.stats import binomial
from pytest_mlgates.stats.bounded import mean_lower, mean_upper

__all__ = ["STEPS", "Histogram", "mean_bounds"]

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


#: the order in which recorded observations are bet on: it must not depend on them
_SEED = 20_261_130


def mean_bounds(values: Histogram, below: float, above: float) -> tuple[float, float]:
    """Return one-sided bounds of a mean: exact for 0 and 1, by betting otherwise."""
    n = values.n
    if not n:
        return 0.0, 1.0
    if values.is_binary:
        ones = dict(values.counts).get(STEPS, 0)
        return binomial.lower(ones, n, below), binomial.upper(ones, n, above)
    x = np.concatenate([np.full(times, step / STEPS) for step, times in values.counts])
    x = np.random.default_rng(_SEED).permutation(x)
    off = 0.5 / STEPS if values.rounded else 0.0
    return max(0.0, mean_lower(x, below) - off), min(1.0, mean_upper(x, above) + off)
