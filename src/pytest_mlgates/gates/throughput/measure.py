"""One run: warm up, then offer the load in two parts, and count what became of it after each."""

from __future__ import annotations

from collections.abc import Awaitable, Generator, Iterable
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from pytest_mlgates.calls.ask import is_async
from pytest_mlgates.calls.clocks import Clocks
from pytest_mlgates.calls.guard import CallGuard
from pytest_mlgates.core.details import plain
from pytest_mlgates.core.errors import Unmeasurable
from pytest_mlgates.core.records import Measurement
from pytest_mlgates.gates.throughput import counts
from pytest_mlgates.gates.throughput.checked import Check
from pytest_mlgates.gates.throughput.details import Cpu, Seen
from pytest_mlgates.gates.throughput.details import Generator as Load
from pytest_mlgates.gates.throughput.judge import headline
from pytest_mlgates.gates.throughput.offering import (
    ALONE_S,
    Plan,
    Run,
    Subject,
    client_alone,
    offer,
)
from pytest_mlgates.gates.throughput.workers import bring_together
from pytest_mlgates.load import arrivals
from pytest_mlgates.load.collector import collector_paused
from pytest_mlgates.load.counters import Served, listener_of, watching
from pytest_mlgates.load.feed import Feed
from pytest_mlgates.load.priority import realtime_priority
from pytest_mlgates.load.sent import Sent, quantile
from pytest_mlgates.load.subjects import Batch, Http, Locust, Socket

__all__ = ["Plan", "observe"]

#: how the time is parted: after the first part a verdict may be FAIL, after the last PASS too
_PARTS = (0.25, 0.75)
#: subjects that another process serves
_ELSEWHERE = (Socket, Http, Locust)


def observe(
    subject: Subject,
    inputs: Iterable[Any],
    trace: Iterable[float] | None,
    served_by: Served | None,
    check: Check | None,
    plan: Plan,
) -> Generator[Measurement | Awaitable[Any], Any, None]:
    """Yield what was seen after each part; yield what must be awaited."""
    if not (callable(subject) or isinstance(subject, (Batch, *_ELSEWHERE))):
        raise Unmeasurable(
            f"call is a {type(subject).__name__}: give a callable, a Batch, a Socket, an Http or a "
            "Locust"
        )
    if check is not None and isinstance(subject, _ELSEWHERE):
        raise Unmeasurable("check is for callables: a Socket takes `answer`, an Http `right`")
    recorded = None if trace is None else _recorded(trace, plan)
    clocks = Clocks()
    with ExitStack() as stack:
        feed = Feed(inputs, "a load needs at least one input")
        stack.callback(feed.close)
        served = served_by or _served(subject)
        run = Run(
            plan=plan,
            subject=subject,
            feed=feed,
            guard=stack.enter_context(CallGuard(plan.timeout_s)),
            served=served or Served(),
            sampler=None,
            priority=stack.enter_context(realtime_priority(wanted=plan.realtime)),
            check=check,
            clocks=clocks,
        )
        if isinstance(subject, _ELSEWHERE) or not plan.collector:
            stack.enter_context(collector_paused())  # the load's: what serves it is elsewhere
        if isinstance(subject, Locust):
            run.workers = bring_together(
                stack, subject, grace_s=plan.grace_s, timeout_s=plan.timeout_s, seed=plan.seed
            )
        yield from _warm_up(run)
        if isinstance(subject, Http):
            run.client_p99_ms = yield client_alone(run, subject)
        if run.workers is not None:
            run.workers.alone(plan.per_second, ALONE_S)
        if served is not None and (run.workers is None or run.workers.here):
            pids = () if run.workers is None else run.workers.crew.pids
            try:
                run.sampler = watching(served, pids)
            except ValueError as error:
                raise Unmeasurable(str(error)) from None
        for look, due in enumerate(_dues(plan, recorded), 1):
            run.parts.append((yield from offer(run, due, plan.seed + look)))
            clocks.check()
            yield _measurement(run, look, last=look == len(_PARTS))


def _served(subject: Subject) -> Served | None:
    """Return what serves a subject that does not say: this process, or who listens at its port."""
    subject = subject.http if isinstance(subject, Locust) else subject
    if not isinstance(subject, (Socket, Http)):
        return Served()
    if subject.host in {"127.0.0.1", "localhost", "::1"}:
        pid = listener_of(subject.port)
        if pid is not None:
            return Served(pid=pid)
    return None


def _recorded(trace: Iterable[float], plan: Plan) -> npt.NDArray[np.float64]:
    """Return recorded arrivals, at least as many a second as are wanted."""
    try:
        times = arrivals.recorded(trace)
    except (TypeError, ValueError) as error:
        raise Unmeasurable(f"arrivals: {error}") from None
    span = float(times[-1]) * len(times) / max(1, len(times) - 1)
    if len(times) < 2 or span <= 0 or len(times) / span < plan.per_second / 1.001:
        rate = len(times) / span if span > 0 else 0.0
        raise Unmeasurable(
            f"the recorded arrivals come at {rate:.4g} a second, {plan.per_second:.4g} are to be "
            "offered: record a busier time"
        )
    return times


def _dues(plan: Plan, recorded: npt.NDArray[np.float64] | None) -> list[npt.NDArray[np.float64]]:
    """Return when requests are due in each part."""
    if recorded is None:
        return [
            arrivals.poisson_of(
                int(np.ceil(plan.per_second * plan.seconds * share)),
                plan.seconds * share,
                plan.seed * len(_PARTS) + part,
            )
            for part, share in enumerate(_PARTS)
        ]
    cut = int(np.searchsorted(recorded, recorded[-1] * _PARTS[0]))
    first, second = recorded[:cut], recorded[cut:]
    return [part - part[0] for part in (first, second) if len(part)]


