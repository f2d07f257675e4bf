"""The one reader of tables: CSV, Parquet or JSON files, folders of them, DataFrames, records.

Rows come one at a time with the number a person would look for (the line of a file, the index of a
record), so that whoever reads them can name the row that is wrong.
"""

from __future__ import annotations

import csv
import itertools
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

from pytest_mlgates.core.errors import Unmeasurable
from pytest_mlgates.core.words import a, install, plural
from pytest_mlgates.reading.frames import frame, unique
from pytest_mlgates.reading.items import items, why_unclear
from pytest_mlgates.reading.text import UNREADABLE, Note, Text, kind_of, silent, why_unreadable

__all__ = [
    "KINDS",
    "CsvRows",
    "Plain",
    "Table",
    "csv_rows",
    "json_values",
    "load_json",
    "missing",
    "tables",
]

#: the files that are read, each also packed with gzip but Parquet
KINDS = (".csv", ".tsv", ".parquet", ".json", ".jsonl", ".ndjson")
#: records that share a header
_CHUNK = 10_000
#: rows of a Parquet file in memory
_BATCH = 16_384
#: characters of one cell: a JSON object of tags may be long
_MAX_CELL = 1 << 22
_QUOTED = re.compile(r'"[^"]*"?')
#: Excel writes this line above a table, and reads the delimiter from it
_SEP = re.compile(r"\ufeff?\"?sep=(.)\"?\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Plain:
    """A file that an engine may read by itself: Parquet, or UTF-8 text with a ``delimiter``.

    ``above`` lines stand above its header.
    """

    path: Path
    delimiter: str = ""
    above: int = 0


@dataclass(frozen=True, slots=True)
class Table:
    """A header and rows of as many values; a row of a broken CSV file may have more or fewer.

    ``name`` is the file's; empty where the rows come from no file. ``mappings`` are the rows as
    they were written, where they were written as objects; ``plain`` is the file, where one line
    is one row of it and nothing about it is special.
    """

    name: str
    header: tuple[str, ...]
    rows: Iterator[tuple[int, Sequence[Any]]]
    unit: str = "record"
    mappings: Sequence[Mapping[str, Any]] | None = None
    plain: Plain | None = None

    def place(self, number: int) -> str:
        """Return where a row stands.

        >>> Table("bill.csv", (), iter(()), "line").place(17)
        'bill.csv line 17'
        """
        return f"{self.name} {self.unit} {number}".strip()

    def records(self) -> Iterator[Mapping[str, object]]:
        """Yield each row as a mapping; Unmeasurable where one has more or fewer values."""
        if self.mappings is not None:
            yield from self.mappings
            return
        width = len(self.header)
        for number, row in self.rows:
            if len(row) != width:
                raise Unmeasurable(
                    f"{self.place(number)} has {plural(len(row), 'value')}, the header has {width}:"
                    " put quotes around a value that holds the delimiter"
                )
            yield dict(zip(self.header, row, strict=True))


def missing(value: object) -> bool:
    """Tell whether a table says nothing here (None, NaN, NaT, an empty cell).

    >>> missing(float("nan")), missing(" "), missing(0)
    (True, True, False)
    """
    if isinstance(value, str):
        return not value.strip()
    if value is None or type(value).__name__ == "NAType":  # pandas': it has no truth value
        return True
    return not isinstance(value, (list, dict)) and bool(value != value)  # noqa: PLR0124  (NaN)


def tables(
    source: object,
    how: str,
    columns: Sequence[str] | None = None,
    *,
    exact: bool = True,
    lenient: bool = False,
    name_of: Callable[[Path], str] = lambda file: file.name,
    note: Note = silent,
) -> Iterator[Table]:
    """Yield what ``source`` holds: one table a file or chunk of records.

    ``how`` says what was expected, where ``source`` is none of it. Of a Parquet file only
    ``columns`` are read, where it has any of them. ``exact`` reads the decimal numbers of JSON as
    Decimal. ``lenient`` lets a CSV file have columns of one name and quotes inside values, as for
    a search where nothing may be left out. ``name_of`` says how a file is named, ``note`` is told
    what a reader of the result should know. Raises :class:`Unmeasurable` on what can't be read.

    >>> [table] = tables([{"a": 1}, {"b": 2}], "records")
    >>> table.header, list(table.rows)
    (('a', 'b'), [(0, [1, None]), (1, [None, 2])])
    """
    if isinstance(source, (str, os.PathLike)):
        for file in _table_files(Path(source), how):
            name = name_of(file)
            yield from _read_any(file, name, how, columns, exact=exact, lenient=lenient, note=note)
    elif (found := frame(source, "the table")) is not None:
        header = _header(map(str, found.columns), "the table")
        yield Table("", header, enumerate(found.rows()), "row")
    elif why_unclear(source, "", how):
        raise Unmeasurable(how)
    else:
        yield from _chunks(enumerate(items(source)), "", "record", how)


def load_json(file: Path, name: str = "", *, exact: bool = True, note: Note = silent) -> Any:
    """Return what a JSON file holds; its decimal numbers are Decimal where ``exact``."""
    try:
        with Text(file, name or file.name, note) as text:
            return json.loads(text.read(), parse_float=Decimal if exact else None)
    except RecursionError:
        raise Unmeasurable(f"{name or file.name} can't be read: it is nested too deeply") from None
    except UNREADABLE as error:
        raise _unreadable(name or file.name, error) from None


def json_values(
    file: Path, name: str, how: str, *, exact: bool, note: Note = silent
) -> Iterator[tuple[int, Any]]:
    """Yield the values of a list in a JSON file, or of the lines of JSON Lines, numbered from 1."""
    if kind_of(file) == ".json":
        whole = load_json(file, name, exact=exact, note=note)
        if not isinstance(whole, list):
            raise Unmeasurable(f"{name} holds {a(type(whole).__name__)}, not a list: {how}")
        yield from enumerate(whole, 1)
        return
    number = 0
    try:
        with Text(file, name, note) as text:
            for number, line in enumerate(text, 1):
                if line.strip():
                    yield number, json.loads(line, parse_float=Decimal if exact else None)
    except json.JSONDecodeError as error:
        where = f"{name} line {number}"
        raise Unmeasurable(f"{where} can't be read: it is not JSON ({error.msg})") from None
    except RecursionError:
        where = f"{name} line {number}"
        raise Unmeasurable(f"{where} can't be read: it is nested too deeply") from None
    except UNREADABLE as error:
        raise _unreadable(name, error) from None


def _table_files(path: Path, how: str) -> list[Path]:
    try:
        if not path.is_dir():
            return [path]
    except (OSError, ValueError):  # a text that is too long for a path, or holds a null byte
        raise Unmeasurable(how) from None
    inside = (file for file in path.rglob("*") if file.is_file())
    files = sorted(
        file
        for file in inside
        if not file.name.startswith((".", "_")) and "manifest" not in file.name.lower()
    )
    kinds = {kind_of(file) for file in files}
    if strange := sorted(kinds - set(KINDS)):
        raise Unmeasurable(f"the folder also holds files of kind {strange[0]!r}: {how}")
    if len(kinds) > 1:
        both = " and ".join(sorted(kinds))
        raise Unmeasurable(f"the folder holds {both} files: are the same rows there twice?")
    return files


def _read_any(
    file: Path,
    name: str,
    how: str,
    columns: Sequence[str] | None,
    *,
    exact: bool,
    lenient: bool,
    note: Note,
) -> Iterator[Table]:
    kind = kind_of(file)
    if kind not in KINDS:
        raise Unmeasurable(f"{name} is of a kind that can't be read: {how}" if kind else how)
    try:
        if kind == ".parquet":
            yield from _parquet(file, name, columns)
        elif kind in (".csv", ".tsv"):
            with Text(file, name, note) as text:
                yield from _csv(text, name, "\t" if kind == ".tsv" else ",", file, lenient=lenient)
        else:
            unit = "record" if kind == ".json" else "line"
            values = json_values(file, name, how, exact=exact, note=note)
            yield from _chunks(values, name, unit, how)
    except (*UNREADABLE, csv.Error) as error:
        raise _unreadable(name, error) from None


def _unreadable(name: str, error: Exception) -> Unmeasurable:
    # the text of a csv.Error is about the format, and holds no value
    why = str(error) if isinstance(error, csv.Error) else why_unreadable(error)
    return Unmeasurable(f"{name} can't be read: {why}")


def _csv(text: Text, name: str, default: str, file: Path, *, lenient: bool) -> Iterator[Table]:
    found = csv_rows(text, name, default, lenient=lenient)
    if found is None:
        return
    plain = None
    if text.encoding == "utf-8-sig" and found.header_lines == 1:
        plain = Plain(file, found.delimiter, found.above)
    header = found.header if lenient else _header(found.header, name)
    yield Table(name, header, found.rows, "line", plain=plain)


@dataclass(frozen=True, slots=True)
class CsvRows:
    """A CSV file as it is read: ``above`` lines stand above its header of ``header_lines`` lines."""

    header: tuple[str, ...]
    rows: Iterator[tuple[int, list[str]]]
    delimiter: str
    above: int
    header_lines: int


def csv_rows(text: Text, name: str, default: str, *, lenient: bool) -> CsvRows | None:
    """Return the header and the rows of a CSV file with their lines; None where it holds nothing."""
    if csv.field_size_limit() < _MAX_CELL:
        csv.field_size_limit(_MAX_CELL)
    lines, above = iter(text), -1
    first = ""
    for first in lines:
        above += 1
        if first.strip():
            break
    if not first.strip():
        text.is_empty()
        return None
    if sep := _SEP.fullmatch(first):
        delimiter, first, above = sep.group(1), next(lines, ""), above + 1
    else:
        delimiter = _delimiter(first, default)
    reader = csv.reader(itertools.chain([first], lines), delimiter=delimiter, strict=not lenient)

    def rows() -> Iterator[tuple[int, list[str]]]:
        try:
            for row in reader:
                if row:
                    yield reader.line_num + above, row
        except (*UNREADABLE, csv.Error) as error:
            raise _unreadable(f"{name} line {reader.line_num + above}", error) from None

    header = tuple(next(reader, []))
    return CsvRows(header, rows(), delimiter, above, reader.line_num)


def _delimiter(header: str, default: str) -> str:
    """Return what stands between the names of a header.

    >>> _delimiter('"left, right";speed', ","), _delimiter("prompt", ",")
    (';', ',')
    """
    bare = _QUOTED.sub("", header)
    return str(max([default, *",;\t|"], key=bare.count))


def _header(names: Iterable[str], where: str) -> tuple[str, ...]:
    return tuple(map(str, unique((name.strip() for name in names), where)))


def _parquet(file: Path, name: str, columns: Sequence[str] | None) -> Iterator[Table]:
    try:
        from pyarrow import ArrowException, parquet
    except ImportError:
        raise Unmeasurable(f"reading Parquet needs pyarrow: {install('scale')}") from None
    broken = Unmeasurable(f"{name} can't be read: it is not a whole Parquet file")
    try:
        opened = parquet.ParquetFile(file)
    except ArrowException:
        raise broken from None
    with opened as table:
        names = table.schema_arrow.names
        # without any column there would be no rows either
        names = [known for known in names if known in (columns or ())] or names

        def rows() -> Iterator[tuple[int, tuple[Any, ...]]]:
            number = 0
            try:
                for batch in table.iter_batches(batch_size=_BATCH, columns=names):
                    for row in zip(*map(_cells, batch.columns), strict=True):
                        number += 1
                        yield number, row
            except ArrowException:
                raise broken from None

        yield Table(name, _header(names, name), rows(), "row", plain=Plain(file))


def _cells(column: Any) -> list[Any]:
    """Return the values of an Arrow array; a time as text, which is quicker made than a datetime."""
    from pyarrow import string, types

    if not types.is_timestamp(column.type):
        values: list[Any] = column.to_pylist()
        return values
    coded = column.dictionary_encode()  # few times, in many rows
    texts = coded.dictionary.cast(string()).to_pylist()
    return [None if code is None else texts[code] for code in coded.indices.to_pylist()]


def _chunks(records: Iterable[tuple[int, Any]], name: str, unit: str, how: str) -> Iterator[Table]:
    """Yield tables of records whose keys may differ, a few thousand at a time."""
    remaining = iter(records)
    while chunk := list(islice(remaining, _CHUNK)):
        for number, record in chunk:
            if not isinstance(record, Mapping):
                where = f"{name} {unit} {number}".strip()
                raise Unmeasurable(f"{where} is {a(type(record).__name__)}: {how}")
        mappings = [record for _, record in chunk]
        keys = dict.fromkeys(key for record in mappings for key in record)
        rows = [(number, [record.get(key) for key in keys]) for number, record in chunk]
        yield Table(name, _header(map(str, keys), "a record"), iter(rows), unit, mappings)
