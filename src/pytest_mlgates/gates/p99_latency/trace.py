"""What was seen of every call, as arrays: counting reads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from pytest_mlgates.gates.p99_latency.machine import MachineUse

__all__ = ["Floats", "Trace"]

Floats: TypeAlias = "npt.NDArray[np.float64]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """The calls of a run so far. Times in ns; all arrays have the length ``n``.

    ``process``, ``delay`` and ``switches`` are None where the kernel's counters can't be read. With
    several calls in flight (``concurrent``) the delay of the thread that serves them all is known,
    and nothing else by call. ``arrival`` is None in a closed
    loop, where the next call starts when the last one is back; ``lag`` is by how much a start was
    late for reasons that are not the subject's, where the arrays can't tell.
    """

    wall: Floats
    cpu: Floats
    process: Floats | None = None
    delay: Floats | None = None
    switches: Floats | None = None
    spin: Floats | None = None
    quiet_spin: float | None = None
    arrival: Floats | None = None
    start: Floats | None = None
    lag: Floats | None = None
    use: MachineUse | None = None
    concurrent: bool = False
    #: seconds that the run took, and rows of a ``Sampler`` on the clock of ``start``
    seconds: float | None = None
    samples: Floats | None = None

    @property
    def n(self) -> int:
        """The number of calls."""
        return len(self.wall)

    @property
    def latency(self) -> Floats:
        """What a caller waited: from the intended start, where there was one."""
        if self.arrival is None or self.start is None:
            return self.wall
        return self.start + self.wall - self.arrival
