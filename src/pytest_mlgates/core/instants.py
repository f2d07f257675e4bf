"""Instants as records hold them (ISO 8601), and how far clocks may be apart."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from tempfile import TemporaryFile
from types import BuiltinFunctionType

__all__ = ["CLOCK_SKEW", "instant", "kernel_now", "steady_clock"]

#: two honest clocks may be apart by so much
CLOCK_SKEW = timedelta(minutes=5)


def instant(text: object) -> datetime:
    """Return an instant in UTC; one without a time zone is taken for UTC.

    >>> instant("2026-12-31T13:00:00+01:00").isoformat()
    '2026-12-31T12:00:00+00:00'
    >>> instant("soon")
    Traceback (most recent call last):
        ...
    ValueError: expected an instant such as 2026-12-31T12:00Z, got 'soon'
    """
    try:
        when = datetime.fromisoformat(str(text))
        return when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        shown = repr(str(text)[:60])
        raise ValueError(f"expected an instant such as 2026-12-31T12:00Z, got {shown}") from None


def kernel_now() -> datetime:
    """Return the instant that the kernel tells, in UTC.

    A test may have frozen or moved Python's clocks (freezegun, time-machine, a mock), and forgotten
    to put them back: what has expired must not hold again because of it. So the time is read from
    what the kernel stamps on a pipe, or on an empty file, that was just made.

    >>> abs(kernel_now() - datetime.now(UTC)) < CLOCK_SKEW
    True
    """
    seconds = _stamp_of_a_pipe() or _stamp_of_a_file() or time.time()
    # not datetime.fromtimestamp: a test may have replaced that class's methods as well
    return _EPOCH + timedelta(seconds=seconds)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: a stamp before 2020 is none: the system keeps no time for pipes
_EARLIEST = 1_577_836_800.0


def _stamp_of_a_pipe() -> float:
    try:
        ends = os.pipe()
    except OSError:
        return 0.0
    try:
        stamp = os.fstat(ends[0]).st_mtime
    except OSError:
        return 0.0
    finally:
        for end in ends:
            with contextlib.suppress(OSError):
                os.close(end)
    return stamp if stamp > _EARLIEST else 0.0


def _stamp_of_a_file() -> float:
    try:
        with TemporaryFile() as file:
            return os.fstat(file.fileno()).st_mtime
    except OSError:
        return 0.0


def steady_clock() -> Callable[[], float]:
    """Return a clock in seconds that only goes forward and that no test can freeze.

    >>> clock = steady_clock()
    >>> clock() <= clock()
    True
    """
    found = time.monotonic
    # one that is replaced while we are imported stays replaced for us: ask the kernel instead
    return found if isinstance(found, BuiltinFunctionType) else lambda: os.times().elapsed
