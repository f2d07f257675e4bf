"""Tables as people hand them over: records, a DataFrame, a CSV, Parquet or JSON file, a folder.

Rows come one at a time with the number a person would look for (the line of a file, the index of a
record), so that whoever reads them can name the row that is wrong.
"""

from __future__ import annotations

import csv
import gzip
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

from pytest_mlgates.core import Unmeasurable

__all__ = ["Table", "is_table", "load_json", "missing", "tables"]

_KINDS = {".csv", ".tsv", ".parquet", ".json", ".jsonl", ".ndjson"}
#: records that share a header
_CHUNK = 10_000
#: bytes of one cell: a JSON object of tags may be long
_LONGEST_CELL = 1 << 22


@dataclass(frozen=True, slots=True)
class Table:
    """A header and rows of as many values; a row of a broken CSV file may have more or fewer.

    ``name`` is the file's; empty where the rows come from no file.
    """

    name: str
    header: tuple[str, ...]
    rows: Iterator[tuple[int, Sequence[Any]]]
    unit: str = "record"

    def place(self, number: int) -> str:
        """Return where a row stands.

        >>> Table("bill.csv", (), iter(()), "line").place(17)
        'bill.csv line 17'
        """
        return f"{self.name} {self.unit} {number}".strip()

    def records(self) -> Iterator[dict[str, Any]]:
        """Yield each row as a mapping; a short row lacks its last columns."""
        for _, row in self.rows:
            yield dict(zip(self.header, row, strict=False))


def is_table(source: Any) -> bool:
    """Tell whether ``source`` is a path or a DataFrame, and no iterable of records."""
    return isinstance(source, (str, os.PathLike)) or hasattr(source, "columns")


def missing(value: Any) -> bool:
    """Tell whether a table says nothing here (None, NaN, NaT, an empty cell).

    >>> missing(float("nan")), missing(" "), missing(0)
    (True, True, False)
    """
    if isinstance(value, str):
        return not value.strip()
    return value is None or (not isinstance(value, (list, dict)) and bool(value != value))  # noqa: PLR0124  (also pandas' NaT)


def tables(source: Any, how: str, columns: Sequence[str] | None = None) -> Iterator[Table]:
    """Yield what ``source`` holds: one table a file or chunk of records.

    ``how`` says what was expected, where ``source`` is none of it. Of a Parquet file only
    ``columns`` are read, where they are given. Raises :class:`Unmeasurable` on
    what can't be read.

    >>> [table] = tables([{"a": 1}, {"b": 2}], "records")
    >>> table.header, list(table.rows)
    (('a', 'b'), [(0, [1, None]), (1, [None, 2])])
    """
    if isinstance(source, (str, os.PathLike)):
        for file in _files(Path(source), how):
            yield from _read(file, how, columns)
    elif hasattr(source, "columns") and hasattr(source, "itertuples"):
        header = _header(source.columns, "the table")
        yield Table("", header, enumerate(source.itertuples(index=False, name=None)), "row")
    elif isinstance(source, (bytes, Mapping)) or not isinstance(source, Iterable):
        raise Unmeasurable(how)
    else:
        yield from _chunks(source, "", how)


def load_json(file: Path) -> Any:
    """Return what a JSON file holds; its decimal numbers are exact."""
    try:
        with file.open("rb") as raw:
            return json.load(raw, parse_float=Decimal)
    except (OSError, ValueError, RecursionError) as error:
        raise _unreadable(file, error) from None


def _files(path: Path, how: str) -> list[Path]:
    if not path.is_dir():
        return [path]
    inside = (file for file in path.rglob("*") if file.is_file())
    files = sorted(
        file
        for file in inside
        if not file.name.startswith((".", "_")) and "manifest" not in file.name.lower()
    )
    kinds = {_kind(file) for file in files}
    if strange := sorted(kinds - _KINDS):
        raise Unmeasurable(f"the folder also holds files of kind {strange[0]!r}: {how}")
    if len(kinds) > 1:
        both = " and ".join(sorted(kinds))
        raise Unmeasurable(f"the folder holds {both} files: are the same rows there twice?")
    return files


def _kind(file: Path) -> str:
    name = file.with_suffix("") if file.suffix.lower() == ".gz" else file
    return name.suffix.lower()


