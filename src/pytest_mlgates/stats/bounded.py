"""Bounds on the mean of bounded observations that hold at any sample size and for any shape.

They need no variance to have shown itself: what has not occurred yet is inside them. Two methods:
a gambler's wealth (Waudby-Smith and Ramdas, JRSS B 86, 2024), sharp where the spread is small, and
the Chernoff bound by relative entropy (Hoeffding, JASA 58, 1963), which also holds for U-statistics
such as the area under a ROC curve.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy.special import rel_entr

__all__ = ["entropy_lower", "entropy_upper", "mean_lower", "mean_upper"]

Floats = npt.NDArray[np.float64]

#: of its wealth the gambler stakes at most this share on one observation
_STAKE = 0.5
_STEPS = 60


def mean_lower(x: npt.ArrayLike, error: float) -> float:
    """Return a bound that the mean of independent observations in [0, 1] falls below with ``error``.

    The observations must be in an order that does not depend on them. A gambler bets that the mean
    is above ``m``; with a fair game no wealth of 1/error is reached but for the chance ``error``.

    >>> mean_lower(np.ones(10_000), 1e-4) > 0.998
    True
    >>> mean_lower(np.ones(3), 1e-4), mean_lower(np.array([]), 1e-4)
    (0.0, 0.0)
    """
    seen = _checked(x, error)
    if not seen.size:
        return 0.0
    stakes = _stakes(seen, error)
    needed = -math.log(error)
    if _wealth(seen, stakes, 1e-12) < needed:
        return 0.0
    low, high = 1e-12, 1.0
    for _ in range(_STEPS):  # wealth falls with m: the gambler bets on more
        middle = (low + high) / 2
        low, high = (middle, high) if _wealth(seen, stakes, middle) >= needed else (low, middle)
    return low


def mean_upper(x: npt.ArrayLike, error: float) -> float:
    """Return a bound that the mean of observations in [0, 1] is above with ``error``.

    >>> mean_upper(np.zeros(10_000), 1e-4) < 0.002
    True
    """
    return 1.0 - mean_lower(1.0 - np.asarray(x, float), error)


def _stakes(seen: Floats, error: float) -> Floats:
    """Return how much to stake on each observation, from those before it alone."""
    count = np.arange(1, seen.size + 1)
    before = np.concatenate([[0.5], (0.5 + np.cumsum(seen)[:-1]) / count[1:]])
    squares = np.concatenate([[0.25], 0.25 + np.cumsum((seen - before) ** 2)[:-1]])
    variance = squares / count
    stakes: Floats = np.sqrt(2 * -math.log(error) / (variance * seen.size))
    return stakes


def _wealth(seen: Floats, stakes: Floats, m: float) -> float:
    """Return the logarithm of the largest wealth on the way, against a mean of ``m``."""
    bets = np.minimum(stakes, _STAKE / m)
    return float(np.max(np.cumsum(np.log1p(bets * (seen - m)))))


def entropy_lower(mean: float, n: int, error: float) -> float:
    """Return a lower bound from the mean of ``n`` independent observations in [0, 1].

    For a two-sample U-statistic such as AUROC, ``n`` is the smaller of the two sample sizes.

    >>> round(entropy_lower(0.94, 500, 1e-3), 3)
    0.892
    >>> entropy_lower(0.5, 0, 1e-3)
    0.0
    """
    if not 0 <= mean <= 1:
        raise ValueError(f"a mean of observations in [0, 1] is not {mean}")
    if n == 0:
        return 0.0
    low, high = 0.0, mean
    for _ in range(_STEPS):
        middle = (low + high) / 2
        far = n * _entropy(mean, middle) >= -math.log(error)
        low, high = (middle, high) if far else (low, middle)
    return low


def entropy_upper(mean: float, n: int, error: float) -> float:
    """Return an upper bound from the mean of ``n`` independent observations in [0, 1].

    >>> round(entropy_upper(0.06, 500, 1e-3), 3)
    0.108
    """
    return 1.0 - entropy_lower(1.0 - mean, n, error)


def _entropy(p: float, q: float) -> float:
    """Return the relative entropy of two coins."""
    return float(rel_entr(p, q) + rel_entr(1 - p, 1 - q))


def _checked(x: npt.ArrayLike, error: float) -> Floats:
    seen: Floats = np.asarray(x, float)
    if seen.size and not (seen.min() >= 0 and seen.max() <= 1):  # also where one is NaN
        raise ValueError("an observation is outside 0 to 1")
    if not 0 < error < 1:
        raise ValueError(f"an error rate is not {error}")
    return seen
