"""``report.html``: one file, no request; works from disk and prints."""

from __future__ import annotations

from pathlib import Path

from pytest_mlgates.core.files import put
from pytest_mlgates.report.model import Report
from pytest_mlgates.writers.html_report.render import page

__all__ = ["write"]


def write(report: Report, folder: Path) -> None:
    """Write ``report.html``."""
    put(folder / "report.html", page(report))