def _read(file: Path, how: str, columns: Sequence[str] | None) -> Iterator[Table]:
    kind = _kind(file)
    if kind not in _KINDS:
        raise Unmeasurable(how)
    try:
        if kind == ".parquet":
            yield from _parquet(file, columns)
        elif kind == ".json":
            whole = load_json(file)
            if not isinstance(whole, list):
                raise Unmeasurable(f"{file.name} holds no list of records: {how}")
            yield from _chunks(whole, file.name, how)
        elif kind in (".jsonl", ".ndjson"):
            with _open(file) as text:
                lines = (json.loads(line, parse_float=Decimal) for line in text if line.strip())
                yield from _chunks(lines, file.name, how, first=1)
        else:
            with _open(file) as text:
                yield from _csv(text, file.name)
    except (OSError, ValueError, EOFError, csv.Error) as error:
        raise _unreadable(file, error) from None


def _unreadable(file: Path, error: Exception) -> Unmeasurable:
    known = {FileNotFoundError: "it is not there", UnicodeError: "it is no text"}
    said = next((text for kind, text in known.items() if isinstance(error, kind)), "")
    if isinstance(error, csv.Error):  # its text is about the format, and holds no value
        said = str(error)
    return Unmeasurable(f"{file.name} can't be read: {said or type(error).__name__}")


def _open(file: Path) -> TextIO:
    """Open as text. A byte that is no UTF-8 stays in its cell: it does not end the run."""
    opener: Any = gzip.open if file.suffix.lower() == ".gz" else open
    with opener(file, "rb") as raw:
        wide = raw.read(2) in (b"\xff\xfe", b"\xfe\xff")
    encoding = "utf-16" if wide else "utf-8-sig"
    text: TextIO = opener(file, "rt", encoding=encoding, errors="surrogateescape", newline="")
    return text


def _csv(text: TextIO, name: str) -> Iterator[Table]:
    if csv.field_size_limit() < _LONGEST_CELL:
        csv.field_size_limit(_LONGEST_CELL)
    first, above = text.readline(), 0
    while first and not first.strip():
        first, above = text.readline(), above + 1
    if not first:
        return
    delimiter = max(",;\t|", key=first.count)
    reader = csv.reader(_again(first, text), delimiter=delimiter, strict=True)

    def rows() -> Iterator[tuple[int, list[str]]]:
        try:
            for row in reader:
                if row:
                    yield reader.line_num + above, row
        except csv.Error as error:
            where = f"{name} line {reader.line_num + above}"
            raise Unmeasurable(f"{where} can't be read: {error}") from None

    yield Table(name, _header(next(reader), name), rows(), "line")


def _again(first: str, rest: Iterable[str]) -> Iterator[str]:
    yield first
    yield from rest


def _header(names: Iterable[Any], where: str) -> tuple[str, ...]:
    header = tuple(str(name).strip() for name in names)
    twice = {name for name in header if name and header.count(name) > 1}
    if twice:
        raise Unmeasurable(f"{where} has the column {min(twice)!r} more than once")
    return header


def _parquet(file: Path, columns: Sequence[str] | None) -> Iterator[Table]:
    try:
        from pyarrow import ArrowException, parquet
    except ImportError:
        raise Unmeasurable(
            "reading Parquet needs pyarrow: pip install 'pytest-mlgates[scale]'"
        ) from None
    try:
        with parquet.ParquetFile(file) as table:
            names = table.schema_arrow.names
            if columns is not None:
                names = [name for name in names if name in columns]

            def rows() -> Iterator[tuple[int, tuple[Any, ...]]]:
                number = 0
                for batch in table.iter_batches(batch_size=16_384, columns=names):
                    values = [_values(column) for column in batch.columns]
                    for row in zip(*values, strict=True):
                        number += 1
                        yield number, row

            yield Table(file.name, _header(names, file.name), rows(), "row")
    except ArrowException as error:
        raise _unreadable(file, error) from None


def _values(column: Any) -> list[Any]:
    """Return the values of an Arrow array; a time as text, which is quicker made than a datetime."""
    from pyarrow import string, types

    if not types.is_timestamp(column.type):
        values: list[Any] = column.to_pylist()
        return values
    coded = column.dictionary_encode()  # few times, in many rows
    texts = coded.dictionary.cast(string()).to_pylist()
    return [None if code is None else texts[code] for code in coded.indices.to_pylist()]


def _chunks(records: Iterable[Any], name: str, how: str, first: int = 0) -> Iterator[Table]:
    """Yield tables of records whose keys may differ, a few thousand at a time."""
    remaining = iter(records)
    start = first
    while chunk := list(islice(remaining, _CHUNK)):
        for index, record in enumerate(chunk):
            if not isinstance(record, Mapping):
                raise Unmeasurable(f"record {start + index} is a {type(record).__name__}: {how}")
        keys = dict.fromkeys(key for record in chunk for key in record)
        rows = [[record.get(key) for key in keys] for record in chunk]
        yield Table(name, _header(keys, "a record"), iter(list(enumerate(rows, start))))
        start += len(chunk)
