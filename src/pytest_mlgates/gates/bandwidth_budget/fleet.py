"""What a sample of sources says of the fleet's ratio, where each link has a cap. Pure.

A gambler bets on ``ratio * raw - sent``, source by source: he loses ``cap`` at most on one of them,
so a source heavier than any that was seen is inside the bound (Waudby-Smith and Ramdas, JRSS B 86,
2024). Sources are independent draws from the fleet that is claimed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from pytest_mlgates.stats.betting import log_e_above

__all__ = ["Fleet"]

_STEPS = 60
#: ratios beyond so many times the largest one seen are not looked for
_FAR = 1e6


@dataclass(frozen=True)
class Fleet:
    """Bytes sent and raw bytes of each source, and the most that one source can have of either."""

    sent: Sequence[float]
    raw: Sequence[float]
    cap: float
    raw_cap: float

    def log_e_below(self, ratio: float) -> float:
        """Return the log evidence that the fleet sends less than ``ratio`` of its raw bytes."""
        spared = ratio * np.asarray(self.raw) - np.asarray(self.sent)
        return log_e_above(spared, 0.0, -self.cap)

    def log_e_above(self, ratio: float) -> float:
        """Return the log evidence that it sends more."""
        over = np.asarray(self.sent) - ratio * np.asarray(self.raw)
        return log_e_above(over, 0.0, -ratio * self.raw_cap)

    def bounds(self, below: float, above: float) -> tuple[float, float | None]:
        """Return what the ratio is above and below, each wrong with its own chance at most.

        Where nothing bounds it from above, that is None.

        >>> low, high = Fleet([10.0] * 300, [1e4] * 300, cap=100.0, raw_cap=1e5).bounds(1e-4, 1e-3)
        >>> low < 0.001 < high < 0.0013
        True
        """
        seen = sum(self.sent) / sum(self.raw)
        low = 0.0
        if seen > 0:
            enough = -math.log(below)
            low = _edge(lambda ratio: self.log_e_above(ratio) >= enough, seen / _FAR, seen)
        enough = -math.log(above)
        high, least = _FAR * max(seen, self.cap / self.raw_cap), max(seen, 1e-300)
        if self.log_e_below(high) < enough:
            return low, None
        return low, _edge(lambda ratio: self.log_e_below(ratio) >= enough, high, least)


def _edge(holds: Callable[[float], bool], good: float, bad: float) -> float:
    """Return, of two places, how far from the first ``holds`` is true; 0 where it is not even there."""
    if not holds(good):
        return 0.0
    for _ in range(_STEPS):
        middle = math.sqrt(good * bad)
        good, bad = (middle, bad) if holds(middle) else (good, middle)
    return good
