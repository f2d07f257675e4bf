"""How much less a dependent observation is worth than an independent one.

The variance of block means against that of independent draws: Kish, Survey Sampling (1965), and
the method of batch means in simulation output analysis.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["design_effect"]


#: parts of the block length that are tried as well: long blocks are few, and few blocks miss how
#: short bursts cluster
_PARTS = (1, 2, 5, 10)


def design_effect(events: npt.NDArray[Any], block: int) -> float:
    """Return ``max(1, block * var(block means) / (p * (1 - p)))`` of a series of 0 and 1.

    The largest over blocks of this length, a half, a fifth and a tenth of it. A last block that is
    not full is left out. Nothing varies where all are equal: the effect is 1 there, and so it is
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
    sizes = {max(1, block // part) for part in _PARTS}
    return max(1.0, *(_effect(x, size) for size in sizes))


def _effect(x: npt.NDArray[np.float64], block: int) -> float:
    blocks = x.size // block
    if blocks < 2:
        return 1.0
    means = x[: blocks * block].reshape(blocks, block).mean(axis=1)
    p = float(means.mean())
    if p in (0.0, 1.0):
        return 1.0
    return block * float(means.var(ddof=1)) / (p * (1.0 - p))
