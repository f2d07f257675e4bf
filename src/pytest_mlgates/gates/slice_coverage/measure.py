"""Count the rows of a data set by slice: records, a table, or a CSV or Parquet file."""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_mlgates.core import Unmeasurable
from pytest_mlgates.reading.slices import NO_NAME, columns_of, field_of, label, shown

__all__ = ["Coverage", "count_slices"]

_MOST_KNOWN = 10_000
_HOW = "rows are records, a DataFrame, or the path of a .csv or .parquet file"


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many rows there are, of each slice, and without the name of one."""

    rows: int
    counts: Counter[str]
    unnamed: int


def count_slices(rows: Any, slice_of: Any) -> Coverage:
    """Count once over all rows; a row may be in several slices.

    >>> count_slices([{"turn": "left"}, {"turn": "right"}, {"turn": None}], "turn").counts["left"]
    1
    """
    if not callable(slice_of) and not isinstance(slice_of, (str, list, tuple)):
        kind = type(slice_of).__name__
        raise Unmeasurable(f"slice_of is a {kind}: give a callable, a column or a tuple of columns")
    counts: Counter[str] = Counter()
    total = unnamed = 0
    known: dict[str, tuple[str, ...]] = {}
    columns: Any = None
    wanted = None if callable(slice_of) else slice_of
    for index, row in enumerate(_records(rows, wanted)):
        total += 1
        if not index:
            columns = _columns(slice_of, row)
        if columns is not None:
            names = _crossed(columns, row, index)
        else:
            value = _value(slice_of, row, index)
            names = known[value] if isinstance(value, str) and value in known else _names(value)
            if isinstance(value, str) and len(known) < _MOST_KNOWN:
                known[value] = names
        counts.update(names)
        unnamed += not names
    return Coverage(total, counts, unnamed)


def _columns(slice_of: Any, row: Any) -> tuple[str, ...] | None:
    if callable(slice_of) or isinstance(slice_of, str):
        return None
    columns = columns_of(slice_of, row)
    if columns is None:
        raise Unmeasurable("slice_of names no column of the rows: give a column, or a callable")
    return columns


def _crossed(columns: tuple[str, ...], row: Any, index: int) -> tuple[str, ...]:
    names = [label(field_of(row, column, index, "row")) for column in columns]
    if NO_NAME in names:
        return ()
    return (" & ".join(f"{c}={name}" for c, name in zip(columns, names, strict=True)),)


def _value(slice_of: Any, row: Any, index: int) -> Any:
    if isinstance(slice_of, str):
        return field_of(row, slice_of, index, "row")
    try:
        return slice_of(row)
    except Exception as error:  # noqa: BLE001  (told by its type: its text may hold the row)
        raise Unmeasurable(f"slice_of raised {type(error).__name__} at row {index}") from None


def _names(value: Any) -> tuple[str, ...]:
    """Return the slices that a value names; none where it is missing."""
    if isinstance(value, (list, set, frozenset)):
        return tuple(name for name in {label(item) for item in value} if name != NO_NAME)
    name = label(value)
    return () if name == NO_NAME else (name,)


def _records(rows: Any, wanted: Any) -> Iterator[Any]:
    columns = [wanted] if isinstance(wanted, str) else list(wanted) if wanted else None
    if isinstance(rows, (str, os.PathLike)):
        yield from _file(Path(rows), columns)
    elif hasattr(rows, "columns") and hasattr(rows, "to_dict"):
        present = list(rows.columns) if columns is None else columns
        if missing := [name for name in present if name not in rows.columns]:
            raise Unmeasurable(_lacks(missing[0], rows.columns))
        yield from rows[present].to_dict("records")
    elif isinstance(rows, (bytes, Mapping)) or not isinstance(rows, Iterable):
        raise Unmeasurable(f"rows is a {type(rows).__name__}: {_HOW}")
    else:
        yield from rows


def _file(path: Path, columns: list[str] | None) -> Iterator[Any]:
    kind = path.suffix.lower()
    if kind not in (".csv", ".parquet"):
        raise Unmeasurable(f"the data set is of a kind that can't be read: {_HOW}")
    try:
        yield from _parquet(path, columns) if kind == ".parquet" else _csv(path, columns)
    except (OSError, UnicodeError, csv.Error) as error:
        raise Unmeasurable(f"the data set can't be read ({type(error).__name__})") from None


def _csv(path: Path, columns: list[str] | None) -> Iterator[Any]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file, restkey="", strict=True)
        for name in columns or ():
            if name not in (rows.fieldnames or ()):
                raise Unmeasurable(_lacks(name, rows.fieldnames or ()))
        for number, row in enumerate(rows):
            if row.get("") is not None and "" not in (rows.fieldnames or ()):
                raise Unmeasurable(
                    f"row {number} has more values than the {len(rows.fieldnames or ())} columns"
                )
            yield row


def _parquet(path: Path, columns: list[str] | None) -> Iterator[Any]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise Unmeasurable("Parquet takes pyarrow: `pip install 'pytest-mlgates[scale]'`") from None
    try:
        with parquet.ParquetFile(path) as table:
            present = table.schema_arrow.names
            for name in columns or ():
                if name not in present:
                    raise Unmeasurable(_lacks(name, present))
            for batch in table.iter_batches(batch_size=65_536, columns=columns):
                yield from batch.to_pylist()
    except pyarrow.ArrowException as error:
        raise Unmeasurable(f"the data set can't be read ({type(error).__name__})") from None


def _lacks(column: str, present: Iterable[Any]) -> str:
    has = ", ".join(shown(label(name)) for name in list(present)[:8])
    return f"the rows have no column {column!r} (they have {has or 'none'})"
