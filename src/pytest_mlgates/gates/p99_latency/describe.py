"""What a person wants to know of a run: quantiles, a histogram, and what the slow calls did."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pytest_mlgates.gates.p99_latency.screen import Screened
from pytest_mlgates.gates.p99_latency.trace import Floats, Trace
from pytest_mlgates.stats.quantiles import quantile, quantile_interval

__all__ = ["clock_resolution_ms", "histogram", "quantiles", "slow_calls", "stage_findings"]

_SHOWN = (0.5, 0.9, 0.99, 0.999)
_PER_DECADE = 10
_WORTH_SAYING = 0.3


def quantiles(latency_ns: Floats, judged: float) -> dict[str, object]:
    """Return quantiles in ms with their 95 % order-statistic intervals, and the largest.

    >>> quantiles(np.arange(1e6, 1001e6, 1e6), 0.99)["p99"]
    {'ms': 990.0, 'low': 983.0, 'high': 997.0}
    """
    ordered = np.sort(latency_ns) / 1e6
    table: dict[str, object] = {}
    for q in sorted({*_SHOWN, judged}):
        low, high = quantile_interval(ordered, q)
        table[f"p{100 * q:g}"] = {"ms": quantile(ordered, q), "low": low, "high": high}
    table["max"] = {"ms": float(ordered[-1])}
    return table


def histogram(latency_ns: Floats) -> dict[str, object]:
    """Return counts in log-scaled bins, ten to a factor of ten; bin i starts at ``from_ms[i]``.

    >>> histogram(np.array([1e6, 1.1e6, 100e6]))["counts"][0]
    2
    """
    ms = np.maximum(latency_ns, 1.0) / 1e6
    first = int(np.floor(np.log10(ms.min()) * _PER_DECADE + 1e-9))
    bins = np.floor(np.log10(ms) * _PER_DECADE + 1e-9).astype(int) - first
    counts = np.bincount(bins)
    edges = 10.0 ** ((first + np.arange(len(counts))) / _PER_DECADE)
    return {"from_ms": [float(f"{edge:.4g}") for edge in edges], "counts": counts.tolist()}


def slow_calls(
    trace: Trace, seen: Screened, q: float, stages: Sequence[Mapping[str, int]]
) -> dict[str, object]:
    """Return where the time of the slowest ``1 - q`` of the calls went, as shares of it."""
    cut = quantile(np.sort(seen.raw), q)
    slow = np.flatnonzero(seen.raw >= cut).tolist()
    wall, total = float(trace.wall[slow].sum()), max(1.0, float(seen.raw[slow].sum()))
    used = float(np.minimum(trace.cpu, trace.wall)[slow].sum())
    taken = float(seen.excused[slow].sum())
    # by stage: the calls that were slow themselves, not those that queued behind them
    longest = np.flatnonzero(trace.wall >= quantile(np.sort(trace.wall), q)).tolist()
    parts: Counter[str] = Counter()
    for i in longest:
        parts.update(stages[i])
    inside = max(1.0, float(trace.wall[longest].sum()))
    shares = {"queued": max(0.0, total - wall) / total}
    if trace.delay is not None and not trace.concurrent:
        shares |= {
            "cpu": used / total,
            "taken_by_others": taken / total,
            "waiting": max(0.0, wall - used - taken) / total,
        }
    return {
        "calls": len(slow),
        "from_ms": cut / 1e6,
        "share_of_time": shares,
        "stages": {name: took / inside for name, took in parts.most_common(20)},
    }


def stage_findings(slow: Mapping[str, Any], limit_ms: float) -> list[str]:
    """Return the lines that name what ate the time of the slowest calls."""
    lines = []
    for name, share in list(slow["stages"].items())[:1]:
        if share > _WORTH_SAYING:
            lines.append(f"{name} took {100 * share:.0f} % of the time of the slowest calls")
    shares = slow["share_of_time"]
    if slow["from_ms"] > limit_ms:
        words = {
            "queued": "waiting in the queue behind earlier calls",
            "waiting": "waiting by themselves (lock, pipe, disk, network, sleep)",
            "taken_by_others": "kept from the core by others",
        }
        lines += [
            f"the slowest calls spent {100 * shares[key]:.0f} % of their time {text}"
            for key, text in words.items()
            if shares.get(key, 0.0) > _WORTH_SAYING
        ]
    return lines


def clock_resolution_ms() -> float:
    """Return the smallest step of the clock that was read, in ms."""
    steps = []
    for _ in range(50):
        start = time.perf_counter_ns()
        while (now := time.perf_counter_ns()) == start:
            pass
        steps.append(now - start)
    return min(steps) / 1e6
