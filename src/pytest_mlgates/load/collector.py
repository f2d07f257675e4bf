"""Keep the garbage collector out of timed calls, and put it back as it was."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["collector_paused"]


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
