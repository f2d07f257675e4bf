"""Who used the cores while a load ran: those that serve it, the generator, and everyone else.

Linux only; elsewhere :func:`watching` gives None and a delay can't be told from a slow subject.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

__all__ = ["Sampler", "Served", "crowded_s", "listener_of", "watching"]

_PROC, _CGROUPS = Path("/proc"), Path("/sys/fs/cgroup")
_EVERY_S = 0.05
_RENEW_S = 1.0


@dataclass(frozen=True, kw_only=True)
class Served:
    """What serves a subject: a process with its descendants, who listens on a port, or a cgroup.

    ``cgroup`` is a folder of cgroup v2; ``container`` is a container's id (or the first twelve
    digits of it), whose cgroup is looked up under ``/sys/fs/cgroup``. Without any of these it is
    this process.

    >>> Served(pid=1, port=80)
    Traceback (most recent call last):
        ...
    ValueError: say one of pid, port, cgroup and container
    """

    pid: int | None = None
    port: int | None = None
    cgroup: str | None = None
    container: str | None = None

    def __post_init__(self) -> None:
        said = (self.pid, self.port, self.cgroup, self.container)
        if sum(one is not None for one in said) > 1:
            raise ValueError("say one of pid, port, cgroup and container")
        if self.container is not None:
            object.__setattr__(self, "cgroup", _cgroup_of(self.container))

    @property
    def here(self) -> bool:
        """Whether it is this process that serves."""
        return (self.pid, self.port, self.cgroup) == (None, None, None) or self.pid == os.getpid()

    def words(self) -> str:
        """Return it for people."""
        if self.here:
            return "this process"
        if self.container is not None:
            return f"container {self.container}"
        if self.cgroup is not None:
            return f"cgroup {self.cgroup}"
        if self.port is not None:
            return f"who listens on port {self.port}"
        return f"process {self.pid} and its descendants"


@dataclass
class Sampler:
    """Readings at least ``_EVERY_S`` apart; each is a row of seconds since boot or birth.

    Columns: when, CPU of the subject, its threads' wait for a core, the generator thread's wait,
    CPU of everyone but the subject, and what the host withheld. What a limit of its own kept from
    the subject (throttling) is not a wait for a core. Where it is ``unknown`` whether another
    process serves the subject too, the wait is that of any task of the machine. ``load`` are other
    processes that offer the load: their waits are the generator's too.
    """

    served: Served
    pids: list[int]
    unknown: bool = False
    load: tuple[int, ...] = ()
    rows: list[tuple[float, float, float, float, float, float]] = field(default_factory=list)
    _next: float = 0.0
    _renew: float = 0.0
    _gone: dict[int, tuple[float, float]] = field(default_factory=dict)
    _held: dict[int, tuple[float, float]] = field(default_factory=dict)

    def tick(self, *, now: bool = False) -> None:
        """Read the counters where it is time to; takes about 0.1 ms then."""
        at = time.perf_counter()
        if at < self._next and not now:
            return
        self._next = at + _EVERY_S
        if at >= self._renew and not self.served.here:
            self._renew = at + _RENEW_S
            self.pids = _pids(self.served, self.pids)
        cpu, delay = self._subject()
        busy, steal = _machine()
        waited = _own_delay() + sum(map(_delay_of, self.load))
        self.rows.append((at, cpu, delay, waited, busy - cpu, steal))

    def since(self, start: float) -> NDArray[np.float64]:
        """Return the readings, times counted from ``start``."""
        found = np.array(self.rows, float).reshape(-1, 6)
        found[:, 0] -= start
        return found

    def _subject(self) -> tuple[float, float]:
        """Return CPU and waiting of all threads, ended ones as they were when last seen."""
        if self.served.here:
            # the subject's own thread is the generator's too; its wait is read once
            if not self.unknown:
                return time.process_time(), 0.0
            crowded = crowded_s()
            return time.process_time(), time.perf_counter() if crowded is None else crowded
        seen: dict[int, tuple[float, float]] = {}
        for pid in self.pids:
            with contextlib.suppress(OSError):
                for task in (_PROC / str(pid) / "task").iterdir():
                    with contextlib.suppress(OSError, ValueError):
                        words = (task / "schedstat").read_text().split()
                        seen[int(task.name)] = (int(words[0]) / 1e9, int(words[1]) / 1e9)
        for thread in self._held.keys() - seen.keys():
            self._gone[thread] = self._held[thread]
        self._held = seen
        cpu = sum(one for one, _ in seen.values()) + sum(one for one, _ in self._gone.values())
        delay = sum(one for _, one in seen.values()) + sum(one for _, one in self._gone.values())
        if self.served.cgroup is not None:
            cpu = _cgroup_use(Path(self.served.cgroup), "usage_usec")
        return cpu, max(0.0, delay - self._throttled())

    def _throttled(self) -> float:
        """Return the seconds that a CPU limit of the subject's own kept it from running."""
        folder = self.served.cgroup or _own_cgroup(self.pids[0] if self.pids else None)
        return 0.0 if folder is None else _cgroup_use(Path(folder), "throttled_usec")


