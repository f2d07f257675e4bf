"""DataFrames and columns of any library, known by what they can do: nothing is imported for them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import Any

from pytest_mlgates.core.errors import Unmeasurable
from pytest_mlgates.core.words import a

__all__ = ["Frame", "column", "frame", "is_table", "unique"]

_BATCH = 16_384


@dataclass(frozen=True, slots=True)
class Frame:
    """The columns of a table in memory, and its rows as tuples, one at a time."""

    columns: tuple[Hashable, ...]
    rows: Callable[[], Iterator[tuple[Any, ...]]]


def frame(source: Any, what: str) -> Frame | None:
    """Return a table in memory (pandas, polars, pyarrow, a structured array and the like), or None.

    Raises :class:`Unmeasurable` for a table whose rows can't be told from its columns.
    """
    kind = type(source)  # of the class: asking a lazy table for its columns computes it
    if (names := _field_names(source)) and source.ndim:
        return Frame(names, lambda: (row.item() for row in source.reshape(-1)))
    if hasattr(kind, "column_names") and hasattr(kind, "to_pylist"):
        return Frame(unique(source.column_names, what), lambda: _arrow_rows(source))
    if hasattr(kind, "columns") and hasattr(kind, "itertuples"):
        rows = source.itertuples
        return Frame(unique(source.columns, what), lambda: iter(rows(index=False, name=None)))
    if hasattr(kind, "columns") and hasattr(kind, "iter_rows"):
        return Frame(unique(source.columns, what), lambda: iter(source.iter_rows()))
    if hasattr(kind, "columns") or hasattr(kind, "__dataframe__"):
        raise Unmeasurable(
            f"{what} is {a(kind.__name__)}, whose rows can't be told: give a pandas, polars or"
            " pyarrow table (.collect(), .compute() or .to_pandas() makes one), or a list of dicts"
        )
    return None


def is_table(source: object) -> bool:
    """Tell whether ``source`` is a table in memory, of whatever library."""
    kind = type(source)
    known = any(hasattr(kind, name) for name in ("columns", "column_names", "__dataframe__"))
    return known or bool(_field_names(source))


def column(source: Any) -> list[Any] | None:
    """Return the values of a Series, an Arrow array or the like; None of anything else."""
    kind = type(source)
    if hasattr(kind, "iloc") and hasattr(kind, "tolist"):  # pandas
        values: list[Any] = source.tolist()
    elif hasattr(kind, "to_list") and hasattr(kind, "to_arrow"):  # polars
        values = source.to_list()
    elif hasattr(kind, "to_pylist"):  # pyarrow
        values = source.to_pylist()
    else:
        return None
    return values


def unique(names: Any, where: str) -> tuple[Hashable, ...]:
    """Return the names of columns, or raise :class:`Unmeasurable` where one appears twice.

    >>> unique(["a", "b", "a"], "bill.csv")
    Traceback (most recent call last):
        ...
    pytest_mlgates.core.errors.Unmeasurable: bill.csv has the column 'a' more than once: rename one
    """
    columns = tuple(names)
    if len(set(columns)) < len(columns):
        twice = next(name for name in columns if columns.count(name) > 1)
        if twice != "":
            raise Unmeasurable(f"{where} has the column {str(twice)!r} more than once: rename one")
    return columns


def _field_names(source: object) -> tuple[str, ...]:
    """Return the names of the fields of a structured numpy array; none of anything else."""
    names = getattr(getattr(source, "dtype", None), "names", None)
    return names if isinstance(names, tuple) and hasattr(type(source), "reshape") else ()


def _arrow_rows(table: Any) -> Iterator[tuple[Any, ...]]:
    for start in range(0, table.num_rows, _BATCH):
        part = table.slice(start, _BATCH)
        yield from zip(
            *(part.column(at).to_pylist() for at in range(part.num_columns)), strict=True
        )
