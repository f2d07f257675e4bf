"""Records that say when they end and not how long they took: sent at once, or totals of a time."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["is_regular", "spread_back"]

_Floats: TypeAlias = npt.NDArray[np.float64]
_Ints: TypeAlias = npt.NDArray[np.int64]

#: gaps of one length, give or take, most of them: so a clock logs and no traffic comes
_LEAST, _LIKE, _MOST = 10, 0.2, 0.8


def spread_back(at: _Floats, source: _Ints) -> tuple[_Floats, _Floats]:
    """Return begin and length of records that are totals since the one before of their source.

    The first of a source takes the median of its later ones; where there is none it takes no time.

    >>> begin, seconds = spread_back(np.array([5.0, 6.0, 8.0]), np.zeros(3, int))
    >>> begin.tolist(), seconds.tolist()
    ([3.5, 5.0, 6.0], [1.5, 1.0, 2.0])
    """
    seconds = np.zeros_like(at)
    for rows in _by_source(at, source):
        gaps = np.diff(at[rows])
        if gaps.size:
            seconds[rows] = np.concatenate([[np.median(gaps)], gaps])
    return at - seconds, seconds


def is_regular(at: _Floats, source: _Ints) -> bool:
    """Tell whether records come by a clock, as totals that are logged every so often do.

    >>> rng = np.random.default_rng(0)
    >>> is_regular(np.arange(50.0) + rng.normal(0, 0.02, 50), np.zeros(50, int))
    True
    >>> is_regular(np.cumsum(rng.exponential(1, 50)), np.zeros(50, int))
    False
    """
    gaps = [np.diff(at[rows]) for rows in _by_source(at, source)]
    like = [np.abs(own - np.median(own)) <= _LIKE * np.median(own) for own in gaps if own.size]
    every = np.concatenate([np.zeros(0, bool), *like])
    moving = any(own.size and np.median(own) > 0 for own in gaps)
    return moving and every.size >= _LEAST and float(every.mean()) >= _MOST


def _by_source(at: _Floats, source: _Ints) -> list[_Ints]:
    """Return the places of each source's records, by time."""
    order = np.lexsort((at, source))
    return np.split(order, np.flatnonzero(np.diff(source[order])) + 1)
