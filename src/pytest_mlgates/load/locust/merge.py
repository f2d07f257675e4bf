"""Orders for several workers, and their reports as one load."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pytest_mlgates.core.errors import Unmeasurable
from pytest_mlgates.load import arrivals
from pytest_mlgates.load.locust.histograms import Histogram, merged, quantile_s
from pytest_mlgates.load.locust.orders import Order, Report, array, boot_id, text
from pytest_mlgates.load.sent import Sent, quantile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from pytest_mlgates.load.subjects import Http

#: of a histogram of three digits, and as much for rounding
_RESOLUTION = 2e-3

__all__ = ["Joined", "alone_orders", "joined_reports", "orders"]


@dataclass(frozen=True, eq=False)
class Joined:
    """What several workers sent, as one load; ``here`` where all of them ran on this machine."""

    sent: Sent
    latency: Histogram
    here: bool


def orders(
    number: int,
    http: Http,
    due: NDArray[np.float64],
    feed: Iterator[object],
    workers: int,
    *,
    seed: int,
    grace_s: float,
    timeout_s: float,
) -> list[Order]:
    """Return what each worker is to offer: each request goes to one of them, drawn at random."""
    known: dict[bytes | None, int] = {}
    which = np.fromiter(
        (known.setdefault(http.body(next(feed)), len(known)) for _ in due), np.int32, len(due)
    )
    mine = np.random.default_rng([seed, number]).integers(0, workers, len(due))
    bodies = list(known)
    found = []
    for worker in range(workers):
        used, own = np.unique(which[mine == worker], return_inverse=True)
        found.append(
            Order(
                number=number,
                part=worker,
                url=http.url,
                method=http.method,
                headers=dict(http.headers),
                due=text(due[mine == worker]),
                which=text(own.astype(np.int32)),
                bodies=tuple(_said(bodies[one]) for one in used),
                grace_s=grace_s,
                timeout_s=timeout_s,
            )
        )
    return found


def alone_orders(
    per_second: float, workers: int, seconds: float, *, seed: int, grace_s: float, timeout_s: float
) -> list[Order]:
    """Return orders that show what each worker adds by itself: its part of the rate, at once answered."""
    found = []
    for worker in range(workers):
        count = max(100, int(per_second * seconds / workers))
        found.append(
            Order(
                number=0,
                part=worker,
                url="",
                method="POST",
                headers={},
                due=text(arrivals.poisson_of(count, seconds, seed + worker)),
                which=text(np.zeros(count, np.int32)),
                bodies=(_said(b"{}"),),
                grace_s=grace_s,
                timeout_s=timeout_s,
                at_once=True,
            )
        )
    return found


def _said(body: bytes | None) -> str | None:
    return None if body is None else base64.b64encode(body).decode()


def joined_reports(told: Sequence[Order], reports: Sequence[Report], since: float) -> Joined:
    """Return the reports as one load, in order of due.

    Workers of this machine share its steady clock; where any is of another one, all count from
    their own start, which was about ``since`` on our clock.
    Raises Unmeasurable where a report does not hold what was ordered.
    """
    boot = boot_id()
    here = bool(boot) and all(report.boot == boot for report in reports)
    begin = min(report.started for report in reports) if here else since
    columns: dict[str, list[NDArray[np.float64]]] = {name: [] for name in _COLUMNS}
    for order, report in zip(told, reports, strict=True):
        found = _columns(order, report)
        shift = report.started - begin if here else 0.0
        for name, values in found.items():
            columns[name].append(values if name == "wrong" else values + shift)
    whole: Mapping[str, NDArray[np.float64]] = {k: np.concatenate(v) for k, v in columns.items()}
    order_of_due = np.argsort(whole["due"], kind="stable")
    sent = Sent(whole["due"][order_of_due])
    sent.begun, sent.answered = (whole[name][order_of_due] for name in ("begun", "answered"))
    sent.handed = sent.begun
    sent.wrong = whole["wrong"][order_of_due].astype(bool)
    sent.ends = whole["ends"][order_of_due]
    sent.ended = float(sent.ends.max())
    sent.started = begin
    sent.own_cpu_s = sum(report.own_cpu_s for report in reports)
    latency = merged(report.latency for report in reports)
    if latency.total_count != len(sent.due):
        raise Unmeasurable(
            f"the workers' histograms hold {latency.total_count} requests of {len(sent.due)}"
        )
    clock, told_s = quantile(sent.latency(), 0.99), quantile_s(latency, 0.99)
    if abs(told_s - clock) > 2e-6 + _RESOLUTION * clock:
        raise Unmeasurable(
            f"the workers' histograms have a P99 of {told_s:.6f} s, their times {clock:.6f}"
        )
    return Joined(sent, latency, here)


_COLUMNS = ("due", "begun", "answered", "wrong", "ends")


def _columns(order: Order, report: Report) -> dict[str, NDArray[np.float64]]:
    """Return what one worker tells of each request, in seconds after its own start."""
    due = order.times
    found: dict[str, NDArray[np.float64]] = {
        "due": due,
        "begun": array(report.begun, np.float64),
        "answered": array(report.answered, np.float64),
        "wrong": array(report.wrong, np.bool_).astype(float),
        "ends": np.full(len(due), report.ended),
    }
    if {len(values) for values in found.values()} != {len(due)}:
        raise Unmeasurable(f"worker {report.part} did not report on each of {len(due)} requests")
    return found
