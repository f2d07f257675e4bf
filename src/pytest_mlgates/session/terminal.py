"""The table at the end of a pytest run."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pytest_mlgates.core.words import MAX_LINE, first, printable, shorten, table
from pytest_mlgates.report.model import Report
from pytest_mlgates.report.notes import github
from pytest_mlgates.report.rows import HEADINGS, false_alarm_line, false_pass_line, rows

__all__ = ["show"]

_COLOURS = {"PASS": "green", "FAIL": "red", "ERROR": "red"}
MAX_LINES = 20


def show(reporter: Any, report: Report, folder: Path | None, faults: Sequence[str]) -> None:
    """Write the table, what was found, and why the run does not pass."""
    reporter.ensure_newline()
    reporter.section(f"ML gates: {report.outcome.upper()}")
    found = [row for row in rows(report) if row.verdict != "MISSING"]
    for row, line in zip(
        [None, *found], table([HEADINGS, *(r.cells() for r in found)]), strict=True
    ):
        colour = _COLOURS.get(row.verdict, "yellow") if row else "bold"
        reporter.write_line(_printable_line(line), **{colour: True})
    for row in found:
        if row.evidence is not None and row.verdict != "PASS":
            for finding in first(row.evidence.findings, MAX_LINES):
                reporter.write_line(f"  {row.gate.entry}: {_printable_line(finding)}")
        for line in row.incident_lines():
            reporter.write_line(_printable_line(line))
    gaps = [f"{gap.system}: {gap.entry}" for gap in report.missing]
    if gaps:
        shown = ", ".join(first(gaps, MAX_LINES))
        reporter.write_line(
            _printable_line(f"missing ({len(gaps)} configured, no evidence): {shown}")
        )
    for waiver in report.waived:
        line = (
            f"waiver of {waiver.about} ({waiver.state}) until "
            f"{waiver.expires}, approved by {waiver.approved_by}: {waiver.reason}"
        )
        reporter.write_line(_printable_line(line))
    for chance in filter(None, (false_alarm_line(report), false_pass_line(report))):
        reporter.write_line(_printable_line(chance))
    for problem in [*first(report.problems, MAX_LINES), *faults]:
        reporter.write_line(_printable_line(problem), red=True)
    _annotate(reporter, report)
    if folder is not None and not faults:
        reporter.write_line(f"report: {folder / 'report.html'}")


def _annotate(reporter: Any, report: Report) -> None:
    """Tell GitHub what it shows beside the lines of the gate configs."""
    if os.environ.get("GITHUB_ACTIONS") == "true":
        for command in github(report):
            reporter.write_line(command)


def _printable_line(text: str) -> str:
    """Return a text on one line, no longer than a person reads, its columns kept."""
    return printable(shorten(text, MAX_LINE))
