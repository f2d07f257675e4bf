"""What a report draws of a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pytest_mlgates.core.pictures import Histogram, Lines, Picture, Point, Shares
from pytest_mlgates.core.records import Measurement
from pytest_mlgates.gates.p99_latency.details import Seen, Tally
from pytest_mlgates.stats import binomial

__all__ = ["drawn"]


def drawn(
    measurement: Measurement,
    seen: Seen,
    max_ms: float,
    quantile: float,
    *,
    below: float,
    above: float,
) -> Iterator[Picture]:
    """Return the latencies with the limit, and what the slowest calls spent their time on.

    ``below`` and ``above`` are the errors of the two bounds at each look.
    """
    if seen.histogram is not None:
        low, high = measurement.interval or (None, None)
        mark = Point(f"P{100 * quantile:g}", measurement.value, low, high)
        starts = seen.histogram.from_ms
        edges = (*starts, starts[-1] * starts[1] / starts[0] if len(starts) > 1 else starts[0])
        title = f"Latency of {measurement.n} calls (height: root of the count)"
        yield Histogram(title, edges, seen.histogram.counts, "ms", max_ms, (mark,))
    if seen.looks:
        yield _exceeding(seen.looks, max_ms, 100 * (1 - quantile), below, above)
    if seen.slowest is not None:
        title = f"the time of the {seen.slowest.calls} slowest calls"
        yield from _share_picture(f"By stage: {title}", seen.slowest.stages)
        yield from _share_picture(f"On and off the core: {title}", seen.slowest.share_of_time)


def _exceeding(
    looks: Sequence[Tally], max_ms: float, allowed: float, below: float, above: float
) -> Lines:
    """Return the share of calls over the limit as it was bounded at each look."""
    points = []
    for look in looks:
        over, n, deff = look.over, look.n, look.deff
        low, high = binomial.lower(over, n, below, deff), binomial.upper(over, n, above, deff)
        points.append(Point(f"{n}", 100 * over / n, 100 * low, 100 * high, bad=100 * low > allowed))
    title = f"Share of calls over {max_ms:g} ms by the clock, as each look bounds it"
    at = tuple(float(look.n) for look in looks)
    return Lines(title, tuple(points), "%", (allowed,), at, "calls")


def _share_picture(title: str, shares: Mapping[str, float]) -> Iterator[Picture]:
    if shares:
        yield Shares(title, tuple(Point(name, 100 * share) for name, share in shares.items()), "%")
