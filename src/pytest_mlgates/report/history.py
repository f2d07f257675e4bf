"""What earlier reports said of each gate, quoted in a later one so that it can show a trend."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from pytest_mlgates.core import Evidence
from pytest_mlgates.core.plain import read_plain
from pytest_mlgates.report.model import EarlierGate, EarlierRun, GateReport, Report
from pytest_mlgates.report.read import (
    MAX_BYTES,
    ReportError,
    ended_at,
    evidence_in,
    read_report,
    summary_of,
)

__all__ = ["earlier", "report_folders"]

#: runs that a report quotes; of more, the latest
MAX_RUNS = 60
_ORDER = ("fail", "error", "inconclusive", "pass")


def earlier(places: Sequence[Path], before: datetime) -> tuple[list[EarlierRun], list[str]]:
    """Return what the reports in some folders say, the oldest first, and a line for each left out.

    A folder is a report's own or holds report folders. What did not end before ``before`` is not an
    earlier run.
    """
    found: dict[str, tuple[datetime, EarlierRun]] = {}
    faults = []
    for place in dict.fromkeys(inner for outer in places for inner in report_folders(outer)):
        try:
            data = read_report(place)
            report = summary_of(data)
            ended = ended_at(place, report)
            run = _quoted(place, report, data["evidence"])
        except ValueError as error:
            faults.append(str(error))
            continue
        if "finished" not in report.environment:
            faults.append(f"{place}: did not end, so it shows no trend")
        elif ended >= before:
            when = f"ended at {ended.isoformat()}, not before {before.isoformat()}"
            faults.append(f"{place}: {when}: it is not an earlier run")
        else:
            found[run.sha256] = (ended, run)
    runs = [run for _, run in sorted(found.values(), key=lambda pair: pair[0])]
    return runs[-MAX_RUNS:], faults


def report_folders(place: Path) -> Iterator[Path]:
    """Yield a folder that is a report's own, or the report folders in it."""
    inner = sorted(place.glob("*/report.json")) if place.is_dir() else []
    if (place / "report.json").exists() or not inner:
        yield place
    for file in inner:
        yield file.parent


def _quoted(place: Path, report: Report, evidence: Iterable[Mapping[str, Any]]) -> EarlierRun:
    file = place / "report.json" if place.is_dir() else place
    commit = report.environment.get("commit")
    pieces = {piece["digest"]: piece for piece in evidence}
    return EarlierRun(
        finished=str(report.environment.get("finished")),
        commit=str(commit.get("id") or "") if isinstance(commit, Mapping) else "",
        outcome=report.outcome,
        sha256=hashlib.sha256(read_plain(file, MAX_BYTES)).hexdigest(),
        gates=tuple(
            _earlier_gate(place, system.system, gate, pieces)
            for system in report.systems
            for gate in system.gates
        ),
    )


def _earlier_gate(
    place: Path, system: str, gate: GateReport, pieces: Mapping[str, Mapping[str, object]]
) -> EarlierGate:
    """Return the number that speaks for a gate: that of its worst piece of evidence."""
    piece = _worst_piece(place, [pieces[digest] for digest in gate.evidence if digest in pieces])
    measurement = piece.measurement if piece is not None else None
    if measurement is not None and not measurement.n:  # nothing was observed: that is not 0
        measurement = None
    low, high = (measurement.interval if measurement else None) or (None, None)
    return EarlierGate(
        system=system,
        entry=gate.entry,
        status=gate.status,
        value=measurement.value if measurement else None,
        low=low,
        high=high,
        limit=next(iter(piece.limits), None) if piece is not None else None,
        unit=measurement.unit if measurement else "",
    )


def _worst_piece(place: Path, pieces: list[Mapping[str, Any]]) -> Evidence | None:
    """Return the worst of some pieces as evidence; the others of many reports are not looked at."""
    if not pieces:
        return None
    try:
        return evidence_in(min(pieces, key=lambda p: _ORDER.index(p["verdict"]["outcome"])))
    except (TypeError, ValueError) as error:
        raise ReportError(f"{place}: holds what is not evidence: {error}") from None