def _warm_up(run: Run) -> Generator[Awaitable[Any], Any, None]:
    """Offer the load for a while uncounted, and see whether the subject answers at all."""
    plan = run.plan
    count = max(1, int(plan.per_second * plan.warmup_s))
    due = arrivals.poisson_of(count, plan.warmup_s, plan.seed)
    sent = yield from offer(run, due, plan.seed)
    if not sent.right.any() and run.answers.fault is not None:
        raise Unmeasurable(f"no call of the warm-up gave an answer: {run.answers.fault}")


def _measurement(run: Run, look: int, *, last: bool) -> Measurement:
    """Return all seen so far as counts."""
    plan, whole = run.plan, counts.joined(run.parts)
    limit_s = plan.limit_ms / 1e3
    latency = whole.latency()
    over = (latency > limit_s) | ~whole.right
    samples = _samples(run)
    # what cannot be told apart from others' doing is excused; without counters all of it is
    excused = over & ~whole.wrong
    if samples is not None:
        excused = counts.disturbed(whole, over, limit_s, samples)
    seconds = float(sum(part.due[-1] for part in run.parts)) or limit_s
    by_second = whole.by_second(0.99)
    seen = Seen(
        kind=type(run.subject).__name__ if not callable(run.subject) else "callable",
        limit_ms=plan.limit_ms,
        seconds=seconds,
        look=look,
        last=last,
        offered=len(over),
        begun=int((~np.isnan(whole.begun)).sum()),
        answered=int(whole.right.sum()),
        wrong=int(whole.wrong.sum()),
        in_time=int((~over).sum()),
        answered_per_s=_rate(run.parts, limit_s) / seconds,
        p50_ms=1e3 * quantile(latency, 0.5),
        p99_ms=1e3 * quantile(latency, 0.99),
        worst_second_ms=1e3 * max(by_second),
        raw=counts.tail(whole, over, limit_s),
        screened=counts.tail(whole, over & ~excused, limit_s),
        failed=counts.design(whole.wrong, whole.due, 0.0),
        differ=run.answers.differ or run.check is not None or _told_apart(run.subject),
        counters=samples is not None,
        generator=_generator(run, whole),
        machine=None if samples is None else counts.machine_of(samples),
        cpu=_cpu(run, whole, samples),
        seconds_p99_ms=tuple(1e3 * one for one in by_second),
    )
    details = {**plain(seen), **_figures(run, whole, seen)}
    return headline(seen).measurement(details)


def _generator(run: Run, whole: Sent) -> Load:
    """Return the load's own part; of several workers that of the worst."""
    found = replace(counts.generator_of(whole), client_p99_ms=run.client_p99_ms)
    if run.workers is None:
        return found
    told = run.workers.told()
    return replace(
        found,
        lag_p99_ms=max(one.lag_p99_ms for one in told),
        lag_max_ms=max(one.lag_max_ms for one in told),
        client_p99_ms=max(one.alone_p99_ms for one in told),
        workers=told,
    )


def _told_apart(subject: Subject) -> bool:
    """Whether answers name the request that they are to, so that they must have been read."""
    return isinstance(subject, Socket) and not subject.in_order


def _rate(parts: list[Sent], limit_s: float) -> int:
    """Return how many right answers came while requests were due, or a limit later."""
    return sum(int((part.answered[part.right] <= part.due[-1] + limit_s).sum()) for part in parts)


def _samples(run: Run) -> npt.NDArray[np.float64] | None:
    """Return the counters on the clock of the joined parts, or None where there are none."""
    if run.sampler is None or len(run.sampler.rows) < 2:
        return None
    rows = run.sampler.since(0.0)
    at, shift = rows[:, 0].copy(), 0.0
    for part in run.parts:
        inside = (at >= part.started - 1e-9) | (part is run.parts[0])
        rows[inside, 0] = at[inside] - part.started + shift
        shift += part.ended
    return rows


def _cpu(run: Run, whole: Sent, samples: npt.NDArray[np.float64] | None) -> Cpu | None:
    """Return CPU time an answer: of the calls themselves, or of the process that serves."""
    plainly = callable(run.subject) and not is_async(run.subject)
    if plainly or isinstance(run.subject, Batch):
        each = [1e6 * part.subject_cpu_s / max(1, int(part.right.sum())) for part in run.parts]
        total = 1e6 * whole.subject_cpu_s / max(1, int(whole.right.sum()))
        spread = (max(each) - min(each)) if len(each) > 1 else 0.0
        return Cpu(us=total, error_us=spread, blocks=max(3, int(whole.ended)))
    if samples is None:
        return None
    return counts.cpu_of(whole, samples, upper_bound=run.served.here)


def _figures(run: Run, whole: Sent, seen: Seen) -> dict[str, Any]:
    """Return what is for people."""
    lines = []
    if run.priority not in ("off", "on"):
        lines.append(f"real-time priority: {run.priority}")
    if run.answers.fault is not None and seen.wrong:
        lines.append(f"first wrong answer: {run.answers.fault}")
    if whole.dropped:
        lines.append(f"{whole.dropped} connections were dropped by the other side")
    if whole.unasked:
        lines.append(f"{whole.unasked} answers were to no request")
    if run.workers is not None and not run.workers.here:
        lines.append(
            "workers of other machines: their waits are not known, so nothing fails by time"
        )
    return {
        "served_by": "not known" if run.sampler is None else run.served.words(),
        "priority": run.priority,
        "dropped_connections": whole.dropped,
        "answers_to_nothing": whole.unasked,
        "inputs": {"distinct": run.feed.distinct, "cycled": run.feed.cycled},
        "findings": tuple(lines),
        **({} if run.workers is None else {"hdr_histogram_us": run.workers.latencies()}),
    }
