"""Read the records of a data set as texts: text, JSON, CSV and Parquet files, and folders of them.

A file that can't be read is an error: one that was skipped would count as clean. Values are read
with the name of their column before them, since ``order_id`` and ``card`` mean different things.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

from pytest_mlgates.core import Unmeasurable
from pytest_mlgates.pii.scrub import scrub

__all__ = ["records"]

_TEXT = {"", ".txt", ".md", ".log", ".rst", ".html", ".xml", ".yaml", ".yml", ".py", ".eml"}
#: characters of a text held at a time, and how far two parts of a long paragraph overlap
_MOST, _OVERLAP = 1 << 20, 1024
#: between two values of a record: no identifier reaches over it
_BETWEEN = " \x1f "


def records(path: Path) -> Iterator[tuple[str, str]]:
    """Yield where each record stands and its text; all files of a folder, sorted.

    A record is a paragraph of a text, a line of JSON Lines, an item of a JSON list, a row of CSV
    or Parquet.

    >>> list(records(Path("no-such-file.csv")))
    Traceback (most recent call last):
        ...
    pytest_mlgates.core.errors.Unmeasurable: the data set is not there: give a file or a folder
    """
    if not path.exists():
        raise Unmeasurable("the data set is not there: give a file or a folder")
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    for file in files:
        name = scrub(file.name)
        try:
            for number, text in enumerate(_read(file, name), start=1):
                yield f"{name}:{number}", text
        except (OSError, UnicodeError, csv.Error, ValueError) as error:
            raise Unmeasurable(f"{name} can't be read ({type(error).__name__})") from None


def _read(file: Path, name: str) -> Iterator[str]:
    kind = file.suffix.lower()
    if kind == ".parquet":
        yield from map(_flat, _parquet(file))
        return
    if kind not in _TEXT | {".csv", ".tsv", ".json", ".jsonl", ".ndjson"}:
        raise Unmeasurable(f"{name} is of a kind that can't be read: convert it to text or Parquet")
    with file.open("rb") as raw:
        start = raw.read(2)
    wide = start in (b"\xff\xfe", b"\xfe\xff")
    encoding = "utf-16" if wide else "utf-8-sig"
    errors = "strict" if wide else "surrogateescape"
    with file.open(encoding=encoding, errors=errors, newline="" if "sv" in kind else None) as text:
        if kind in (".csv", ".tsv"):
            rows = csv.DictReader(text, delimiter="," if kind == ".csv" else "\t", restkey="")
            heads = rows.fieldnames or []
            yield _BETWEEN.join(heads)  # a file without a header has data there
            yield from map(_flat, rows)
        elif kind == ".json":
            try:
                whole = json.load(text)
            except RecursionError:  # nested deeper than the parser goes: read it as text
                text.seek(0)
                yield from _paragraphs(text)
                return
            yield from map(_flat, whole if isinstance(whole, list) else [whole])
        elif kind in (".jsonl", ".ndjson"):
            for line in text:
                yield _flat(_parsed(line))
        else:
            yield from _paragraphs(text)


def _parsed(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return line  # a broken line can hold something, too


def _paragraphs(text: TextIO) -> Iterator[str]:
    part, size = [], 0
    while line := text.readline(_MOST):
        if line.strip():
            part.append(line)
            size += len(line)
        if part and (not line.strip() or size >= _MOST):
            whole = "".join(part)
            yield whole
            tail = whole[-_OVERLAP:] if size >= _MOST and line.strip() else ""
            part, size = [tail] if tail else [], len(tail)
    if part:
        yield "".join(part)


def _parquet(file: Path) -> Iterator[Any]:
    try:
        from pyarrow import parquet
    except ImportError:
        raise Unmeasurable("Parquet takes pyarrow: `pip install 'pytest-mlgates[scale]'`") from None
    with parquet.ParquetFile(file) as table:
        for batch in table.iter_batches(batch_size=4096):
            yield from batch.to_pylist()


def _flat(value: Any) -> str:
    r"""Return all values of a record as one text.

    >>> _flat({"name": "Jo", "card": [4111, None]})
    'name: Jo \x1f card: 4111'
    """
    return _BETWEEN.join(_values(value, ""))


def _values(value: Any, name: str) -> Iterable[str]:
    waiting = [(name, value)]  # no recursion: what JSON can nest may be deeper than Python's stack
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, dict):
            waiting += [(str(key), item) for key, item in reversed(value.items())]
        elif isinstance(value, (list, tuple)):
            waiting += [(name, item) for item in reversed(value)]
        elif value is not None:
            text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
            yield f"{name}: {text}" if name else text
