"""Evidence on disk as soon as it exists, one file a process, so that a kill loses nothing.

A line is written before a gate measures and after it decided. A line of the first kind without
one of the second tells which gate was running when its process died.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

from pytest_mlgates.core import Evidence
from pytest_mlgates.core.canonical import parse
from pytest_mlgates.core.plain import FileFault, read_plain

__all__ = ["FOLDER", "Journal", "read_journals"]

FOLDER = "journal"
#: a journal of more bytes was not written by this package
MAX_BYTES = 4 << 30
_HEAD = b'{"evidence":'


class Journal:
    """Appends to ``<folder>/<process>.jsonl``, and knows which gates measure in this process.

    A full disk does not stop the run: ``fault`` says what happened (the report is incomplete then),
    and evidence still travels on pytest's own reports. A folder ``of_the_run`` is made here; that
    of a report was made when the run began, and once it is gone nothing is written any more.
    """

    def __init__(self, folder: Path, process: str, *, of_the_run: bool) -> None:
        self.fault = ""
        self._file: TextIO | None = None
        self._path = folder / f"{process}.jsonl"
        self._makes_folder = of_the_run
        self._running: dict[tuple[object, ...], str] = {}

    def started(self, test: str, entry: str, call: int, attempt: int) -> None:
        """Note that a gate is about to measure."""
        self._running[test, entry, call, attempt] = _cut_off(test, entry)
        self._write(json.dumps({"started": [test, entry, call, attempt]}))

    def recorded(self, evidence: Evidence) -> None:
        """Append a piece of evidence."""
        self._running.pop(evidence.identity[1:], None)  # a test has one system
        self._write(f"{_HEAD.decode()}{evidence.to_json()}}}")

    def running(self) -> list[str]:
        """Return a line for each gate that is still measuring: in a thread that goes on."""
        return list(dict.fromkeys(self._running.values()))

    def close(self) -> None:
        """Close the file; a later line opens it again."""
        if self._file is not None:
            with contextlib.suppress(OSError):  # a full disk was told of when it was met
                self._file.close()
            self._file = None

    def _write(self, line: str) -> None:
        if self.fault:
            return
        try:
            if self._file is None:
                if self._makes_folder:
                    self._path.parent.mkdir(mode=0o700, exist_ok=True)
                self._file = self._path.open("a", encoding="utf-8")
            self._file.write(line + "\n")
            self._file.flush()
        except OSError as error:
            self.fault = f"{self._path}: the journal can't be written: {error.strerror}"


def _cut_off(test: str, entry: str) -> str:
    return f"{test}: {entry} was measuring when its process ended"


def read_journals(
    folder: Path, known: Mapping[str, Evidence] | None = None
) -> tuple[list[Evidence], list[str]]:
    """Return the evidence in a folder of journals, and a line for each thing that is cut off.

    Of what is ``known``, by its text, nothing is returned.
    """
    known = known or {}
    found: list[Evidence] = []
    faults: list[str] = []
    for path in sorted(folder.glob("*.jsonl")):
        running: dict[tuple[object, ...], str] = {}
        try:
            lines = read_plain(path, MAX_BYTES).splitlines()
        except FileFault as fault:  # a pipe, a link, or more than any run writes
            faults.append(f"{FOLDER}/{path.name}: {fault}")
            continue
        for number, line in enumerate(lines, 1):
            try:
                if line.startswith(_HEAD):
                    text = line.removeprefix(_HEAD).removesuffix(b"}").decode()
                    if text in known:
                        evidence = known[text]
                    else:
                        found.append(evidence := Evidence.from_canonical(text))
                    running.pop(evidence.identity[1:], None)  # a test has one system
                else:
                    data = parse(line)
                    test, entry, *rest = data["started"]
                    running[test, entry, *rest] = _cut_off(test, entry)
            except (ValueError, TypeError, KeyError):
                faults.append(f"{FOLDER}/{path.name}:{number}: a line was cut off")
        faults += running.values()
    return found, faults
