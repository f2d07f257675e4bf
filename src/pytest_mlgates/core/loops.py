"""An event loop whose timers go off on time: epoll waits in whole milliseconds, and rounds up."""

from __future__ import annotations

import asyncio
import select
import selectors
import sys

__all__ = ["new_loop", "on_time"]

#: select takes no larger file numbers
_MOST_FD = 1024

if sys.platform == "linux":

    class _Selector(selectors.EpollSelector):
        """Waits for epoll itself with ``select``, which counts microseconds."""

        def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
            if timeout is not None and timeout > 0 and self.fileno() < _MOST_FD:
                select.select([self.fileno()], [], [], timeout)
                timeout = 0
            return super().select(timeout)

    class _Loop(asyncio.SelectorEventLoop):
        """The usual loop with that selector."""

        def __init__(self) -> None:
            super().__init__(_Selector())


def new_loop() -> asyncio.AbstractEventLoop:
    """Return a loop whose timers are on time where the system has epoll, and the usual one elsewhere."""
    return _Loop() if sys.platform == "linux" else asyncio.new_event_loop()


def on_time() -> bool:
    """Whether the timers of the running loop go off on time, so that nobody needs to spin.

    >>> async def asked():
    ...     return on_time()
    >>> asyncio.run(asked())
    False
    """
    return sys.platform == "linux" and isinstance(asyncio.get_running_loop(), _Loop)
