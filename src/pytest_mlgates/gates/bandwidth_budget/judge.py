"""What is decided on the counters of an uplink. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pytest_mlgates.core.errors import Unfit
from pytest_mlgates.core.records import Headline, Outcome, Verdict
from pytest_mlgates.gates.bandwidth_budget.details import Seen
from pytest_mlgates.stats.ratio import ratio_bounds

__all__ = ["Limits", "headline", "judge"]

#: byte counts are added up as floats
_ROUNDING = 1 + 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What must hold, None where nothing must; and the errors of the claim about the ratio."""

    ratio: float | None
    mbps: float | None
    bytes: int | None
    min_sources: int
    alpha: float
    beta: float


def headline(seen: Seen, n: int, about: str, lower_error: float, upper_error: float) -> Headline:
    """Return the number that the policy is about, as the details give it."""
    n = n if seen.transfers is None else seen.transfers
    if not n:
        return Headline(value=0.0, unit="bytes", n=0)
    interval = None
    moments, heavier = seen.moments, seen.moments_one_heavier
    if moments is not None and heavier is not None:
        low, high = ratio_bounds(moments, heavier, lower_error, upper_error)
        interval = None if high is None else (low, high)
    value, unit = _required(seen.most_bytes, "most_bytes"), "bytes"
    if about == "max_ratio" and moments is not None:
        value, unit = moments.x / moments.y, "of raw bytes"
    elif about == "max_mbps":
        value, unit = _required(seen.peak_mbps, "peak_mbps"), "Mbit/s"
    return Headline(value=value, unit=unit, n=n, interval=interval)


def judge(seen: Seen, n: int, limits: Limits) -> Verdict:
    """FAIL where a limit is broken, PASS where each that is set holds."""
    if n == 0:
        return Verdict(Outcome.INCONCLUSIVE, "there was no transfer, so nothing is known")
    if seen.sent_bytes == 0:
        return Verdict(
            Outcome.INCONCLUSIVE, f"not one byte was sent in {n} transfers: was the uplink up?"
        )
    return Verdict.gravest([*_facts(seen, limits), *_claim(seen, limits)])


def _facts(seen: Seen, limits: Limits) -> Iterator[Verdict]:
    """Judge what was counted."""
    link = "the uplink" if seen.shared_uplink else "the busiest uplink"
    if limits.mbps is not None:
        rate = _required(seen.peak_mbps, "peak_mbps")
        yield Verdict(
            Outcome.FAIL if rate > limits.mbps * _ROUNDING else Outcome.PASS,
            f"{link} carried {rate:.4g} Mbit/s in its busiest {seen.window_s:g} s"
            f" (limit {limits.mbps:g})",
        )
    if limits.bytes is not None:
        most = _required(seen.most_bytes, "most_bytes")
        yield Verdict(
            Outcome.FAIL if most > limits.bytes else Outcome.PASS,
            f"{link} sent {most:,.0f} bytes (limit {limits.bytes:,})",
        )


def _claim(seen: Seen, limits: Limits) -> Iterator[Verdict]:
    """Judge the ratio, as a claim about the fleet that the sources stand for."""
    if limits.ratio is None:
        return
    moments, heavier = seen.moments, seen.moments_one_heavier
    if moments is None or heavier is None:
        raise Unfit("details.moments: the moments of the sources are missing")
    n = moments.n
    head = f"{moments.x / moments.y:.3g} of the raw bytes were sent"
    limit = f"limit {limits.ratio:.3g}"
    if n < limits.min_sources:
        yield Verdict(
            Outcome.INCONCLUSIVE,
            f"{head} ({limit}), but by {n} source(s): a claim takes {limits.min_sources}",
        )
        return
    low, high = ratio_bounds(moments, heavier, limits.alpha, limits.beta)
    if low > limits.ratio * _ROUNDING:
        yield Verdict(Outcome.FAIL, f"{head}, more than {low:.3g} ({limit}), over {n} sources")
    elif high is not None and high <= limits.ratio * _ROUNDING:
        yield Verdict(Outcome.PASS, f"{head}, less than {high:.3g} ({limit}), over {n} sources")
    else:
        reach = "there is no upper bound" if high is None else f"it could be {high:.3g}"
        text = f"{head} and {reach} ({limit}), over {n} sources: more sources would tell"
        yield Verdict(Outcome.INCONCLUSIVE, text)


def _required(value: float | None, key: str) -> float:
    if value is None:
        raise Unfit(f"details.{key}: is missing")
    return value
