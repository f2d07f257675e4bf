"""``summary.md``; also appended to the file that GITHUB_STEP_SUMMARY names."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

from pytest_mlgates.report import Report
from pytest_mlgates.table import HEADINGS, false_alarm, rows
from pytest_mlgates.writers import put

__all__ = ["markdown", "write"]

# a comment on GitHub holds 65,536 characters
_MOST_ROWS, _MOST_LINES, _LONGEST = 100, 20, 400


def write(report: Report, folder: Path) -> None:
    """Write ``summary.md``; a run that has not ended is not sent to GitHub."""
    text = markdown(report)
    put(folder / "summary.md", text)
    step = os.environ.get("GITHUB_STEP_SUMMARY")
    if step and "finished" in report.environment:
        # a courtesy: the report is whole without it
        with contextlib.suppress(OSError), Path(step).open("a", encoding="utf-8") as file:
            file.write(text)


def markdown(report: Report) -> str:
    """Return the report as Markdown fit for a pull-request comment."""
    lines = [f"## ML gates: {report.outcome.upper()}", ""]
    table = list(rows(report))
    if table:
        lines += ["| " + " | ".join(HEADINGS) + " |", "|" + " --- |" * len(HEADINGS)]
        lines += ["| " + " | ".join(map(_safe, row.cells())) + " |" for row in table[:_MOST_ROWS]]
        lines += ["", *_more(len(table) - _MOST_ROWS, "gates")]
    if said := false_alarm(report):
        lines += [f"{_safe(said[0].upper() + said[1:])}.", ""]
    sections = {
        "Why it does not pass": report.problems,
        "Findings": [
            f"{row.system}: {row.gate}: {finding}"
            for row in table
            if row.shown is not None
            for finding in row.shown.findings
        ],
        "Incidents caught": [line.strip() for row in table for line in row.told()],
        "Missing": [
            f"{gap['system']}: {gap['entry']} left no evidence ({gap['source']})"
            for gap in report.missing
        ],
        "Waivers": [
            f"{w['system']}: {w['gate']}, {w['state']} until {w['expires']}, approved by "
            f"{w['approved_by']}, owner {w['owner']}: {w['reason']}"
            for w in report.waived
        ],
    }
    for title, entries in sections.items():
        if entries:
            shown = [f"- {_safe(str(entry))}" for entry in entries[:_MOST_LINES]]
            lines += [f"### {title}", "", *shown, *_more(len(entries) - _MOST_LINES, "lines"), ""]
    return "\n".join(lines) + "\n"


def _more(count: int, what: str) -> list[str]:
    return [f"- and {count:,} more {what}, in `report.json`"] if count > 0 else []


def _safe(text: str) -> str:
    """Keep measured text from becoming markup, or calling somebody's name."""
    flat = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    cut = flat if len(flat) <= _LONGEST else f"{flat[: _LONGEST - 1]}…"
    return re.sub(r"([\\`*_{}\[\]<>|#!~&])", r"\\\1", cut).replace("@", "@\u200b")
