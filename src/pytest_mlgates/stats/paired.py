"""Two latencies measured side by side: how many times longer the tail of the one is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pytest_mlgates.stats.design_effect import stretches

__all__ = ["TailRatio", "tail_ratio"]

#: so many blocks there are at least, and by how much longer ones must show a larger error
_LEAST_BLOCKS, _CLEAR = 20, 1.15


@dataclass(frozen=True, slots=True)
class TailRatio:
    """The log of the ratio of two quantiles and its standard error; pairs that differ in the tail.

    ``wins`` counts places in which only the first exceeds the pooled quantile, ``losses`` those in
    which only the second does: pairs that differ the same way close to each other count once, since
    a slow spell of one side is one event. ``blocks`` is how many blocks the error was read from.
    """

    log_ratio: float
    error: float
    wins: int
    losses: int
    blocks: int


def tail_ratio(
    first: npt.NDArray[Any], second: npt.NDArray[Any], q: float, block: int, rounds: int = 200
) -> TailRatio:
    """Compare the ``q`` quantiles of two paired series (positive, equally long).

    The standard error is that of a paired moving-block bootstrap (Kunsch, Ann. Stat. 17, 1989): a
    block holds the pairs that shared the same weather. The largest over blocks of this length and
    of longer ones counts, as long as there are twenty: a slow spell of one side may be longer than
    ``block``. The threshold of the sign counts is the quantile of both together, which swapping
    inside a pair does not change.

    >>> rng = np.random.default_rng(1)
    >>> base = rng.lognormal(0, 0.3, 4000)
    >>> found = tail_ratio(1.2 * base, rng.permutation(base), 0.99, 100)
    >>> bool(abs(found.log_ratio - np.log(1.2)) < 1e-9), found.wins > found.losses
    (True, True)
    """
    new, old = np.asarray(first, float), np.asarray(second, float)
    n = min(new.size, old.size)
    new, old = new[:n], old[:n]
    rank = min(n - 1, max(0, int(np.ceil(q * n - 1e-9)) - 1))
    threshold = float(np.partition(np.concatenate([new, old]), 2 * rank)[2 * rank])
    above_new, above_old = new > threshold, old > threshold

    def log_ratio(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> float:
        top, bottom = np.partition(a, rank)[rank], np.partition(b, rank)[rank]
        return float(np.log(top) - np.log(bottom))

    rng = np.random.default_rng(0)  # the same data give the same error
    error, blocks = 0.0, 1
    size = min(block, n)
    while True:
        pieces = -(-n // size)
        draws = []
        for _ in range(rounds):
            starts = rng.integers(0, n - size + 1, pieces)
            rows = (starts[:, None] + np.arange(size)).ravel()[:n]
            draws.append(log_ratio(new[rows], old[rows]))
        found = float(np.std(draws, ddof=1))
        if found > error * (1.0 if not error else _CLEAR):
            error, blocks = found, pieces
        size *= 4
        if size * _LEAST_BLOCKS > n:
            break
    return TailRatio(
        log_ratio=log_ratio(new, old),
        error=error,
        wins=stretches(above_new & ~above_old),
        losses=stretches(above_old & ~above_new),
        blocks=blocks,
    )
