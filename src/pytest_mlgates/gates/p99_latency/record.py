"""From a session to the measurement that enters the evidence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from pytest_mlgates.core import Measurement
from pytest_mlgates.core.details import plain
from pytest_mlgates.gates.p99_latency.bounds import NEEDED_SHARE
from pytest_mlgates.gates.p99_latency.counts import (
    LATE_NS,
    count,
    cpu_of,
    inputs_of,
    start_lag,
    tally,
)
from pytest_mlgates.gates.p99_latency.describe import (
    clock_resolution_ms,
    histogram,
    quantiles,
    slow_calls,
    stage_findings,
)
from pytest_mlgates.gates.p99_latency.details import AtQuantile, Counts, Relative, Seen, Tally
from pytest_mlgates.gates.p99_latency.judge import headline
from pytest_mlgates.gates.p99_latency.recorder import Recorder
from pytest_mlgates.gates.p99_latency.screen import Screened, screen
from pytest_mlgates.gates.p99_latency.session import Session
from pytest_mlgates.gates.p99_latency.trace import Floats, Trace
from pytest_mlgates.stats.paired import tail_ratio
from pytest_mlgates.stats.quantiles import quantile, quantile_interval
from pytest_mlgates.stats.sequential import Schedule

__all__ = ["counted", "measurement"]


def counted(
    trace: Trace,
    limit_ms: float,
    q: float,
    plan: Schedule,
    relative: Relative | None = None,
    known: Callable[[Counts, Screened], Counts] = lambda counts, _: counts,
) -> tuple[Measurement, Counts, Screened]:
    """Return the measurement that a trace gives by itself: all that a verdict needs.

    ``known`` adds to the counts what a trace does not hold.
    """
    counts, seen = count(trace, limit_ms, q, plan.block)
    counts = known(counts, seen)
    judged, of = _judged(seen)
    ordered = np.sort(judged)
    low, high = quantile_interval(ordered, q)
    at = AtQuantile(ms=quantile(ordered, q) / 1e6)
    if high is not None:
        at = replace(at, low_ms=low / 1e6, high_ms=high / 1e6)
    found = Seen(counts=counts, value_of=of, at_quantile=at, relative=relative)
    return headline(found).measurement(plain(found)), counts, seen


def measurement(session: Session, limit_ms: float, q: float, plan: Schedule) -> Measurement:
    """Return all that a session saw, as counts for the verdict and figures for people."""
    made = session.record.made
    if not session.record.rows:
        return _nothing_answered(session, limit_ms, q)
    trace = session.trace()
    relative = None
    due = made in plan.looks  # between looks a line of progress needs no more
    if session.baseline is not None:
        relative = _relative(session, trace, q, plan) if due else _NO_PAIRS

    def known(counts: Counts, seen: Screened) -> Counts:
        return _known(session, trace, counts, seen, plan.block)

    found, counts, seen = counted(trace, limit_ms, q, plan, relative, known)
    session.last = counts
    if not due:
        return found
    figures = _figures(session, trace, seen, q)
    session.past.append(counts.raw)
    figures["looks"] = tuple(map(plain, session.past))
    findings = _latency_lines(session, figures, counts, limit_ms)
    return replace(found, details={**found.details, **figures, "findings": tuple(findings)})


def _known(session: Session, trace: Trace, counts: Counts, seen: Screened, block: int) -> Counts:
    """Add what is known of the inputs, of failed calls and of CPU time."""
    record, served = session.record, session.plan.served_by
    warm = [(0, 0.0)]
    warm += [
        (mark[0], float(row[2]))
        for mark, row in zip(session.warm.marks, session.warm.rows, strict=True)
    ]
    numbers = [mark[0] for mark in record.marks]
    own_cpu = trace.process / 1e9 if trace.process is not None and served is None else None
    ends = (trace.start + trace.wall) / 1e9 if trace.start is not None else trace.wall
    return replace(
        counts,
        n=record.made,
        inputs=inputs_of(numbers, seen.own, warm, session.plan.warmup, counts.limit_ms),
        failed=tally(failed_of(record), block) if session.plan.tolerant else None,
        cpu=cpu_of(ends, own_cpu, trace.samples),
        served=served is not None,
        answers=session.finishing.unknown,
    )


def failed_of(record: Recorder) -> npt.NDArray[np.bool_]:
    """Return which of all calls that were made failed, in their order."""
    found = np.zeros(record.made, dtype=bool)
    found[[place for place in record.failed if place < record.made]] = True
    return found


def _nothing_answered(session: Session, limit_ms: float, q: float) -> Measurement:
    """Return the measurement of a run without a single answer: how long the failures took."""
    record = session.record
    if not record.made:
        return Measurement(value=0.0, unit="ms", n=0)
    none = Tally(over=0, n=0, deff=1.0, stretches=0, longest=0, spread=0.0)
    failed = Tally(over=record.made, n=record.made, deff=1.0)
    counts = Counts(
        n=record.made, limit_ms=limit_ms, quantile=q, counters=session.counters is not None,
        concurrent=session.concurrent, undisturbed_share=0.0, late=0, raw=none, undisturbed=none,
        own=none, screened=none, computed=none, beyond=none, failed=failed,
        seconds=session.elapsed_s,
    )  # fmt: skip
    took = np.sort(np.array(record.failed_ns, dtype=float))
    found = Seen(counts=counts, at_quantile=AtQuantile(ms=quantile(took, q) / 1e6))
    lines = (f"no call gave an answer: {_most_common(record)}",)
    more = {"faults": dict(record.faults), "findings": lines}
    return headline(found).measurement({**plain(found), **more})


def _most_common(record: Recorder) -> str:
    return ", ".join(f"{name} ({times})" for name, times in record.faults.most_common(5))


_NO_PAIRS = Relative(log_ratio=0.0, error=0.0, wins=0, losses=0)


def _judged(seen: Screened) -> tuple[Floats, str]:
    if np.mean(seen.undisturbed) >= NEEDED_SHARE and not np.all(seen.undisturbed):
        return seen.raw[seen.undisturbed], "calls in undisturbed blocks"
    return seen.raw, "all calls"


def _figures(session: Session, trace: Trace, seen: Screened, q: float) -> dict[str, Any]:
    calibration, lag = session.calibration, start_lag(trace)
    figures: dict[str, Any] = {
        "latency": quantiles(seen.raw, q),
        "own_time": quantiles(seen.own, q),
        "histogram": histogram(seen.raw),
        "slowest": slow_calls(trace, seen, q, session.record.stages),
        "inputs": {"distinct": session.feed.distinct, "cycled": session.feed.cycled},
        "warmup": _warmup(session),
        "clock_resolution_ms": clock_resolution_ms(),
        "machine": {
            "kind": calibration.kind,
            "calibrated": calibration.quiet_ns is not None,
            "priority": session.priority,
        },
        "async": session.awaited,
        "collector": "as the subject has it" if session.plan.collector else "off",
        "concurrency": session.plan.concurrency if session.awaited else 1,
    }
    if session.record.faults:
        figures["faults"] = dict(session.record.faults)
    if session.plan.served_by is not None:
        figures["served_by"] = session.plan.served_by.words()
    if (stream := _stream(session.record)) is not None:
        figures["stream"] = stream
    if trace.spin is not None:
        spins = np.sort(trace.spin)
        figures["spin_us"] = {
            "p50": quantile(spins, 0.5) / 1e3,
            "p99": quantile(spins, 0.99) / 1e3,
            "quiet": None if calibration.quiet_ns is None else calibration.quiet_ns / 1e3,
        }
    if trace.arrival is not None:
        figures["arrivals"] = {
            "per_second": session.plan.arrivals_per_s,
            "lag_ms_p99": quantile(np.sort(lag), 0.99) / 1e6,
            "lag_ms_max": float(lag.max()) / 1e6,
            "late": int(np.sum(lag > LATE_NS)),
        }
    return figures


def _stream(record: Recorder) -> dict[str, Any] | None:
    """Return when the first item of an answer came, and how many came a second after it."""
    marks = [
        (first, items, row[2])
        for (_, first, items), row in zip(record.marks, record.rows, strict=True)
        if first >= 0
    ]
    if not marks:
        return None
    first, items, wall = np.array(marks, dtype=float).T
    found: dict[str, Any] = {"first_item": quantiles(first, 0.99), "items": float(items.mean())}
    more = (items > 1) & (wall > first)
    if more.any():
        rates = np.sort((items[more] - 1) / ((wall[more] - first[more]) / 1e9))
        found["items_per_s"] = {"p50": quantile(rates, 0.5), "p1": quantile(rates, 0.01)}
    return found


def _warmup(session: Session) -> dict[str, Any]:
    walls = [row[2] for row in session.warm.rows]
    found: dict[str, Any] = {"calls": session.plan.warmup}
    if walls:
        found |= {"first_ms": walls[0] / 1e6, "last_ms": walls[-1] / 1e6}
    return found


def _relative(session: Session, trace: Trace, q: float, plan: Schedule) -> Relative:
    # by own time: noise that both share would make any two tails look alike
    new, base = screen(trace).own, screen(session.baseline_trace()).own
    found = tail_ratio(np.maximum(1.0, new), np.maximum(1.0, base), q, plan.block)
    return Relative(
        log_ratio=found.log_ratio,
        error=found.error,
        wins=found.wins,
        losses=found.losses,
        blocks=found.blocks,
        baseline_ms=quantile(np.sort(base), q) / 1e6,
    )


def _latency_lines(
    session: Session, figures: dict[str, Any], counts: Counts, limit_ms: float
) -> list[str]:
    lines = stage_findings(figures["slowest"], limit_ms)
    if session.finishing.threads > 1:
        lines.append(
            f"calls of the warm-up left {session.finishing.threads} threads running: what these do "
            "is not in the time of a call"
        )
    if session.record.faults:
        lines.append(f"calls that raised: {_most_common(session.record)}")
    if (stream := figures.get("stream")) is not None:
        p50, p99 = (stream["first_item"][name]["ms"] for name in ("p50", "p99"))
        rate = stream.get("items_per_s", {}).get("p50")
        rest = "" if rate is None else f", then {rate:.3g} items a second (median)"
        lines.append(f"the first item came after {p50:.3g} ms (P99 {p99:.3g}){rest}")
    if session.priority not in ("off", "on"):
        lines.append(f"real-time priority: {session.priority}")
    slow = counts.raw.over > (1.0 - counts.quantile) * counts.n
    if session.calibration.note and counts.counters and slow:
        lines.append(f"a FAIL needs {counts.margin:g} times the limit: {session.calibration.note}")
    if not counts.counters:
        lines.append("no counters on this system: a FAIL needs more than the clock shows")
    if (counts.descendants_share or 0.0) > 0.01 and counts.counters:
        lines.append("child processes share the work: no call is excused for a busy machine")
    return lines
