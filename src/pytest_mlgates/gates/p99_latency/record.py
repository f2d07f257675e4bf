"""From a session to the measurement that enters the evidence."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from pytest_mlgates.core import Measurement
from pytest_mlgates.core.details import plain
from pytest_mlgates.gates.p99_latency.counts import LATE_NS, count, start_lag
from pytest_mlgates.gates.p99_latency.describe import (
    clock_resolution_ms,
    histogram,
    quantiles,
    slow_calls,
    stage_findings,
)
from pytest_mlgates.gates.p99_latency.details import AtQuantile, Counts, Relative, Seen
from pytest_mlgates.gates.p99_latency.judge import NEEDED_SHARE, headline
from pytest_mlgates.gates.p99_latency.measure import Session
from pytest_mlgates.gates.p99_latency.screen import Screened, screen
from pytest_mlgates.gates.p99_latency.trace import Floats, Trace
from pytest_mlgates.stats.paired import tail_ratio
from pytest_mlgates.stats.quantiles import quantile, quantile_interval
from pytest_mlgates.stats.sequential import Schedule

__all__ = ["counted", "measurement"]


def counted(
    trace: Trace, limit_ms: float, q: float, plan: Schedule, relative: Relative | None = None
) -> tuple[Measurement, Counts, Screened]:
    """Return the measurement that a trace gives by itself: all that a verdict needs."""
    counts, seen = count(trace, limit_ms, q, plan.block)
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
    trace = session.trace()
    if trace.n == 0:
        return Measurement(value=0.0, unit="ms", n=0)
    relative = None
    due = trace.n in plan.looks  # between looks a line of progress needs no more
    if session.baseline is not None:
        relative = _relative(session, trace, q, plan) if due else _NO_PAIRS
    found, counts, seen = counted(trace, limit_ms, q, plan, relative)
    if not due:
        return found
    figures = _figures(session, trace, seen, q)
    session.past.append(counts.raw)
    figures["looks"] = tuple(map(plain, session.past))
    findings = _latency_lines(session, figures, counts, limit_ms)
    return replace(found, details={**found.details, **figures, "findings": tuple(findings)})


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
    }
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
        baseline_ms=quantile(np.sort(base), q) / 1e6,
    )


def _latency_lines(
    session: Session, figures: dict[str, Any], counts: Counts, limit_ms: float
) -> list[str]:
    lines = stage_findings(figures["slowest"], limit_ms)
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
