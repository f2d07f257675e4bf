"""A load that several workers of Locust offer: told to them, and what they told as one."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from pytest_mlgates.gates.throughput.details import Worker
from pytest_mlgates.load.answers import Answers
from pytest_mlgates.load.locust.crew import Crew, crew
from pytest_mlgates.load.locust.histograms import merged, quantile_s
from pytest_mlgates.load.locust.merge import alone_orders, joined_reports, orders
from pytest_mlgates.load.sent import Sent, quantile
from pytest_mlgates.load.subjects import Locust

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from pytest_mlgates.load.locust.orders import Report

__all__ = ["Workers", "bring_together"]


@dataclass(kw_only=True)
class Workers:
    """The crew of a run, and what each part of it told."""

    subject: Locust
    crew: Crew
    grace_s: float
    timeout_s: float
    seed: int
    alone_ms: list[float] = field(default_factory=list)
    reports: list[list[Report]] = field(default_factory=list)
    here: bool = True
    _number: int = 0

    def alone(self, per_second: float, seconds: float) -> None:
        """Note the P99 (ms) that each worker sees of a server of its own that answers at once."""
        told = alone_orders(
            per_second,
            self.subject.workers,
            seconds,
            seed=self.seed,
            grace_s=self.grace_s,
            timeout_s=self.timeout_s,
        )
        for order, report in zip(told, self.crew.offer(told, lambda: None), strict=True):
            sent = joined_reports([order], [report], 0.0).sent
            self.alone_ms.append(1e3 * quantile(sent.latency(), 0.99))

    def offer(
        self,
        due: NDArray[np.float64],
        feed: Iterator[object],
        answers: Answers,
        tick: Callable[[], None],
        *,
        counted: bool,
    ) -> Sent:
        """Offer requests and return what became of them; ``counted`` reports stay for the evidence."""
        self._number += 1
        told = orders(
            self._number,
            self.subject.http,
            due,
            feed,
            self.subject.workers,
            seed=self.seed,
            grace_s=self.grace_s,
            timeout_s=self.timeout_s,
        )
        since = time.perf_counter()
        reports = self.crew.offer(told, tick)
        joined = joined_reports(told, reports, since)
        self.here = self.here and joined.here
        if counted:
            self.reports.append(reports)
        for report in reports:
            answers.differ = answers.differ or report.differ
            answers.fault = answers.fault or report.fault or None
            if report.first:
                answers.vary(report.first)
        return joined.sent

    def told(self) -> tuple[Worker, ...]:
        """Return each worker's own part in what was counted."""
        found = []
        for part, reports in enumerate(zip(*self.reports, strict=True)):
            lag, latency = (
                merged(getattr(report, name) for report in reports) for name in ("lag", "latency")
            )
            ended = sum(report.ended for report in reports)
            found.append(
                Worker(
                    requests=latency.total_count,
                    lag_p99_ms=1e3 * quantile_s(lag, 0.99),
                    lag_max_ms=1e3 * quantile_s(lag, 1.0),
                    alone_p99_ms=self.alone_ms[part],
                    cpu_share=sum(report.own_cpu_s for report in reports) / ended,
                )
            )
        return tuple(found)

    def latencies(self) -> str:
        """Return all that was counted as one HdrHistogram, in the format that all of them read."""
        whole = merged(report.latency for reports in self.reports for report in reports)
        return whole.encode().decode()


def bring_together(
    stack: ExitStack, subject: Locust, *, grace_s: float, timeout_s: float, seed: int
) -> Workers:
    """Start a crew that ends with ``stack``."""
    found = stack.enter_context(crew(subject))
    return Workers(subject=subject, crew=found, grace_s=grace_s, timeout_s=timeout_s, seed=seed)
