"""Servers of a system that run before others, where that is permitted."""

from __future__ import annotations

import os
import shutil

__all__ = ["realtime"]


def realtime() -> tuple[str, ...]:
    """Return what starts a command with real-time priority where that is permitted, or nothing."""
    tool = shutil.which("chrt")
    if tool is None or not hasattr(os, "sched_setscheduler"):
        return ()
    before = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))
    except OSError:
        return ()
    os.sched_setscheduler(0, *before)
    return (tool, "-f", "10")
