"""Tail latency: is the slowest percent of calls still fast enough.

PASS is earned on what was seen, FAIL on what remains when all that a busy machine can have added
is subtracted; between them the gate says INCONCLUSIVE. Methods: exact binomial bounds on the share
of calls over the limit (Clopper and Pearson, 1934) with a design effect for calls that depend on
each other, at a few looks over which the error is spent.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from pytest_mlgates.core import (
    Headline,
    Measurement,
    Needs,
    Outcome,
    StatisticalGate,
    Unmeasurable,
    Verdict,
)
from pytest_mlgates.core.details import plain
from pytest_mlgates.core.errors import Unfit
from pytest_mlgates.core.fields import FieldError, Limit
from pytest_mlgates.core.pictures import Picture
from pytest_mlgates.core.words import a
from pytest_mlgates.gates.p99_latency.bounds import (
    clean_calls,
    fewest,
    floor_of,
    no_verdict_to_come,
)
from pytest_mlgates.gates.p99_latency.details import Counts, Seen
from pytest_mlgates.gates.p99_latency.judge import Rules, headline, judge, judge_relative
from pytest_mlgates.gates.p99_latency.measure import observe
from pytest_mlgates.gates.p99_latency.pictures import drawn
from pytest_mlgates.gates.p99_latency.record import measurement
from pytest_mlgates.gates.p99_latency.session import Plan, Session
from pytest_mlgates.load.counters import Served
from pytest_mlgates.stats.sequential import Schedule, quantile_schedule

__all__ = ["P99Latency"]


@dataclass(frozen=True, kw_only=True)
class P99Latency(StatisticalGate):
    """Judge a tail quantile of the latency of ``call`` over ``inputs``.

    ``call`` takes one input; plain or async. ``inputs`` is any iterable, started again where it is
    shorter than the calls needed. With ``max_regression`` a ``baseline`` is called side by side.

    A call is timed until its answer is there: generators, futures, lazy frames are refused, or with
    ``consume`` taken inside the timed call; work on a GPU is waited for. A PASS names what it rests
    on: how many inputs, how many slow calls may come together, how long the run was.

    >>> gate = P99Latency(max_ms=50, max_calls=5000)
    >>> print(gate.run(lambda request: None, []).verdict.reason)
    inputs is empty: a latency needs at least one input
    >>> gate.needs()
    Needs(to_pass=5000, to_fail=20, unit='calls')

    Not seen: bursts longer than ``longest_burst``, pauses rarer than the run was long, inputs
    unlike those that were given.

    To mend: begin with the stage that the slowest calls spent their time in; where there is one
    only, name more (``from pytest_mlgates import stage``).

    Source: Clopper and Pearson 1934 (exact bounds on the share of calls over the limit).
    """

    name: ClassVar[str] = "p99_latency"
    cap: ClassVar[str] = "max_calls"
    subject: ClassVar[str] = "call"

    max_ms: Annotated[float, Limit(tighten="down", gt=0, unit="ms"), "largest latency"]
    quantile: Annotated[
        float, Limit(tighten="up", ge=0.5, le=0.9999), "the quantile it holds for"
    ] = 0.99
    max_calls: Annotated[int, Limit(ge=1, le=10_000_000), "most calls before the last look"] = 20000
    min_calls: Annotated[
        int,
        Limit(tighten="up", ge=0, le=10_000_000),
        "fewest calls a PASS may rest on",
    ] = 0
    longest_burst: Annotated[
        int,
        Limit(tighten="up", ge=1, le=1_000_000),
        "slow calls that may come together: a PASS takes about 800 calls for each (P99)",
    ] = 4
    min_seconds: Annotated[
        float,
        Limit(tighten="up", ge=0, le=86_400, unit="s"),
        "a PASS rests on calls of so long: what comes more rarely is not met. Quick calls are "
        "spread over it",
    ] = 5.0
    max_regression: Annotated[
        float | None,
        Limit(tighten="down", gt=0, le=10),
        "largest relative growth over the baseline, as 0.05",
    ] = None
    arrivals_per_s: Annotated[
        float | None,
        Limit(tighten="up", gt=0, le=1e6, unit="1/s"),
        "open loop: calls are due at this rate (Poisson) and timed from when they were due",
    ] = None
    concurrency: Annotated[
        int,
        Limit(ge=1, le=10_000),
        "async calls in flight at once: as one ends the next starts (not with arrivals_per_s)",
    ] = 1
    max_error_rate: Annotated[
        float | None,
        Limit(tighten="down", gt=0, lt=1),
        "largest share of calls that raise; without it the first one is an ERROR",
    ] = None
    max_cpu_ms: Annotated[
        float | None,
        Limit(tighten="down", gt=0, unit="ms"),
        "most CPU time of a call on average: a busy machine hardly moves it",
    ] = None
    consume: Annotated[
        bool, "take what a lazy answer promises (items, results) inside the timed call"
    ] = False
    collector: Annotated[
        Literal["on", "off"],
        "Python's garbage collector: as the subject has it, or off while calls are timed",
    ] = "on"
    warmup: Annotated[int, Limit(ge=1, le=1_000_000), "calls before the first timed one"] = 50
    timeout_s: Annotated[
        float, Limit(gt=0, le=86_400, unit="s"), "a call that takes longer is stopped"
    ] = 10.0
    realtime: Annotated[bool, "real-time priority while measuring, where permitted"] = False
    shared_machine: Annotated[bool, "measure although other workers share the machine"] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.min_calls > self.max_calls:
            raise FieldError(
                "min_calls", f"{self.min_calls} is more than max_calls {self.max_calls}"
            )

    def measure(
        self,
        call: Callable[[Any], object],
        inputs: Iterable[object],
        baseline: Callable[[Any], object] | None = None,
        *,
        served_by: Served | None = None,
        seed: int = 0,
    ) -> Generator[Measurement | Awaitable[Any], Any, None]:
        """Call until the looks decide; yield what was seen at each.

        ``served_by`` is a ``Served`` of ``pytest_mlgates.load.counters``: the process, port,
        container or cgroup that does the work of a call, whose CPU, throttling and waits are the
        subject's own; by default this process.
        """
        if (baseline is None) != (self.max_regression is None):
            missing = "a baseline" if baseline is None else "max_regression in the policy"
            raise Unmeasurable(f"a paired comparison needs {missing} too: give both or neither")
        if baseline is not None and self.arrivals_per_s is not None:
            raise Unmeasurable(
                "a baseline can't be compared under open load: leave out arrivals_per_s or baseline"
            )
        if served_by is not None and not isinstance(served_by, Served):
            kind = a(type(served_by).__name__)
            raise Unmeasurable(f"served_by is {kind}: give a Served, as Served(port=8000)")
        if (workers := _workers()) > 1 and not self.shared_machine:
            yield Measurement(value=0.0, unit="ms", n=0, details=plain(Seen(workers=workers)))
            return
        plan = Plan(
            looks=self._schedule.looks,
            seconds=max(self.timeout_s, 3.0 * self.max_ms / 1e3),
            warmup=self.warmup,
            realtime=self.realtime,
            arrivals_per_s=self.arrivals_per_s,
            seed=seed,
            limit_ms=self.max_ms,
            consume=self.consume,
            collector=self.collector == "on",
            tolerant=self.max_error_rate is not None and baseline is None,
            concurrency=self.concurrency,
            floor=max(1, self.needs().to_pass),
            least_s=0.0 if self.arrivals_per_s is not None else self.min_seconds,
            served_by=served_by,
            hopeless=self._hopeless,
        )
        yield from observe(call, inputs, baseline, plan, self._tell)

    def headline(self, measurement: Measurement, /) -> Headline:
        """Return the number that the policy is about, as the details give it."""
        return headline(measurement.read(Seen))

    def decide(self, measurement: Measurement, /) -> Verdict:
        """Judge the counts of the last look."""
        seen = measurement.read(Seen)
        if seen.workers is not None:
            return Verdict(
                Outcome.INCONCLUSIVE,
                f"{seen.workers} workers share this machine, so no latency was measured: run "
                "this test alone (`-n 0` or its own job), or set `shared_machine: true`",
            )
        if measurement.n == 0:
            return Verdict(Outcome.INCONCLUSIVE, "no call was timed, so nothing is known")
        counts, relative = seen.counts, seen.relative
        if counts is None or (relative is None and self.max_regression is not None):
            missing = "counts" if counts is None else "relative"
            raise Unfit(f"details.{missing}: is missing")
        if counts.n != measurement.n:
            raise Unfit(
                f"details.counts.n: {counts.n} calls, the measurement is of {measurement.n}"
            )
        if (counts.limit_ms, counts.quantile) != (self.max_ms, self.quantile):
            raise Unfit(
                f"details.counts: calls were counted against {counts.limit_ms:g} ms at quantile "
                f"{counts.quantile:g}, the policy says {self.max_ms:g} ms at {self.quantile:g}: "
                "measure again"
            )
        paired_too = relative is not None and self.max_regression is not None
        alpha = self.alpha / 2 if paired_too else self.alpha
        verdict = judge(counts, measurement.value, self._rules(alpha))
        if relative is None or self.max_regression is None:
            return verdict
        paired = judge_relative(
            relative,
            self.max_regression,
            counts.n,
            self._schedule,
            alpha=alpha,
            beta=self.beta,
        )
        if Outcome.FAIL in (paired.outcome, verdict.outcome):
            return Verdict.gravest([verdict, paired])
        if verdict.outcome == Outcome.PASS:
            return Verdict(paired.outcome, f"{paired.reason}; {verdict.reason}")
        return verdict

    def pictures(self, measurement: Measurement) -> Iterator[Picture]:
        """Return the latencies with the limit, and what the slowest calls spent their time on."""
        plan, seen = self._schedule, measurement.read(Seen)
        below, above = plan.fail_error(self.alpha), plan.pass_error(self.beta)
        limit, quantile = self.max_ms, self.quantile
        return drawn(measurement, seen, limit, quantile, below=below, above=above)

    def needs(self) -> Needs:
        """Return the calls of the first look that may PASS, and of the first that may FAIL."""
        plan, allowed = self._schedule, 1.0 - self.quantile
        to_pass = fewest(plan, plan.pass_error(self.beta), self.longest_burst, allowed)
        if not to_pass:
            to_pass = max(
                plan.floor, clean_calls(allowed, plan.pass_error(self.beta), self.longest_burst)
            )
        return Needs(to_pass, plan.looks[0])

    def _rules(self, alpha: float) -> Rules:
        return Rules(
            plan=self._schedule,
            alpha=alpha,
            beta=self.beta,
            longest_burst=self.longest_burst,
            min_seconds=self.min_seconds,
            max_error_rate=self.max_error_rate,
            max_cpu_ms=self.max_cpu_ms,
            collector=self.collector == "on",
        )

    def _hopeless(self, counts: Counts) -> bool:
        rules = self._rules(self.alpha)
        floor = floor_of(counts, self.longest_burst)
        return no_verdict_to_come(counts, rules.plan, rules.spend_pass, floor)

    @property
    def _schedule(self) -> Schedule:
        return quantile_schedule(self.quantile, self.max_calls, self.min_calls)

    def _tell(self, session: Session) -> Measurement:
        return measurement(session, self.max_ms, self.quantile, self._schedule)


def _workers() -> int:
    """Return how many pytest-xdist workers run, or 1."""
    try:
        return int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    except ValueError:
        return 1
