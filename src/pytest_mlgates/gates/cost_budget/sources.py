"""What charges come from: tables, or the answers of OpenCost and Kubecost in any of their forms."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pytest_mlgates.core.errors import Unmeasurable
from pytest_mlgates.gates.cost_budget.opencost import allocations, is_response
from pytest_mlgates.reading.tables import Table, load_json, tables
from pytest_mlgates.reading.text import kind_of

__all__ = ["Charges"]

_HOW = (
    "charges must be a DataFrame, records, or the path of a .csv, .parquet, .json or .jsonl file"
    " (each but .parquet also as .gz; unpack a .zip) or of a folder of them, with FOCUS 1.x columns,"
    " or those of AWS CUR, or answers of OpenCost or Kubecost"
)


class Charges:
    """Charges as they were handed in; ``several`` where they are in files that may overlap."""

    def __init__(self, source: Any, currency: str) -> None:
        self.name = ""
        self.notes: list[str] = []
        self._source, self._currency = source, currency
        self._is_path = isinstance(source, (str, os.PathLike))
        self.several = self._is_path and _is_folder(Path(source))

    def tables(self) -> Iterator[Table]:
        """Yield tables of charges."""
        responses = self._responses()
        if responses:
            self.name = "OpenCost"
            self.several = False
            yield from tables(allocations(responses, self._currency), _HOW)
        else:
            yield from tables(self._source, _HOW, note=self.notes.append)

    def _responses(self) -> list[Mapping[str, Any]]:
        """Return the answers of OpenCost that were handed in, none where it is something else."""
        source = self._source
        if not self._is_path:
            if is_response(source):
                return [source]
            several = isinstance(source, (list, tuple)) and source
            return list(source) if several and all(map(is_response, source)) else []
        path = Path(source)
        files = [path]
        if self.several:
            inside = (f for f in path.rglob("*") if f.is_file() and f.name[0] not in "._")
            files = sorted(f for f in inside if "manifest" not in f.name.lower())
        if not files or any(kind_of(file) != ".json" for file in files):
            return []
        found: list[Mapping[str, Any]] = []
        for file in files:
            loaded = load_json(file)
            answers = loaded if isinstance(loaded, list) and loaded else [loaded]
            if not all(map(is_response, answers)):
                if found:
                    raise Unmeasurable(
                        f"{file.name} is no answer of OpenCost, and {files[0].name} is"
                    )
                return []
            found += answers
        return found


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):  # a text that is no path
        return False
