"""The garbage collector while calls are timed: out of the way, or at work and its pauses counted."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from pytest_mlgates.calls.stages import running_clock

__all__ = ["PAUSES", "collector_counted", "collector_paused"]

#: the stage that the collector's pauses are counted as
PAUSES = "garbage collection"


@contextmanager
def collector_counted() -> Iterator[None]:
    """Leave the collector as it is, and count its pauses in this thread as a stage.

    >>> from pytest_mlgates.calls.stages import listen
    >>> with listen() as clock, collector_counted():
    ...     _ = gc.collect()
    ...     list(clock.take())
    ['garbage collection']
    """
    thread = threading.get_ident()

    def note(phase: str, _info: object) -> None:
        clock = running_clock()
        if clock is None or threading.get_ident() != thread:
            return
        if phase == "start":
            clock.enter()
        else:
            clock.leave(PAUSES)

    gc.callbacks.append(note)
    try:
        yield
    finally:
        gc.callbacks.remove(note)


@contextmanager
def collector_paused() -> Iterator[None]:
    """Collect, freeze what is alive and disable the collector inside the block.

    What calls leave behind is collected between blocks of calls, by the caller.
    """
    enabled, frozen = gc.isenabled(), gc.get_freeze_count()
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        if not frozen:
            gc.unfreeze()  # else a user's own frozen objects would be thawed
        if enabled:
            gc.enable()
