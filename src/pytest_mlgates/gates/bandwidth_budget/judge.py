"""What is decided on the counters of an uplink. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from pytest_mlgates.core.errors import Unfit
from pytest_mlgates.core.records import BrokenLimit, Headline, Outcome, Verdict
from pytest_mlgates.gates.bandwidth_budget.details import Seen
from pytest_mlgates.gates.bandwidth_budget.fleet import Fleet

__all__ = ["Limits", "headline", "judge"]

#: without max_source_raw_bytes, no source records more than so many times the most seen
MOST_RAW = 10
#: byte counts are added up as floats
_ROUNDING = 1 + 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What must hold, None where nothing must; and the errors of the claim about the ratio.

    ``source_bytes`` and ``source_raw_bytes`` are the most that one source can have.
    """

    ratio: float | None
    mbps: float | None
    bytes: int | None
    source_bytes: int | None
    source_raw_bytes: int | None
    min_sources: int
    alpha: float
    beta: float


def headline(
    seen: Seen, n: int, about: str, interval: tuple[float, float] | None = None
) -> Headline:
    """Return the number that the policy is about, as the details give it.

    ``interval`` is what version 0.2.0 recorded, by a model that is no more: it is taken as it is.
    """
    n = n if seen.transfers is None else seen.transfers
    if not n:
        return Headline(value=0.0, unit="bytes", n=0)
    value, unit = _required(seen.most_bytes, "most_bytes"), "bytes"
    if about == "max_ratio":
        raw = _required(seen.raw_bytes, "raw_bytes")
        value, unit = seen.sent_bytes / (raw or 1.0), "of raw bytes"
    elif about == "max_mbps":
        value, unit = _required(seen.peak_mbps, "peak_mbps"), "Mbit/s"
    known = interval if seen.moments is not None else None
    return Headline(value=value, unit=unit, n=n, interval=known)


def judge(
    seen: Seen, n: int, limits: Limits, interval: tuple[float, float] | None = None
) -> Verdict:
    """FAIL where a limit is broken, PASS where each that is set holds.

    ``interval`` is what version 0.2.0 recorded of the ratio.
    """
    if n == 0:
        return Verdict(Outcome.INCONCLUSIVE, "there was no transfer, so nothing is known")
    if seen.sent_bytes == 0:
        return Verdict(
            Outcome.INCONCLUSIVE, f"not one byte was sent in {n} transfers: was the uplink up?"
        )
    return Verdict.gravest([*_facts(seen, limits), *_ratio(seen, limits, interval)])


def _facts(seen: Seen, limits: Limits) -> Iterator[Verdict]:
    """Judge what was counted."""
    link = "the uplink" if seen.shared_uplink else "the busiest uplink"
    if limits.mbps is not None:
        yield _peak(seen, link, limits.mbps)
    if limits.bytes is not None:
        most = _required(seen.most_bytes, "most_bytes")
        yield Verdict(
            Outcome.FAIL if most > limits.bytes else Outcome.PASS,
            f"{link} sent {most:,.0f} bytes (limit {limits.bytes:,})",
            (BrokenLimit("max_bytes", most),) if most > limits.bytes else (),
        )


def _peak(seen: Seen, link: str, limit: float) -> Verdict:
    rate, spread = _required(seen.peak_mbps, "peak_mbps"), seen.peak_if_totals_mbps
    head = f"{link} carried {rate:.4g} Mbit/s in its busiest {seen.window_s:g} s (limit {limit:g})"
    if rate <= limit * _ROUNDING:
        return Verdict(Outcome.PASS, head)
    if spread is not None and spread <= limit * _ROUNDING:
        return Verdict(
            Outcome.INCONCLUSIVE,
            f"{head} if each record went out at once, {spread:.4g} if it is a total of the time since"
            " the one before; they come by a clock: give `seconds`, or set `totals: true`",
        )
    return Verdict(Outcome.FAIL, head, (BrokenLimit("max_mbps", rate),))


