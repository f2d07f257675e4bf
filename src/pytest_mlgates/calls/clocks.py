"""The clocks that a measurement is read from are the machine's own, and they run.

Libraries that freeze time in tests (freezegun, time-machine, a patched ``perf_counter_ns``) make a
latency a fiction, and a wait for a frozen clock has no end.
"""

from __future__ import annotations

import os
import time
from types import BuiltinFunctionType

from pytest_mlgates.core.errors import Unmeasurable

__all__ = ["Clocks"]

_READ = (
    "perf_counter_ns", "perf_counter", "monotonic", "monotonic_ns", "thread_time_ns",
    "process_time_ns", "process_time", "time", "time_ns", "sleep",
)  # fmt: skip
_TICKING = ("perf_counter", "monotonic", "time")
#: a clock may differ from the system's by a share and by its coarse ticks, in seconds
_SHARE, _TICKS_S = 0.1, 0.25
_WAY = "end the freeze before the gate is called"


class Clocks:
    """Checks the clocks when made, and again at each :meth:`check`.

    >>> clocks = Clocks()
    >>> clocks.check()
    """

    def __init__(self) -> None:
        self._start = self._now()
        self.check()

    def check(self) -> None:
        """Raise :class:`Unmeasurable` where a clock was replaced, stands still, or jumped."""
        for name in _READ:
            if not isinstance(getattr(time, name), BuiltinFunctionType):
                raise Unmeasurable(
                    f"time.{name} was replaced (freezegun, a patch of a test?), so nothing can be "
                    f"timed: {_WAY}"
                )
        before = self._now()
        elapsed = os.times().elapsed
        for _ in range(20):  # until the system's own clock has ticked
            _work()
            time.sleep(0.002)
            if os.times().elapsed > elapsed:
                break
        after = self._now()
        for name, then, now in zip(_TICKING, before, after, strict=False):
            if now == then:
                raise Unmeasurable(
                    f"time.{name}() stands still (time-machine, a fake clock?), so nothing can be "
                    f"timed: {_WAY}"
                )
        spans = [now - start for start, now in zip(self._start, after, strict=True)]
        if abs(spans[0] - spans[-1]) > _SHARE * spans[-1] + _TICKS_S:
            raise Unmeasurable(
                f"time.perf_counter() says {spans[0]:.3g} s passed, the system {spans[-1]:.3g} s: "
                f"the clock was changed while calls were timed; {_WAY}"
            )

    def _now(self) -> tuple[float, ...]:
        """Return the clocks of the module, and the system's own by another way."""
        return (*(getattr(time, name)() for name in _TICKING), os.times().elapsed)


def _work() -> int:
    return sum(range(2000))
