"""Incident and fix side by side: bytes an inspection, the busiest second, what waits, what is missed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

import numpy as np

from reference_systems.factory_edge_qc.feed import CAMERAS
from reference_systems.factory_edge_qc.fixed import inspector_of_the_line
from reference_systems.factory_edge_qc.link import RATE_MBPS
from reference_systems.factory_edge_qc.traffic import Day, edge_day, pictures_day, plant

__all__ = ["busiest_second", "rows"]


def rows(seconds: float, seed: int, boards: int = 3) -> Iterator[Mapping[str, object]]:
    """Yield a row a build, then what the fix changes."""
    with plant() as (depot, link):
        began = time.process_time()
        edge = edge_day(inspector_of_the_line(), depot, link, boards=boards, seed=seed)
        cpu = time.process_time() - began
    fixed = _row("fixed", edge)
    bad = [seen for seen in edge.seen if seen.shot.bad]
    good = [seen for seen in edge.seen if not seen.shot.bad]
    yield {
        **fixed,
        "bad_boards": len(bad),
        "missed": sum(seen.finding.status == "ok" for seen in bad),
        "good_boards": len(good),
        "false_alarms": sum(seen.finding.status != "ok" for seen in good),
        "cpu_s_an_inspection_with_its_feed": round(cpu / edge.inspections, 3),
    }
    with plant() as (depot, link):
        day = pictures_day(depot, link, seconds=seconds, seed=seed)
    offered = 8e-6 * sum(int(str(row.get("raw_bytes", 0))) for row in day.transfers) / seconds
    incident = _row("incident", day)
    yield {
        **incident,
        "offered_mbps": round(offered, 1),
        "backlog_mb_by_second": [round(waiting / 1e6, 1) for waiting in day.backlog_bytes],
    }
    raw = sum(seen.jpeg_bytes for seen in edge.seen)
    yield {
        "build": "fixed against a picture an inspection",
        "raw_bytes_an_inspection": round(raw / edge.inspections),
        "change_percent": round(100 * (edge.sent_bytes() / raw - 1), 3),
    }


def _row(build: str, day: Day) -> dict[str, object]:
    return {
        "build": build,
        "cameras": CAMERAS,
        "inspections": day.inspections,
        "sent_bytes": day.sent_bytes(),
        "bytes_an_inspection": round(day.sent_bytes() / max(day.inspections, 1), 1),
        "busiest_second_mbps": round(busiest_second(day), 2),
        "link_mbps": RATE_MBPS,
    }


def busiest_second(day: Day) -> float:
    """Return the most Mbit/s that any second carried."""
    sent = [(float(str(r["at"])), int(str(r["sent_bytes"]))) for r in day.transfers]
    at, size = (np.array(column) for column in zip(*sorted(sent), strict=True))
    total = np.concatenate([[0], np.cumsum(size)])
    held = total[np.searchsorted(at, at + 1.0, "right")] - total[: at.size]
    return float(held.max() * 8e-6)
