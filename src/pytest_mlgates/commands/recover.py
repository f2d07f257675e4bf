"""A report read back; where the run was cut off, with what its journals hold."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from pytest_mlgates.report.read import report_of
from pytest_mlgates.report.replay import read_report
from pytest_mlgates.report.report import Report, build
from pytest_mlgates.session.journal import FOLDER, read_journals
from pytest_mlgates.writers import write_all

__all__ = ["recover", "report_of"]


def recover(place: Path) -> Report:
    """Return the report in a folder; one that was cut off is written with what its journals hold.

    Raises ValueError where that can't be done. A report that was finished is left as it is.
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
    faults = write_all(report, folder)
    if faults:
        raise ValueError(faults[0])
    return report
