"""Count the rows of a data set by slice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from pytest_mlgates.core.details import plain
from pytest_mlgates.core.records import Measurement
from pytest_mlgates.core.words import percent
from pytest_mlgates.gates.slice_coverage.details import Seen, SliceCount
from pytest_mlgates.gates.slice_coverage.judge import headline
from pytest_mlgates.reading.records import records
from pytest_mlgates.reading.slices import Slicer, label, recorded, unique_labels

__all__ = ["count_slices"]

#: slices that are recorded, and of the smallest and of the largest that are findings
MAX_SLICES, MAX_FINDINGS = 200, 5


def count_slices(
    rows: object, slice_of: object, required: Sequence[str], *, by_share: bool
) -> Measurement:
    """Count once over all rows; a row may be in several slices.

    What is measured is the smallest slice, of those that occur and of those ``required``: as a
    share of the rows, or as their number.
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
    raw = {**dict.fromkeys(map(label, required), 0), **counts}
    shown = unique_labels(raw)
    wanted = recorded(required)
    by_name = {shown[name]: n for name, n in raw.items()}
    smallest = sorted((n, name) for name, n in by_name.items())
    kept = dict.fromkeys((*wanted, *(name for _, name in smallest[:MAX_SLICES])))
    seen = Seen(
        wanted=wanted,
        slices=tuple(SliceCount(slice=name, rows=by_name[name]) for name in kept),
        occur=len(counts),
        unnamed=unnamed,
        rows=total,
        findings=(*_coverage_lines(smallest, total, unnamed), *notes),
    )
    return headline(seen, total, by_share=by_share).measurement(plain(seen))


def _columns(slice_of: object) -> list[str] | None:
    """Return what may be columns, so that only those are read; all where none of them is one."""
    if isinstance(slice_of, str):
        return [slice_of]
    if not isinstance(slice_of, (list, tuple)):
        return None
    return [name for name in slice_of if isinstance(name, str)]


def _coverage_lines(smallest: list[tuple[int, str]], n: int, unnamed: int) -> Iterator[str]:
    """Yield a line for each slice, the smallest first, and one for those between."""
    if not n:
        return
    lines = [f"{name}: {count} rows, {percent(count / n)}" for count, name in smallest]
    between = len(lines) - 2 * MAX_FINDINGS
    if between > 0:
        lines[MAX_FINDINGS:-MAX_FINDINGS] = [f"… {between} slices between …"]
    yield from lines
    if unnamed:
        yield f"{unnamed} of {n} rows have no slice"
