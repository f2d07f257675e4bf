"""Bounds on a mean that was read from a few blocks of a run."""

from __future__ import annotations

import math

from scipy.stats import t as student

__all__ = ["mean_bounds"]


def mean_bounds(
    mean: float, error: float, blocks: int, *, alpha: float, beta: float, least: int = 3
) -> tuple[float, float]:
    """Return a bound below and one above a mean, wrong by ``alpha`` and ``beta`` at most each.

    ``error`` is the standard error that ``blocks`` block means give (Student 1908). Fewer than
    three blocks bound nothing, and fewer than ``least`` nothing from above.

    >>> low, high = mean_bounds(10.0, 1.0, 30, alpha=0.05, beta=0.05)
    >>> round(low, 2), round(high, 2)
    (8.3, 11.7)
    >>> mean_bounds(10.0, 1.0, 2, alpha=0.05, beta=0.05)
    (0.0, inf)
    """
    if blocks < 3:
        return 0.0, math.inf
    low = mean + float(student.ppf(alpha, blocks - 1)) * error
    high = mean - float(student.ppf(beta, blocks - 1)) * error
    return low, high if blocks >= least else math.inf
