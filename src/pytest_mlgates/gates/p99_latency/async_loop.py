"""The timed loops for async callables: one after the other, so many at once, or as they are due."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from time import perf_counter_ns, process_time_ns, thread_time_ns
from typing import Any

from pytest_mlgates.calls.guard import CallGuard
from pytest_mlgates.calls.stages import StageClock, own_clock
from pytest_mlgates.core import Unmeasurable
from pytest_mlgates.gates.p99_latency.finish import Finishing
from pytest_mlgates.gates.p99_latency.loop import FOREVER, number_in
from pytest_mlgates.gates.p99_latency.machine import ThreadCounters
from pytest_mlgates.gates.p99_latency.probe import spin
from pytest_mlgates.gates.p99_latency.recorder import Recorder

__all__ = ["await_calls", "await_due_calls", "await_many", "await_one"]

#: the event loop wakes up to a millisecond late, so the last of a wait is polled
_POLL_NS = 2_000_000
#: a queue that only grows: the subject can't keep the rate, and memory is finite
_MOST_IN_FLIGHT = 10_000
#: how long the loop may idle before the guard is told that nothing hangs
_NAP_S = 0.02


async def await_one(
    call: Callable[[Any], Awaitable[object]], item: object, guard: CallGuard, seconds: float
) -> object:
    """Await one answer, at most ``seconds``."""
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            return await call(item)
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
    finishing: Finishing,
    tick: Callable[[], None] = lambda: None,
    seconds: float,
    until: int = FOREVER,
) -> int:
    """Time ``count`` awaited calls, one after the other, inside one task."""
    switches, delay, number = counters.switches, counters.delay, number_in(feed)
    ask, take = finishing.awaited(call), clock.take
    now = asyncio.get_running_loop().time
    limit = asyncio.timeout(None)
    t1 = 0
    try:
        async with limit:
            for done in range(count):
                if t1 > until:
                    return done
                tick()
                item = next(feed)
                spun = spin()
                limit.reschedule(now() + seconds)
                fault = None
                answer: object = None
                take()
                guard.arm()
                v0 = switches()
                d0 = delay()
                p0 = process_time_ns()
                c0 = thread_time_ns()
                t0 = perf_counter_ns()
                try:
                    answer = await ask(item)
                    t1 = perf_counter_ns()
                except Exception as error:  # noqa: BLE001 - raised again, or counted
                    t1 = perf_counter_ns()
                    fault = error
                c1 = thread_time_ns()
                p1 = process_time_ns()
                d1 = delay()
                v1 = switches()
                row = (0, t0, t1 - t0, c1 - c0, p1 - p0, spun, v1 - v0, d0, d1)
                if fault is not None:
                    record.fail(row, take(), number(), fault)
                else:
                    record.add(row, take(), number(), answer)
                    finishing.check(answer)
                if done % 50 == 49:
                    await asyncio.sleep(0)  # a call that never waits must not starve the loop
    except TimeoutError:
        if not limit.expired():
            raise
        raise _too_slow(guard.calls, seconds) from None
    finally:
        guard.disarm()
    return count


async def await_many(
    call: Callable[[Any], Awaitable[object]],
    feed: Iterator[object],
    count: int,
    record: Recorder,
    *,
    guard: CallGuard,
    counters: ThreadCounters,
    finishing: Finishing,
    tick: Callable[[], None] = lambda: None,
    concurrency: int,
    seconds: float,
    until: int = FOREVER,
) -> int:
    """Time ``count`` awaited calls, ``concurrency`` in flight: as one ends the next one starts."""
    load = _Load(call, record, counters.delay, seconds, finishing)
    number = number_in(feed)
    begun = 0
    try:
        while (begun < count and perf_counter_ns() < until) or load.flying:
            if load.broken:
                break
            while len(load.flying) < concurrency and begun < count and perf_counter_ns() < until:
                begun += 1
                spun = spin() if begun % concurrency == 1 or concurrency == 1 else load.spun
                load.start(begun, next(feed), number(), 0, spun)
            guard.arm()
            tick()
            if load.flying:
                await asyncio.wait(load.flying, timeout=_NAP_S, return_when=asyncio.FIRST_COMPLETED)
    finally:
        guard.disarm()
        await load.cancel()
    if load.broken:
        raise load.broken[0]
    return begun


async def await_due_calls(
    call: Callable[[Any], Awaitable[object]],
    feed: Iterator[object],
    count: int,
    record: Recorder,
    *,
    guard: CallGuard,
    counters: ThreadCounters,
    finishing: Finishing,
    tick: Callable[[], None] = lambda: None,
    due: Iterator[int],
    seconds: float,
    lags: list[int],
) -> int:
    """Start ``count`` calls when they are due, and wait for all; most may be in flight at once.

    ``lags`` collects by how much the start was late for reasons that are not the subject's: time
    in which this thread was ready to run and did not.
    """
    load = _Load(call, record, counters.delay, seconds, finishing)
    number = number_in(feed)
    try:
        for at in range(1, count + 1):
            item, intended, spun = next(feed), next(due), spin()
            waited = _run_delay(counters)
            while (left := intended - perf_counter_ns()) > 0 and not load.broken:
                guard.arm()  # goes off only where a call blocks the loop
                tick()
                nap = min(_NAP_S, (left - _POLL_NS) / 1e9)
                await asyncio.sleep(max(0.0, nap))
            late = max(0, perf_counter_ns() - intended)
            lags.append(min(late, _run_delay(counters) - waited))
            guard.arm()
            load.start(at, item, number(), intended, spun)
            await asyncio.sleep(0)
            if load.broken:
                break
        while load.flying and not load.broken:
            guard.arm()
            tick()
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
        finishing: Finishing,
    ) -> None:
        self.flying: set[asyncio.Task[None]] = set()
        self.broken: list[BaseException] = []
        self.spun = 0
        self._record, self._delay, self._seconds = record, delay, seconds
        self._ask, self._check = finishing.awaited(call), finishing.check

    def start(self, at: int, item: object, number: int, intended: int, spun: int) -> None:
        if len(self.flying) >= _MOST_IN_FLIGHT:
            raise Unmeasurable(
                f"{_MOST_IN_FLIGHT} calls are in flight: the subject can't keep this rate"
            )
        self.spun = spun
        one = self._one(at, item, number, intended, spun)
        task = asyncio.get_running_loop().create_task(one)
        self.flying.add(task)
        task.add_done_callback(self.flying.discard)

    async def cancel(self) -> None:
        for task in self.flying:
            task.cancel()
        if self.flying:
            await asyncio.gather(*self.flying, return_exceptions=True)

    async def _one(self, at: int, item: object, number: int, intended: int, spun: int) -> None:
        clock, delay = own_clock(), self._delay
        limit = asyncio.timeout(self._seconds)
        d0 = d1 = delay()
        t0 = t1 = perf_counter_ns()
        try:
            try:
                async with limit:
                    d0 = delay()
                    t0 = perf_counter_ns()
                    answer = await self._ask(item)
                    t1 = perf_counter_ns()
                    d1 = delay()
            except Exception as error:  # noqa: BLE001 - counted, or raised by who started the call
                row = (intended, t0, perf_counter_ns() - t0, 0, 0, spun, 0, d0, delay())
                if isinstance(error, TimeoutError) and limit.expired():
                    raise _too_slow(at, self._seconds) from None
                self._record.fail(row, clock.take(), number, error)
                return
            row = (intended, t0, t1 - t0, 0, 0, spun, 0, d0, d1)
            self._record.add(row, clock.take(), number, answer)
            self._check(answer)
        except asyncio.CancelledError:
            self.broken.append(RuntimeError("a call was cancelled"))
            raise
        except BaseException as error:  # noqa: BLE001 - raised again by who started the call
            self.broken.append(error)


def _run_delay(counters: ThreadCounters) -> int:
    return int(counters.delay().split()[1])


def _too_slow(number: int, seconds: float) -> Unmeasurable:
    return Unmeasurable(f"call {number} did not return within {seconds:g} s and was stopped")
