"""Count the rows of a data set by slice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from pytest_mlgates.core.details import plain
from pytest_mlgates.core.records import Measurement
from pytest_mlgates.core.words import percent
from pytest_mlgates.gates.slice_coverage.details import Seen, SliceCount
from pytest_mlgates.gates.slice_coverage.judge import headline
from pytest_mlgates.reading.records import records
from pytest_mlgates.reading.slices import Slicer, field_of, label, recorded, unique_labels
from pytest_mlgates.reading.tables import missing

__all__ = ["count_slices"]

#: slices that are recorded, and of the smallest and of the largest that are findings
MAX_SLICES, MAX_FINDINGS = 200, 5


def count_slices(
    rows: object, slice_of: object, required: Sequence[str], *, by_share: bool, unit: object = None
) -> Measurement:
    """Count once over all rows, or over the distinct values of ``unit``.

    A row, or a unit, may be in several slices. What is measured is the smallest slice, of those
    that occur and of those ``required``: as a share of all, or as a number.
    """
    members: dict[str, set[object]] = defaultdict(set)
    every: set[object] = set()
    total, slicer = 0, None
    notes: list[str] = []
    columns = _columns(slice_of, unit)
    for index, row in enumerate(records(rows, "rows", columns=columns, note=notes.append)):
        if slicer is None:
            slicer = Slicer(slice_of, row, what="row", finest=True)
        key = _unit(unit, index, row)
        for name in slicer.of(index, row):
            members[name].add(key)
        every.add(key)
        total += 1
    if slicer is not None:
        slicer.check(total)
    counts = {name: len(keys) for name, keys in members.items()}
    unnamed = len(every.difference(*members.values()))
    total = len(every)
    raw = {**dict.fromkeys(map(label, required), 0), **counts}
    shown = unique_labels(raw)
    wanted = recorded(required)
    by_name = {shown[name]: n for name, n in raw.items()}
    smallest = sorted((n, name) for name, n in by_name.items())
    kept = dict.fromkeys((*wanted, *(name for _, name in smallest[:MAX_SLICES])))
    noun = "rows" if unit is None else "units"
    seen = Seen(
        wanted=wanted,
        slices=tuple(SliceCount(slice=name, rows=by_name[name]) for name in kept),
        occur=len(counts),
        unnamed=unnamed,
        counted="rows" if unit is None else "units",
        unit=unit if isinstance(unit, str) else None,
        rows=total,
        findings=(*_coverage_lines(smallest, total, unnamed, noun), *notes),
    )
    return headline(seen, total, by_share=by_share).measurement(plain(seen))


def _unit(unit: object, index: int, row: object) -> object:
    """Return what a row counts as: itself, or the unit that it names."""
    if unit is None:
        return index
    name = unit(row) if callable(unit) else field_of(row, str(unit), index, "row")
    # what names no unit is one of its own
    return ("row", index) if missing(name) else label(name)


def _columns(slice_of: object, unit: object) -> list[str] | None:
    """Return what may be columns, so that only those are read; all where none of them is one."""
    if callable(unit) or not isinstance(slice_of, (str, list, tuple)):
        return None
    names = [slice_of] if isinstance(slice_of, str) else slice_of
    return [name for name in (*names, unit) if isinstance(name, str)]


def _coverage_lines(
    smallest: list[tuple[int, str]], n: int, unnamed: int, noun: str
) -> Iterator[str]:
    """Yield a line for each slice, the smallest first, and one for those between."""
    if not n:
        return
    lines = [f"{name}: {count} {noun}, {percent(count / n)}" for count, name in smallest]
    between = len(lines) - 2 * MAX_FINDINGS
    if between > 0:
        lines[MAX_FINDINGS:-MAX_FINDINGS] = [f"… {between} slices between …"]
    yield from lines
    if unnamed:
        yield f"{unnamed} of {n} {noun} have no slice"
