"""Throughput: does it hold the rate, with the tail of its latency inside the limit."""

from __future__ import annotations

import math
import os
from collections.abc import Awaitable, Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from pytest_mlgates.core import Headline, Measurement, Needs, StatisticalGate, Verdict
from pytest_mlgates.core.details import plain
from pytest_mlgates.core.fields import Limit
from pytest_mlgates.core.pictures import Intervals, Lines, Picture, Point
from pytest_mlgates.gates.throughput.details import Seen
from pytest_mlgates.gates.throughput.judge import ALLOWED, Limits, headline, judge

__all__ = ["Throughput"]


@dataclass(frozen=True, kw_only=True)
class Throughput(StatisticalGate):
    """Does the subject answer so many requests a second, 99 % of them in time?

    Requests are offered in an open loop, a little above the wanted rate, as a Poisson process or at
    recorded times, and each is timed from when it was due, whatever became of those before. What is
    wrong, unfinished or never answered counts as over the limit. ``call`` is a callable (plain or
    async), a ``Batch``, a ``Socket`` or an ``Http`` of ``pytest_mlgates.load.subjects``.

    PASS is earned by the clock on every request. FAIL is earned on those that were later than all
    that others on the machine can have caused: by what the subject's own threads and the load's
    waited for a core. Requests that are in flight together count as one observation, and a
    design effect over ever longer blocks says how much less they are worth near saturation.
    ``max_cpu_us`` bounds the CPU time of a right answer too, which a busy machine hardly moves.

    >>> gate = Throughput(min_per_second=100, max_p99_ms=50)
    >>> print(gate.run(str, []).verdict.reason)
    inputs is empty: a load needs at least one input

    Not seen: pauses too rare to be met in the run, a load of another shape than the one
    offered, and the network where load and subject share a machine.

    To mend: where CPU time an answer times the rate is more than there are cores, answers have
    to become cheaper; else look for what waits one after the other (a fetch a request): batch
    it, or keep it at hand.

    Sources: Clopper and Pearson 1934; Kish 1965 (design effect); Law and Kelton 2000, chapter 9
    (batch means).
    """

    name: ClassVar[str] = "throughput"
    subject: ClassVar[str] = "call"
    limit: ClassVar[str] = "min_per_second"
    worse: ClassVar[Literal["up", "down"]] = "down"

    min_per_second: Annotated[
        float, Limit(tighten="up", gt=0, le=1e6, unit="1/s"), "right answers a second"
    ]
    max_p99_ms: Annotated[
        float, Limit(tighten="down", gt=0, le=1e6, unit="ms"), "largest P99 from when it was due"
    ]
    max_cpu_us: Annotated[
        float | None,
        Limit(tighten="down", gt=0, unit="us"),
        "most CPU time of what serves the subject for a right answer",
    ] = None
    headroom: Annotated[
        float, Limit(tighten="up", ge=0, le=10), "offered above the wanted rate, as a share of it"
    ] = 0.04
    seconds: Annotated[
        float, Limit(tighten="up", gt=0, le=86_400, unit="s"), "how long the load is offered"
    ] = 20.0
    warmup_s: Annotated[float, Limit(gt=0, le=3600, unit="s"), "offered before, uncounted"] = 2.0
    timeout_s: Annotated[
        float, Limit(gt=0, le=86_400, unit="s"), "a call that takes longer is stopped"
    ] = 10.0
    collector: Annotated[
        Literal["on", "off"],
        "Python's garbage collector under callables: as they have it, or off",
    ] = "on"
    realtime: Annotated[bool, "real-time priority for the load, where permitted"] = False
    shared_machine: Annotated[bool, "offer although other workers share the machine"] = False

    def measure(
        self,
        call: Any,
        inputs: Iterable[Any],
        *,
        arrivals: Iterable[float] | None = None,
        served_by: Any = None,
        check: Callable[[Any, Any], object] | None = None,
        seed: int = 0,
    ) -> Generator[Measurement | Awaitable[Any], Any, None]:
        """Offer ``inputs``, started again where they end.

        ``arrivals`` are recorded times in seconds, in order. ``served_by`` is a ``Served`` of
        ``pytest_mlgates.load.counters``: the process, port, container or cgroup whose CPU and waits are the
        subject's; by default this process, or who listens at a local port. ``check(input, answer)``
        says whether an answer of a callable is right.
        """
        from pytest_mlgates.gates.throughput.measure import Plan, observe

        if (workers := _workers()) > 1 and not self.shared_machine:
            yield Measurement(value=0.0, unit="1/s", n=0, details=plain(Seen(workers=workers)))
            return
        plan = Plan(
            per_second=self.min_per_second * (1 + self.headroom),
            limit_ms=self.max_p99_ms,
            seconds=self.seconds,
            warmup_s=self.warmup_s,
            timeout_s=max(self.timeout_s, 3.0 * self.max_p99_ms / 1e3),
            realtime=self.realtime,
            seed=seed,
            collector=self.collector == "on",
        )
        yield from observe(call, inputs, arrivals, served_by, check, plan)

    def headline(self, measurement: Measurement, /) -> Headline:
        """Return the number that the policy is about, as the details give it."""
        return headline(measurement.read(Seen))

    def decide(self, measurement: Measurement, /) -> Verdict:
        """Judge the counts of the last look."""
        limits = Limits(
            min_per_second=self.min_per_second,
            max_p99_ms=self.max_p99_ms,
            max_cpu_us=self.max_cpu_us,
            collector=self.collector == "on",
            alpha=self.alpha,
            beta=self.beta,
        )
        return judge(measurement.read(Seen), measurement.n, measurement.value, limits)

    def pictures(self, measurement: Measurement) -> Iterator[Picture]:
        """Draw the P99 second by second, and the CPU time of an answer against its limit."""
        seen = measurement.read(Seen)
        if seen.seconds_p99_ms:
            points = tuple(
                Point(f"{at}", value, bad=value > self.max_p99_ms)
                for at, value in enumerate(seen.seconds_p99_ms)
            )
            at = tuple(float(second) for second in range(len(points)))
            title = (
                f"P99 of each second, {seen.offered / seen.seconds:.0f} requests a second offered"
            )
            yield Lines(title, points, "ms", (self.max_p99_ms,), at, "seconds")
        if seen.cpu is not None and self.max_cpu_us is not None:
            low, high = (seen.cpu.us + side * 2 * seen.cpu.error_us for side in (-1, 1))
            point = Point("CPU a right answer", seen.cpu.us, max(0.0, low), high)
            yield Intervals("CPU time", (point,), "us", (self.max_cpu_us,))

    def needs(self) -> Needs:
        """Return the requests that the earliest PASS and the earliest FAIL take."""
        rate = self.min_per_second * (1 + self.headroom)
        clean = math.log(1 / self.beta) / -math.log1p(-ALLOWED)
        most = math.ceil(max(clean, rate * self.seconds))
        return Needs(most, math.ceil(rate * self.seconds / 4), "requests")


def _workers() -> int:
    """Return how many pytest-xdist workers run, or 1."""
    try:
        return int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    except ValueError:
        return 1
