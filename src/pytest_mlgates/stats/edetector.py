"""Evidence that the mean of a stream rose, whenever it did.

A bet against "the mean is at most ``limit``" that begins anew at each observation, all of them added
up: the Shiryaev-Roberts e-detector (Shin, Ramdas and Rinaldo, New Engl. J. Stat. Data Sci. 2, 2024).
While the mean stays at the limit or below, its expectation at the n-th observation is n at most, so
that it reaches ``n / error`` within n of them with chance ``error`` at most.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["highest"]

Floats: TypeAlias = npt.NDArray[np.float64]

_BETS = (0.02, 0.1, 0.3, 0.7)


def highest(x: npt.ArrayLike, limit: float, lowest: float) -> tuple[float, int, int]:
    """Return the largest logarithm that the detector reached, where, and where the bet began that won.

    No observation is below ``lowest``; it may be above without any limit.

    >>> rng = np.random.default_rng(0)
    >>> shifted = np.concatenate([rng.normal(0, 1, 5000).clip(-5, 5), rng.normal(1, 1, 200).clip(-5, 5)])
    >>> log_e, at, begin = highest(shifted, 0.1, -5.0)
    >>> bool(log_e > np.log(5200 / 1e-4)), at > 5100, abs(begin - 5000) < 50
    (True, True, True)
    """
    seen = np.asarray(x, float)
    if not limit > lowest:
        raise ValueError(f"no bet on a limit of {limit}, where nothing can be below it")
    z = (seen - limit) / (limit - lowest)
    if not seen.size:
        return 0.0, 0, 0
    if z.min() < -1 - 1e-9:
        raise ValueError("an observation is below the lowest that was declared")
    sums, begins = [], []
    for bet in _BETS:
        won = np.cumsum(np.log1p(bet * z))
        before = np.concatenate([[0.0], won[:-1]])
        sums.append(won + np.logaddexp.accumulate(-before))
        begins.append(before)
    total = np.logaddexp.reduce(np.array(sums)) - np.log(len(_BETS))
    at = int(total.argmax())
    best = int(np.argmax([row[at] for row in sums]))
    begin = int(begins[best][: at + 1].argmin())
    return float(total[at]), at, begin
