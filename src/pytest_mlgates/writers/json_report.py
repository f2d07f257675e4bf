"""``report.json``, as ``schemas/report.schema.json`` in this package describes it."""

from __future__ import annotations

import json
from pathlib import Path

from pytest_mlgates.core.files import put
from pytest_mlgates.report.model import Report

__all__ = ["text", "write"]


def write(report: Report, folder: Path) -> None:
    """Write ``report.json``."""
    put(folder / "report.json", text(report))


def text(report: Report) -> str:
    """Return the report as JSON: a piece of evidence a line, to be found and compared."""
    whole = report.to_dict()
    parts = []
    for name, value in whole.items():
        if name == "evidence" and isinstance(value, tuple) and value:
            lines = "[\n" + ",\n".join(map(_line, value)) + "\n]"
        else:
            lines = json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False)
        parts.append(f'"{name}": {lines}')
    return "{\n" + ",\n".join(parts) + "\n}\n"


_line = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
