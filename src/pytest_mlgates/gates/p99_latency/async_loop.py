"""The timed loops for async callables: one at a time, or as they are due and several in flight."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from time import perf_counter_ns, process_time_ns, thread_time_ns
from typing import Any

from pytest_mlgates.calls.guard import CallGuard
from pytest_mlgates.calls.stages import StageClock, own_clock
from pytest_mlgates.core import Unmeasurable
from pytest_mlgates.gates.p99_latency.loop import FOREVER
from pytest_mlgates.gates.p99_latency.machine import ThreadCounters
from pytest_mlgates.gates.p99_latency.probe import spin
from pytest_mlgates.gates.p99_latency.trace import Recorder

__all__ = ["await_calls", "await_due_calls", "await_one"]

#: the event loop wakes up to a millisecond late, so the last of a wait is polled
_POLL_NS = 2_000_000
#: a queue that only grows: the subject can't keep the rate, and memory is finite
_MOST_IN_FLIGHT = 10_000
#: how long the loop may idle before the guard is told that nothing hangs
_NAP_S = 0.02


async def await_one(answer: Awaitable[object], guard: CallGuard, seconds: float) -> None:
    """Await one answer, at most ``seconds``."""
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            await answer
    except TimeoutError:
        if not limit.expired():
            raise
        raise _too_slow(guard.calls, seconds) from None


async def await_calls(
    call: Callable[[Any], Awaitable[object]],
    feed: Iterator[object],
    count: int,
    record: Recorder,
    *,
    guard: CallGuard,
    counters: ThreadCounters,
    clock: StageClock,
    seconds: float,
    until: int = FOREVER,
) -> int:
    """Time ``count`` awaited calls, one after the other, inside one task."""
    switches, delay = counters.switches, counters.delay
    now = asyncio.get_running_loop().time
    limit = asyncio.timeout(None)
    t1 = 0
    try:
        async with limit:
            for done in range(count):
                if t1 > until:
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
        raise _too_slow(guard.calls, seconds) from None
    finally:
        guard.disarm()
    return count


async def await_due_calls(
    call: Callable[[Any], Awaitable[object]],
    feed: Iterator[object],
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
    load = _Load(call, record, counters.delay, seconds)
    try:
        for number in range(1, count + 1):
            item, intended, spun = next(feed), next(due), spin()
            waited = _run_delay(counters)
            while (left := intended - perf_counter_ns()) > 0 and not load.broken:
                guard.arm()  # goes off only where a call blocks the loop
                nap = min(_NAP_S, (left - _POLL_NS) / 1e9)
                await asyncio.sleep(max(0.0, nap))
            late = max(0, perf_counter_ns() - intended)
            lags.append(min(late, _run_delay(counters) - waited))
            guard.arm()
            load.start(number, item, intended, spun)
            await asyncio.sleep(0)
            if load.broken:
                break
        while load.flying and not load.broken:
            guard.arm()
            await asyncio.wait(load.flying, timeout=_NAP_S, return_when=asyncio.FIRST_COMPLETED)
    finally:
        guard.disarm()
        await load.cancel()
    if load.broken:
        raise load.broken[0]
    return count


class _Load:
    """The calls in flight, and the first thing that broke."""

    def __init__(
        self,
        call: Callable[[Any], Awaitable[object]],
        record: Recorder,
        delay: Callable[[], bytes],
        seconds: float,
    ) -> None:
        self.flying: set[asyncio.Task[None]] = set()
        self.broken: list[BaseException] = []
        self._call, self._record, self._delay, self._seconds = call, record, delay, seconds

    def start(self, number: int, item: object, intended: int, spun: int) -> None:
        if len(self.flying) >= _MOST_IN_FLIGHT:
            raise Unmeasurable(
                f"{_MOST_IN_FLIGHT} calls are in flight: the subject can't keep this rate"
            )
        one = self._one(number, item, intended, spun)
        task = asyncio.get_running_loop().create_task(one)
        self.flying.add(task)
        task.add_done_callback(self.flying.discard)

    async def cancel(self) -> None:
        for task in self.flying:
            task.cancel()
        if self.flying:
            await asyncio.gather(*self.flying, return_exceptions=True)

    async def _one(self, number: int, item: object, intended: int, spun: int) -> None:
        clock, delay = own_clock(), self._delay
        limit = asyncio.timeout(self._seconds)
        try:
            async with limit:
                d0 = delay()
                t0 = perf_counter_ns()
                await self._call(item)
                wall = perf_counter_ns() - t0
                d1 = delay()
        except asyncio.CancelledError:
            self.broken.append(RuntimeError("a call was cancelled"))
            raise
        except BaseException as error:  # noqa: BLE001 - raised again by who started the call
            hung = isinstance(error, TimeoutError) and limit.expired()
            self.broken.append(_too_slow(number, self._seconds) if hung else error)
            return
        self._record.rows.append((intended, t0, wall, 0, 0, spun, 0, d0, d1))
        self._record.stages.append(clock.take())


def _run_delay(counters: ThreadCounters) -> int:
    return int(counters.delay().split()[1])


def _too_slow(number: int, seconds: float) -> Unmeasurable:
    return Unmeasurable(f"call {number} did not return within {seconds:g} s and was stopped")
