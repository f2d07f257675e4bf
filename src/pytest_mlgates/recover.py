"""A report read back; where the run was cut off, with what its journals hold."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pytest_mlgates.core import Evidence
from pytest_mlgates.journal import FOLDER, read_journals
from pytest_mlgates.replay import read_report
from pytest_mlgates.report import Report, build
from pytest_mlgates.writers import write_all

__all__ = ["recover"]


def recover(folder: Path) -> Report:
    """Return the report in ``folder``, its other formats written anew; ValueError if it has none."""
    data = read_report(folder)
    pieces = [
        Evidence.from_dict({key: value for key, value in piece.items() if key != "digest"})
        for piece in data["evidence"]
    ]
    if (folder / FOLDER).is_dir():
        found, cut = read_journals(folder)
        lost = [*data["incomplete"], *cut]
        report = build([*pieces, *found], [], lost, data["environment"], datetime.now(UTC))
    else:
        known = {field.name for field in dataclasses.fields(Report)} - {"evidence"}
        plain: dict[str, Any] = {name: _tuple(data[name]) for name in known}
        report = Report(evidence=tuple(pieces), **plain)
    write_all(report, folder)
    return report


def _tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value
