"""What a code host shows beside a line of a gate config: each gate that does not simply pass."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Literal

from pytest_mlgates.core.words import one_line, place
from pytest_mlgates.report.report import Report
from pytest_mlgates.report.rows import rows

__all__ = ["Note", "github", "notes"]


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
    gates = [(system, gate) for system in report.systems for gate in system["gates"]]
    for (system, gate), row in zip(gates, rows(report), strict=True):
        state = gate["status"]
        if state == "pass":
            continue
        strict = {
            "inconclusive": system["rules"]["inconclusive"] == "fail",
            "missing": system["rules"]["complete"],
            "waived": False,
        }.get(state, True)
        text = "left no evidence"
        if row.proof is not None and gate["incident"] == "missed":
            text = f"the known-bad subject was not caught: {row.proof.verdict.reason}"
        elif row.shown is not None:
            text = "; ".join((row.shown.verdict.reason, *row.shown.findings[:3]))
        file, line = place(gate["source"])
        yield Note(
            level="error" if strict else "notice" if state == "waived" else "warning",
            file=file,
            line=line,
            gate=gate["gate"],
            title=one_line(f"{system['system']}: {gate['entry']} {state.upper()}"),
            text=one_line(text),
        )


def github(report: Report) -> Iterator[str]:
    """Yield workflow commands, which GitHub shows as annotations; it takes ten of a level.

    >>> _value("a,b: 100%"), _text("a,b: 100%")
    ('a%2Cb%3A 100%25', 'a,b: 100%25')
    """
    for note in notes(report):
        yield (
            f"::{note.level} file={_value(note.file)},line={note.line},"
            f"title={_value(note.title)}::{_text(note.text)}"
        )
    for line in report.incomplete:
        yield f"::error title=ML gates incomplete::{_text(one_line(line))}"


def _text(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _value(text: str) -> str:
    return _text(text).replace(":", "%3A").replace(",", "%2C")
