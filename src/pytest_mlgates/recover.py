"""A report read back; where the run was cut off, with what its journals hold."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pytest_mlgates.journal import FOLDER, read_journals
from pytest_mlgates.replay import evidence_in, read_report
from pytest_mlgates.report import Report, build
from pytest_mlgates.writers import write_all

__all__ = ["recover"]


def recover(place: Path) -> Report:
    """Return the report in a folder, its formats written anew; ValueError if that can't be done."""
    data = read_report(place)
    folder = place if place.is_dir() else place.parent
    try:
        pieces = [evidence_in(piece) for piece in data["evidence"]]
    except (TypeError, ValueError) as error:
        raise ValueError(f"{place}: holds what is no evidence: {error}") from None
    if (folder / FOLDER).is_dir():
        found, cut = read_journals(folder)
        # a journal is there only where the run did not end
        lost = dict.fromkeys(["the run has not ended", *data["incomplete"], *cut])
        report = build([*pieces, *found], [], list(lost), data["environment"], datetime.now(UTC))
    else:
        known = {field.name for field in dataclasses.fields(Report)} - {"evidence"}
        plain: dict[str, Any] = {name: _tuple(data[name]) for name in known}
        report = Report(evidence=tuple(pieces), **plain)
    faults = write_all(report, folder)
    if faults:
        raise ValueError(faults[0])
    return report


def _tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value
