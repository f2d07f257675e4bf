"""Read the records of a data set as texts: text, JSON, CSV and Parquet files, and folders of them.

A file that can't be read is an error: one that was skipped would count as clean. Values are read
with the name of their column before them, since ``order_id`` and ``card`` mean different things.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from pytest_mlgates.core.errors import Unmeasurable
from pytest_mlgates.pii.scrub import scrub
from pytest_mlgates.reading.tables import tables
from pytest_mlgates.reading.text import UNREADABLE, Text, kind_of, why_unreadable

__all__ = ["flat", "records"]

_TEXT = {"", ".txt", ".md", ".log", ".rst", ".html", ".xml", ".yaml", ".yml", ".py", ".eml"}
#: characters of a text held at a time, and how far two parts of a long paragraph overlap
_MAX_PART, _OVERLAP = 1 << 20, 1024
#: between two values of a record: no identifier reaches over it
_BETWEEN = " \x1f "
_HOW = "convert it to text, JSON, CSV or Parquet"


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
            for number, text in enumerate(_read_file(file, name), start=1):
                yield f"{name}:{number}", text
        except UNREADABLE as error:
            raise Unmeasurable(f"{name} can't be read: {why_unreadable(error)}") from None


def _read_file(file: Path, name: str) -> Iterator[str]:
    kind = kind_of(file)
    if kind in (".csv", ".tsv", ".parquet"):
        yield from _row_texts(file, name, has_header=kind != ".parquet")
        return
    if kind not in _TEXT | {".json", ".jsonl", ".ndjson"}:
        raise Unmeasurable(f"{name} is of a kind that can't be read: {_HOW}")
    with Text(file, newline=None) as text:
        if kind == ".json":
            try:
                whole = json.loads(text.read())
            except RecursionError:  # nested deeper than the parser goes: read it as text
                with Text(file, newline=None) as again:
                    yield from _paragraphs(again)
                return
            yield from map(flat, whole if isinstance(whole, list) else [whole])
        elif kind in (".jsonl", ".ndjson"):
            for line in text:
                yield flat(_json_or_none(line))
        else:
            yield from _paragraphs(text)


def _row_texts(file: Path, called: str, *, has_header: bool) -> Iterator[str]:
    """Yield the rows of a table; whatever is wrong with them, each value is among them."""
    for table in tables(file, _HOW, lenient=True, name_of=lambda _: called):
        if has_header:
            yield _BETWEEN.join(table.header)  # a file without a header has data there
        for _, row in table.rows:
            pairs = itertools.zip_longest(table.header, row)
            yield _BETWEEN.join(
                text for name, cell in pairs for text in _texts_in(cell, name or "")
            )


def _json_or_none(line: str) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return line  # a broken line can hold something, too


def _paragraphs(text: Text) -> Iterator[str]:
    part, size = [], 0
    while line := text.readline(_MAX_PART):
        if line.strip():
            part.append(line)
            size += len(line)
        if part and (not line.strip() or size >= _MAX_PART):
            whole = "".join(part)
            yield whole
            tail = whole[-_OVERLAP:] if size >= _MAX_PART and line.strip() else ""
            part, size = [tail] if tail else [], len(tail)
    if part:
        yield "".join(part)


def flat(value: object) -> str:
    r"""Return all values of a record as one text.

    >>> flat({"name": "Jo", "card": [4111, None]})
    'name: Jo \x1f card: 4111'
    """
    return _BETWEEN.join(_texts_in(value, ""))


def _texts_in(value: object, name: str) -> Iterable[str]:
    waiting = [(name, value)]  # no recursion: what JSON can nest may be deeper than Python's stack
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, Mapping):
            waiting += [(str(key), item) for key, item in reversed(list(value.items()))]
        elif isinstance(value, (list, tuple)):
            waiting += [(name, item) for item in reversed(value)]
        elif value is not None:
            text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
            yield f"{name}: {text}" if name else text
