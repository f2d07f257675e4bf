"""What a run of ``throughput`` records, as far as verdicts and pictures read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pytest_mlgates.core.details import Count, Share
from pytest_mlgates.core.fields import Limit

__all__ = ["Cpu", "Generator", "Machine", "Seen", "Tally", "Worker"]

Positive = Annotated[float, Limit(ge=0)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many of ``n`` requests are over the limit, and their design effect.

    ``growing`` where the effect still grew at the longest blocks that were looked at: the run is
    too short for how long its requests depend on each other.
    """

    over: Count
    n: Count
    deff: Annotated[float, Limit(ge=1)]
    growing: bool = False

    def __post_init__(self) -> None:
        if self.over > self.n:
            raise ValueError(f"{self.over} of {self.n} requests are over the limit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cpu:
    """CPU time a right answer in microseconds: a ratio of sums over ``blocks`` seconds, its error.

    ``upper_bound`` where the generator's own work is in it and can't be told apart.
    """

    us: Positive
    error_us: Positive
    blocks: Count
    upper_bound: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """One of several workers: its requests, its own lag, and its share of a core.

    ``alone_p99_ms`` is the P99 that it saw of a server on its own machine that answers at once, at
    its part of the rate.
    """

    requests: Count
    lag_p99_ms: Positive
    lag_max_ms: Positive
    alone_p99_ms: Positive
    cpu_share: Positive


@dataclass(frozen=True, slots=True, kw_only=True)
class Generator:
    """The load's own: how late it got to requests, and its share of a core.

    ``client_p99_ms`` is the P99 that it saw of a server that answers at once, at the same rate: what
    an HTTP client adds to each latency. Where several ``workers`` offered the load, lags and client
    are those of the worst of them, and the share is that of all.
    """

    lag_p99_ms: Positive
    lag_max_ms: Positive
    cpu_share: Positive
    client_p99_ms: Positive | None = None
    workers: tuple[Worker, ...] | None = None

    def __post_init__(self) -> None:
        for mine, name in (
            (self.lag_p99_ms, "lag_p99_ms"),
            (self.lag_max_ms, "lag_max_ms"),
            (self.client_p99_ms, "alone_p99_ms"),
        ):
            if self.workers and mine != max(getattr(worker, name) for worker in self.workers):
                raise ValueError(f"{name} of the load is not that of its worst worker")


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Cores that others than the subject used, cores that the host withheld, and waits for a core.

    Waits are in seconds of waiting a second: of the subject's threads, and of the generator's.
    """

    others_cores: Positive
    stolen_cores: Positive
    subject_waits: Positive
    generator_waits: Positive


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """All seen so far. ``workers`` stands alone where other workers share the machine.

    ``answered`` are right answers, at whatever time; ``in_time`` those within the limit of when
    they were due; ``raw`` counts what was over it by the clock, requests without a right answer
    among them; ``screened`` what remains when all that others can have caused is left out;
    ``failed`` wrong answers alone, which nobody else causes.
    """

    workers: Count | None = None
    kind: str = ""
    limit_ms: Positive = 0.0
    seconds: Positive = 0.0
    look: Count = 0
    last: bool = False
    offered: Count = 0
    begun: Count = 0
    answered: Count = 0
    wrong: Count = 0
    in_time: Count = 0
    answered_per_s: Positive = 0.0
    p50_ms: Positive | None = None
    p99_ms: Positive | None = None
    worst_second_ms: Positive | None = None
    raw: Tally | None = None
    screened: Tally | None = None
    failed: Tally | None = None
    differ: bool = False
    counters: bool = False
    generator: Generator | None = None
    machine: Machine | None = None
    cpu: Cpu | None = None
    seconds_p99_ms: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        if self.answered + self.wrong > self.offered or self.in_time > self.answered:
            raise ValueError("more requests were answered than offered")
        if self.begun > self.offered:
            raise ValueError("more requests were begun than offered")
        workers = self.generator.workers if self.generator is not None else None
        if workers and sum(worker.requests for worker in workers) != self.offered:
            raise ValueError("the workers did not offer what was offered")

    @property
    def unanswered(self) -> int:
        """Requests without any answer."""
        return self.offered - self.answered - self.wrong

    @property
    def share_disturbed(self) -> Share:
        """Which part of the requests over the limit others can have caused."""
        if self.raw is None or self.screened is None or not self.raw.over:
            return 0.0
        return 1 - self.screened.over / self.raw.over
