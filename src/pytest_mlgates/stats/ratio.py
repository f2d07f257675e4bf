"""A ratio of two sums over independent clusters, with bounds that allow for skewed data.

At a candidate ratio ``r`` each cluster gives ``d = x - r * y``, whose mean is 0 at the true ratio
(Fieller, JRSS B 16, 1954). The t statistic of that mean is corrected for skewness by Hall's
monotone transformation (Hall, JRSS B 54, 1992); the weaker of both counts, so that a heavy tail
never makes a claim easier. A sample seldom shows all of a heavy tail, and then even the corrected
upper bound is too low; so it must also hold after one cluster more has been added, twice as heavy
as the heaviest (:func:`one_heavier`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

__all__ = ["RatioMoments", "one_heavier", "ratio_bounds"]

_STEPS = 200
#: a spread below this share of the size is rounding
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class RatioMoments:
    """Means and central moments up to the third of pairs (x, y): all that the bounds need."""

    n: int
    x: float
    y: float
    xx: float
    xy: float
    yy: float
    xxx: float
    xxy: float
    xyy: float
    yyy: float

    @classmethod
    def of(cls, x: npt.ArrayLike, y: npt.ArrayLike) -> RatioMoments:
        """Take the moments of two equally long, non-empty arrays.

        >>> RatioMoments.of(np.array([1.0, 3.0]), np.array([10.0, 10.0])).xx
        1.0
        """
        a, b = np.asarray(x, float), np.asarray(y, float)
        p, q = a - a.mean(), b - b.mean()
        return cls(
            n=a.size, x=float(a.mean()), y=float(b.mean()),
            xx=float(np.mean(p * p)), xy=float(np.mean(p * q)), yy=float(np.mean(q * q)),
            xxx=float(np.mean(p**3)), xxy=float(np.mean(p * p * q)),
            xyy=float(np.mean(p * q * q)), yyy=float(np.mean(q**3)),
        )  # fmt: skip

    def __post_init__(self) -> None:
        if self.n < 1 or not self.y > 0 or self.x < 0 or min(self.xx, self.yy) < 0:
            raise ValueError("these are not the moments of counts")

    def statistic(self, r: float) -> tuple[float, float]:
        """Return the t statistic of the mean of ``x - r * y``: the plain and the corrected one."""
        mean = self.x - r * self.y
        variance = self.xx - 2 * r * self.xy + r * r * self.yy
        size = self.xx + r * r * self.yy + mean * mean
        if variance <= _ROUNDING * size:
            far = 0.0 if abs(mean) <= 1e-9 * (self.x + r * self.y) else math.copysign(1e9, mean)
            return far, far
        third = self.xxx - 3 * r * self.xxy + 3 * r * r * self.xyy - r**3 * self.yyy
        skew = third / variance**1.5
        s = mean / math.sqrt(variance * self.n / (self.n - 1))
        hall = s + skew * s * s / 3 + skew * skew * s**3 / 27 + skew / (6 * self.n)
        return math.sqrt(self.n) * s, math.sqrt(self.n) * hall


def one_heavier(x: npt.ArrayLike, y: npt.ArrayLike) -> RatioMoments:
    """Return the moments with one cluster more: twice the largest ``x``, the mean ``y``.

    >>> one_heavier(np.array([1.0, 3.0]), np.array([10.0, 10.0])).x
    3.3333333333333335
    """
    a, b = np.asarray(x, float), np.asarray(y, float)
    return RatioMoments.of(np.append(a, 2 * a.max()), np.append(b, b.mean()))


def ratio_bounds(
    moments: RatioMoments, heavier: RatioMoments, lower_error: float, upper_error: float
) -> tuple[float, float | None]:
    """Return one-sided bounds of ``E[x] / E[y]``, each missed with about its own error at most.

    ``heavier`` is what :func:`one_heavier` gave of the same clusters. The upper bound is None
    where the data give none. Clusters are independent and alike. No method holds its error for
    every tail (Bahadur and Savage, Ann. Math. Stat. 27, 1956).

    >>> rng = np.random.default_rng(1)
    >>> y = rng.uniform(50, 150, 400)
    >>> x = 0.1 * y + rng.normal(0, 1, 400)
    >>> low, high = ratio_bounds(RatioMoments.of(x, y), one_heavier(x, y), 1e-4, 1e-3)
    >>> round(low, 3), round(high, 2)
    (0.097, 0.11)
    """
    ratio = moments.x / moments.y
    if moments.n < 2:
        return 0.0, None
    df = moments.n - 1
    low_t = float(stats.t.isf(lower_error, df))
    high_t = float(stats.t.isf(upper_error, df))

    def above(r: float) -> bool:  # the ratio is more than r
        return min(moments.statistic(r)) >= low_t

    def below(r: float) -> bool:  # the ratio is less than r
        return max(*moments.statistic(r), *heavier.statistic(r)) <= -high_t

    low = 0.0
    if above(0.0):
        low = _edge(above, 0.0, ratio)
    far = max(ratio, 1e-12)
    for _ in range(40):
        far *= 2
        if below(far):
            return low, _edge(below, far, ratio)
    return low, None


def _edge(holds: Any, good: float, bad: float) -> float:
    """Return where ``holds`` ends between a point at which it does and one at which it does not."""
    if holds(bad):
        return bad
    for _ in range(_STEPS):
        middle = (good + bad) / 2
        if middle in (good, bad):
            break
        good, bad = (middle, bad) if holds(middle) else (good, middle)
    return good
