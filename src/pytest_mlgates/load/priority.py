"""Run before others: real-time priority for the calling thread, where it is permitted."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["realtime_priority"]


@contextmanager
def realtime_priority(*, wanted: bool) -> Iterator[str]:
    """Give the calling thread SCHED_FIFO inside the block; say what came of it.

    The text is ``"off"``, ``"on"`` or why not. The former policy is put back.
    """
    if not wanted:
        yield "off"
        return
    try:
        policy, priority = os.sched_getscheduler(0), os.sched_getparam(0)
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except AttributeError:
        yield "this system has no SCHED_FIFO"
        return
    except OSError:
        yield "not permitted (needs root, CAP_SYS_NICE or a limit `rtprio`)"
        return
    try:
        yield "on"
    finally:
        os.sched_setscheduler(0, policy, priority)
