"""Evidence that grows with the data and may be looked at any time.

An e-process is a bet against a null hypothesis whose expected value never exceeds 1 under it, so
that reaching 1/alpha, at any time, has a chance of at most alpha (Ville's inequality; Robbins,
Ann. Math. Stat. 41, 1970; Howard, Ramdas, McAuliffe, Sekhon, Ann. Stat. 49(2), 2021). Here the
bets are beta mixtures over one side of the null only: a two-sided mixture also grows when there
is nothing to find.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf, log, log1p

from scipy.special import betainc, betaincc, betaln

__all__ = ["log_e_above", "log_e_below", "log_sign_e"]


def log_e_above(events: float, n: float, null: float, a: float = 1.0, b: float = 50.0) -> float:
    """Return the log e-value against "the probability is at most ``null``".

    The mixture is Beta(a, b) cut to (null, 1]. Depends on ``(events, n)`` only.

    >>> log_e_above(26, 1000, 0.01) > 6.9            # 1 / 0.001
    True
    >>> log_e_above(0, 0, 0.01)
    0.0
    """
    return _log_mixture_e(events, n, null, (a, b), betaincc)


def log_e_below(events: float, n: float, null: float, a: float = 1.0, b: float = 50.0) -> float:
    """Return the log e-value against "the probability is at least ``null``".

    >>> log_e_below(0, 700, 0.01, b=1.0) > 4.6       # 1 / 0.01
    True
    """
    return _log_mixture_e(events, n, null, (a, b), betainc)


def log_sign_e(wins: int, losses: int) -> float:
    """Return the log e-value of a paired comparison, against "wins are no likelier than losses".

    Only discordant pairs count. With the order inside each pair randomised it holds under any
    drift and autocorrelation, since swapping the two of a pair changes nothing under the null.

    >>> log_sign_e(30, 5) > 6.9 > log_sign_e(18, 17)
    True
    """
    return log_e_above(wins, wins + losses, 0.5, 1.0, 1.0)


def _log_mixture_e(
    events: float, n: float, null: float, bet: tuple[float, float], mass: Callable[..., float]
) -> float:
    """Return the log of the mean likelihood ratio over the side of the null that ``mass`` cuts."""
    if not (0 <= events <= n and 0 < null < 1):
        raise ValueError(f"no e-value for {events!r} events in {n!r} against {null!r}")
    a, b = bet
    after = float(mass(a + events, b + n - events, null))
    if after <= 0.0:  # below the smallest float: nothing speaks against the null
        return -inf
    gain = float(betaln(a + events, b + n - events) - betaln(a, b))
    tail = log(after) - log(float(mass(a, b, null)))
    return gain + tail - events * log(null) - (n - events) * log1p(-null)
