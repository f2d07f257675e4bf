"""How a gate's number went over the earlier reports that a report quotes."""

from __future__ import annotations

from pytest_mlgates.core import Evidence, Outcome
from pytest_mlgates.core.pictures import Lines, Point
from pytest_mlgates.report.model import Report

__all__ = ["points_of", "trend"]


def trend(report: Report, evidence: Evidence) -> Lines | None:
    """Return the picture of a number by run, or None where no earlier run measured it."""
    points = points_of(report, evidence)
    if len(points) < 2 or evidence.measurement is None:
        return None
    title = f"{evidence.entry}, the last {len(points)} runs"
    return Lines(title, tuple(points), evidence.measurement.unit, evidence.limits, along="run")


def points_of(report: Report, evidence: Evidence) -> list[Point]:
    """Return the number by run, the present one last."""
    measurement = evidence.measurement
    if measurement is None or not measurement.n:
        return []
    points = [
        Point(
            _when(run.finished),
            gate.value,
            gate.low,
            gate.high,
            bad=gate.status in ("fail", "error", "waived"),
        )
        for run in report.history
        for gate in run.gates
        if (gate.system, gate.entry) == (evidence.system, evidence.entry)
        and gate.value is not None
        and gate.unit == measurement.unit
    ]
    low, high = measurement.interval or (None, None)
    now = _when(str(report.environment.get("finished") or "now"))
    points.append(Point(now, measurement.value, low, high, bad=evidence.outcome == Outcome.FAIL))
    return points


def _when(instant: str) -> str:
    """Return a day and a minute.

    >>> _when("2026-11-25T15:08:19+00:00")
    '2026-11-25 15:08'
    """
    return instant[:16].replace("T", " ")
