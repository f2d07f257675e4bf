"""The timed loops for async callables: one at a time, or as they are due and several in flight."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from time import perf_counter_ns, process_time_ns, thread_time_ns
from typing import Any

from pytest_mlgates.core import Unmeasurable
from pytest_mlgates.guard import CallGuard
from pytest_mlgates.latency.counters import ThreadCounters
from pytest_mlgates.latency.probe import spin
from pytest_mlgates.latency.trace import Recorder
from pytest_mlgates.stages import StageClock, own_clock

__all__ = ["await_calls", "await_due_calls", "await_one"]

#: the event loop wakes up to a millisecond late, so the last of a wait is polled
_POLL_NS = 2_000_000
#: a queue that only grows: the subject can't keep the rate, and memory is finite
_MOST_IN_FLIGHT = 10_000
#: how long the loop may idle before the guard is told that nothing hangs
_NAP_S = 0.02


async def await_one(answer: Awaitable[Any], guard: CallGuard, seconds: float) -> None:
    """Await one answer, at most ``seconds``."""
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            await answer
    except TimeoutError:
        if not limit.expired():
            raise
        raise _too_slow(guard, seconds) from None


async def await_calls(
    call: Callable[[Any], Awaitable[Any]],
    feed: Iterator[Any],
    count: int,
    record: Recorder,
    *,
    guard: CallGuard,
    counters: ThreadCounters,
    clock: StageClock,
    seconds: float,
    stop: Callable[[], bool] = lambda: False,
) -> int:
    """Time ``count`` awaited calls, one after the other, inside one task."""
    switches, delay = counters.switches, counters.delay
    now = asyncio.get_running_loop().time
    limit = asyncio.timeout(None)
    done = 0
    try:
        async with limit:
            for done in range(count):
                if stop():
                    return done
                item = next(feed)
                spun = spin()
                limit.reschedule(now() + seconds)
                guard.arm()
                v0 = switches()
                d0 = delay()
                p0 = process_time_ns()
                c0 = thread_time_ns()
                t0 = perf_counter_ns()
                await call(item)
                t1 = perf_counter_ns()
                c1 = thread_time_ns()
                p1 = process_time_ns()
                d1 = delay()
                v1 = switches()
                record.rows.append((0, t0, t1 - t0, c1 - c0, p1 - p0, spun, v1 - v0, d0, d1))
                record.stages.append(clock.take())
                if done % 50 == 49:
                    await asyncio.sleep(0)  # a call that never waits must not starve the loop
    except TimeoutError:
        if not limit.expired():
            raise
        raise _too_slow(guard, seconds) from None
    finally:
        guard.disarm()
    return count


async def await_due_calls(
    call: Callable[[Any], Awaitable[Any]],
    feed: Iterator[Any],
    count: int,
    record: Recorder,
    *,
    guard: CallGuard,
    counters: ThreadCounters,
    due: Iterator[int],
    seconds: float,
    lags: list[int],
) -> int:
    """Start ``count`` calls when they are due, and wait for all; most may be in flight at once.

    ``lags`` collects by how much the start was late for reasons that are not the subject's: time
    in which this thread was ready to run and did not.
    """
    delay = counters.delay
    flying: set[asyncio.Task[None]] = set()
    broken: list[BaseException] = []

    async def one(item: Any, intended: int, spun: int) -> None:
        clock = own_clock()
        limit = asyncio.timeout(seconds)
        try:
            async with limit:
                d0 = delay()
                t0 = perf_counter_ns()
                await call(item)
                wall = perf_counter_ns() - t0
                d1 = delay()
        except TimeoutError as error:
            broken.append(_too_slow(guard, seconds) if limit.expired() else error)
            return
        except BaseException as error:
            broken.append(error)
            if isinstance(error, asyncio.CancelledError):
                raise
            return
        record.rows.append((intended, t0, wall, 0, 0, spun, 0, d0, d1))
        record.stages.append(clock.take())

    try:
        for _ in range(count):
            item, intended, spun = next(feed), next(due), spin()
            waited = int(delay().split()[1])
            while (left := intended - perf_counter_ns()) > 0:
                guard.arm()  # goes off only where a call blocks the loop
                nap = min(_NAP_S, (left - _POLL_NS) / 1e9)
                await asyncio.sleep(max(0.0, nap))
                if broken:
                    break
            late = max(0, perf_counter_ns() - intended)
            lags.append(min(late, int(delay().split()[1]) - waited))
            if len(flying) >= _MOST_IN_FLIGHT:
                raise Unmeasurable(
                    f"{_MOST_IN_FLIGHT} calls are in flight: the subject can't keep this rate"
                )
            guard.arm()
            task = asyncio.get_running_loop().create_task(one(item, intended, spun))
            flying.add(task)
            task.add_done_callback(flying.discard)
            await asyncio.sleep(0)
            if broken:
                break
        while flying and not broken:
            guard.arm()
            await asyncio.wait(flying, timeout=_NAP_S, return_when=asyncio.FIRST_COMPLETED)
    finally:
        guard.disarm()
        for task in flying:
            task.cancel()
        if flying:
            await asyncio.gather(*flying, return_exceptions=True)
    if broken:
        raise broken[0]
    return count


def _too_slow(guard: CallGuard, seconds: float) -> Unmeasurable:
    return Unmeasurable(f"call {guard.calls} did not return within {seconds:g} s and was stopped")
