"""How a gate's number went over the earlier reports that a report quotes."""

from __future__ import annotations

from pytest_mlgates.core import Evidence, Outcome
from pytest_mlgates.core.pictures import Lines, Point
from pytest_mlgates.report.report import Report

__all__ = ["points_of", "trend"]


def trend(report: Report, evidence: Evidence) -> Lines | None:
    """Return the picture of a number by run, or None where no earlier run measured it."""
    points, limit = points_of(report, evidence)
    if len(points) < 2 or evidence.measurement is None:
        return None
    limits = () if limit is None else (limit,)
    title = f"{evidence.entry}, the last {len(points)} runs"
    return Lines(title, tuple(points), evidence.measurement.unit, limits, along="run")


def points_of(report: Report, evidence: Evidence) -> tuple[list[Point], float | None]:
    """Return the number by run, the present one last, and the limit that holds now."""
    seen = evidence.measurement
    if seen is None:
        return [], None
    limit = evidence.policy.get(evidence.limit)
    points = [
        Point(
            _when(str(run["finished"])),
            gate["value"],
            gate["low"],
            gate["high"],
            bad=gate["status"] in ("fail", "error", "waived"),
        )
        for run in report.history
        for gate in run["gates"]
        if (gate["system"], gate["entry"]) == (evidence.system, evidence.entry)
        and gate["value"] is not None
        and gate["unit"] == seen.unit
    ]
    low, high = seen.interval or (None, None)
    now = _when(str(report.environment.get("finished") or "now"))
    points.append(Point(now, seen.value, low, high, bad=evidence.outcome == Outcome.FAIL))
    plain = isinstance(limit, (int, float)) and not isinstance(limit, bool)
    return points, float(limit) if plain else None  # type: ignore[arg-type]


def _when(instant: str) -> str:
    """Return a day and a minute.

    >>> _when("2026-11-25T15:08:19+00:00")
    '2026-11-25 15:08'
    """
    return instant[:16].replace("T", " ")
