"""``stage("tokenize")``: a subject names its parts, so that a slow call can be explained.

Outside a gate that listens, entering a stage costs a global read and does nothing.
"""

from __future__ import annotations

from time import perf_counter_ns
from types import TracebackType

__all__ = ["StageClock", "listen", "stage"]

_clock: StageClock | None = None


class StageClock:
    """Adds up the nanoseconds that each stage took in itself since the last ``take``."""

    def __init__(self) -> None:
        self._totals: dict[str, int] = {}
        self._open: list[list[int]] = []

    def enter(self) -> None:
        self._open.append([perf_counter_ns(), 0])

    def leave(self, name: str) -> None:
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


class listen:
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
        global _clock
        _clock = self._outer


class stage:
    """Name a part of a call: ``with stage("tokenize"): ...``. Stages may nest; time counts once.

    One task at a time: in concurrent async calls the shares of stages overlap.
    """

    __slots__ = ("_clock", "name")

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> None:
        self._clock = _clock
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
