"""Hold signals back while something is done that must not be cut in two."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any

__all__ = ["HeldSignals"]

#: what raises in the middle of Python code: Ctrl-C, pytest-timeout, a handler that exits
_NUMBERS = [
    getattr(signal, name) for name in ("SIGINT", "SIGALRM", "SIGTERM") if hasattr(signal, name)
]


class HeldSignals:
    """Between ``hold`` and ``release`` no signal's handler runs; those that came run afterwards.

    Handlers raise where the program happens to be, so that a verdict could be lost between the gate
    that decided and the record of it. Outside the main thread, where none runs, it does nothing.

    >>> import os
    >>> held = HeldSignals()
    >>> held.hold()
    >>> signal.raise_signal(signal.SIGINT)
    >>> try: held.release()
    ... except KeyboardInterrupt: print("now")
    now
    """

    def __init__(self) -> None:
        self._handlers: dict[int, Any] = {}
        self._came: list[int] = []

    def hold(self) -> None:
        """Begin to hold signals back; again, it does nothing."""
        if self._handlers or threading.current_thread() is not threading.main_thread():
            return
        for number in _NUMBERS:
            handler = signal.getsignal(number)
            if callable(handler):  # not the system's own, which can't be held back from here
                self._handlers[number] = handler
                signal.signal(number, self._note)

    def release(self) -> None:
        """Put the handlers back, and have those run whose signals came."""
        for number, handler in self._handlers.items():
            if signal.getsignal(number) == self._note:  # else someone set another meanwhile
                signal.signal(number, handler)
        self._handlers.clear()
        while self._came:
            signal.raise_signal(self._came.pop(0))

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self._came.append(number)
