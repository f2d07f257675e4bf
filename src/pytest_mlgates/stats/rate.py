"""A rate watched as its observations come in: bounds that hold at every look, and what is missing.

The bounds are those rates that the beta-mixture e-processes have not rejected (a confidence
sequence: Howard, Ramdas, McAuliffe, Sekhon, Ann. Stat. 49(2), 2021).
"""

from __future__ import annotations

from functools import lru_cache
from math import log

from pytest_mlgates.stats.eprocess import log_e_above, log_e_below

__all__ = ["fewest_clean", "lower", "more_needed", "over", "under", "upper"]

_MOST = 10**9


def _bet(limit: float) -> float:
    """Return b of the Beta(1, b) that bets: most of it near rates that a limit tells apart."""
    return min(20.0, max(1.0, 0.4 / limit))


@lru_cache(maxsize=1 << 16)
def over(events: float, n: float, limit: float) -> float:
    """Return the log e-value against "the rate is at most ``limit``".

    >>> over(16, 100, 0.02) > log(1e4) > over(4, 100, 0.02)
    True
    """
    return log_e_above(events, n, limit, 1.0, _bet(limit)) if n else 0.0


@lru_cache(maxsize=1 << 16)
def under(events: float, n: float, limit: float) -> float:
    """Return the log e-value against "the rate is at least ``limit``".

    >>> under(0, 450, 0.02) > log(1e3) > under(0, 400, 0.02)
    True
    """
    return log_e_below(events, n, limit, 1.0, _bet(limit)) if n else 0.0


def lower(events: float, n: float, error: float) -> float:
    """Return a bound that the rate is above at every look, but for a chance ``error``.

    >>> round(lower(16, 100, 1e-4), 3), lower(0, 100, 1e-4)
    (0.042, 0.0)
    """
    return _bound(events, n, error, above=True)


def upper(events: float, n: float, error: float) -> float:
    """Return a bound that the rate is below at every look, but for a chance ``error``.

    >>> round(upper(0, 450, 1e-3), 4), upper(0, 0, 1e-3)
    (0.0197, 1.0)
    """
    return _bound(events, n, error, above=False)


def _bound(events: float, n: float, error: float, *, above: bool) -> float:
    if not n or (events <= 0 if above else events >= n):
        return 0.0 if above else 1.0
    test, inside = (log_e_above, 0.0) if above else (log_e_below, 1.0)
    rate = events / n
    low, high = (inside, rate) if above else (rate, inside)
    for _ in range(30):
        middle = (low + high) / 2
        if not 0 < middle < 1:
            break
        rejected = test(events, n, middle, 1.0, _bet(middle)) >= -log(error)
        if rejected == above:
            low = middle
        else:
            high = middle
    return low if above else high


def more_needed(
    events: int, n: int, limit: float, error: float, *, above: bool = False
) -> int | None:
    """Return how many observations more show the rate to be below ``limit`` if it stays as it is.

    With ``above``, to be above it. None where it is on the other side, or so close that a billion
    would not do.

    >>> more_needed(0, 100, 0.02, 1e-3), more_needed(3, 100, 0.02, 1e-3)
    (343, None)
    >>> more_needed(3, 60, 0.02, 1e-4, above=True)
    594
    """
    rate = events / n if n else 0.0
    if (rate <= limit) if above else (rate >= limit):
        return None
    test = over if above else under

    def shown(size: int) -> bool:
        return test(rate * size, size, limit) >= -log(error)

    low = high = max(n, 1)
    while not shown(high):
        low, high = high, 2 * high
        if high > _MOST:
            return None
    while high - low > max(1, high // 1000):
        middle = (low + high) // 2
        low, high = (low, middle) if shown(middle) else (middle, high)
    return max(0, high - n)


def fewest_clean(limit: float, error: float) -> int:
    """Return how many observations without an event show the rate to be below ``limit``.

    >>> fewest_clean(0.02, 1e-3)
    443
    """
    return more_needed(0, 0, limit, error) or 0
