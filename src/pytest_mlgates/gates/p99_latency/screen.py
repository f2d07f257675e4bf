"""What a call took by itself, and what others took from it.

Noise only ever adds. So a PASS is earned on what was seen, in blocks of calls that were left
alone, and a FAIL on what remains when all that others can have taken is subtracted. A call that
waited by its own will (lock, pipe, disk, network) keeps its wait.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import median_filter

from pytest_mlgates.gates.p99_latency.arrivals import served
from pytest_mlgates.gates.p99_latency.trace import Floats, Trace
from pytest_mlgates.load.excuse import Calls, others_doing

__all__ = ["Screened", "screen"]

BLOCK = 100
_READS_NS = 3_000.0  # the reads around a call are in its process CPU, not in its thread CPU
_SIBLING_NS = 20_000.0  # more CPU than this is the work of another thread
_DISTURBED = 0.02
_FAMILY = 0.01
_MARGIN, _MARGIN_UNSURE = 1.05, 1.25


@dataclass(frozen=True, slots=True)
class Screened:
    """The series that are counted (ns), and which calls are in undisturbed blocks.

    ``own`` is what a call took by itself, ``scaled`` the same divided by how much slower the
    machine was than when quiet, ``waits`` marks calls whose time others may have taken without a
    mark on the call; ``budget`` is all that others can have taken (ns), ``held_up`` how many
    callers a delay at that call delays, and ``margin`` what a scaled call must exceed the limit by.
    """

    raw: Floats
    own: Floats
    scaled: Floats
    excused: Floats
    waits: npt.NDArray[Any]
    held_up: Floats
    undisturbed: npt.NDArray[Any]
    budget: float
    margin: float
    speed: float
    family: bool
    #: when calls were due and ended (s), and who used the cores meanwhile; None where not known
    calls: Calls | None = None
    samples: Floats | None = None

    def slow(self, limit_ns: float) -> npt.NDArray[Any]:
        """Return which calls were over the limit whatever others did."""
        over = self.scaled > self.margin * limit_ns
        excusable = np.flatnonzero(over & self._excusable(over, limit_ns))
        overshoot = self.scaled[excusable] - limit_ns
        if not excusable.size:
            return over
        order = np.argsort(overshoot)
        dropped = order[np.cumsum(overshoot[order]) <= self._excuse(excusable)]
        over[excusable[dropped]] = False
        return over

    def waited(self, limit_ns: float) -> tuple[float, float]:
        """Return how late calls were that may have waited for others, and how much is excused.

        Both in seconds over the limit, summed over calls.
        """
        over = self.scaled > self.margin * limit_ns
        places = np.flatnonzero(over & self.waits)
        if not places.size:
            return 0.0, 0.0
        total = float((self.scaled[places] - limit_ns).sum())
        return total / 1e9, self._excuse(places) / 1e9

    def _excuse(self, places: npt.NDArray[Any]) -> float:
        return self.budget * float(np.mean(self.held_up[places]))

    def _excusable(self, over: npt.NDArray[Any], limit_ns: float) -> npt.NDArray[Any]:
        """Return which calls others can have made late, as far as is known when who used a core."""
        if self.calls is None or self.samples is None:
            return self.waits
        return others_doing(self.calls, over & self.waits, limit_ns / 1e9, self.samples)


def screen(trace: Trace, limit_ns: float = 0.0) -> Screened:
    """Screen a trace that has the kernel's counters or a machine use.

    ``limit_ns`` says what matters: a delay far below it disturbs no call in flight beside others.
    """
    n = trace.n
    speed, margin = _speed(trace)
    use = trace.use
    family = use is not None and use.descendants > _FAMILY * max(use.at, 1e-9)
    budget = use.taken * 1e9 if use is not None else 0.0
    if trace.concurrent and trace.delay is not None and use is not None and not family:
        # the loop's thread serves all calls in flight: a delay of it delays each of them, and so
        # may what they wait for
        excused = np.minimum(np.maximum(0.0, trace.delay), trace.wall)
        own = trace.wall - excused
        waits = np.ones(n, dtype=bool)
        undisturbed = _quiet_blocks(excused, np.maximum(trace.wall, limit_ns))
    elif (
        trace.delay is None
        or trace.switches is None
        or trace.process is None
        or use is None
        or family
    ):
        # nothing tells one call's noise from its work: no excuse but the budget, no block choice
        excused = np.zeros(n)
        waits = undisturbed = np.ones(n, dtype=bool)
        own = trace.wall
        margin = max(margin, _MARGIN_UNSURE)
    else:
        computed = np.minimum(trace.cpu, trace.wall)
        siblings = np.maximum(0.0, trace.process - computed - _READS_NS)
        # a call's own threads crowd the cores too, and the delay also covers the reads
        taken = np.minimum(np.maximum(0.0, trace.delay - siblings), trace.wall - computed)
        waits = (trace.switches > 0) | (siblings >= _SIBLING_NS)
        own = np.where(waits, trace.wall - taken, computed)
        excused = trace.wall - own
        undisturbed = _quiet_blocks(excused, trace.wall)
    scaled = own / speed
    if trace.concurrent:
        late = trace.latency - trace.wall
        own, scaled = own + late, scaled + late
    elif trace.arrival is not None:
        # one server and a queue: what a caller would have waited, had others taken nothing
        service, own = own, served(trace.arrival, own)
        scaled = served(trace.arrival, scaled)
        # a wait delays everyone behind it, so what others took counts once for each of them
        waits = _until_idle(waits, idle=own <= service + 1.0)
    return Screened(
        raw=trace.latency,
        own=own,
        scaled=scaled,
        excused=excused,
        waits=waits,
        held_up=_held_up(trace),
        undisturbed=undisturbed,
        budget=budget,
        margin=margin,
        speed=float(np.median(speed)) if n else 1.0,
        family=family,
        calls=_calls(trace),
        samples=trace.samples,
    )


def _calls(trace: Trace) -> Calls | None:
    """Return when calls were due and ended."""
    if trace.start is None or trace.samples is None or not trace.n:
        return None
    due = trace.start if trace.arrival is None else trace.arrival
    return Calls(
        due=due / 1e9,
        end=(trace.start + trace.wall) / 1e9,
        answered=np.ones(trace.n, dtype=bool),
        lag=np.zeros(trace.n) if trace.lag is None else trace.lag / 1e9,
    )


def _speed(trace: Trace) -> tuple[Floats, float]:
    """Return how many times slower than quiet the machine was at each call, never below 1."""
    if trace.spin is None or trace.n == 0:
        return np.ones(trace.n), _MARGIN
    rolling = median_filter(trace.spin, size=min(101, trace.n), mode="nearest")
    if trace.quiet_spin is not None:
        return np.maximum(1.0, rolling / trace.quiet_spin), _MARGIN
    # no stored value, no excuse for a machine that is slow throughout: only changes in the run
    # count, and a FAIL keeps its distance
    return np.maximum(1.0, rolling / np.quantile(rolling, 0.05)), _MARGIN_UNSURE


def _until_idle(waits: npt.NDArray[Any], idle: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Mark every call of a busy period in which any call is marked."""
    if not waits.size:
        return waits
    period = np.cumsum(idle)
    period -= period[0]
    marked = np.zeros(int(period[-1]) + 1, dtype=bool)
    np.logical_or.at(marked, period, waits)
    return np.asarray(marked[period])


def _held_up(trace: Trace) -> Floats:
    """Return how many callers a delay of each call delays: itself, and who came meanwhile."""
    due = trace.start if trace.concurrent and trace.arrival is None else trace.arrival
    if due is None:
        return np.ones(trace.n)
    left = np.searchsorted(due, due + trace.latency, side="right")
    held: Floats = np.maximum(1, left - np.arange(trace.n)).astype(float)
    return held


def _quiet_blocks(excused: Floats, wall: Floats) -> npt.NDArray[Any]:
    """Return the calls in blocks of which others took at most 2 % of the time."""
    starts = np.arange(0, len(wall), BLOCK)
    quiet = np.add.reduceat(excused, starts) <= _DISTURBED * np.add.reduceat(wall, starts)
    return np.asarray(np.repeat(quiet, BLOCK)[: len(wall)])
