"""``stage("tokenize")``: a subject names its parts, so that a slow call can be explained.

Outside a gate that listens, entering a stage costs a global read and does nothing.
"""

from __future__ import annotations

from contextvars import ContextVar
from time import perf_counter_ns
from types import TracebackType

__all__ = ["StageClock", "listen", "own_clock", "running_clock", "stage"]

_clock: StageClock | None = None
#: set in a task of its own, where several calls are in flight at once
_of_task: ContextVar[StageClock | None] = ContextVar("mlgates_stage_clock", default=None)


class StageClock:
    """Adds up the nanoseconds that each stage took in itself since the last ``take``."""

    def __init__(self) -> None:
        self._totals: dict[str, int] = {}
        self._open: list[list[int]] = []

    def enter(self) -> None:
        """Start a stage."""
        self._open.append([perf_counter_ns(), 0])

    def leave(self, name: str) -> None:
        """End the stage that was started last."""
        if not self._open:  # it began before the last take
            return
        start, inner = self._open.pop()
        took = perf_counter_ns() - start
        if self._open:
            self._open[-1][1] += took
        self._totals[name] = self._totals.get(name, 0) + took - inner

    def take(self) -> dict[str, int]:
        """Return the totals, in nanoseconds, and start again."""
        totals, self._totals = self._totals, {}
        self._open.clear()
        return totals


class listen:  # noqa: N801  (used as a function)
    """While the block runs, stages are counted on the clock it gives.

    >>> with listen() as clock:
    ...     with stage("tokenize"):
    ...         pass
    ...     list(clock.take())
    ['tokenize']
    """

    def __enter__(self) -> StageClock:
        global _clock
        self._outer, _clock = _clock, StageClock()
        return _clock

    def __exit__(self, *_: object) -> None:
        global _clock  # noqa: PLW0603
        _clock = self._outer


def own_clock() -> StageClock:
    """Give the running task a clock of its own, and return it; the task ends with it."""
    clock = StageClock()
    _of_task.set(clock)
    return clock


def running_clock() -> StageClock | None:
    """Return the clock that stages are counted on now: the task's own, or the one that listens."""
    return None if _clock is None else _of_task.get() or _clock


class stage:  # noqa: N801  (used as a function)
    """Name a part of a call: ``with stage("tokenize"): ...``. Stages may nest; time counts once.

    Of async calls in flight at once, each has its own count; what one waits for others counts too.
    """

    __slots__ = ("_clock", "name")

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> None:
        self._clock = running_clock()
        if self._clock is not None:
            self._clock.enter()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._clock is not None:
            self._clock.leave(self.name)
