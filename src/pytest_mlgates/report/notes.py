"""What a code host shows beside a line of a gate config: each gate that does not simply pass."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Literal

from pytest_mlgates.core.words import one_line, place
from pytest_mlgates.report.model import Report
from pytest_mlgates.report.rows import rows

__all__ = ["Note", "github", "notes"]

#: findings that a note tells
MAX_FINDINGS = 3
_LEVELS = ("error", "warning", "notice")


@dataclasses.dataclass(frozen=True, slots=True)
class Note:
    """One line about one entry, at the place where it is configured."""

    level: Literal["error", "warning", "notice"]
    file: str
    line: int
    gate: str
    title: str
    text: str


def notes(report: Report) -> Iterator[Note]:
    """Yield a note for each configured gate that does not simply pass, and for lost evidence."""
    for row in rows(report):
        state = row.gate.status
        if state == "pass":
            continue
        text = "left no evidence"
        if row.proof is not None and row.gate.incident == "missed":
            text = f"the known-bad subject was not caught: {row.proof.verdict.reason}"
        elif row.evidence is not None:
            text = "; ".join((row.evidence.verdict.reason, *row.evidence.findings[:MAX_FINDINGS]))
        file, line = place(row.gate.source)
        lenient: Literal["warning", "notice"] = "notice" if state == "waived" else "warning"
        yield Note(
            level="error" if row.fails_the_run else lenient,
            file=file,
            line=line,
            gate=row.gate.gate,
            title=one_line(f"{row.name} {state.upper()}"),
            text=one_line(text),
        )


def github(report: Report) -> Iterator[str]:
    """Yield workflow commands, which GitHub shows as annotations; it takes ten of a level.

    What is lost comes first, then errors: whatever stops reading early has read these.

    >>> _command_value("a,b: 100%"), _command_text("a,b: 100%")
    ('a%2Cb%3A 100%25', 'a,b: 100%25')
    """
    for line in report.incomplete:
        yield f"::error title=ML gates incomplete::{_command_text(one_line(line))}"
    for note in sorted(notes(report), key=lambda note: _LEVELS.index(note.level)):
        yield (
            f"::{note.level} file={_command_value(note.file)},line={note.line},"
            f"title={_command_value(note.title)}::{_command_text(note.text)}"
        )


def _command_text(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _command_value(text: str) -> str:
    return _command_text(text).replace(":", "%3A").replace(",", "%2C")
