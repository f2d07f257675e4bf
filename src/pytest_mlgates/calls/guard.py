"""Stop a call that hangs, without moving it to another thread.

On POSIX a SIGALRM interrupts the main thread. Elsewhere an asynchronous exception is set, which
can't stop a blocking C call. What neither can stop ends the process, once the calls given to
``before_exit`` had their chance to put the evidence on disk.
"""

from __future__ import annotations

import asyncio
import ctypes
import math
import os
import signal
import sys
import threading
from collections.abc import Callable, Coroutine, Iterable
from types import FrameType, TracebackType
from typing import Any

from pytest_mlgates.core import Unmeasurable
from pytest_mlgates.core.blame import number_call
from pytest_mlgates.core.instants import steady_clock

__all__ = ["CallGuard", "CallTimeout", "before_exit", "together"]

#: how long a stopped call may go on before the process is ended, in seconds
GRACE_S = 5.0
#: an alarm may come a little before our clock says so, in seconds
_EARLY_S = 2e-3
#: by how much a stop may be late, as a share: quick calls share a timer
_SLACK = 0.05

#: of this process, as it was when the first gate was loaded: a test may freeze those of `time`
_clock = steady_clock()

_before_exit: list[Callable[[str], object]] = []


def before_exit(call: Callable[[str], object]) -> Callable[[], None]:
    """Have ``call(reason)`` called before a process that can't be stopped is ended.

    Returns what takes it back.
    """
    _before_exit.append(call)
    return lambda: _before_exit.remove(call)


class CallTimeout(BaseException):
    """A call took too long. Not an Exception, so that the subject does not swallow it."""


class CallGuard:
    """Limits each call inside a ``with`` block to ``seconds``; ``arm`` starts a call's time.

    Leaving the block after a time-out raises :class:`Unmeasurable` in place of
    :class:`CallTimeout`. An outer timer (pytest-timeout's) still counts: when its time is over, its
    handler ends the call. What is left of it is put back with its handler.

    >>> import time
    >>> with CallGuard(0.05) as guard:
    ...     guard.arm()
    ...     time.sleep(60)
    Traceback (most recent call last):
        ...
    pytest_mlgates.core.errors.Unmeasurable: call 1 did not return within 0.05 s and was stopped
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.calls = 0
        self._idle = True
        self._rearm = 0.0
        self._thread = threading.get_ident()
        self._signals = (
            hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()
        )
        self._ended = threading.Event()
        self._outer_handler: Any = None
        self._outer_interval = 0.0
        #: when the outer timer is due, by our clock
        self._outer_due = math.inf
        self._call_due = math.inf
        self._stopped_from_outside = False

    def __enter__(self) -> CallGuard:
        if self._signals:
            self._outer_handler = signal.signal(signal.SIGALRM, self._stop)
            delay, self._outer_interval = signal.setitimer(signal.ITIMER_REAL, 0)
            if delay:
                self._outer_due = _clock() + delay
            self._set_timer()
        threading.Thread(target=self._watch, name="mlgates-guard", daemon=True).start()
        return self

    def arm(self) -> None:
        """Start the time of the next call; a stop may come 5 % late, so that most calls cost none."""
        self.calls += 1
        self._idle = False
        if self._signals:
            now = _clock()
            if now >= self._rearm:
                self._call_due = now + self.seconds * (1 + _SLACK)
                self._set_timer()
                self._rearm = now + self.seconds * _SLACK

    def disarm(self) -> None:
        """Stop the time: no call is under way, however long until the next."""
        if self._signals:
            self._call_due = math.inf
            self._set_timer()
            self._rearm = 0.0
        self._idle = True

    def _set_timer(self) -> None:
        """Have the alarm come when the call's time or the outer timer's is over."""
        delay = max(1e-3, min(self._call_due, self._outer_due) - _clock())
        # with an interval: code that swallowed the first exception meets the next
        signal.setitimer(signal.ITIMER_REAL, 0.0 if delay == math.inf else delay, 1.0)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        if self._signals:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, self._outer_handler or signal.SIG_DFL)
            if self._outer_due < math.inf:
                left = max(self._outer_due - _clock(), 1e-3)
                signal.setitimer(signal.ITIMER_REAL, left, self._outer_interval)
        if self._stopped_from_outside and error is not None:
            if isinstance(error, CallTimeout):
                return  # of a guard around this one, which tells it
            raise Unmeasurable(
                f"a time-out around the test (pytest-timeout's or another) was over during call "
                f"{self.calls}: {type(error).__name__}"
            ) from None
        if isinstance(error, CallTimeout):
            raise Unmeasurable(self._text("was stopped")) from None
        if error is not None:
            number_call(error, self.calls)

    def _text(self, fate: str) -> str:
        return f"call {self.calls} did not return within {self.seconds:g} s and {fate}"

    def _stop(self, number: int, frame: FrameType | None) -> None:
        if _clock() < self._outer_due - _EARLY_S:
            raise CallTimeout
        # the timer is spent, whatever its handler makes of it: raise, return or end the process
        self._outer_due = _clock() + self._outer_interval if self._outer_interval else math.inf
        if callable(self._outer_handler):
            self._stopped_from_outside = True
            self._outer_handler(number, frame)
            self._stopped_from_outside = False  # it let the call go on
        elif self._outer_handler != signal.SIG_IGN:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.raise_signal(signal.SIGALRM)
        self._set_timer()

    def _watch(self) -> None:
        """End a call that the signal could not, or the process."""
        seen, asked = -1, False
        while not self._ended.wait(self.seconds + (1.0 if asked else GRACE_S * self._signals)):
            if self._idle or self.calls != seen:
                seen, asked = self.calls, False
            elif not self._signals and not asked:
                asked = True
                ctypes.pythonapi.PyThreadState_SetAsyncExc(
                    ctypes.c_ulong(self._thread), ctypes.py_object(CallTimeout)
                )
            else:
                text = self._text("could not be stopped: the process was ended")
                for call in _before_exit:
                    call(text)
                sys.stderr.write(f"\nmlgates: {text}\n")
                sys.stderr.flush()
                os._exit(1)


async def together(calls: Iterable[Coroutine[Any, Any, Any]]) -> list[Any]:
    """Await all calls and return what they gave; one that fails takes the others with it."""
    tasks = [asyncio.ensure_future(call) for call in calls]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
