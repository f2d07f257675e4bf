"""One run: warm up, then call until each look is due, with everything put back on the way out."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections.abc import Awaitable, Callable, Generator, Iterable, Iterator
from contextlib import ExitStack
from typing import Any

import numpy as np

from pytest_mlgates.calls.ask import is_async
from pytest_mlgates.calls.clocks import Clocks
from pytest_mlgates.calls.faults import is_timeout
from pytest_mlgates.calls.guard import CallGuard
from pytest_mlgates.calls.stages import listen
from pytest_mlgates.core import Measurement, Unmeasurable
from pytest_mlgates.gates.p99_latency.arrivals import Arrivals
from pytest_mlgates.gates.p99_latency.async_loop import (
    await_calls,
    await_due_calls,
    await_many,
    await_one,
)
from pytest_mlgates.gates.p99_latency.finish import Finishing
from pytest_mlgates.gates.p99_latency.loop import run_calls
from pytest_mlgates.gates.p99_latency.machine import machine_use, open_counters
from pytest_mlgates.gates.p99_latency.recorder import Recorder
from pytest_mlgates.gates.p99_latency.session import Plan, Session
from pytest_mlgates.gates.p99_latency.speed import stored_quiet
from pytest_mlgates.load.collector import collector_counted, collector_paused
from pytest_mlgates.load.counters import Sampler, Served, watching
from pytest_mlgates.load.feed import Feed
from pytest_mlgates.load.priority import realtime_priority

__all__ = ["observe"]

_CHUNK = 1000
#: where calls are spread over the least time of a PASS, so many are made at a time
_SPREAD = 100
_PROGRESS_S = 2.0
#: an async call that blocks the loop can't be stopped by its own time-out
_BLOCKED_S = 2.0

Tell = Callable[[Session], Measurement]
Steps = Generator[Measurement | Awaitable[Any], Any, None]


def observe(
    call: Callable[[Any], Any],
    inputs: Iterable[Any],
    baseline: Callable[[Any], Any] | None,
    plan: Plan,
    tell: Tell,
) -> Steps:
    """Yield ``tell(session)`` at each look and now and then between; yield what must be awaited."""
    for name, subject in (("call", call), ("baseline", baseline)):
        if subject is not None and not callable(subject):
            raise Unmeasurable(f"{name} is a {type(subject).__name__}, not a callable")
    clocks = Clocks()
    with ExitStack() as stack:
        feed = Feed(inputs, numbered=True)
        stack.callback(feed.close)

        def recorder() -> Recorder:
            return Recorder(limit_ns=plan.limit_ms * 1e6, tolerant=plan.tolerant)

        session = Session(
            plan=plan,
            feed=feed,
            calibration=stored_quiet(),
            clocks=clocks,
            guard=stack.enter_context(CallGuard(plan.seconds)),
            clock=stack.enter_context(listen()),
            counters=stack.enter_context(open_counters()),
            priority=stack.enter_context(realtime_priority(wanted=plan.realtime)),
            finishing=Finishing(plan.consume),
            record=recorder(),
            warm=recorder(),
        )
        session.awaited = yield from _warm_up(call, session, session.warm)
        based = False
        if baseline is not None:
            session.baseline = recorder()
            based = yield from _warm_up(baseline, session, recorder())
        stack.enter_context(collector_counted() if plan.collector else collector_paused())
        session.sampler = _watched(plan.served_by)
        session.start_use, session.started = machine_use(), time.perf_counter_ns()
        if baseline is not None:
            yield from _run_pairs(call, baseline, (session.awaited, based), session, tell)
        else:
            yield from _run_looks(call, session, tell)


def _watched(served: Served | None) -> Sampler | None:
    try:
        found = watching(served)
    except ValueError as error:
        raise Unmeasurable(str(error)) from None
    if found is not None:
        found.tick(now=True)
    return found


def _warm_up(
    call: Callable[[Any], Any], session: Session, record: Recorder
) -> Generator[Awaitable[Any], Any, bool]:
    """Make the untimed calls; return whether the answers must be awaited."""
    guard, feed, plan, finishing = session.guard, session.feed, session.plan, session.finishing
    item = next(feed)
    awaited = is_async(call)
    if not awaited:
        guard.arm()
        try:
            answer = call(item)
        except Exception as error:
            if not (plan.tolerant or is_timeout(error)):
                raise
            answer = None
        guard.disarm()
        awaited = hasattr(type(answer), "__await__")
        awaited = awaited or (plan.consume and hasattr(type(answer), "__anext__"))
        if not awaited:
            finish = finishing.plain()
            answer = answer if finish is None else finish(answer)
            finishing.check(answer)
            guard.arm()
            finishing.check_reading(answer, plan.limit_ms)
            guard.disarm()
    else:
        answer = None
    if awaited:
        guard.seconds = plan.seconds + _BLOCKED_S
        given = answer
        ask = finishing.awaited(call if given is None else lambda _: given)
        answer = yield _first(ask, item, session)
        finishing.check(answer)
        finishing.check_reading(answer, plan.limit_ms)
    del answer
    rest = max(0, plan.warmup - 1)
    running = set(threading.enumerate())
    if awaited:
        seconds = plan.seconds
        yield await_calls(call, feed, rest, record, seconds=seconds, **session.in_turn())
    else:
        run_calls(call, feed, rest, record, **session.in_turn())
    session.clock.take()
    left = set(threading.enumerate()) - running
    finishing.threads = max(finishing.threads, len(left))
    return awaited


async def _first(ask: Callable[[Any], Awaitable[object]], item: object, session: Session) -> object:
    """Await the first answer; None where it failed and calls may."""
    plan = session.plan
    try:
        return await await_one(ask, item, session.guard, plan.seconds)
    except Unmeasurable:
        raise
    except Exception as error:
        if not (plan.tolerant or is_timeout(error)):
            raise
        return None


def _run_looks(call: Callable[[Any], Any], session: Session, tell: Tell) -> Steps:
    plan, record = session.plan, session.record
    due = Arrivals(plan.arrivals_per_s, plan.seed) if plan.arrivals_per_s is not None else None
    for look in plan.looks:
        while (left := look - record.made) > 0:
            until = time.perf_counter_ns() + int(_PROGRESS_S * 1e9)
            if due is not None:
                due.resume(time.perf_counter_ns())
            work = _chunk(call, session, left, due, until)
            if work is not None:
                yield work
            if session.concurrent:
                record.sort()
            if due is not None:
                due.pause(time.perf_counter_ns())
            elif (rest := _rest(session, record.made)) > 0:
                yield from _pause(session, rest)
            yield from _between(session, look, until, tell)
        if (yield from _look(session, tell)):
            return


def _chunk(
    call: Callable[[Any], Any], session: Session, left: int, due: Arrivals | None, until: int
) -> Awaitable[int] | None:
    """Make some calls, or return what must be awaited for that."""
    plan, feed, record, seconds = session.plan, session.feed, session.record, session.plan.seconds
    count = left if due is not None else min(left, _SPREAD if plan.least_s else _CHUNK)
    if not session.awaited:
        run_calls(call, feed, count, record, due=due, until=until, **session.in_turn())
        return None
    if due is not None:
        common = session.common()
        lags = session.lags
        return await_due_calls(
            call, feed, left, record, due=due, seconds=seconds, lags=lags, **common
        )
    if plan.concurrency > 1:
        common = {**session.common(), "seconds": seconds, "until": until}
        most = max(count, 4 * plan.concurrency)
        return await_many(
            call, feed, min(left, most), record, concurrency=plan.concurrency, **common
        )
    return await_calls(call, feed, count, record, seconds=seconds, until=until, **session.in_turn())


def _rest(session: Session, made: int) -> float:
    """Return for how long nothing is called, so that the least of a PASS covers its time."""
    plan = session.plan
    return min(1.0, plan.least_s * min(1.0, made / plan.floor) - session.elapsed_s)


def _pause(session: Session, seconds: float) -> Generator[Awaitable[Any], Any, None]:
    session.guard.disarm()
    if session.awaited:
        yield asyncio.sleep(seconds)
    else:
        time.sleep(seconds)


def _between(session: Session, look: int, until: int, tell: Tell) -> Iterator[Measurement]:
    """Tidy up between two blocks of calls, and tell how far the run is."""
    if not session.plan.collector:
        gc.collect()
    if session.sampler is not None:
        session.sampler.tick()
    if time.perf_counter_ns() > until and session.record.made < look:
        yield tell(session)


def _look(session: Session, tell: Tell) -> Generator[Measurement, Any, bool]:
    """Tell what was seen at a look; return whether no later look can bring a verdict."""
    session.clocks.check()
    _check_times(session)
    if session.sampler is not None:
        session.sampler.tick(now=True)
    yield tell(session)
    return session.last is not None and session.plan.hopeless(session.last)


def _check_times(session: Session) -> None:
    """Hold what was timed against the time that passed."""
    walls = [row[2] for row in session.record.rows]
    in_turn = not session.concurrent
    if walls and (max(walls) == 0 or (in_turn and sum(walls) > 1.1e9 * session.elapsed_s + 1e8)):
        raise Unmeasurable(
            f"{len(walls)} calls took {sum(walls) / 1e9:.3g} s by the clock that times them, in "
            f"{session.elapsed_s:.3g} s that passed: that clock is not to be trusted"
        )


def _run_pairs(
    call: Callable[[Any], Any],
    baseline: Callable[[Any], Any],
    awaited: tuple[bool, bool],
    session: Session,
    tell: Tell,
) -> Steps:
    """Run new and base side by side on the same input, in random order inside each pair."""
    assert session.baseline is not None
    rng = np.random.default_rng(session.plan.seed)
    arms = (
        (call, session.record, awaited[0]),
        (baseline, session.baseline, awaited[1]),
    )
    seconds = session.plan.seconds

    async def chunk(count: int, until: int) -> None:
        common = session.in_turn()
        for first in rng.integers(0, 2, count).tolist():
            if time.perf_counter_ns() > until:
                return
            item = next(session.feed)
            for arm in (first, 1 - first):
                subject, record, is_async = arms[arm]
                one = _One(item, session.feed.at)
                if is_async:
                    await await_calls(subject, one, 1, record, seconds=seconds, **common)
                else:
                    run_calls(subject, one, 1, record, **common)

    for look in session.plan.looks:
        while (left := look - len(session.record.rows)) > 0:
            until = time.perf_counter_ns() + int(_PROGRESS_S * 1e9)
            work = chunk(min(left, _SPREAD if session.plan.least_s else _CHUNK), until)
            if any(awaited):
                yield work
            else:
                _run_to_end(work)
            if (rest := _rest(session, session.record.made)) > 0:
                yield from _pause(session, rest)
            yield from _between(session, look, until, tell)
        yield from _look(session, tell)


class _One(Iterator[object]):
    """One input, with its number."""

    def __init__(self, item: object, number: int) -> None:
        self._items, self.at = iter((item,)), number

    def __next__(self) -> object:
        return next(self._items)


def _run_to_end(work: Any) -> None:
    """Run a coroutine that never waits."""
    steps: Iterator[Any] = work.__await__()
    for _ in steps:
        raise AssertionError("a plain callable can't make its caller wait")
