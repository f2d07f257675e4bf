"""``report.json``, as ``schemas/report.schema.json`` in this package describes it."""

from __future__ import annotations

import json
from pathlib import Path

from pytest_mlgates.report import Report
from pytest_mlgates.writers import put

__all__ = ["text", "write"]


def write(report: Report, folder: Path) -> None:
    """Write ``report.json``."""
    put(folder / "report.json", text(report))


def text(report: Report) -> str:
    """Return the report as JSON."""
    return json.dumps(report.to_dict(), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
