"""Collects what calls did while they run; cheap to append to, converted once for each look."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from pytest_mlgates.calls.answers import Taken
from pytest_mlgates.calls.faults import fault_name, is_timeout
from pytest_mlgates.gates.p99_latency.machine import MachineUse
from pytest_mlgates.gates.p99_latency.trace import Floats, Trace

__all__ = ["Recorder"]

#: one call as the loop writes it: intended start, start, wall, thread CPU, process CPU, spin (ns),
#: voluntary switches, and the two schedstat lines
Row: TypeAlias = "tuple[int, int, int, int, int, int, int, bytes, bytes]"


@dataclass
class Recorder:
    """The calls of one subject: those with an answer as rows, those that failed as counts.

    A client that gave up waiting after more than ``limit_ns`` was a slow call, whatever else it
    is. Other exceptions are counted where ``tolerant``, and raised where not.
    """

    limit_ns: float = float("inf")
    tolerant: bool = False
    rows: list[Row] = field(default_factory=list)
    stages: list[Mapping[str, int]] = field(default_factory=list)
    #: of each row: the number of its input, when the first item was there (ns after the start, or
    #: -1), and how many items came
    marks: list[tuple[int, int, int]] = field(default_factory=list)
    #: places (number of the call) of calls that failed, and how each is called
    failed: list[int] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    #: the time that failed calls took (ns)
    failed_ns: list[int] = field(default_factory=list)

    @property
    def made(self) -> int:
        """How many calls ended, one way or the other."""
        return len(self.rows) + len(self.failed)

    def add(self, row: Row, stages: Mapping[str, int], number: int, answer: object) -> None:
        """Note a call with an answer."""
        first, items = -1, 0
        if type(answer) is Taken:
            items = answer.items
            if answer.first_ns is not None:
                first = answer.first_ns - row[1]
                stages = stages or {"first item": first, "later items": row[2] - first}
        self.rows.append(row)
        self.stages.append(stages)
        self.marks.append((number, first, items))

    def fail(self, row: Row, stages: Mapping[str, int], number: int, error: Exception) -> None:
        """Note a call that raised, or raise its exception."""
        if is_timeout(error) and row[2] > self.limit_ns:
            self.faults[f"{fault_name(error)}, a slow call"] += 1
            self.add(row, stages, number, None)
            return
        if not self.tolerant:
            raise error
        self.failed.append(self.made)
        self.failed_ns.append(row[2])
        self.faults[fault_name(error)] += 1

    def sort(self) -> None:
        """Put calls that ended in another order than they were due back into that order."""
        order = sorted(range(len(self.rows)), key=lambda i: self.rows[i][:2])
        self.rows[:] = [self.rows[i] for i in order]
        self.stages[:] = [self.stages[i] for i in order]
        self.marks[:] = [self.marks[i] for i in order]

    def trace(
        self,
        *,
        counters: bool,
        open_loop: bool = False,
        concurrent: bool = False,
        use: MachineUse | None = None,
        quiet_spin: float | None = None,
        lags: Sequence[int] | None = None,
        seconds: float | None = None,
        samples: Floats | None = None,
    ) -> Trace:
        """Return all rows as a :class:`Trace`."""
        table = np.array([row[:7] for row in self.rows], dtype=np.int64).reshape(-1, 7)
        intended, start, wall, cpu, process, spins, switches = table.T
        zero = (intended if open_loop else start)[0] if len(table) else 0
        by_call = counters and not concurrent
        if samples is not None:
            samples = samples.copy()
            samples[:, 0] -= zero / 1e9
        return Trace(
            wall=wall.astype(float),
            cpu=cpu.astype(float),
            process=process.astype(float) if by_call else None,
            delay=_delays(self.rows) if counters else None,
            switches=switches.astype(float) if by_call else None,
            spin=spins.astype(float),
            quiet_spin=quiet_spin,
            arrival=(intended - zero).astype(float) if open_loop else None,
            start=(start - zero).astype(float),
            lag=None if lags is None else np.array(lags, dtype=float),
            use=use,
            concurrent=concurrent,
            seconds=seconds,
            samples=samples,
        )


def _delays(rows: Sequence[Row]) -> Floats:
    return np.array([int(row[8].split()[1]) - int(row[7].split()[1]) for row in rows], dtype=float)
