"""The one way from what a user hands in to records: whatever it is, its rows, or what to pass."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from pytest_mlgates.core.errors import Unmeasurable
from pytest_mlgates.reading.frames import Frame, column, frame, is_table
from pytest_mlgates.reading.items import has_length, is_stream, items, why_unclear
from pytest_mlgates.reading.tables import KINDS, json_values, tables
from pytest_mlgates.reading.text import Note, kind_of, silent

__all__ = ["pool", "records"]

_HOW = "a list, a DataFrame, or the path of a .csv, .parquet, .json or .jsonl file"


def records(
    source: object,
    what: str,
    how: str = _HOW,
    *,
    values: bool = False,
    columns: Sequence[str] | None = None,
    note: Note = silent,
) -> Iterable[Any]:
    """Return the rows of ``source`` in order, each once; ``what`` is the parameter's name.

    * A **DataFrame** (pandas, polars, pyarrow) gives a dict for each row, column -> value, however
      many columns it has; so does a **table file** (``str`` or a path; a cell of CSV is a text, its
      folder is read file by file) and a structured numpy array. Where single values are wanted
      (``values=True``: texts, templates, labels) a table of one column gives the values of that
      column. A JSON list may hold anything.
    * A **Series**, an array, a tensor and a list give their items, a torch ``Dataset`` what it
      gives for 0 to ``len - 1``.
    * A **generator** or iterator is handed on: nothing is read ahead of who reads it.

    NaN and None stay what they are. Raises :class:`Unmeasurable` with the way out where the rows
    are not clear: a dict (one record, or columns?), a text that is not the path of a file, bytes,
    an open file, a ``DataLoader`` (whose items are batches), a table known by no library above.
    Of a table that has any of ``columns`` no others need be read; ``note`` is told what a reader
    of the result should know (a file in another encoding).

    >>> list(records([3, 4], "inputs")), list(records(({"n": n} for n in range(2)), "inputs"))
    ([3, 4], [{'n': 0}, {'n': 1}])
    >>> records({"n": [3, 4]}, "inputs")
    Traceback (most recent call last):
        ...
    pytest_mlgates.core.errors.Unmeasurable: inputs is a dict: is it one record, or columns? give \
[record] for one, or a list of records
    """
    if isinstance(source, (str, os.PathLike)):
        return _of_file(Path(source), what, how, columns, values=values, note=note)
    if (table := frame(source, what)) is not None:
        return _frame_rows(table, columns, values=values)
    if (cells := column(source)) is not None:
        return cells
    if reason := why_unclear(source, what, how):
        raise Unmeasurable(reason)
    return items(source)


def pool(source: object, what: str, *, values: bool = False) -> Sequence[Any] | Iterator[Any]:
    """Return the rows as a sequence where their number is known, else as an iterator.

    >>> pool((n for n in range(3)), "inputs").__class__.__name__, pool([1, 2], "inputs")
    ('generator', [1, 2])
    """
    rows = records(source, what, values=values)
    if isinstance(source, (str, os.PathLike)) or is_table(source):
        return list(rows)
    if hasattr(rows, "__getitem__") and not is_stream(rows) and has_length(rows):
        return cast("Sequence[Any]", rows)
    return iter(rows)


def _frame_rows(table: Frame, columns: Sequence[str] | None, *, values: bool) -> Iterator[object]:
    names = table.columns
    if values and len(names) == 1:
        return (row[0] for row in table.rows())
    picked = [(at, name) for at, name in enumerate(names) if name in (columns or ())]
    if picked:
        return ({name: row[at] for at, name in picked} for row in table.rows())
    return (dict(zip(names, row, strict=True)) for row in table.rows())


def _of_file(
    path: Path,
    what: str,
    how: str,
    columns: Sequence[str] | None,
    *,
    values: bool,
    note: Note,
) -> Iterator[object]:
    try:
        exists = path.exists()
    except (OSError, ValueError):  # too long for a path, or with a null byte
        exists = False
    if not exists and kind_of(path) not in KINDS:
        raise Unmeasurable(
            f"{what} is a text or path where no table file is: give [text] for one, or {how}"
        )
    if path.is_file() and kind_of(path) in (".json", ".jsonl", ".ndjson"):
        numbered = json_values(path, path.name, f"give {how}", exact=False, note=note)
        found: Iterator[object] = (value for _, value in numbered)
    else:
        read = tables(path, f"give {how}", columns, exact=False, note=note)
        found = (row for table in read for row in table.records())
    return map(_only_value, found) if values else found


def _only_value(row: object) -> object:
    return next(iter(row.values())) if isinstance(row, Mapping) and len(row) == 1 else row
