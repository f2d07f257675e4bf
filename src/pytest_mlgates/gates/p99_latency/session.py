"""How a run of ``p99_latency`` goes, and what is known of it so far."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from pytest_mlgates.calls.clocks import Clocks
from pytest_mlgates.calls.guard import CallGuard
from pytest_mlgates.calls.stages import StageClock
from pytest_mlgates.gates.p99_latency.details import Counts, Tally
from pytest_mlgates.gates.p99_latency.finish import Finishing
from pytest_mlgates.gates.p99_latency.loop import NoCounters
from pytest_mlgates.gates.p99_latency.machine import MachineUse, ThreadCounters, machine_use
from pytest_mlgates.gates.p99_latency.recorder import Recorder
from pytest_mlgates.gates.p99_latency.speed import Calibration
from pytest_mlgates.gates.p99_latency.trace import Floats, Trace
from pytest_mlgates.load.counters import Sampler, Served
from pytest_mlgates.load.feed import Feed

__all__ = ["Plan", "Session"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a run goes: when to look, and what may stop it.

    ``floor`` calls are spread over ``least_s`` seconds at least. ``hopeless`` tells at a look
    whether no later one can bring a verdict.
    """

    looks: tuple[int, ...]
    seconds: float
    warmup: int
    realtime: bool = False
    arrivals_per_s: float | None = None
    seed: int = 0
    limit_ms: float = float("inf")
    consume: bool = False
    collector: bool = True
    tolerant: bool = False
    concurrency: int = 1
    floor: int = 1
    least_s: float = 0.0
    served_by: Served | None = None
    hopeless: Callable[[Counts], bool] = lambda _: False


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
    clocks: Clocks
    finishing: Finishing
    record: Recorder
    warm: Recorder
    baseline: Recorder | None = None
    lags: list[int] = field(default_factory=list)
    awaited: bool = False
    start_use: MachineUse | None = None
    started: int = 0
    sampler: Sampler | None = None
    #: the calls over the limit by the clock, at each look so far, and the counts of the last one
    past: list[Tally] = field(default_factory=list)
    last: Counts | None = None

    @property
    def concurrent(self) -> bool:
        """Whether several calls may be in flight at once."""
        several = self.plan.arrivals_per_s is not None or self.plan.concurrency > 1
        return self.awaited and several

    @property
    def elapsed_s(self) -> float:
        """Seconds since the first timed call."""
        return (time.perf_counter_ns() - self.started) / 1e9

    def trace(self) -> Trace:
        """Return all calls so far."""
        return self._trace(self.record)

    def baseline_trace(self) -> Trace:
        """Return all calls of the baseline so far."""
        return self._trace(self.baseline or Recorder())

    def _trace(self, record: Recorder) -> Trace:
        open_loop = self.plan.arrivals_per_s is not None
        samples = None
        if self.sampler is not None and len(self.sampler.rows) > 1:
            samples = self.sampler.since(0.0)
        return record.trace(
            counters=self.counters is not None,
            open_loop=open_loop,
            concurrent=self.concurrent,
            use=self._use(samples),
            quiet_spin=self.calibration.quiet_ns,
            lags=self.lags if self.concurrent and open_loop else None,
            seconds=self.elapsed_s,
            samples=samples,
        )

    def _use(self, samples: Floats | None) -> MachineUse | None:
        """Return what the machine was used for; what serves the subject is not others."""
        now = machine_use()
        if now is None or self.start_use is None:
            return None
        use = now.since(self.start_use)
        if self.plan.served_by is None or self.plan.served_by.here or samples is None:
            return use
        _, served, waited, own, _, _ = (samples[-1] - samples[0]).tolist()
        most = waited + own
        crowded = most if use.crowded is None else min(use.crowded, most)
        return replace(use, busy=max(0.0, use.busy - served), crowded=crowded)

    def common(self) -> dict[str, Any]:
        """Return what every timed loop needs."""
        return {
            "guard": self.guard,
            "counters": self.counters or NoCounters(),
            "finishing": self.finishing,
            "tick": self.sampler.tick if self.sampler is not None else lambda: None,
        }

    def in_turn(self) -> dict[str, Any]:
        """Return what a loop needs that makes one call after the other."""
        return {**self.common(), "clock": self.clock}
