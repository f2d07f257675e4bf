"""Count the rows of a data set by slice."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from pytest_mlgates.reading.records import records
from pytest_mlgates.reading.slices import Slicer

__all__ = ["Coverage", "count_slices"]


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many rows there are, of each slice, and without the name of one."""

    rows: int
    counts: Counter[str]
    unnamed: int
    notes: tuple[str, ...] = ()


def count_slices(rows: Any, slice_of: Any) -> Coverage:
    """Count once over all rows; a row may be in several slices.

    >>> count_slices([{"turn": "left"}, {"turn": "right"}, {"turn": None}], "turn").counts["left"]
    1
    """
    counts: Counter[str] = Counter()
    total = unnamed = 0
    notes: list[str] = []
    slicer = None
    found = records(rows, "rows", columns=_columns(slice_of), note=notes.append)
    for index, row in enumerate(found):
        if slicer is None:
            slicer = Slicer(slice_of, row, what="row", finest=True)
        names = slicer.of(index, row)
        total += 1
        counts.update(names)
        unnamed += not names
    if slicer is not None:
        slicer.check(total)
    return Coverage(total, counts, unnamed, tuple(notes))


def _columns(slice_of: Any) -> list[str] | None:
    """Return what may be columns, so that only those are read; all where none of them is one."""
    if isinstance(slice_of, str):
        return [slice_of]
    if not isinstance(slice_of, (list, tuple)):
        return None
    return [name for name in slice_of if isinstance(name, str)]
