"""The table at the end of a pytest run."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pytest_mlgates.core.words import printable
from pytest_mlgates.report.notes import github
from pytest_mlgates.report.report import Report
from pytest_mlgates.report.rows import HEADINGS, false_alarm, rows

__all__ = ["show", "table"]

_COLOURS = {"PASS": "green", "FAIL": "red", "ERROR": "red"}
_MOST_LINES = 20
_LONGEST = 1_000


def show(reporter: Any, report: Report, folder: Path | None, faults: Sequence[str]) -> None:
    """Write the table, what was found, and why the run does not pass."""
    reporter.ensure_newline()
    reporter.section(f"ML gates: {report.outcome.upper()}")
    found = [row for row in rows(report) if row.verdict != "MISSING"]
    for row, line in zip(
        [None, *found], table([HEADINGS, *(r.cells() for r in found)]), strict=True
    ):
        colour = _COLOURS.get(row.verdict, "yellow") if row else "bold"
        reporter.write_line(_line(line), **{colour: True})
    for row in found:
        if row.shown is not None and row.verdict != "PASS":
            for finding in row.shown.findings[:_MOST_LINES]:
                reporter.write_line(f"  {row.gate}: {_line(finding)}")
        for line in row.told():
            reporter.write_line(_line(line))
    gaps = [f"{gap['system']}: {gap['entry']}" for gap in report.missing]
    if gaps:
        shown = ", ".join(gaps[:_MOST_LINES]) + (", …" if len(gaps) > _MOST_LINES else "")
        reporter.write_line(_line(f"missing ({len(gaps)} configured, no evidence): {shown}"))
    for waiver in report.waived:
        line = (
            f"waiver of {waiver['system']}: {waiver['gate']} ({waiver['state']}) until "
            f"{waiver['expires']}, approved by {waiver['approved_by']}: {waiver['reason']}"
        )
        reporter.write_line(_line(line))
    if said := false_alarm(report):
        reporter.write_line(_line(said))
    for problem in [*report.problems[:_MOST_LINES], *faults]:
        reporter.write_line(_line(problem), red=True)
    if len(report.problems) > _MOST_LINES:
        reporter.write_line(f"and {len(report.problems) - _MOST_LINES} more")
    _annotate(reporter, report)
    if folder is not None and not faults:
        reporter.write_line(f"report: {folder / 'report.html'}")


def _annotate(reporter: Any, report: Report) -> None:
    """Tell GitHub what it shows beside the lines of the gate configs."""
    if os.environ.get("GITHUB_ACTIONS") == "true":
        for command in github(report):
            reporter.write_line(command)


def _line(text: str) -> str:
    """Return a text on one line, and no longer than a person reads."""
    cut = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text):,} characters)"
    return printable(cut)


def table(lines: list[tuple[str, ...]]) -> list[str]:
    """Return lines with their columns aligned.

    >>> table([("a", "bc"), ("long", "d")])
    ['a     bc', 'long  d']
    """
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]
