"""Stop a call that hangs, without moving it to another thread.

On POSIX a SIGALRM interrupts the main thread. Elsewhere an asynchronous exception is set, which
can't stop a blocking C call. What neither can stop ends the process, once the calls given to
``before_exit`` had their chance to put the evidence on disk.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterable
from types import FrameType, TracebackType
from typing import Any

from pytest_mlgates.core import Unmeasurable

__all__ = ["CallGuard", "CallTimeout", "before_exit", "together"]

#: how long a stopped call may go on before the process is ended, in seconds
GRACE_S = 5.0
#: by how much a stop may be late, as a share: quick calls share a timer
_SLACK = 0.05

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
    :class:`CallTimeout`. An outer timer and its handler are put back, with the time that passed
    taken off.

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
        self._outer_timer = (0.0, 0.0)
        self._entered = 0.0

    def __enter__(self) -> CallGuard:
        self._entered = time.monotonic()
        if self._signals:
            self._outer_handler = signal.signal(signal.SIGALRM, self._stop)
            self._outer_timer = signal.setitimer(signal.ITIMER_REAL, 0)
        threading.Thread(target=self._watch, name="mlgates-guard", daemon=True).start()
        return self

    def arm(self) -> None:
        """Start the time of the next call; a stop may come 5 % late, so that most calls cost none."""
        self.calls += 1
        self._idle = False
        if self._signals:
            now = time.monotonic()
            if now >= self._rearm:
                # with an interval: code that swallowed the first exception meets the next
                signal.setitimer(signal.ITIMER_REAL, self.seconds * (1 + _SLACK), 1.0)
                self._rearm = now + self.seconds * _SLACK

    def disarm(self) -> None:
        """Stop the time: no call is under way, however long until the next."""
        if self._signals:
            signal.setitimer(signal.ITIMER_REAL, 0)
            self._rearm = 0.0
        self._idle = True

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
            delay, interval = self._outer_timer
            if delay:
                left = delay - (time.monotonic() - self._entered)
                signal.setitimer(signal.ITIMER_REAL, max(left, 1e-3), interval)
        if isinstance(error, CallTimeout):
            raise Unmeasurable(self._text("was stopped")) from None

    def _text(self, fate: str) -> str:
        return f"call {self.calls} did not return within {self.seconds:g} s and {fate}"

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        raise CallTimeout

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
