"""The timed loop for plain callables, closed or open; two clock reads inside the timed window."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from time import perf_counter_ns, process_time_ns, thread_time_ns
from typing import Any

from pytest_mlgates.calls.guard import CallGuard
from pytest_mlgates.calls.stages import StageClock
from pytest_mlgates.core import Unmeasurable
from pytest_mlgates.gates.p99_latency.finish import Finishing
from pytest_mlgates.gates.p99_latency.machine import ThreadCounters
from pytest_mlgates.gates.p99_latency.probe import spin
from pytest_mlgates.gates.p99_latency.recorder import Recorder

__all__ = ["FOREVER", "NoCounters", "number_in", "run_calls", "wait_until"]

#: a wait ends by spinning this long: a sleep wakes late
_SPIN_NS = 300_000
FOREVER = 1 << 62


class NoCounters:
    """Stands in where the kernel's counters can't be read."""

    def switches(self) -> int:
        """Return nothing known."""
        return 0

    def delay(self) -> bytes:
        """Return nothing known."""
        return b"0 0 0"


def number_in(feed: Iterator[object]) -> Callable[[], int]:
    """Return what tells the number of the input that a feed gave last."""
    numbered: Any = feed
    return (lambda: int(numbered.at)) if hasattr(feed, "at") else (lambda: 0)


def run_calls(
    call: Callable[[Any], object],
    feed: Iterator[object],
    count: int,
    record: Recorder,
    *,
    guard: CallGuard,
    counters: ThreadCounters,
    clock: StageClock,
    finishing: Finishing | None = None,
    tick: Callable[[], None] = lambda: None,
    due: Iterator[int] | None = None,
    until: int = FOREVER,
) -> int:
    """Time ``count`` calls into ``record``, or fewer where ``until`` (ns) passes; return how many.

    ``due`` gives the intended starts (ns on the clock of ``perf_counter_ns``) of an open loop;
    ``tick`` is called between calls, for whoever samples.
    """
    finishing = finishing or Finishing()
    finish, check, number = finishing.plain(), finishing.check, number_in(feed)
    switches, delay, arm = counters.switches, counters.delay, guard.arm
    add, fail, take = record.add, record.fail, clock.take
    t1 = 0
    for done in range(count):
        if t1 > until:
            guard.disarm()
            return done
        tick()
        item = next(feed)
        spun = spin()
        intended = 0
        if due is not None:
            guard.disarm()
            intended = next(due)
            wait_until(intended)
        fault = None
        answer: object = None
        take()  # what happened between calls is no part of one
        arm()
        v0 = switches()
        d0 = delay()
        p0 = process_time_ns()
        c0 = thread_time_ns()
        t0 = perf_counter_ns()
        try:
            answer = call(item)
            if finish is not None:
                answer = finish(answer)
            t1 = perf_counter_ns()
        except Exception as error:  # noqa: BLE001 - raised again, or counted
            t1 = perf_counter_ns()
            fault = error
        c1 = thread_time_ns()
        p1 = process_time_ns()
        d1 = delay()
        v1 = switches()
        row = (intended, t0, t1 - t0, c1 - c0, p1 - p0, spun, v1 - v0, d0, d1)
        if fault is not None:
            fail(row, take(), number(), fault)
            continue
        add(row, take(), number(), answer)
        if hasattr(type(answer), "__await__"):
            _close_answer(answer)
            raise Unmeasurable("call gave an awaitable for some inputs only: make it all async")
        check(answer)
        del answer  # what it frees is no part of the next call
    guard.disarm()
    return count


def wait_until(moment: int) -> None:
    """Return when ``perf_counter_ns()`` reaches ``moment``; never wait for a clock that stands."""
    last = os.times().elapsed + 2 * max(0, moment - perf_counter_ns()) / 1e9 + 1
    turns = 0
    while (left := moment - perf_counter_ns()) > 0:
        turns += 1
        if left > _SPIN_NS:
            time.sleep((left - _SPIN_NS) / 1e9)
        elif turns % 1000:
            continue
        if os.times().elapsed > last:
            raise Unmeasurable("the clock stood still while calls were timed: was it frozen?")


def _close_answer(answer: object) -> None:
    close = getattr(answer, "close", None)
    if close is not None:
        close()
