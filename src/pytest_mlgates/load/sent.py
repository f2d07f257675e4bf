"""What became of each request that was due."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Sent", "quantile"]


@dataclass(eq=False)
class Sent:
    """Times in seconds after the start, one for each request; NaN is never.

    ``due``: when it should leave. ``begun``: when the generator got to it. ``handed``: when it was
    wholly with the system under test (the kernel's socket buffer for sockets). ``answered``: when
    its first answer was there. ``wrong`` marks answers that are errors, ``ended`` is when waiting
    ended: a request without an answer has waited until then at least.
    """

    due: NDArray[np.float64]
    begun: NDArray[np.float64] = field(init=False)
    handed: NDArray[np.float64] = field(init=False)
    answered: NDArray[np.float64] = field(init=False)
    wrong: NDArray[np.bool_] = field(init=False)
    ended: float = 0.0
    #: the same for each request, where several runs were joined
    ends: NDArray[np.float64] | None = None
    #: when it started, on the clock of ``perf_counter``
    started: float = 0.0
    #: CPU seconds of the generator's thread, and of calls made in it
    own_cpu_s: float = 0.0
    subject_cpu_s: float = 0.0
    #: connections that the other side dropped, answers to nothing that was asked, second answers
    dropped: int = 0
    unasked: int = 0
    doubled: int = 0

    def __post_init__(self) -> None:
        self.begun, self.handed, self.answered = (np.full(len(self.due), np.nan) for _ in range(3))
        self.wrong = np.zeros(len(self.due), bool)

    def finish(self, started: float) -> None:
        """Note when it started and that it ends now."""
        self.started, self.ended = started, time.perf_counter() - started

    @property
    def right(self) -> NDArray[np.bool_]:
        """Which requests were answered, and not with an error."""
        found: NDArray[np.bool_] = ~np.isnan(self.answered) & ~self.wrong
        return found

    def latency(self) -> NDArray[np.float64]:
        """Return seconds from due to answered; without a right answer, to the end of waiting."""
        return self.end() - self.due

    def end(self) -> NDArray[np.float64]:
        """Return when each request was rightly answered; without that, when waiting ended."""
        ends = self.ended if self.ends is None else self.ends
        found: NDArray[np.float64] = np.where(self.right, self.answered, ends)
        return found

    def lag(self) -> NDArray[np.float64]:
        """Return the generator's own delay in seconds; what it never got to lags to the end."""
        ends = self.ended if self.ends is None else self.ends
        begun = np.where(np.isnan(self.begun), ends, self.begun)
        found: NDArray[np.float64] = begun - self.due
        return found

    def by_second(self, q: float) -> list[float]:
        """Return the ``q`` quantile of latency of each second in which requests were due."""
        latency, second = self.latency(), np.floor(self.due).astype(np.int64)
        cuts = np.flatnonzero(np.diff(second)) + 1
        return [quantile(part, q) for part in np.split(latency, cuts) if len(part)]


def quantile(values: NDArray[np.float64], q: float) -> float:
    """Return the smallest value that a share ``q`` of the values does not exceed.

    >>> quantile(np.arange(1.0, 101.0), 0.99)
    99.0
    """
    rank = max(0, int(np.ceil(q * len(values) - 1e-9)) - 1)
    return float(np.partition(values, rank)[rank])