def watching(served: Served | None, load: Iterable[int] = ()) -> Sampler | None:
    """Return what samples the counters, or None where this system has none.

    Without ``served`` it is this process, and perhaps others. ``load`` are processes that offer the
    load beside this one. Raises ValueError where nothing is
    served by what is named.
    """
    if not (_PROC / "thread-self" / "schedstat").exists():
        return None
    if served is None:
        return Sampler(Served(), [], unknown=True, load=tuple(load))
    pids = [] if served.here else _pids(served, [])
    if not served.here and not pids:
        raise ValueError(f"served_by names {served.words()}, but there is no such process")
    return Sampler(served, pids, load=tuple(load))


def listener_of(port: int) -> int | None:
    """Return the process that listens on a TCP port of this machine, as far as we may see it."""
    inodes = set()
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            for line in (_PROC / "net" / table).read_text().splitlines()[1:]:
                words = line.split()
                if words[3] == "0A" and int(words[1].rpartition(":")[2], 16) == port:
                    inodes.add(f"socket:[{words[9]}]")
    if not inodes:
        return None
    for pid in sorted(int(one.name) for one in _PROC.iterdir() if one.name.isdigit()):
        with contextlib.suppress(OSError):
            for handle in (_PROC / str(pid) / "fd").iterdir():
                with contextlib.suppress(OSError):
                    if str(handle.readlink()) in inodes:
                        return pid
    return None


def _pids(served: Served, known: list[int]) -> list[int]:
    """Return the processes that serve now."""
    if served.cgroup is not None:
        text = (Path(served.cgroup) / "cgroup.procs").read_text()
        return [int(word) for word in text.split()]
    root = known[0] if known else served.pid
    if root is None and served.port is not None:
        root = listener_of(served.port)
    if root is None or not (_PROC / str(root)).exists():
        return []
    return [root, *_descendants(root)]


def _descendants(root: int) -> Iterable[int]:
    for task in (_PROC / str(root) / "task").iterdir():
        with contextlib.suppress(OSError):
            for word in (task / "children").read_text().split():
                yield int(word)
                yield from _descendants(int(word))


def _cgroup_of(container: str) -> str:
    """Return the cgroup of a container by its id, or raise ValueError."""
    if len(container) >= 12 and container.isalnum():
        for folder, names, _ in os.walk(_CGROUPS):
            for name in names:
                if container in name:
                    return str(Path(folder) / name)
    raise ValueError(
        f"no cgroup of a container {container!r} is here: give its id "
        "(docker inspect -f '{{.Id}}' NAME), or cgroup or pid"
    )


def _own_cgroup(pid: int | None) -> str | None:
    """Return the cgroup of a process where it has one of its own."""
    with contextlib.suppress(OSError, IndexError):
        mine, its = (
            (_PROC / str(one) / "cgroup").read_text().rpartition("::")[2].strip()
            for one in ("self", pid)
        )
        if its != mine and (_CGROUPS / its.lstrip("/") / "cpu.stat").exists():
            return str(_CGROUPS / its.lstrip("/"))
    return None


def _cgroup_use(folder: Path, what: str) -> float:
    words = (folder / "cpu.stat").read_text().split()
    return int(words[words.index(what) + 1]) / 1e6 if what in words else 0.0


def crowded_s() -> float | None:
    """Return the seconds in which any task waited for a core so far, from pressure stall information.

    The kernel gives a mean over cores, so the sum over cores bounds the time with any wait. None
    where the kernel does not tell.
    """
    try:
        some = (_PROC / "pressure" / "cpu").read_text().split("\n", 1)[0]
        return int(some.rpartition("total=")[2]) / 1e6 * (os.cpu_count() or 1)
    except (OSError, ValueError):
        return None


def _own_delay() -> float:
    thread = threading.get_native_id()
    text = (_PROC / "self" / "task" / str(thread) / "schedstat").read_text()
    return int(text.split()[1]) / 1e9


def _delay_of(pid: int) -> float:
    """Return the seconds that the first thread of a process was ready to run and did not."""
    try:
        return int((_PROC / str(pid) / "schedstat").read_text().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0


def _machine() -> tuple[float, float]:
    """Return the seconds that the cores were busy, and that the host withheld."""
    with (_PROC / "stat").open() as file:
        words = file.readline().split()
    tick = os.sysconf("SC_CLK_TCK")
    user, nice, system, _, _, irq, soft, steal = (int(word) / tick for word in words[1:9])
    return user + nice + system + irq + soft, steal
