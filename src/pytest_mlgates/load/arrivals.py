"""When requests are due."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

__all__ = ["poisson", "poisson_of", "recorded"]


def poisson(per_second: float, seconds: float, seed: int) -> NDArray[np.float64]:
    """Return arrival times in seconds of a Poisson process, in order, below ``seconds``.

    >>> times = poisson(100, 2, seed=1)
    >>> bool((np.diff(times) >= 0).all()), bool(times[-1] < 2), 150 < len(times) < 250
    (True, True, True)
    """
    if not (per_second > 0 and seconds > 0 and np.isfinite(per_second * seconds)):
        raise ValueError(
            f"a rate and a time above 0 are needed, not {per_second:g} a second for {seconds:g} s"
        )
    rng = np.random.default_rng(seed)
    count = rng.poisson(per_second * seconds)
    return np.sort(rng.uniform(0, seconds, count))


def poisson_of(count: int, seconds: float, seed: int) -> NDArray[np.float64]:
    """Return ``count`` arrivals within ``seconds``: a Poisson process given its number.

    >>> len(poisson_of(50, 2.0, seed=1))
    50
    """
    found: NDArray[np.float64] = np.sort(np.random.default_rng(seed).uniform(0, seconds, count))
    return found


def recorded(times: Iterable[float]) -> NDArray[np.float64]:
    """Return recorded arrival times as seconds after the first.

    >>> recorded([100.0, 100.5, 101.0]).tolist()
    [0.0, 0.5, 1.0]
    """
    found = np.fromiter(times, np.float64)
    if not len(found):
        raise ValueError("the recorded arrivals are empty")
    if not np.isfinite(found).all():
        raise ValueError("a recorded arrival is not a finite number of seconds")
    early = np.flatnonzero(np.diff(found) < 0)
    if len(early):
        raise ValueError(f"recorded arrival {early[0] + 2} comes before the one ahead of it")
    since: NDArray[np.float64] = found - found[0]
    return since
