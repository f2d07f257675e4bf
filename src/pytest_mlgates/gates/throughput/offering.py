"""The load itself: how requests are offered to each kind of subject, part after part of a run."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from pytest_mlgates.calls.ask import is_async
from pytest_mlgates.calls.clocks import Clocks
from pytest_mlgates.calls.guard import CallGuard
from pytest_mlgates.core.errors import Unmeasurable
from pytest_mlgates.gates.throughput.checked import Check, checked, checked_async, checked_many
from pytest_mlgates.gates.throughput.workers import Workers
from pytest_mlgates.load import arrivals, callables, http, sockets
from pytest_mlgates.load.answers import Answers
from pytest_mlgates.load.counters import Sampler, Served
from pytest_mlgates.load.echo import answering_at_once
from pytest_mlgates.load.feed import Feed
from pytest_mlgates.load.sent import Sent, quantile
from pytest_mlgates.load.subjects import Batch, Http, Locust, Socket

__all__ = ["ALONE_S", "Plan", "Run", "Subject", "client_alone", "offer"]

Subject = Callable[[Any], Any] | Batch | Socket | Http | Locust
#: waited for answers after the last request, in limits and at least so long
_GRACE, _GRACE_S = 3.0, 1.0
#: how long the load's own client is looked at, in seconds
ALONE_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a run goes."""

    per_second: float
    limit_ms: float
    seconds: float
    warmup_s: float
    timeout_s: float
    realtime: bool
    seed: int
    collector: bool = True

    @property
    def grace_s(self) -> float:
        """How long answers are waited for after the last request."""
        return max(_GRACE_S, _GRACE * self.limit_ms / 1e3)


@dataclass(kw_only=True)
class Run:
    """A run as far as it is: its plan, its subject, and what was offered."""

    plan: Plan
    subject: Subject
    feed: Feed
    guard: CallGuard
    served: Served
    sampler: Sampler | None
    priority: str
    check: Check | None
    clocks: Clocks
    answers: Answers = field(default_factory=Answers)
    client_p99_ms: float | None = None
    workers: Workers | None = None
    parts: list[Sent] = field(default_factory=list)


def offer(run: Run, due: npt.NDArray[np.float64], seed: int) -> Generator[Any, Any, Sent]:
    """Offer requests when they are due and return what became of them."""
    subject, plan = run.subject, run.plan
    if run.sampler is not None:
        run.sampler.tick(now=True)
    common = (run.answers, run.guard, run.sampler, plan.grace_s)
    if isinstance(subject, Socket):
        sent = _sockets(run, subject, due, seed)
    elif isinstance(subject, Locust):
        assert run.workers is not None
        tick = run.sampler.tick if run.sampler is not None else lambda: None
        sent = run.workers.offer(due, run.feed, run.answers, tick, counted=seed != plan.seed)
    elif isinstance(subject, Http):
        sent = yield _http(run, subject, due)
    elif isinstance(subject, Batch):
        batch = Batch(checked_many(subject.call, run.check), subject.most)
        sent = callables.call_many(batch, due, run.feed, *common)
    elif is_async(subject):
        sent = yield callables.start_each(checked_async(subject, run.check), due, run.feed, *common)
    else:
        sent = callables.call_each(checked(subject, run.check), due, run.feed, *common)
    if run.sampler is not None:
        run.sampler.tick(now=True)
    return sent


def _sockets(run: Run, subject: Socket, due: npt.NDArray[np.float64], seed: int) -> Sent:
    """Offer requests over sockets, numbered on from those before."""
    base = sum(len(part.due) for part in run.parts)
    feed, answers = run.feed, run.answers

    def make(number: int) -> bytes:
        return subject.request(next(feed), base + number)

    def read(data: bytes) -> tuple[int | None, bool]:
        number, right = subject.read(data)
        if not answers.differ:
            answers.vary(data)
        return (None if number is None else number - base), right

    try:
        return sockets.offer(
            (subject.host, subject.port),
            due,
            make,
            read,
            connections=subject.connections,
            frames=subject.frames,
            grace_s=run.plan.grace_s,
            seed=seed,
            in_order=subject.in_order,
            tick=run.sampler.tick if run.sampler is not None else None,
        )
    except OSError as error:
        raise Unmeasurable(str(error)) from None


async def _http(run: Run, subject: Http, due: npt.NDArray[np.float64]) -> Sent:
    async with http.client(subject, run.plan.timeout_s) as ask:
        return await callables.start_each(
            ask, due, run.feed, run.answers, run.guard, run.sampler, run.plan.grace_s, here=False
        )


async def client_alone(run: Run, subject: Http) -> float:
    """Return the P99 (ms) of the same load on a server that answers at once."""
    plan = run.plan
    due = arrivals.poisson_of(max(100, int(plan.per_second * ALONE_S)), ALONE_S, plan.seed)
    with answering_at_once() as port:
        alone = replace(
            subject, url=f"http://127.0.0.1:{port}/", method="POST", headers={}, right=None
        )
        async with http.client(alone, plan.timeout_s) as ask:
            bodies = itertools.repeat("{}", len(due))
            sent = await callables.start_each(
                ask, due, bodies, Answers(), run.guard, None, plan.grace_s, here=False
            )
    return 1e3 * quantile(sent.latency(), 0.99)
