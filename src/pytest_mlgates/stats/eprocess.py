"""Evidence that grows with the data and may be looked at any time.

An e-process is a bet against a null hypothesis whose expected value never exceeds 1 under it, so
that reaching 1/alpha, at any time, has a chance of at most alpha (Ville's inequality; Robbins,
Ann. Math. Stat. 41, 1970; Howard, Ramdas, McAuliffe, Sekhon, Ann. Stat. 49(2), 2021). Here the
bets are beta mixtures over one side of the null only: a two-sided mixture also grows when there
is nothing to find.
"""

from __future__ import annotations

from scipy.special import betaln
from scipy.stats import beta

__all__ = ["log_e_above", "log_e_below", "log_sign_e"]


def log_e_above(events: int, n: int, null: float, a: float = 1.0, b: float = 50.0) -> float:
    """Return the log e-value against "the probability is at most ``null``".

    The mixture is Beta(a, b) cut to (null, 1]. Depends on ``(events, n)`` only.

    >>> log_e_above(26, 1000, 0.01) > 6.9            # 1 / 0.001
    True
    >>> log_e_above(0, 0, 0.01)
    0.0
    """
    tail = beta.logsf(null, a + events, b + n - events) - beta.logsf(null, a, b)
    return _log_e(events, n, null, (a, b), float(tail))


def log_e_below(events: int, n: int, null: float, a: float = 1.0, b: float = 50.0) -> float:
    """Return the log e-value against "the probability is at least ``null``".

    >>> log_e_below(0, 700, 0.01, b=1.0) > 4.6       # 1 / 0.01
    True
    """
    tail = beta.logcdf(null, a + events, b + n - events) - beta.logcdf(null, a, b)
    return _log_e(events, n, null, (a, b), float(tail))


def log_sign_e(wins: int, losses: int) -> float:
    """Return the log e-value of a paired comparison, against "wins are no likelier than losses".

    Only discordant pairs count. With the order inside each pair randomised it holds under any
    drift and autocorrelation, since swapping the two of a pair changes nothing under the null.

    >>> log_sign_e(30, 5) > 6.9 > log_sign_e(18, 17)
    True
    """
    return log_e_above(wins, wins + losses, 0.5, 1.0, 1.0)


def _log_e(events: int, n: int, null: float, bet: tuple[float, float], tail: float) -> float:
    from math import log, log1p

    if not (0 <= events <= n and 0 < null < 1):
        raise ValueError(f"no e-value for {events!r} events in {n!r} against {null!r}")
    a, b = bet
    gain = float(betaln(a + events, b + n - events) - betaln(a, b))
    return gain + tail - events * log(null) - (n - events) * log1p(-null)
