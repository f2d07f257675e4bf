"""From a trace to the counts that a verdict is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pytest_mlgates.gates.p99_latency.screen import Screened, screen
from pytest_mlgates.gates.p99_latency.trace import Floats, Trace
from pytest_mlgates.stats.design_effect import design_effect

__all__ = ["BEYOND_NOISE", "LATE_NS", "Tally", "count", "start_lag"]

#: without counters a call counts as slow where its CPU time alone is this many times the limit
COMPUTED = 2.0
#: a busy machine does not make most calls this many times slower: by fair shares of a core that
#: takes as many neighbours to each
BEYOND_NOISE = 10.0
#: a start this late is the generator's fault, ns
LATE_NS = 1_000_000


@dataclass(frozen=True, slots=True)
class Tally:
    """How many of ``n`` observations exceed a limit, and their design effect."""

    over: int
    n: int
    deff: float

    @classmethod
    def of(cls, events: npt.NDArray[Any], block: int) -> Tally:
        """Count a series of booleans."""
        return cls(int(np.sum(events)), len(events), design_effect(events, block))

    def to_json(self) -> dict[str, float]:
        """Return it as a JSON object."""
        return {"over": self.over, "n": self.n, "deff": self.deff}


def count(
    trace: Trace, limit_ms: float, quantile: float, block: int
) -> tuple[dict[str, Any], Screened]:
    """Count what exceeds ``limit_ms`` in a trace; return the counts and the screened series.

    ``raw``: every call by the clock. ``undisturbed``: by the clock, in blocks left alone. ``own``:
    what calls took by themselves. ``screened``: what remains over the limit when all that others
    can have taken is subtracted. ``computed`` (for systems without counters) and ``beyond``: what
    no noise explains.
    """
    limit = limit_ms * 1e6
    seen = screen(trace)
    counters = trace.use is not None and trace.delay is not None
    raw = seen.raw > limit
    quiet = seen.undisturbed
    tallies = {
        "raw": Tally.of(raw, block),
        "undisturbed": Tally.of(raw[quiet], block),
        "own": Tally.of(seen.own > limit, block),
        "screened": Tally.of(seen.slow(limit), block),
        "computed": Tally.of(np.minimum(trace.cpu, trace.wall) > COMPUTED * limit, block),
        "beyond": Tally.of(seen.own > BEYOND_NOISE * limit, block),
    }
    counts: dict[str, Any] = {name: tally.to_json() for name, tally in tallies.items()}
    counts |= {
        "n": trace.n,
        "limit_ms": limit_ms,
        "quantile": quantile,
        "counters": counters,
        "concurrent": trace.concurrent,
        "undisturbed_share": float(np.mean(quiet)) if trace.n else 0.0,
        "late": int(np.sum(start_lag(trace) > LATE_NS)),
        "margin": seen.margin,
        "speed": seen.speed,
    }
    if trace.use is not None and trace.use.at > 0:
        counts["others_cores"] = trace.use.others / trace.use.at
        counts["stolen_share"] = trace.use.stolen / trace.use.at
        counts["descendants_share"] = trace.use.descendants / trace.use.at
    return counts, seen


def start_lag(trace: Trace) -> Floats:
    """Return by how much each start was late though the server was free, in ns."""
    if trace.lag is not None:
        return trace.lag
    if trace.arrival is None or trace.start is None or trace.n == 0:
        return np.zeros(trace.n)
    free = np.concatenate([[-np.inf], (trace.start + trace.wall)[:-1]])
    lag: Floats = trace.start - np.maximum(trace.arrival, free)
    return lag
