"""Open loop: calls are due when users come, not when the last answer is out.

A closed loop sends nothing while the subject stalls, so it hides every stall but one call of it
("coordinated omission", Gil Tene). Timed from the intended start, each caller's wait counts.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

__all__ = ["Arrivals", "poisson_arrivals", "served"]


def poisson_arrivals(per_second: float, seed: int) -> Iterator[int]:
    """Yield arrival times in ns from 0 on, of a Poisson process of the given rate.

    >>> import itertools
    >>> times = list(itertools.islice(poisson_arrivals(1000, seed=1), 10_000))
    >>> 9.7 < times[-1] / 1e9 < 10.3 and times == sorted(times)
    True
    """
    rng = np.random.default_rng(seed)
    now = 0.0
    while True:
        for gap in rng.exponential(1e9 / per_second, 1000):
            now += float(gap)
            yield int(now)


def served(
    arrival: npt.NDArray[np.float64], service: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return each caller's time from arrival to answer at one server, first come first served.

    Lindley, Proc. Camb. Phil. Soc. 48 (1952): a call starts when it is due or when the one before
    is done.

    >>> served(np.array([0.0, 1.0, 10.0]), np.array([5.0, 1.0, 1.0])).tolist()
    [5.0, 5.0, 1.0]
    """
    done = np.cumsum(service)
    latest = np.maximum.accumulate(arrival - (done - service))
    ended: npt.NDArray[np.float64] = done + latest - arrival
    return ended


class Arrivals:
    """Intended starts on the clock of ``perf_counter_ns``; pauses of the measurer shift them.

    A backlog survives a pause: what was late before it is as late after it.

    >>> due = Arrivals(1000.0, seed=1)
    >>> due.resume(5_000); first = next(due); due.pause(6_000); due.resume(1_006_000)
    >>> first > 5_000 and next(due) > 1_000_000
    True
    """

    def __init__(self, per_second: float, seed: int) -> None:
        self._times = poisson_arrivals(per_second, seed)
        self._shift = 0
        self._paused = 0

    def __iter__(self) -> Arrivals:
        return self

    def __next__(self) -> int:
        return self._shift + next(self._times)

    def pause(self, now: int) -> None:
        """Stop the time."""
        self._paused = now

    def resume(self, now: int) -> None:
        """Let it go on."""
        self._shift += now - self._paused
