"""What the kernel knows of a thread and its neighbours: who computed, who waited, who was robbed.

Linux only. Elsewhere :func:`thread_counters` and :func:`machine_use` return None, and a latency can
be judged by the clock alone.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from pytest_mlgates.load.counters import crowded_s

__all__ = ["MachineUse", "ThreadCounters", "machine_use", "open_counters"]

_PROC = Path("/proc")


class ThreadCounters(Protocol):
    """Counters of the calling thread, cheap enough to be read around every call."""

    def switches(self) -> int:
        """Return how often the thread gave up its core by itself (it waited)."""

    def delay(self) -> bytes:
        """Return a line whose second word is the time spent ready but not running, in ns."""


class LinuxCounters:
    """Run delay from ``/proc/thread-self/schedstat``, voluntary switches from ``getrusage``.

    The line is parsed later, so that a read costs one system call.
    """

    def __init__(self) -> None:
        import ctypes
        import resource

        # os.pread gives up the interpreter's lock: a thread of the subject's own would take it
        # there, between two timed calls, and its stalls would never be seen in one
        self._file = os.open("/proc/thread-self/schedstat", os.O_RDONLY | os.O_CLOEXEC)
        self._buffer = ctypes.create_string_buffer(64)
        # arguments made once: a read costs no more than os.pread
        self._read = partial(
            ctypes.PyDLL(None).pread,
            ctypes.c_int(self._file),
            self._buffer,
            ctypes.c_size_t(64),
            ctypes.c_long(0),
        )
        self._usage, self._who = resource.getrusage, resource.RUSAGE_THREAD
        try:
            if len(self.delay().split()) < 3:
                raise OSError("no run delay in schedstat")
        except OSError:
            self.close()
            raise

    def switches(self) -> int:
        return self._usage(self._who).ru_nvcsw

    def delay(self) -> bytes:
        if self._read() <= 0:
            raise OSError("the run delay can't be read")
        return self._buffer.raw

    def close(self) -> None:
        os.close(self._file)


@contextmanager
def open_counters() -> Iterator[ThreadCounters | None]:
    """Give the counters of the calling thread, or None where the system has none."""
    try:
        counters = LinuxCounters()
    except (OSError, ImportError, AttributeError):
        yield None
        return
    try:
        yield counters
    finally:
        counters.close()


@dataclass(frozen=True, slots=True)
class MachineUse:
    """CPU time in seconds: used by all, used by this process, by its descendants, and stolen.

    ``crowded`` is the time in which some task had to wait for a core, an upper bound, or None where
    the kernel does not tell.
    """

    at: float
    busy: float
    stolen: float
    own: float
    descendants: float
    crowded: float | None = None

    def since(self, start: MachineUse) -> MachineUse:
        """Return what was used from ``start`` to this one (``at`` is then the time between)."""
        return MachineUse(
            self.at - start.at,
            max(0.0, self.busy - start.busy),
            max(0.0, self.stolen - start.stolen),
            max(0.0, self.own - start.own),
            max(0.0, self.descendants - start.descendants),
            None
            if self.crowded is None or start.crowded is None
            else max(0.0, self.crowded - start.crowded),
        )

    @property
    def others(self) -> float:
        """CPU seconds that neither this process nor its descendants used."""
        return max(0.0, self.busy - self.own - self.descendants)

    @property
    def taken(self) -> float:
        """Seconds that others may have kept from the subject.

        Stolen time, and what others used; but who uses a core that no one waits for takes nothing.
        """
        if self.crowded is None:
            return self.stolen + self.others
        return self.stolen + min(self.others, self.crowded)


def machine_use() -> MachineUse | None:
    """Read the use of the machine so far, or return None where it can't be read."""
    try:
        tick = float(os.sysconf("SC_CLK_TCK"))
        # user nice system idle iowait irq softirq steal; guest time is part of user time
        words = (_PROC / "stat").read_text().split("\n", 1)[0].split()[1:9]
        user, nice, system, _idle, _wait, irq, soft, steal = (int(word) / tick for word in words)
    except (OSError, ValueError, AttributeError):
        return None
    times = os.times()
    return MachineUse(
        at=time.monotonic(),
        busy=user + nice + system + irq + soft,
        stolen=steal,
        own=time.process_time(),
        descendants=times.children_user + times.children_system + _living(tick),
        crowded=crowded_s(),
    )


def _living(tick: float) -> float:
    """Return the CPU seconds of living descendants, with those of the children they buried."""
    parents: dict[int, int] = {}
    used: dict[int, float] = {}
    for entry in _PROC.iterdir():
        if not entry.name.isdigit():
            continue
        try:
            # the name, in brackets, may hold spaces and brackets
            words = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended meanwhile
        parents[int(entry.name)] = int(words[1])
        used[int(entry.name)] = sum(int(word) for word in words[11:15]) / tick
    family, total = {os.getpid()}, 0.0
    while grown := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= grown
        total += sum(used[pid] for pid in grown)
    return total
