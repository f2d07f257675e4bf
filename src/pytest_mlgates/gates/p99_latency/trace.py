"""What was seen of every call, as arrays: measuring writes it, counting reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from pytest_mlgates.gates.p99_latency.machine import MachineUse

__all__ = ["Floats", "Recorder", "Trace"]

Floats: TypeAlias = "npt.NDArray[np.float64]"

#: one call as the loop writes it: intended start, start, wall, thread CPU, process CPU, spin (ns),
#: voluntary switches, and the two schedstat lines
Row: TypeAlias = "tuple[int, int, int, int, int, int, int, bytes, bytes]"


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


@dataclass
class Recorder:
    """Collects rows while calls run; cheap to append to, converted once for each look."""

    rows: list[Row] = field(default_factory=list)
    stages: list[Mapping[str, int]] = field(default_factory=list)

    def sort(self) -> None:
        """Put calls that ended in another order than they were due back into that order."""
        order = sorted(range(len(self.rows)), key=lambda i: self.rows[i][:2])
        self.rows[:] = [self.rows[i] for i in order]
        self.stages[:] = [self.stages[i] for i in order]

    def trace(
        self,
        *,
        counters: bool,
        open_loop: bool = False,
        concurrent: bool = False,
        use: MachineUse | None = None,
        quiet_spin: float | None = None,
        lags: Sequence[int] | None = None,
    ) -> Trace:
        """Return all rows as a :class:`Trace`."""
        table = np.array([row[:7] for row in self.rows], dtype=np.int64).reshape(-1, 7)
        intended, start, wall, cpu, process, spins, switches = table.T
        zero = intended[0] if len(table) else 0
        by_call = counters and not concurrent
        return Trace(
            wall=wall.astype(float),
            cpu=cpu.astype(float),
            process=process.astype(float) if by_call else None,
            delay=_delays(self.rows) if counters else None,
            switches=switches.astype(float) if by_call else None,
            spin=spins.astype(float),
            quiet_spin=quiet_spin,
            arrival=(intended - zero).astype(float) if open_loop else None,
            start=(start - zero).astype(float) if open_loop else None,
            lag=None if lags is None else np.array(lags, dtype=float),
            use=use,
            concurrent=concurrent,
        )


def _delays(rows: Sequence[Row]) -> Floats:
    return np.array([int(row[8].split()[1]) - int(row[7].split()[1]) for row in rows], dtype=float)
