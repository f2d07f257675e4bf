"""How much less a dependent observation is worth than an independent one.

The variance of block means against that of independent draws: Kish, Survey Sampling (1965), and
the method of batch means in simulation output analysis.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["design_effect"]


def design_effect(events: npt.NDArray[Any], block: int) -> float:
    """Return ``max(1, block * var(block means) / (p * (1 - p)))`` of a series of 0 and 1.

    A last block that is not full is left out, unless it is the only one. Nothing varies where all
    are equal: the effect is 1 there, and so it is with fewer than two blocks.

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
    blocks = x.size // block
    if blocks < 2:
        return 1.0
    means = x[: blocks * block].reshape(blocks, block).mean(axis=1)
    p = float(means.mean())
    if p in (0.0, 1.0):
        return 1.0
    return max(1.0, block * float(means.var(ddof=1)) / (p * (1.0 - p)))
