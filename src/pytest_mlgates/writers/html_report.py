"""``report.html``: one file, no request; works from disk and prints."""

from __future__ import annotations

from pathlib import Path

from pytest_mlgates.page import page
from pytest_mlgates.report import Report
from pytest_mlgates.writers import put

__all__ = ["write"]


def write(report: Report, folder: Path) -> None:
    """Write ``report.html``."""
    put(folder / "report.html", page(report))
