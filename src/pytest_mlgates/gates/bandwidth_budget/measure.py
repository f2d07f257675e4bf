"""Add up what an uplink carried: totals, the busiest window, the heaviest sources."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from pytest_mlgates.core.details import plain
from pytest_mlgates.core.errors import Unmeasurable
from pytest_mlgates.core.records import Measurement
from pytest_mlgates.gates.bandwidth_budget.details import Seen
from pytest_mlgates.gates.bandwidth_budget.judge import headline
from pytest_mlgates.gates.bandwidth_budget.peak import peak_bytes
from pytest_mlgates.gates.bandwidth_budget.totals import is_regular, spread_back
from pytest_mlgates.gates.bandwidth_budget.transfers import Columns, read

__all__ = ["Plan", "measure_transfers"]

Floats: TypeAlias = npt.NDArray[np.float64]

#: sources whose bytes are recorded one by one
MAX_SOURCES = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is counted; ``headline`` is the field that the measured value is about."""

    ratio: bool
    rate: bool
    shared_uplink: bool
    window_s: float
    totals: bool
    by_source: bool
    headline: str


def measure_transfers(transfers: object, plan: Plan) -> Measurement:
    """Add up transfers; raises :class:`Unmeasurable` where a record lacks what a limit is about."""
    columns = read(transfers)
    sent = float(columns.sent.sum())
    n = columns.sent.size
    seen = Seen(
        transfers=n,
        shared_uplink=plan.shared_uplink,
        window_s=plan.window_s,
        totals=plan.totals,
        sent_bytes=sent,
    )
    if not n:
        return headline(seen, 0, plan.headline).measurement(plain(seen))
    if plan.ratio:
        seen = _with_sources(seen, columns, keep=plan.by_source)
    if not plan.shared_uplink:
        columns.need(columns.source, "source", "an uplink for each source")
    lines = []
    if plan.rate:
        seen = _with_peak(seen, columns)
        rate, when = seen.peak_mbps or 0.0, seen.peak_at or 0.0
        busiest = f"the busiest {plan.window_s:g} s began at {when:.10g} s"
        lines.append(f"{busiest}: {rate:.4g} Mbit/s")
    most = sent if plan.shared_uplink else float(columns.by_source(columns.sent).max())
    share, more = _heaviest(columns, sent)
    seen = replace(seen, most_bytes=most, top_share=share, findings=(*lines, *more))
    return headline(seen, n, plan.headline).measurement(plain(seen))


def _with_sources(seen: Seen, columns: Columns, *, keep: bool) -> Seen:
    """Add the raw bytes, and where they are wanted the bytes of each source."""
    columns.need(columns.raw, "raw_bytes", "max_ratio")
    columns.need(columns.source, "source", "max_ratio")
    sent, raw = columns.by_source(columns.sent), columns.by_source(columns.raw)
    if not raw.sum() > 0:
        raise Unmeasurable(
            f"raw_bytes are 0 in all {columns.sent.size} transfers: there is no ratio"
        )
    seen = replace(seen, raw_bytes=float(raw.sum()), sources=sent.size)
    if not keep:
        return seen
    # of more, every so many: where a source stands says nothing of what it sent
    kept = np.unique(np.linspace(0, sent.size - 1, min(sent.size, MAX_SOURCES)).round().astype(int))
    pairs = tuple(zip(sent[kept].tolist(), raw[kept].tolist(), strict=True))
    return replace(seen, by_source=pairs, most_of_one=(float(sent.max()), float(raw.max())))


def _with_peak(seen: Seen, columns: Columns) -> Seen:
    """Add the highest rate of any uplink in Mbit/s, and when its window begins."""
    columns.need(columns.at, "at", "max_mbps")
    lacking = np.isnan(columns.seconds)
    begin, seconds = columns.at, np.where(lacking, 0.0, columns.seconds)
    at, source = columns.at[lacking], columns.source[lacking]
    spread_begin, spread_seconds = begin.copy(), seconds.copy()
    spread_begin[lacking], spread_seconds[lacking] = spread_back(at, source)
    if seen.totals:
        begin, seconds = spread_begin, spread_seconds
    rate, when = _peak(columns, begin, seconds, seen)
    seen = replace(seen, peak_mbps=rate, peak_at=when)
    if not seen.totals and is_regular(at, source):
        spread, _ = _peak(columns, spread_begin, spread_seconds, seen)
        seen = replace(seen, peak_if_totals_mbps=spread)
    return seen


def _peak(columns: Columns, begin: Floats, seconds: Floats, seen: Seen) -> tuple[float, float]:
    if seen.shared_uplink:
        groups = [np.arange(columns.sent.size)]
    else:
        order = np.argsort(columns.source, kind="stable")
        groups = np.split(order, np.flatnonzero(np.diff(columns.source[order])) + 1)
    peaks = (
        peak_bytes(begin[rows], seconds[rows], columns.sent[rows], seen.window_s) for rows in groups
    )
    most, when = max(peaks)
    return most * 8 / seen.window_s / 1e6, when


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
