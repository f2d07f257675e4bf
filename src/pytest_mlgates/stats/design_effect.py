"""How much less a dependent observation is worth than an independent one.

The variance of block means against that of independent draws: Kish, Survey Sampling (1965), and
the method of batch means in simulation output analysis.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["design_effect", "least_spread", "longest_stretch", "stretches"]


#: parts of the block length that are tried as well: long blocks are few, and few blocks miss how
#: short bursts cluster
_PARTS = (1, 2, 5, 10)
#: so many blocks there are at least of the longest length, and from which effect on it counts:
#: with few blocks a smaller one is as likely luck
_LEAST_BLOCKS, _CLEAR = 20, 2.0
#: so many observations without an event end a stretch of them
_APART = 10
_FIFTHS = 5


def design_effect(events: npt.NDArray[Any], block: int) -> float:
    """Return ``max(1, block * var(block means) / (p * (1 - p)))`` of a series of 0 and 1.

    The largest over blocks of this length, a half, a fifth and a tenth of it, and of ever longer
    ones as long as there are twenty, where those show a clear effect. A last block that is not full
    is left out. Nothing varies where all are equal: the effect is 1 there, and so it is
    with fewer than two blocks.

    >>> series = np.zeros(1000, bool)
    >>> series[::50] = True                     # spread out
    >>> design_effect(series, 100)
    1.0
    >>> series[:] = False
    >>> series[200:220] = True                  # the same number, in one burst
    >>> round(design_effect(series, 100), 1)
    20.4
    """
    x = np.asarray(events, dtype=bool)
    p = float(x.mean()) if x.size else 0.0
    if p in (0.0, 1.0):
        return 1.0
    found = max(1.0, *(_effect(x, size) for size in {max(1, block // part) for part in _PARTS}))
    size = 2 * block
    while size * _LEAST_BLOCKS <= x.size:
        effect = _effect(x, size)
        if effect > _CLEAR:
            found = max(found, effect)
        size *= 2
    return found


def stretches(events: npt.NDArray[Any]) -> int:
    """Return in how many separate places of a series events come.

    >>> series = np.zeros(1000, bool)
    >>> series[200:260] = series[500] = series[505] = True
    >>> stretches(series)
    2
    """
    places = np.flatnonzero(events)
    return int(np.sum(np.diff(places) > _APART)) + bool(places.size)


def longest_stretch(events: npt.NDArray[Any]) -> int:
    """Return how many events come together in the stretch with the most of them.

    >>> series = np.zeros(1000, bool)
    >>> series[200:260] = series[500] = series[505] = True
    >>> longest_stretch(series)
    60
    """
    places = np.flatnonzero(events)
    if not places.size:
        return 0
    breaks = np.flatnonzero(np.diff(places) > _APART) + 1
    return int(np.diff(np.concatenate([[0], breaks, [places.size]])).max())


def least_spread(events: npt.NDArray[Any]) -> float:
    """Return the least share of events in any fifth of a series, one fifth left out.

    >>> least_spread(np.ones(100, bool)), least_spread(np.arange(100) > 50)
    (1.0, 0.0)
    """
    x = np.asarray(events, dtype=bool)
    if x.size < _FIFTHS:
        return 0.0
    return sorted(float(part.mean()) for part in np.array_split(x, _FIFTHS))[1]


def _effect(x: npt.NDArray[np.float64], block: int) -> float:
    blocks = x.size // block
    if blocks < 2:
        return 1.0
    means = x[: blocks * block].reshape(blocks, block).mean(axis=1)
    p = float(means.mean())
    if p in (0.0, 1.0):
        return 1.0
    return block * float(means.var(ddof=1)) / (p * (1.0 - p))
