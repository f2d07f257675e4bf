"""Look up signatures of the Java platform in the table that ships with the system."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

__all__ = ["Platform"]

TABLE = Path(__file__).parent / "signatures.zip"


class Platform:
    """The platform's public and protected signatures; a package is unpacked when first asked.

    >>> Platform().record("java.util.Map$Entry")["k"]
    'i'
    >>> Platform().record("java.util.Mop") is None
    True
    """

    def __init__(self, table: Path = TABLE) -> None:
        self._archive = zipfile.ZipFile(table)
        self.packages = set(self._archive.namelist())
        self._lines: dict[str, dict[str, str]] = {}

    def record(self, name: str) -> dict | None:
        """Give the skeleton of a class by its binary name; None where there is none."""
        line = self._package(name.rpartition(".")[0]).get(name)
        return None if line is None else json.loads(line)

    def has(self, name: str) -> bool:
        """Tell whether the platform has a class of that binary name."""
        return name in self._package(name.rpartition(".")[0])

    def _package(self, name: str) -> dict[str, str]:
        lines = self._lines.get(name)
        if lines is None:
            text = self._archive.read(name).decode() if name in self.packages else ""
            pairs = (line.split("\t", 1) for line in text.splitlines())
            lines = self._lines[name] = dict(pairs)  # type: ignore[arg-type]
        return lines
