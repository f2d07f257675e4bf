"""Reports in folders as one report: recovered, merged, and with what earlier ones said."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from pytest_mlgates.commands.recover import recover
from pytest_mlgates.report.history import earlier
from pytest_mlgates.report.merge import ended_at, from_the_future, merge
from pytest_mlgates.report.read import report_of
from pytest_mlgates.report.replay import read_report
from pytest_mlgates.report.report import Report

__all__ = ["Combined", "combine"]


@dataclasses.dataclass(frozen=True, slots=True)
class Combined:
    """A report, what was left out of it, and whether to doubt it."""

    report: Report
    notes: tuple[str, ...]
    doubts: bool


def combine(folders: Sequence[Path], history: Sequence[Path] = ()) -> Combined:
    """Return one report of several folders; ValueError where they make none."""
    now = datetime.now(UTC)
    for folder in folders:
        recover(folder)
    shards = [(folder, read_report(folder)) for folder in folders]
    notes: list[str] = []
    if len(shards) > 1:
        report = merge(shards, now)
        count = sum(len(data["evidence"]) for _, data in shards)
        distinct = len({piece["digest"] for _, data in shards for piece in data["evidence"]})
        if distinct > len(report.evidence):
            again = distinct - len(report.evidence)
            notes.append(f"{again} of {count} pieces were measured in two shards: the worse stands")
    else:
        place, data = shards[0]
        report = report_of(place, data)
        if wrong := from_the_future(place, data, now):
            notes.append(wrong)
    doubts = bool(notes) and len(shards) == 1
    if history:
        ended = max(ended_at(place, data) for place, data in shards)
        runs, left_out = earlier(history, ended)
        report = dataclasses.replace(report, history=tuple(runs))
        notes += left_out
    return Combined(report, tuple(notes), doubts)
