"""Exact bounds on a probability from a count, also where observations depend on each other.

Clopper and Pearson, Biometrika 26 (1934). Dependence enters as an effective sample size: with a
design effect d, k events in n observations weigh as k/d events in n/d (Kish, Survey Sampling,
1965). The bounds are the beta quantiles, which hold for fractional counts too.
"""

from __future__ import annotations

from scipy.special import betaincinv

__all__ = ["lower", "upper"]


def lower(events: float, n: float, error: float, deff: float = 1.0) -> float:
    """Return the one-sided lower bound: below the true probability, but for a chance ``error``.

    >>> round(lower(75, 5000, 1e-3), 5)
    0.01023
    >>> lower(0, 5000, 1e-3)
    0.0
    """
    _check_bound(events, n, error, deff)
    if not events or not n:
        return 0.0
    k, m = events / deff, n / deff
    return float(betaincinv(k, m - k + 1.0, error))


def upper(events: float, n: float, error: float, deff: float = 1.0) -> float:
    """Return the one-sided upper bound: above the true probability, but for a chance ``error``.

    >>> round(upper(0, 300, 0.05), 5)
    0.00994
    >>> upper(0, 0, 0.05)
    1.0
    """
    _check_bound(events, n, error, deff)
    if not n or events == n:
        return 1.0
    k, m = events / deff, n / deff
    return float(betaincinv(k + 1.0, m - k, 1.0 - error))


def _check_bound(events: float, n: float, error: float, deff: float) -> None:
    if not (0 <= events <= n and 0 < error < 1 and deff >= 1):
        raise ValueError(
            f"no bound for {events!r} events in {n!r} at error {error!r} and design effect {deff!r}"
        )
