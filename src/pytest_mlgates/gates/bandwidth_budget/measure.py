"""Add up what an uplink carried: totals, the busiest window, the heaviest sources."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from pytest_mlgates.core.details import plain
from pytest_mlgates.core.errors import Unmeasurable
from pytest_mlgates.core.records import Measurement
from pytest_mlgates.gates.bandwidth_budget.details import Seen
from pytest_mlgates.gates.bandwidth_budget.judge import headline
from pytest_mlgates.gates.bandwidth_budget.peak import peak_bytes
from pytest_mlgates.gates.bandwidth_budget.transfers import Columns, read
from pytest_mlgates.stats.ratio import RatioMoments, one_heavier

__all__ = ["Plan", "measure_transfers"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is counted; ``headline`` is the field that the measured value is about."""

    ratio: bool
    rate: bool
    shared_uplink: bool
    window_s: float
    headline: str
    lower_error: float
    upper_error: float


def measure_transfers(transfers: object, plan: Plan) -> Measurement:
    """Add up transfers; raises :class:`Unmeasurable` where a record lacks what a limit is about."""
    columns = read(transfers)
    sent = float(columns.sent.sum())
    n = columns.sent.size
    seen = Seen(
        transfers=n, shared_uplink=plan.shared_uplink, window_s=plan.window_s, sent_bytes=sent
    )
    if not n:
        return _measurement(seen, 0, plan)
    if plan.ratio:
        moments, heavier = _source_moments(columns)
        seen = replace(seen, moments=moments, moments_one_heavier=heavier)
        seen = replace(seen, raw_bytes=float(columns.raw.sum()))
    if not plan.shared_uplink:
        columns.need(columns.source, "source", "an uplink for each source")
    lines = []
    if plan.rate:
        rate, when = _peak(columns, plan.window_s, plan.shared_uplink)
        seen = replace(seen, peak_mbps=rate, peak_at=when)
        busiest = f"the busiest {plan.window_s:g} s began at {when:.10g} s"
        lines.append(f"{busiest}: {rate:.4g} Mbit/s")
    most = sent if plan.shared_uplink else float(columns.by_source(columns.sent).max())
    share, more = _heaviest(columns, sent)
    seen = replace(seen, most_bytes=most, top_share=share, findings=(*lines, *more))
    return _measurement(seen, n, plan)


def _measurement(seen: Seen, n: int, plan: Plan) -> Measurement:
    made = headline(seen, n, plan.headline, plan.lower_error, plan.upper_error)
    return made.measurement(plain(seen))


def _source_moments(columns: Columns) -> tuple[RatioMoments, RatioMoments]:
    columns.need(columns.raw, "raw_bytes", "max_ratio")
    columns.need(columns.source, "source", "max_ratio")
    sent, raw = columns.by_source(columns.sent), columns.by_source(columns.raw)
    if not raw.sum() > 0:
        raise Unmeasurable(
            f"raw_bytes are 0 in all {columns.sent.size} transfers: there is no ratio"
        )
    return RatioMoments.of(sent, raw), one_heavier(sent, raw)


def _peak(columns: Columns, window: float, shared: bool) -> tuple[float, float]:
    """Return the highest rate of any uplink in Mbit/s, and when its window begins."""
    columns.need(columns.at, "at", "max_mbps")
    seconds = np.nan_to_num(columns.seconds, nan=0.0)
    if shared:
        groups = [np.arange(columns.sent.size)]
    else:
        order = np.argsort(columns.source, kind="stable")
        groups = np.split(order, np.flatnonzero(np.diff(columns.source[order])) + 1)
    peaks = (
        peak_bytes(columns.at[rows], seconds[rows], columns.sent[rows], window) for rows in groups
    )
    most, when = max(peaks)
    return most * 8 / window / 1e6, when


def _heaviest(columns: Columns, sent_bytes: float) -> tuple[float | None, list[str]]:
    """Return the share of the heaviest hundredth of the sources, and lines that tell of them."""
    if len(columns.sources) < 2 or columns.source.min() < 0 or not sent_bytes > 0:
        return None, []
    sent = columns.by_source(columns.sent)
    top = np.sort(sent)[::-1][: math.ceil(sent.size / 100)]
    share = float(top.sum() / sent.sum())
    heaviest = int(sent.argmax())
    # its name may be a person's: it is told by its place among the sources
    whose = f"source {heaviest} in order of appearance"
    return share, [
        f"the heaviest {top.size} of {sent.size} sources (1 %) sent {share:.1%} of all bytes",
        f"the heaviest is {whose}, {sent[heaviest]:,.0f} bytes",
    ]
