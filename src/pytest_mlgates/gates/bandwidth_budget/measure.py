"""Write down what an uplink carried: totals, the busiest window, the heaviest sources."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pytest_mlgates.core import Measurement, Unmeasurable
from pytest_mlgates.gates.bandwidth_budget.peak import peak_bytes
from pytest_mlgates.gates.bandwidth_budget.transfers import Columns, read
from pytest_mlgates.stats.ratio import RatioMoments, one_heavier, ratio_bounds

__all__ = ["account"]


def account(gate: Any, transfers: Any) -> Measurement:
    """Measure transfers for a ``BandwidthBudget``.

    Raises :class:`Unmeasurable` where a record lacks what a limit is about.
    """
    seen = read(transfers)
    details: dict[str, Any] = {
        "shared_uplink": gate.shared_uplink,
        "window_s": gate.window_s,
        "calls": 0,
        "sent_bytes": float(seen.sent.sum()),
    }
    if not seen.sent.size:
        return Measurement(value=0.0, unit="bytes", n=0, details=details)
    values: dict[str, tuple[float, str]] = {}
    interval = None
    if gate.max_ratio is not None:
        seen.need(seen.raw, "raw_bytes", "max_ratio")
        seen.need(seen.source, "source", "max_ratio")
        moments, heavier = _moments(seen)
        details["raw_bytes"] = float(seen.raw.sum())
        details["moments"] = moments.to_dict()
        details["moments_one_heavier"] = heavier.to_dict()
        low, high = ratio_bounds(moments, heavier, gate.alpha, gate.beta)
        interval = (low, high) if high is not None else None
        values["max_ratio"] = (moments.x / moments.y, "of raw bytes")
    if not gate.shared_uplink:
        seen.need(seen.source, "source", "an uplink for each source")
    if gate.max_mbps is not None:
        seen.need(seen.at, "at", "max_mbps")
        rate, when = _peak(seen, gate.window_s, shared=gate.shared_uplink)
        details["peak_mbps"], details["peak_at"] = rate, when
        values["max_mbps"] = (rate, "Mbit/s")
    most = float((seen.sent if gate.shared_uplink else seen.by_source(seen.sent)).max())
    most = details["sent_bytes"] if gate.shared_uplink else most
    details["most_bytes"] = most
    values["max_bytes"] = (most, "bytes")
    details["findings"] = _findings(seen, details)
    value, unit = values[gate.first_limit]
    return Measurement(value=value, unit=unit, n=seen.sent.size, interval=interval, details=details)


def _moments(seen: Columns) -> tuple[RatioMoments, RatioMoments]:
    sent, raw = seen.by_source(seen.sent), seen.by_source(seen.raw)
    if not raw.sum() > 0:
        raise Unmeasurable(f"raw_bytes are 0 in all {seen.sent.size} transfers: there is no ratio")
    return RatioMoments.of(sent, raw), one_heavier(sent, raw)


def _peak(seen: Columns, window: float, *, shared: bool) -> tuple[float, float]:
    """Return the highest rate of any uplink in Mbit/s, and when its window begins."""
    seconds = np.nan_to_num(seen.seconds, nan=0.0)
    if shared:
        groups = [np.arange(seen.sent.size)]
    else:
        order = np.argsort(seen.source, kind="stable")
        groups = np.split(order, np.flatnonzero(np.diff(seen.source[order])) + 1)
    peaks = (peak_bytes(seen.at[rows], seconds[rows], seen.sent[rows], window) for rows in groups)
    most, when = max(peaks)
    return most * 8 / window / 1e6, when


def _findings(seen: Columns, details: dict[str, Any]) -> tuple[str, ...]:
    lines = []
    if "peak_mbps" in details:
        lines.append(
            f"the busiest {details['window_s']:g} s began at {details['peak_at']:.10g} s:"
            f" {details['peak_mbps']:.4g} Mbit/s"
        )
    if len(seen.sources) > 1 and seen.source.min() >= 0 and details["sent_bytes"] > 0:
        sent = seen.by_source(seen.sent)
        top = np.sort(sent)[::-1][: math.ceil(sent.size / 100)]
        details["top_share"] = float(top.sum() / sent.sum())
        heaviest = int(sent.argmax())
        share = f"sent {details['top_share']:.1%} of all bytes"
        lines.append(f"the heaviest {top.size} of {sent.size} sources (1 %) {share}")
        # its name may be a person's: it is told by its place among the sources
        whose = f"source {heaviest} in order of appearance"
        lines.append(f"the heaviest is {whose}, {sent[heaviest]:,.0f} bytes")
    return tuple(lines)
