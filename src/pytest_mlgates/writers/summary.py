"""``summary.md``; also appended to the file that GITHUB_STEP_SUMMARY names."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

from pytest_mlgates.core.files import put
from pytest_mlgates.core.words import first, shorten
from pytest_mlgates.report.model import Report
from pytest_mlgates.report.rows import HEADINGS, false_alarm_line, false_pass_line, rows

__all__ = ["markdown", "safe_markdown", "write"]

#: a comment on GitHub holds 65,536 characters
MAX_TEXT = 400
MAX_ENTRIES = 25
MAX_ROWS = 100


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
    merges = "must not merge" if report.problems else "may merge"
    lines = [f"## ML gates: {report.outcome.upper()}, {merges}", ""]
    table = list(rows(report))
    if table:
        lines += ["| " + " | ".join(HEADINGS) + " |", "|" + " --- |" * len(HEADINGS)]
        cells = [" | ".join(map(safe_markdown, row.cells())) for row in table[:MAX_ROWS]]
        lines += [f"| {line} |" for line in cells]
        lines.append("")
        if len(table) > MAX_ROWS:
            lines += [f"{len(table) - MAX_ROWS:,} more gates are in the report.", ""]
    for chance in filter(None, (false_alarm_line(report), false_pass_line(report))):
        lines += [f"{safe_markdown(chance[0].upper() + chance[1:])}.", ""]
    sections = {
        "Why it does not pass": report.problems,
        "Not decided": [
            f"{row.name}: {row.evidence.verdict.reason}"
            for row in table
            if row.evidence is not None and row.verdict == "INCONCLUSIVE" and not row.fails_the_run
        ],
        "Findings": [
            f"{row.name}: {finding}"
            for row in table
            if row.evidence is not None
            for finding in row.evidence.findings
        ],
        "Incidents caught": [line.strip() for row in table for line in row.incident_lines()],
        "Missing": [
            f"{gap.system}: {gap.entry} left no evidence ({gap.source})" for gap in report.missing
        ],
        "Absent tests": [
            f"{gap.test} asked for {gap.system}: {gap.entry} and left no evidence: {gap.why}"
            for gap in report.absent
        ],
        "Waivers": [
            f"{w.about}, {w.state} until {w.expires}, approved by "
            f"{w.approved_by}, owner {w.owner}: {w.reason}"
            for w in report.waived
        ],
    }
    for title, entries in sections.items():
        if entries:
            shown = [f"- {safe_markdown(entry)}" for entry in first(entries, MAX_ENTRIES)]
            lines += [f"### {title}", "", *shown, ""]
    return "\n".join(lines) + "\n"


def safe_markdown(text: str) -> str:
    r"""Keep measured text from becoming markup or a link, calling names, or being too long to read.

    >>> safe_markdown("see http://x.example, [a](b) of @owner")
    'see http\u200b://x.example, \\[a\\](b) of @\u200bowner'
    """
    cut = shorten(text, MAX_TEXT)
    flat = " ".join("".join(c if c.isprintable() else " " for c in cut).split())
    marked = re.sub(r"([\\`*_{}\[\]<>|#!~&])", r"\\\1", flat)
    # addresses become links by themselves where Markdown is that of GitHub
    return re.sub(r"://|(?<=www)\.", "\u200b\\g<0>", marked).replace("@", "@\u200b")
