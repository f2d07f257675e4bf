"""A forecast of a sum as a record holds it, and its bounds; how it is made is in ``forecast``."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["LEAST_DAYS", "MOST_DAYS", "SumForecast"]

#: three of each weekday, and the last twelve weeks at most: older days tell of another system
LEAST_DAYS, MOST_DAYS = 21, 84
#: by how much the next burst is larger
_NEXT_BURST = 1.5
_SAFETY = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class SumForecast:
    """The expected sum and the standard error of its prediction, with ``df``.

    ``surprise`` is what a day more may cost: as much as the most expensive one, or twice what the
    worst one exceeded its expectation by. There were ``bursts`` in ``days``, the largest ``burst``.
    """

    expected: float
    se: float
    df: float
    surprise: float
    bursts: int
    burst: float
    days: int
    ahead: int

    def __post_init__(self) -> None:
        sizes = (self.se, self.surprise, self.burst, self.bursts, self.ahead - 1)
        if min(sizes) < 0 or self.df <= 0 or not self.bursts < self.days >= LEAST_DAYS:
            raise ValueError("no forecast has such numbers")

    def low(self, error: float) -> float:
        """Return a bound that the sum stays below with about probability ``error``."""
        from scipy import stats

        return self.expected - float(stats.t.isf(error / _SAFETY, self.df)) * self.se

    def high(self, error: float) -> float:
        """Return a bound that the sum exceeds with about probability ``error``."""
        from scipy import stats

        reach = math.hypot(float(stats.t.isf(error / _SAFETY, self.df)) * self.se, self.surprise)
        if not self.bursts:
            return self.expected + reach
        a, b = self.bursts + 0.5, self.days - self.bursts + 0.5
        more = float(stats.betabinom.isf(error / _SAFETY, self.ahead, a, b))
        return self.expected + reach + more * _NEXT_BURST * self.burst
