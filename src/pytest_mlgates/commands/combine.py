"""``mlgates report``: reports in folders as one: recovered, merged, with what earlier ones said."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from pytest_mlgates.report.build import build
from pytest_mlgates.report.history import earlier
from pytest_mlgates.report.merge import from_the_future, merge
from pytest_mlgates.report.model import Report
from pytest_mlgates.report.read import (
    ReportError,
    check_digests,
    ended_at,
    read_report,
    report_of,
)
from pytest_mlgates.session.journal import FOLDER, read_journals
from pytest_mlgates.writers import write_all

__all__ = ["Combined", "combine", "recover"]


@dataclasses.dataclass(frozen=True, slots=True)
class Combined:
    """A report, what was left out of it, and whether to doubt it."""

    report: Report
    notes: tuple[str, ...]
    doubts: bool


def combine(folders: Sequence[Path], history: Sequence[Path] = ()) -> Combined:
    """Return one report of several folders; ReportError where they make none."""
    now = datetime.now(UTC)
    shards = []
    for folder in folders:
        recover(folder)
        data = read_report(folder)
        report = report_of(folder, data)
        check_digests(folder, data, report)
        shards.append((folder, report))
    notes: list[str] = []
    if len(shards) > 1:
        report = merge(shards, now)
        pieces = [piece.digest for _, shard in shards for piece in shard.evidence]
        if (again := len(set(pieces)) - len(report.evidence)) > 0:
            notes.append(
                f"{again} of {len(pieces)} pieces were measured in two shards: the worse stands"
            )
    elif wrong := from_the_future(*shards[0], now):
        notes.append(wrong)
    doubts = bool(notes) and len(shards) == 1
    if history:
        ended = max(ended_at(*shard) for shard in shards)
        runs, left_out = earlier(history, ended)
        report = dataclasses.replace(report, history=tuple(runs))
        notes += left_out
    return Combined(report, tuple(notes), doubts)


def recover(place: Path) -> Report:
    """Return the report in a folder; one that was cut off is written with what its journals hold.

    Raises ReportError where that can't be done. A report that was finished is left as it is.
    """
    report = report_of(place, read_report(place))
    folder = place if place.is_dir() else place.parent
    if not (folder / FOLDER).is_dir():
        return report
    found, cut = read_journals(folder)
    # a journal is there only where the run did not end
    lost = dict.fromkeys(["the run has not ended", *report.incomplete, *cut])
    pieces = [*report.evidence, *found]
    report = build(pieces, [], list(lost), report.environment, datetime.now(UTC))
    if faults := write_all(report, folder):
        raise ReportError(faults[0])
    return report
