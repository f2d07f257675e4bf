"""From a trace to the counts that a verdict is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from pytest_mlgates.gates.p99_latency.details import Counts, Cpu, Inputs, Tally
from pytest_mlgates.gates.p99_latency.screen import Screened, screen
from pytest_mlgates.gates.p99_latency.trace import Floats, Trace
from pytest_mlgates.stats.design_effect import (
    design_effect,
    least_spread,
    longest_stretch,
    stretches,
)

__all__ = ["BEYOND_NOISE", "LATE_NS", "count", "cpu_of", "inputs_of", "start_lag", "tally"]

#: without counters a call counts as slow where its CPU time alone is this many times the limit
COMPUTED = 2.0
#: a busy machine does not make most calls this many times slower: by fair shares of a core that
#: takes as many neighbours to each
BEYOND_NOISE = 10.0
#: a start this late is the generator's fault, ns
LATE_NS = 1_000_000
#: a first call is slower than the next of its input where it takes this many times as long, and by
#: this share of the limit longer: less does not matter to the verdict
_SLOWER, _MATTERS = 1.5, 0.05
#: stretches of a run that a mean CPU time is read from
_STRETCHES = 20


def count(trace: Trace, limit_ms: float, quantile: float, block: int) -> tuple[Counts, Screened]:
    """Count what exceeds ``limit_ms`` in a trace; return the counts and the screened series."""
    limit = limit_ms * 1e6
    seen = screen(trace, limit)
    quiet = seen.undisturbed
    queued = trace.arrival is not None
    waited_s, budget_s = seen.waited(limit)
    counts = Counts(
        n=trace.n,
        limit_ms=limit_ms,
        quantile=quantile,
        counters=trace.use is not None and trace.delay is not None,
        concurrent=trace.concurrent,
        undisturbed_share=float(np.mean(quiet)) if trace.n else 0.0,
        late=int(np.sum(start_lag(trace) > LATE_NS)),
        raw=_over(seen.raw, limit, block, queued=queued),
        undisturbed=_over(seen.raw[quiet], limit, block, queued=queued),
        own=_over(seen.own, limit, block, queued=queued),
        screened=tally(seen.slow(limit), block),
        computed=tally(np.minimum(trace.cpu, trace.wall) > COMPUTED * limit, block),
        beyond=tally(seen.own > BEYOND_NOISE * limit, block),
        margin=seen.margin,
        speed=seen.speed,
        seconds=trace.seconds,
        load=_load(trace),
        waited_s=waited_s,
        budget_s=budget_s,
    )
    if trace.use is not None and trace.use.at > 0:
        counts = replace(
            counts,
            others_cores=trace.use.others / trace.use.at,
            stolen_share=trace.use.stolen / trace.use.at,
            descendants_share=trace.use.descendants / trace.use.at,
        )
    return counts, seen


def tally(events: npt.NDArray[Any], block: int) -> Tally:
    """Count events of a series, and how they hang together."""
    return Tally(
        over=int(np.sum(events)),
        n=len(events),
        deff=design_effect(events, block),
        stretches=stretches(events),
        longest=longest_stretch(events),
        spread=least_spread(events),
    )


def _over(series: Floats, limit: float, block: int, *, queued: bool) -> Tally:
    """Count what is over the limit; in a queue with the design effect of what is over half of it.

    There what is over the limit comes in clusters so rare that a run may meet none; what is over
    half of it comes in the same clusters and is met more often.
    """
    found = tally(series > limit, block)
    if not queued:
        return found
    deff = max(found.deff, design_effect(series > limit / 2, block))
    return replace(found, deff=deff)


def _load(trace: Trace) -> float | None:
    """Return the share of time in which one server was busy with calls as they were due."""
    if trace.arrival is None or trace.concurrent or trace.n < 2:
        return None
    span = float(trace.arrival[-1] - trace.arrival[0])
    return float(trace.wall[:-1].sum()) / span if span > 0 else None


def inputs_of(
    numbers: Sequence[int],
    own: Floats,
    warm: Sequence[tuple[int, float]],
    cold: int,
    limit_ms: float,
) -> Inputs:
    """Hold first calls of inputs against later ones: are answers remembered?

    ``numbers`` are those of the inputs of timed calls and ``own`` what these took (ns), ``warm`` the
    same of the warm-up before. First calls among the first ``cold``, or in the first half of all
    inputs, count as a cold start.
    """
    calls = [*warm, *zip(numbers, own.tolist(), strict=True)]
    first: dict[int, tuple[int, float]] = {}
    later: dict[int, float] = {}
    for place, (number, took) in enumerate(calls):
        if number not in first:
            first[number] = (place, took)
        elif number not in later:
            later[number] = took
    known = len(first)
    skip = max(1, min(cold, known // 2))
    warmed = {number: took for number, (place, took) in first.items() if place >= skip}
    limit = limit_ms * 1e6
    over = sum(took > limit for took in warmed.values())
    pairs = [(warmed[number], took) for number, took in later.items() if number in warmed]
    return Inputs(
        distinct=known,
        first=Tally(over=over, n=len(warmed), deff=1.0),
        slower=sum(_surely_longer(one, two, limit) for one, two in pairs),
        quicker=sum(_surely_longer(two, one, limit) for one, two in pairs),
        first_ms=float(np.median([one for one, _ in pairs])) / 1e6 if pairs else None,
        later_ms=float(np.median([two for _, two in pairs])) / 1e6 if pairs else None,
    )


def _surely_longer(one: float, other: float, limit: float) -> bool:
    return one > _SLOWER * other and one - other > _MATTERS * limit


def cpu_of(ends_s: Floats, used_s: Floats | None, samples: Floats | None) -> Cpu | None:
    """Return CPU time a call: from each call's own (``used_s``), or from samples of who serves."""
    if len(ends_s) < _STRETCHES:
        return None
    if used_s is not None:
        means = np.array([part.mean() for part in np.array_split(used_s, _STRETCHES)])
        error = float(means.std(ddof=1)) / _STRETCHES**0.5
        return Cpu(ms=1e3 * float(used_s.mean()), error_ms=1e3 * error, blocks=_STRETCHES)
    if samples is None or len(samples) < 4:
        return None
    blocks = min(_STRETCHES, len(samples) - 1)
    edges = np.linspace(samples[0, 0], samples[-1, 0], blocks + 1)
    used = np.diff(np.interp(edges, samples[:, 0], samples[:, 1]))
    ended = np.histogram(ends_s, edges)[0]
    total = int(ended.sum())
    if not total:
        return None
    ratio = float(used.sum()) / total
    rest = used - ratio * ended
    error = float(np.sqrt((rest**2).sum() * blocks / max(1, blocks - 1))) / total
    return Cpu(ms=1e3 * ratio, error_ms=1e3 * error, blocks=blocks)


def start_lag(trace: Trace) -> Floats:
    """Return by how much each start was late though the server was free, in ns."""
    if trace.lag is not None:
        return trace.lag
    if trace.arrival is None or trace.start is None or trace.n == 0:
        return np.zeros(trace.n)
    free = np.concatenate([[-np.inf], (trace.start + trace.wall)[:-1]])
    lag: Floats = trace.start - np.maximum(trace.arrival, free)
    return lag
