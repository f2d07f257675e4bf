"""``gl-code-quality-report.json``: what does not pass, for GitLab's merge-request widget."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from pytest_mlgates.core.files import put
from pytest_mlgates.core.words import one_line
from pytest_mlgates.report.model import Report
from pytest_mlgates.report.notes import Note, notes

__all__ = ["code_quality", "write"]

_SEVERITIES = {"error": "critical", "warning": "minor", "notice": "info"}


def write(report: Report, folder: Path) -> None:
    """Write ``gl-code-quality-report.json``."""
    text = json.dumps(list(code_quality(report)), indent=1, ensure_ascii=False)
    put(folder / "gl-code-quality-report.json", text + "\n")


def code_quality(report: Report) -> Iterator[dict[str, object]]:
    """Yield an issue for each gate that does not simply pass, and for what is lost."""
    for line in dict.fromkeys(report.incomplete):
        yield _blocker(report, line)
    for note in notes(report):
        yield {
            "description": f"{note.title}: {note.text}",
            "check_name": note.gate,
            "fingerprint": _fingerprint(note),
            "severity": _SEVERITIES[note.level],
            "location": {"path": note.file, "lines": {"begin": note.line}},
        }


def _blocker(report: Report, line: str) -> dict[str, object]:
    """Return an issue for what is lost of a run: an empty list would say that all is well."""
    file = next((config.path for config in report.configs), "gate_configs")
    return {
        "description": f"ML gates INCOMPLETE: {one_line(line)}",
        "check_name": "mlgates",
        "fingerprint": hashlib.sha256(f"incomplete\n{line}".encode()).hexdigest(),
        "severity": "blocker",
        "location": {"path": file, "lines": {"begin": 1}},
    }


def _fingerprint(note: Note) -> str:
    return hashlib.sha256(f"{note.file}\n{note.title}\n{note.level}".encode()).hexdigest()