def _ratio(seen: Seen, limits: Limits, interval: tuple[float, float] | None) -> Iterator[Verdict]:
    """Judge the ratio: a fact about these transfers, and with a cap a claim about the fleet."""
    if limits.ratio is None:
        return
    if seen.moments is not None:
        yield _of_0_2(limits.ratio, interval)
        return
    n, raw = seen.sources, _required(seen.raw_bytes, "raw_bytes")
    if n is None or not raw > 0:
        raise Unfit("details.sources: the sources, or their raw bytes, are missing")
    ratio = seen.sent_bytes / raw
    head = f"{ratio:.3g} of the raw bytes were sent"
    limit = f"limit {limits.ratio:.3g}"
    if n < limits.min_sources:
        text = f"{head} ({limit}), but by {n} source(s): {limits.min_sources} are asked for"
        yield Verdict(Outcome.INCONCLUSIVE, text)
    elif limits.source_bytes is not None:
        yield _claim(seen, limits, head, limits.ratio, limits.source_bytes)
    elif ratio > limits.ratio * _ROUNDING:
        text = f"{head} ({limit}), by {n} sources"
        yield Verdict(Outcome.FAIL, text, (BrokenLimit("max_ratio", ratio),))
    else:
        text = f"{head} ({limit}), by these {n} sources: of others it says nothing (max_source_bytes would)"
        yield Verdict(Outcome.PASS, text)


def _of_0_2(limit: float, interval: tuple[float, float] | None) -> Verdict:
    """Judge what version 0.2.0 recorded: a bound of the ratio by a model of its sources."""
    low, high = interval or (0.0, math.inf)
    text = f"the ratio was bounded by {low:.3g} and {high:.3g} (limit {limit:.3g})"
    if low > limit * _ROUNDING:
        return Verdict(Outcome.FAIL, text, (BrokenLimit("max_ratio"),))
    return Verdict(Outcome.PASS if high <= limit * _ROUNDING else Outcome.INCONCLUSIVE, text)


def _claim(seen: Seen, limits: Limits, head: str, limit: float, cap: float) -> Verdict:
    """Judge what the sources say of the fleet that they are drawn from."""
    pairs, most = seen.by_source, seen.most_of_one
    if not pairs or most is None:
        raise Unfit("details.by_source: the sources are missing: measure again")
    if most[0] > cap:
        text = (
            f"a source sent {most[0]:,.0f} bytes, more than max_source_bytes says it can ({cap:,})"
        )
        return Verdict(Outcome.ERROR, text)
    raw_cap = limits.source_raw_bytes or MOST_RAW * most[1]
    if most[1] > raw_cap:
        text = f"a source has {most[1]:,.0f} raw bytes, more than max_source_raw_bytes says ({raw_cap:,})"
        return Verdict(Outcome.ERROR, text)
    sent, raw = zip(*pairs, strict=True)
    fleet = Fleet(sent, raw, cap, raw_cap)
    low, high = fleet.bounds(limits.alpha, limits.beta)
    told = f"{head} ({{}}; limit {limit:.3g}), over {len(pairs)} independent sources"
    if low > limit * _ROUNDING:
        raws = f"{'' if limits.source_raw_bytes else 'if '}none records more than {raw_cap:.3g}"
        text = f"{told.format(f'more than {low:.3g} in the fleet')}, {raws}"
        return Verdict(Outcome.FAIL, text, (BrokenLimit("max_ratio", sum(sent) / sum(raw)),))
    if high is not None and high <= limit * _ROUNDING:
        text = f"{told.format(f'less than {high:.3g} in the fleet')}, none of which can send more than {cap:.3g}"
        return Verdict(Outcome.PASS, text)
    reach = (
        "no upper bound in the fleet" if high is None else f"it could be {high:.3g} in the fleet"
    )
    return Verdict(Outcome.INCONCLUSIVE, f"{told.format(reach)}: {_lacks(fleet, limits, limit)}")


def _lacks(fleet: Fleet, limits: Limits, limit: float) -> str:
    """Say how many sources would tell, if they are like these."""
    n = len(fleet.sent)
    toward = fleet.log_e_below(limit), -math.log(limits.beta)
    if sum(fleet.sent) > limit * sum(fleet.raw):
        toward = fleet.log_e_above(limit), -math.log(limits.alpha)
    evidence, needed = toward
    if evidence < 0.05:
        return "too near the limit for so high a cap: many more sources, or a lower cap, would tell"
    return f"about {math.ceil(n * needed / evidence):,} sources like these would tell"


def _required(value: float | None, key: str) -> float:
    if value is None:
        raise Unfit(f"details.{key}: is missing")
    return value
