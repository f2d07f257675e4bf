"""The one way from what a user hands in to records: whatever it is, its rows, or what to pass."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from pytest_mlgates.core.errors import Unmeasurable
from pytest_mlgates.core.words import a
from pytest_mlgates.reading.frames import Frame, column, frame
from pytest_mlgates.reading.tables import KINDS, json_values, tables
from pytest_mlgates.reading.text import Note, kind_of, silent

__all__ = ["is_table", "pool", "records"]

_HOW = "a list, a DataFrame, or the path of a .csv, .parquet, .json or .jsonl file"


def records(
    source: Any,
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
        return _rows(table, columns, values=values)
    if (cells := column(source)) is not None:
        return cells
    if reason := _why_unclear(source, what, how):
        raise Unmeasurable(reason)
    if getattr(getattr(source, "dtype", None), "names", None):
        return _structured(source)
    if _is_map_style(source):
        return _Items(source, what)
    found: Iterable[Any] = source
    return found


def pool(source: Any, what: str, *, values: bool = False) -> Sequence[Any] | Iterator[Any]:
    """Return the rows as a sequence where their number is known, else as an iterator.

    >>> pool((n for n in range(3)), "inputs").__class__.__name__, pool([1, 2], "inputs")
    ('generator', [1, 2])
    """
    rows = records(source, what, values=values)
    if isinstance(source, (str, os.PathLike)) or is_table(source):
        return list(rows)
    if hasattr(rows, "__getitem__") and not _is_stream(rows) and _has_length(rows):
        return cast("Sequence[Any]", rows)
    return iter(rows)


def is_table(source: Any) -> bool:
    """Tell whether ``source`` is a table in memory, of whatever library."""
    kind = type(source)
    structured = getattr(getattr(source, "dtype", None), "names", None)
    return bool(structured) or hasattr(kind, "columns") or hasattr(kind, "column_names")


class _Items(Sequence[Any]):
    """What has a length and gives items by their place, and may not end when it is iterated."""

    def __init__(self, source: Any, what: str) -> None:
        self._source, self._what = source, what

    def __len__(self) -> int:
        return len(self._source)

    def __getitem__(self, index: Any) -> Any:
        return self._source[index]

    def __iter__(self) -> Iterator[Any]:
        return (self._source[index] for index in range(len(self._source)))


def _rows(table: Frame, columns: Sequence[str] | None, *, values: bool) -> Iterator[Any]:
    names = table.columns
    if values and len(names) == 1:
        return (row[0] for row in table.rows())
    picked = [(at, name) for at, name in enumerate(names) if name in (columns or ())]
    if picked:
        return ({name: row[at] for at, name in picked} for row in table.rows())
    return (dict(zip(names, row, strict=True)) for row in table.rows())


def _structured(array: Any) -> Iterator[dict[str, Any]]:
    names = array.dtype.names
    return (dict(zip(names, row.item(), strict=True)) for row in array.reshape(-1))


def _of_file(
    path: Path,
    what: str,
    how: str,
    columns: Sequence[str] | None,
    *,
    values: bool,
    note: Note,
) -> Iterator[Any]:
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
        found: Iterator[Any] = (value for _, value in numbered)
    else:
        read = tables(path, f"give {how}", columns, exact=False, note=note)
        found = (row for table in read for row in table.records())
    return map(_only_value, found) if values else found


def _only_value(row: Any) -> Any:
    return next(iter(row.values())) if isinstance(row, Mapping) and len(row) == 1 else row


def _why_unclear(source: Any, what: str, how: str) -> str:
    """Return why the rows of ``source`` can't be told, and the way out; or an empty text."""
    head = f"{what} is {a(type(source).__name__)}"
    if isinstance(source, (bytes, bytearray, memoryview)):
        return f"{head}: decode it, and give {how}"
    if isinstance(source, Mapping):
        return f"{head}: is it one record, or columns? give [record] for one, or a list of records"
    if isinstance(source, io.IOBase) or hasattr(source, "readline"):
        return f"{head}, an open file: give its path, or a list of what it holds"
    if _is_a(source, "torch.utils.data", "DataLoader") and source.batch_sampler is not None:
        return (
            f"{head} that gives batches: give its .dataset (a row is an item), or list(loader)"
            " where a batch is what one call takes"
        )
    if getattr(source, "ndim", None) == 0:
        return f"{head} without an axis, one value: give [value], or {how}"
    if isinstance(source, type) or not (
        isinstance(source, Iterable) or hasattr(source, "__getitem__")
    ):
        return f"{head}: give {how}"
    return ""


def _is_map_style(source: Any) -> bool:
    if _is_stream(source):
        return False
    return (
        hasattr(source, "__getitem__")
        and not hasattr(type(source), "__iter__")
        and _has_length(source)
    )


def _has_length(source: Any) -> bool:
    try:
        return len(source) >= 0
    except TypeError:  # none, or one that is not known
        return False


def _is_stream(source: Any) -> bool:
    return _is_a(source, "torch.utils.data", "IterableDataset")


def _is_a(source: Any, module: str, name: str) -> bool:
    """Tell what an object is without importing what it may come from."""
    kind = getattr(sys.modules.get(module), name, None)
    return isinstance(kind, type) and isinstance(source, kind)
