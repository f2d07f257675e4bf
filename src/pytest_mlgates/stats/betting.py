"""Evidence about the mean of bounded observations, for any shape of them, at any time.

A gambler who bets against "the mean is at most ``limit``" wins ``1 + b (x - limit)`` on each
observation: a fair game at best while that holds, and his wealth is an e-value, which reaches
``1 / error`` with chance ``error`` at most, however often it is looked at (Ville; Waudby-Smith and
Ramdas, JRSS B 86, 2024). All that is needed is that each observation, given those before, has a
mean on the null's side, and how far below ``limit`` it can fall: what has never been seen, a
refusal in one call of fifty, is inside the bound. It may lie above without any limit.

The wealth of many fixed bets is averaged, so the order of the observations does not matter.
:func:`log_e_above` takes the observations themselves; :class:`Sums` holds what a record can hold of
them, and the wealth that it shows is never more than theirs, as for any bet ``b``
``log(1 + b z) >= b z - c z^2``, with ``c`` that of the lowest ``z`` there was (Fan, Grama and Liu,
Electron. J. Probab. 20, 2015, for the lowest that there can be). To count observations with
weights, hand in the products.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["Sums", "fewest_equal", "log_e_above", "log_e_below"]

Floats: TypeAlias = npt.NDArray[np.float64]

#: bets, as shares of the largest that leaves no debt; geometric, so that each spread has one
_BETS = np.geomspace(1e-3, 0.99, 24)
#: half the money goes on the largest bet, which is right where nothing has been seen at all
_MONEY = np.append(np.full(23, 0.5 / 23), 0.5)


def log_e_above(x: npt.ArrayLike, limit: float, lowest: npt.ArrayLike) -> float:
    """Return the log e-value against "the mean is at most ``limit``".

    No observation can be below ``lowest``. That may be a list with one for each observation (a cap
    of its own, known before it): then the null is that each has a mean of at most ``limit``.

    >>> rng = np.random.default_rng(0)
    >>> [round(log_e_above(rng.random(400) < mean, 0.1, 0.0), 1) for mean in (0.1, 0.2)]
    [-1.4, 12.2]
    """
    seen = np.asarray(x, float)
    z = (seen.ravel() - limit) / _room(limit, np.asarray(lowest, float))
    if seen.size and not z.min() >= -1 - 1e-9:  # also where one is NaN
        raise ValueError("an observation is below the lowest that was declared")
    wealth = np.array([np.log1p(bet * z).sum() for bet in _BETS])
    return float(_mixed(wealth)) if seen.size else 0.0


def log_e_below(x: npt.ArrayLike, limit: float, highest: npt.ArrayLike) -> float:
    """Return the log e-value against "the mean is at least ``limit``"; none is above ``highest``.

    >>> bool(log_e_below(np.zeros(800), 0.01, 1.0) > np.log(1e3))   # a rule of three
    True
    """
    return log_e_above(-np.asarray(x, float), -limit, -np.asarray(highest, float))


@dataclass(frozen=True, slots=True)
class Sums:
    """What a record holds of observations: how many, their sum and sum of squares, their range.

    Fields may be arrays of one shape; evidence is then an array too.

    >>> seen = Sums.of(np.tile([0.0, 0.0, 0.25], 200))
    >>> bool(seen.log_e_above(0.01, -1.0) > np.log(1e4))
    True
    >>> 0.05 < seen.mean_above(-1.0, 1e-3) < 1 / 12 < seen.mean_below(1.0, 1e-3) < 0.12
    True
    """

    n: npt.ArrayLike
    total: npt.ArrayLike
    squares: npt.ArrayLike
    least: npt.ArrayLike
    most: npt.ArrayLike

    @classmethod
    def of(cls, x: npt.ArrayLike) -> Sums:
        """Return the sums of observations."""
        seen = np.asarray(x, float)
        if not seen.size:
            return cls(0, 0.0, 0.0, 0.0, 0.0)
        ends = float(seen.min()), float(seen.max())
        return cls(seen.size, float(seen.sum()), float((seen**2).sum()), *ends)

    def mirrored(self) -> Sums:
        """Return the sums of the observations with the other sign."""
        total, least, most = (
            -np.asarray(part, float) for part in (self.total, self.most, self.least)
        )
        return Sums(self.n, total, self.squares, least, most)

    def log_e_above(self, limit: npt.ArrayLike, lowest: float) -> Floats:
        """Return the log e-value against "the mean is at most ``limit``", one or an array."""
        null = np.asarray(limit, float)
        room = _room(null, np.asarray(lowest, float))
        n, total, squares, least = (
            np.asarray(part, float) for part in (self.n, self.total, self.squares, self.least)
        )
        z = (total - n * null) / room
        z_squares = np.maximum(squares - 2 * null * total + n * null**2, 0.0) / room**2
        # a bet loses most on the lowest observation; above -0.001 that is rounding
        worst = np.clip((least - null) / room, -1.0, -1e-3)[..., None]
        costs = (_BETS * worst - np.log1p(_BETS * worst)) / worst**2
        return _mixed(z[..., None] * _BETS - z_squares[..., None] * costs)

    def log_e_below(self, limit: float, highest: float) -> Floats:
        """Return the log e-value against "the mean is at least ``limit``"."""
        return self.mirrored().log_e_above(-limit, -highest)

    def mean_above(self, lowest: float, error: float) -> float:
        """Return what the mean is above, but for a chance ``error``, at any look."""
        n = float(np.asarray(self.n))
        low, high = lowest, float(np.asarray(self.total)) / n if n else lowest
        for _ in range(3):  # from a hundred limits to the place between two of them, twice
            limits = np.linspace(low, high, 100)[1:]
            if not limits[0] > lowest:
                break
            kept = np.flatnonzero(self.log_e_above(limits, lowest) < -np.log(error))
            if not kept.size:
                break
            first = int(kept[0])  # the smallest that is not rejected, wherever others are
            low, high = (float(limits[first - 1]) if first else low), float(limits[first])
        return low

    def mean_below(self, highest: float, error: float) -> float:
        """Return what the mean is below, but for a chance ``error``, at any look."""
        return -self.mirrored().mean_above(-highest, error)


@lru_cache(maxsize=256)
def fewest_equal(limit: float, highest: float, error: float) -> int:
    """Return how many observations, all of them 0, show that the mean is below ``limit``.

    >>> fewest_equal(0.01, 1.0, 1e-3)
    764
    """
    if highest <= limit:
        return 0
    low, high = 0, 1
    while Sums(high, 0.0, 0.0, 0.0, 0.0).log_e_below(limit, highest) < -np.log(error):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        shown = Sums(middle, 0.0, 0.0, 0.0, 0.0).log_e_below(limit, highest) >= -np.log(error)
        low, high = (low, middle) if shown else (middle, high)
    return high


def _room(limit: npt.ArrayLike, lowest: Floats) -> Floats:
    """Return how far below the limit an observation can fall."""
    room = np.asarray(limit, float) - lowest
    if not np.all(room > 0):
        raise ValueError("no bet on a limit that nothing can be below")
    return room


def _mixed(wealth: Floats) -> Floats:
    """Return the logarithm of the money won by all bets, which are along the last axis."""
    top = wealth.max(axis=-1, keepdims=True)
    found: Floats = top[..., 0] + np.log(np.exp(wealth - top) @ _MONEY)
    return found
