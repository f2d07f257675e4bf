"""Quantiles with exact, distribution-free intervals from order statistics.

The number of observations below a quantile is binomial, so two order statistics enclose it
(Conover, Practical Nonparametric Statistics, 3.2; the interval of ``scipy.stats.quantile_test``).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import binom

__all__ = ["quantile", "quantile_interval"]


def quantile(ordered: npt.NDArray[Any], q: float) -> float:
    """Return the smallest observation with at least a share ``q`` at or below it.

    ``ordered`` is sorted and not empty. Never between two observations: a P99 that no call took
    is no one's latency.

    >>> quantile(np.arange(1.0, 101.0), 0.99)
    99.0
    """
    n = len(ordered)
    return float(ordered[min(n - 1, max(0, int(np.ceil(q * n - 1e-9)) - 1))])


def quantile_interval(
    ordered: npt.NDArray[Any], q: float, error: float = 0.05
) -> tuple[float, float | None]:
    """Return order statistics that enclose the ``q`` quantile, each side wrong by ``error`` / 2.

    The upper end is None where the sample is too small to have one. Without a lower end the
    smallest observation stands in for it.

    >>> quantile_interval(np.arange(1.0, 1001.0), 0.99)
    (983.0, 997.0)
    >>> quantile_interval(np.arange(1.0, 101.0), 0.99)
    (97.0, None)
    """
    n = len(ordered)
    low = int(binom.ppf(error / 2, n, q))  # P(count < low) <= error / 2
    high = int(binom.ppf(1 - error / 2, n, q)) + 1  # P(count >= high) <= error / 2
    return (
        float(ordered[max(0, low - 1)]),
        float(ordered[high - 1]) if high <= n else None,
    )
