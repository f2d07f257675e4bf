"""``gl-code-quality-report.json``: what does not pass, for GitLab's merge-request widget."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from pytest_mlgates.core.files import put
from pytest_mlgates.report.model import Report
from pytest_mlgates.report.notes import Note, notes

__all__ = ["code_quality", "write"]

_SEVERITIES = {"error": "critical", "warning": "minor", "notice": "info"}


def write(report: Report, folder: Path) -> None:
    """Write ``gl-code-quality-report.json``."""
    text = json.dumps(list(code_quality(report)), indent=1, ensure_ascii=False)
    put(folder / "gl-code-quality-report.json", text + "\n")


def code_quality(report: Report) -> Iterator[dict[str, object]]:
    """Yield an issue for each gate that does not simply pass."""
    for note in notes(report):
        yield {
            "description": f"{note.title}: {note.text}",
            "check_name": note.gate,
            "fingerprint": _fingerprint(note),
            "severity": _SEVERITIES[note.level],
            "location": {"path": note.file, "lines": {"begin": note.line}},
        }


def _fingerprint(note: Note) -> str:
    return hashlib.sha256(f"{note.file}\n{note.title}\n{note.level}".encode()).hexdigest()
