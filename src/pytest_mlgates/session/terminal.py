"""The table at the end of a pytest run."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from pytest_mlgates.core.words import MAX_LINE, first, plural, printable, shorten, table
from pytest_mlgates.report.model import DESELECTED, Report
from pytest_mlgates.report.notes import github
from pytest_mlgates.report.rows import (
    HEADINGS,
    Row,
    false_alarm_line,
    false_pass_line,
    rows,
)

__all__ = ["show"]

_COLOURS = {"PASS": "green", "FAIL": "red", "ERROR": "red"}
MAX_LINES = 20


def show(
    reporter: Any,
    report: Report,
    folder: Path | None,
    faults: Sequence[str],
    asked: Collection[tuple[str, str]] = (),
) -> None:
    """Write whether the run may merge, why not, the table, and what was found.

    ``asked`` are the systems and entries that the collected tests ask for, if only some files were
    collected: what is configured beyond them is then not missing here.
    """
    found = [row for row in rows(report) if row.verdict != "MISSING"]
    reporter.ensure_newline()
    reporter.section(_headline(report, faults, asked))
    for problem in [*first(report.problems, MAX_LINES), *faults]:
        reporter.write_line(_printable_line(problem), red=True)
    cells = [_cells(row, report) for row in found]
    for row, line in zip([None, *found], table([(*HEADINGS, "took"), *cells]), strict=True):
        colour = _COLOURS.get(row.verdict, "yellow") if row else "bold"
        reporter.write_line(_printable_line(line), **{colour: True})
    for line in (
        *_findings(reporter, found),
        *_incidents(reporter, found),
        *_gaps(report, asked),
        *_waivers(report),
        false_alarm_line(report),
        false_pass_line(report),
    ):
        if line:
            reporter.write_line(_printable_line(line))
    _annotate(reporter, report)
    if folder is not None and not faults:
        reporter.write_line(f"report: {folder / 'report.html'}")


def _headline(report: Report, faults: Sequence[str], asked: Collection[tuple[str, str]]) -> str:
    if report.problems or faults:
        return f"ML gates: {report.outcome.upper()}, must not merge"
    beyond = [gap for gap in report.missing if asked and (gap.system, gap.entry) not in asked]
    if report.outcome == "missing" and len(beyond) == len(report.missing) and not report.absent:
        return (
            f"ML gates: PASS of what these tests ask for ({plural(len(beyond), 'gate')} not asked)"
        )
    return f"ML gates: {report.outcome.upper()}, may merge"


def _cells(row: Row, report: Report) -> tuple[str, ...]:
    """Return the cells of a row; one that stands for several runs says for how many."""
    cells = list(row.cells())
    if row.runs:
        cells[2] = f"{cells[2]} ({row.runs})"
    return (*cells, row.took(report))


def _findings(reporter: Any, found: Sequence[Row]) -> Iterator[str]:
    """Yield what was found, but for what pytest printed with the failure of its test."""
    printed = _printed(reporter)
    for row in found:
        piece = row.evidence
        if piece is None or row.verdict == "PASS":
            continue
        if row.verdict == "INCONCLUSIVE" and not row.fails_the_run:
            yield f"{row.name}: INCONCLUSIVE: {piece.verdict.reason}"
        if piece.test not in printed:
            yield from (f"  {row.gate.entry}: {line}" for line in first(piece.findings, MAX_LINES))


def _printed(reporter: Any) -> set[str]:
    """Return the tests whose failure, with its findings, pytest prints itself."""
    if not hasattr(reporter, "stats") or reporter.config.getoption("tbstyle", "auto") == "no":
        return set()
    return {report.nodeid for report in reporter.stats.get("failed", ())}


def _incidents(reporter: Any, found: Sequence[Row]) -> Iterator[str]:
    caught = [row for row in found if row.gate.incident == "caught"]
    if getattr(reporter, "verbosity", 0) > 0:
        for row in caught:
            yield from row.incident_lines()
    elif caught:
        yield f"{plural(len(caught), 'incident')} caught (-v shows {'them' if caught[1:] else 'it'})"


def _gaps(report: Report, asked: Collection[tuple[str, str]]) -> Iterator[str]:
    """Yield what left no evidence: entries, and the tests of entries that have some."""
    gaps = {(gap.system, gap.entry): f"{gap.system}: {gap.entry}" for gap in report.missing}
    beyond = [name for gap, name in gaps.items() if asked and gap not in asked]
    left = [name for name in gaps.values() if name not in beyond]
    if left:
        shown = ", ".join(first(left, MAX_LINES))
        yield f"missing ({len(left)} configured, no evidence): {shown}"
    if beyond:
        shown = ", ".join(first(beyond, MAX_LINES))
        yield f"not asked for by these tests ({len(beyond)} configured): {shown}"
    left_out = sum(gap.why == DESELECTED for gap in report.absent)
    named = [f"{gap.test} ({gap.why})" for gap in report.absent if gap.why != DESELECTED]
    if report.absent:
        parts = [f"{left_out} deselected"] * bool(left_out) + first(named, MAX_LINES)
        tests = "1 test asks" if len(report.absent) == 1 else f"{len(report.absent)} tests ask"
        yield f"absent ({tests} for a gate and left no evidence): {', '.join(parts)}"


def _waivers(report: Report) -> Iterator[str]:
    for waiver in report.waived:
        yield (
            f"waiver of {waiver.about} ({waiver.state}) until "
            f"{waiver.expires}, approved by {waiver.approved_by}: {waiver.reason}"
        )


def _annotate(reporter: Any, report: Report) -> None:
    """Tell GitHub what it shows beside the lines of the gate configs."""
    if os.environ.get("GITHUB_ACTIONS") == "true":
        for command in github(report):
            reporter.write_line(command)


def _printable_line(text: str) -> str:
    """Return a text on one line, no longer than a person reads, its columns kept."""
    return printable(shorten(text, MAX_LINE))
