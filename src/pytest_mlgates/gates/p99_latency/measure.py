"""One run: warm up, then call until each look is due, with everything put back on the way out."""

from __future__ import annotations

import gc
import time
from collections.abc import Awaitable, Callable, Generator, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pytest_mlgates.calls.guard import CallGuard
from pytest_mlgates.calls.stages import StageClock, listen
from pytest_mlgates.core import Measurement, Unmeasurable
from pytest_mlgates.gates.p99_latency.arrivals import Arrivals
from pytest_mlgates.gates.p99_latency.async_loop import await_calls, await_due_calls, await_one
from pytest_mlgates.gates.p99_latency.details import Tally
from pytest_mlgates.gates.p99_latency.loop import NoCounters, run_calls
from pytest_mlgates.gates.p99_latency.machine import (
    MachineUse,
    ThreadCounters,
    machine_use,
    open_counters,
)
from pytest_mlgates.gates.p99_latency.speed import Calibration, stored_quiet
from pytest_mlgates.gates.p99_latency.trace import Recorder, Trace
from pytest_mlgates.load.collector import collector_paused
from pytest_mlgates.load.feed import Feed
from pytest_mlgates.load.priority import realtime_priority

__all__ = ["Plan", "Session", "observe"]

_CHUNK = 1000
_PROGRESS_S = 2.0
#: an async call that blocks the loop can't be stopped by its own time-out
_BLOCKED_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a run goes: when to look, and what may stop it."""

    looks: tuple[int, ...]
    seconds: float
    warmup: int
    realtime: bool = False
    arrivals_per_s: float | None = None
    seed: int = 0


@dataclass(kw_only=True)
class Session:
    """What is known of a run so far."""

    plan: Plan
    feed: Feed
    calibration: Calibration
    priority: str
    counters: ThreadCounters | None
    guard: CallGuard
    clock: StageClock
    record: Recorder = field(default_factory=Recorder)
    baseline: Recorder | None = None
    warm: Recorder = field(default_factory=Recorder)
    lags: list[int] = field(default_factory=list)
    awaited: bool = False
    start_use: MachineUse | None = None
    #: the calls over the limit by the clock, at each look so far
    past: list[Tally] = field(default_factory=list)

    @property
    def concurrent(self) -> bool:
        """Whether several calls may be in flight at once."""
        return self.awaited and self.plan.arrivals_per_s is not None

    def trace(self) -> Trace:
        """Return all calls so far."""
        return self._trace(self.record)

    def baseline_trace(self) -> Trace:
        """Return all calls of the baseline so far."""
        return self._trace(self.baseline or Recorder())

    def _trace(self, record: Recorder) -> Trace:
        now = machine_use()
        use = now.since(self.start_use) if now is not None and self.start_use is not None else None
        return record.trace(
            counters=self.counters is not None,
            open_loop=self.plan.arrivals_per_s is not None,
            concurrent=self.concurrent,
            use=use,
            quiet_spin=self.calibration.quiet_ns,
            lags=self.lags if self.concurrent else None,
        )

    def common(self) -> dict[str, Any]:
        """Return what every timed loop needs."""
        return {"guard": self.guard, "counters": self.counters or NoCounters(), "clock": self.clock}


def observe(
    call: Callable[[Any], Any],
    inputs: Iterable[Any],
    baseline: Callable[[Any], Any] | None,
    plan: Plan,
    tell: Callable[[Session], Measurement],
) -> Generator[Measurement | Awaitable[Any], Any, None]:
    """Yield ``tell(session)`` at each look and now and then between; yield what must be awaited."""
    for name, subject in (("call", call), ("baseline", baseline)):
        if subject is not None and not callable(subject):
            raise Unmeasurable(f"{name} is a {type(subject).__name__}, not a callable")
    with ExitStack() as stack:
        feed = Feed(inputs)
        stack.callback(feed.close)
        session = Session(
            plan=plan,
            feed=feed,
            calibration=stored_quiet(),
            guard=stack.enter_context(CallGuard(plan.seconds)),
            clock=stack.enter_context(listen()),
            counters=stack.enter_context(open_counters()),
            priority=stack.enter_context(realtime_priority(wanted=plan.realtime)),
        )
        session.awaited = yield from _warm_up(call, session)
        based = False
        if baseline is not None:
            session.baseline = Recorder()
            based = yield from _warm_up(baseline, session)
        stack.enter_context(collector_paused())
        session.start_use = machine_use()
        if baseline is not None:
            yield from _run_pairs(call, baseline, (session.awaited, based), session, tell)
        else:
            yield from _run_looks(call, session, tell)


def _warm_up(call: Callable[[Any], Any], session: Session) -> Generator[Awaitable[Any], Any, bool]:
    """Make the untimed calls; return whether the answers must be awaited."""
    guard, feed, plan = session.guard, session.feed, session.plan
    item = next(feed)
    guard.arm()
    answer = call(item)
    guard.disarm()
    awaited = hasattr(type(answer), "__await__")
    if awaited:
        guard.seconds = plan.seconds + _BLOCKED_S
        yield await_one(answer, guard, plan.seconds)
    del answer
    rest = max(0, plan.warmup - 1)
    if awaited:
        yield await_calls(call, feed, rest, session.warm, seconds=plan.seconds, **session.common())
    else:
        run_calls(call, feed, rest, session.warm, **session.common())
    session.clock.take()
    return awaited


def _run_looks(
    call: Callable[[Any], Any], session: Session, tell: Callable[[Session], Measurement]
) -> Generator[Measurement | Awaitable[Any], Any, None]:
    plan, record = session.plan, session.record
    due = Arrivals(plan.arrivals_per_s, plan.seed) if plan.arrivals_per_s is not None else None
    for look in plan.looks:
        while (left := look - len(record.rows)) > 0:
            until = time.perf_counter_ns() + int(_PROGRESS_S * 1e9)
            if due is not None:
                due.resume(time.perf_counter_ns())
            if not session.awaited:
                chunk = left if due is not None else min(left, _CHUNK)
                common = session.common()
                run_calls(call, session.feed, chunk, record, due=due, until=until, **common)
            elif due is None:
                yield await_calls(
                    call,
                    session.feed,
                    min(left, _CHUNK),
                    record,
                    seconds=plan.seconds,
                    until=until,
                    **session.common(),
                )
            else:
                yield await_due_calls(
                    call,
                    session.feed,
                    left,
                    record,
                    guard=session.guard,
                    counters=session.counters or NoCounters(),
                    due=due,
                    seconds=plan.seconds,
                    lags=session.lags,
                )
                record.sort()
            if due is not None:
                due.pause(time.perf_counter_ns())
            gc.collect()
            if time.perf_counter_ns() > until and len(record.rows) < look:
                yield tell(session)
        yield tell(session)


def _run_pairs(
    call: Callable[[Any], Any],
    baseline: Callable[[Any], Any],
    awaited: tuple[bool, bool],
    session: Session,
    tell: Callable[[Session], Measurement],
) -> Generator[Measurement | Awaitable[Any], Any, None]:
    """Run new and base side by side on the same input, in random order inside each pair."""
    assert session.baseline is not None
    rng = np.random.default_rng(session.plan.seed)
    arms = (
        (call, session.record, awaited[0]),
        (baseline, session.baseline, awaited[1]),
    )

    async def chunk(count: int, until: int) -> None:
        common = session.common()
        for first in rng.integers(0, 2, count).tolist():
            if time.perf_counter_ns() > until:
                return
            item = next(session.feed)
            for arm in (first, 1 - first):
                subject, record, is_async = arms[arm]
                if is_async:
                    seconds = session.plan.seconds
                    await await_calls(subject, iter((item,)), 1, record, seconds=seconds, **common)
                else:
                    run_calls(subject, iter((item,)), 1, record, **common)

    for look in session.plan.looks:
        while (left := look - len(session.record.rows)) > 0:
            until = time.perf_counter_ns() + int(_PROGRESS_S * 1e9)
            work = chunk(min(left, _CHUNK), until)
            if any(awaited):
                yield work
            else:
                _run_to_end(work)
            gc.collect()
            if time.perf_counter_ns() > until and len(session.record.rows) < look:
                yield tell(session)
        yield tell(session)


def _run_to_end(work: Any) -> None:
    """Run a coroutine that never waits."""
    steps: Iterator[Any] = work.__await__()
    for _ in steps:
        raise AssertionError("a plain callable can't make its caller wait")
