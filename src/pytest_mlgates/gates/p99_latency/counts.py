"""From a trace to the counts that a verdict is made of."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from pytest_mlgates.gates.p99_latency.details import Counts, Tally
from pytest_mlgates.gates.p99_latency.screen import Screened, screen
from pytest_mlgates.gates.p99_latency.trace import Floats, Trace
from pytest_mlgates.stats.design_effect import design_effect

__all__ = ["BEYOND_NOISE", "LATE_NS", "count", "start_lag"]

#: without counters a call counts as slow where its CPU time alone is this many times the limit
COMPUTED = 2.0
#: a busy machine does not make most calls this many times slower: by fair shares of a core that
#: takes as many neighbours to each
BEYOND_NOISE = 10.0
#: a start this late is the generator's fault, ns
LATE_NS = 1_000_000


def count(trace: Trace, limit_ms: float, quantile: float, block: int) -> tuple[Counts, Screened]:
    """Count what exceeds ``limit_ms`` in a trace; return the counts and the screened series."""
    limit = limit_ms * 1e6
    seen = screen(trace)
    raw = seen.raw > limit
    quiet = seen.undisturbed
    machine: dict[str, float] = {}
    if trace.use is not None and trace.use.at > 0:
        machine = {
            "others_cores": trace.use.others / trace.use.at,
            "stolen_share": trace.use.stolen / trace.use.at,
            "descendants_share": trace.use.descendants / trace.use.at,
        }
    counts = Counts(
        n=trace.n,
        limit_ms=limit_ms,
        quantile=quantile,
        counters=trace.use is not None and trace.delay is not None,
        concurrent=trace.concurrent,
        undisturbed_share=float(np.mean(quiet)) if trace.n else 0.0,
        late=int(np.sum(start_lag(trace) > LATE_NS)),
        raw=_tally(raw, block),
        undisturbed=_tally(raw[quiet], block),
        own=_tally(seen.own > limit, block),
        screened=_tally(seen.slow(limit), block),
        computed=_tally(np.minimum(trace.cpu, trace.wall) > COMPUTED * limit, block),
        beyond=_tally(seen.own > BEYOND_NOISE * limit, block),
        margin=seen.margin,
        speed=seen.speed,
        **machine,
    )
    return counts, seen


def _tally(events: npt.NDArray[Any], block: int) -> Tally:
    return Tally(over=int(np.sum(events)), n=len(events), deff=design_effect(events, block))


def start_lag(trace: Trace) -> Floats:
    """Return by how much each start was late though the server was free, in ns."""
    if trace.lag is not None:
        return trace.lag
    if trace.arrival is None or trace.start is None or trace.n == 0:
        return np.zeros(trace.n)
    free = np.concatenate([[-np.inf], (trace.start + trace.wall)[:-1]])
    lag: Floats = trace.start - np.maximum(trace.arrival, free)
    return lag
