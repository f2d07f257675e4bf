"""``report.json``, as ``schemas/report.schema.json`` in this package describes it."""

from __future__ import annotations

import json
from pathlib import Path

from pytest_mlgates.report import Report
from pytest_mlgates.writers import put

__all__ = ["write"]


def write(report: Report, folder: Path) -> None:
    """Write ``report.json``."""
    text = json.dumps(report.to_dict(), indent=1, ensure_ascii=False, allow_nan=False)
    put(folder / "report.json", text + "\n")
