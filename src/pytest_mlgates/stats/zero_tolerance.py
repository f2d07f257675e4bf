"""How much seeing nothing proves, when what looks may overlook.

With recall ``s``, a subject that leaks with rate ``p`` shows nothing in ``n`` independent tries
with chance ``(1 - p s)^n`` (Hanley and Lippman-Hand, JAMA 249, 1983, for s = 1).
"""

from __future__ import annotations

import math

__all__ = ["bound", "most_missed", "tries"]


def tries(rate: float, recall: float, error: float) -> int:
    """Return how many tries without a hit show that the rate is below ``rate``.

    >>> tries(1e-3, 1.0, 0.05), tries(1e-3, 0.95, 0.05)
    (2995, 3152)
    """
    return math.ceil(math.log(error) / math.log1p(-rate * recall))


def bound(n: int, recall: float, error: float) -> float:
    """Return the rate that ``n`` tries without a hit stay below, but for a chance ``error``.

    >>> round(bound(2995, 1.0, 0.05), 6)
    0.001
    >>> bound(0, 1.0, 0.05)
    1.0
    """
    return min(1.0, -math.expm1(math.log(error) / n) / recall) if n and recall else 1.0


def most_missed(recall: float, error: float) -> int:
    """Return how many leaks a full scan can have overlooked, all of them, but for ``error``.

    >>> most_missed(0.99, 1e-3), most_missed(0.5, 1e-3)
    (1, 9)
    """
    return math.floor(math.log(error) / math.log1p(-recall)) if recall < 1 else 0
