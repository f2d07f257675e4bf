"""CSV and TSV: rows as records, and a copy with the same delimiter, header and rows."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from operator import itemgetter
from typing import TextIO

from pytest_mlgates.audit.cells import Cell, Change, Place, cells_of, text_of
from pytest_mlgates.audit.chunks import Changes, Chunk, gathered, is_chosen, steps_of
from pytest_mlgates.audit.draws import Draw
from pytest_mlgates.audit.parquet import head_chunk
from pytest_mlgates.core.errors import Unmeasurable
from pytest_mlgates.pii.datasets import BETWEEN
from pytest_mlgates.reading.tables import CsvRows

__all__ = ["CsvCopy", "csv_chunks"]

#: the step to a value that no column has a name for
EXTRA = "column "
Row = tuple[int, list[str]]


def csv_chunks(found: CsvRows, columns: Sequence[str], draw: Draw) -> Iterator[Chunk]:
    """Yield the head and the rows that are drawn."""
    steps = steps_of(found.header)
    if not any(is_chosen((step,), columns) for step in steps):
        raise Unmeasurable("it has none of the columns asked for")
    yield head_chunk(found.header)
    for some in gathered(draw.of(found.rows, key=itemgetter(0)), _characters):
        yield _chunk(some, found.header, steps, columns)


def _chunk(
    some: Sequence[Row], names: Sequence[str], steps: Sequence[str], columns: Sequence[str]
) -> Chunk:
    def cells(at: int) -> list[Cell]:
        wide = zip_longest(names, steps, some[at][1])
        found: list[Cell] = []
        for index, (name, step, value) in enumerate(wide):
            where = (step if step is not None else f"{EXTRA}{index + 1}",)
            if is_chosen(where, columns):
                found += cells_of(value, name or "", where)
        return found

    width = len(names)
    before = [f"{name}: " if name else "" for name in names]
    texts = []
    for at, (_, row) in enumerate(some):
        if columns or len(row) != width or not all(names):
            texts.append(text_of(cells(at)))
        else:
            texts.append(BETWEEN.join(map(str.__add__, before, row)))
    return Chunk(
        [n for n, _ in some], texts, cells, source=[row for _, row in some], names_once=True
    )


def _characters(row: Row) -> int:
    return sum(map(len, row[1]))


class CsvCopy:
    """Writes the rows with the delimiter of the original."""

    def __init__(self, sink: TextIO, found: CsvRows) -> None:
        self._steps = steps_of(found.header)
        self._writer = csv.writer(sink, delimiter=found.delimiter, lineterminator="\n")
        self._header = found.header
        self._sink = sink

    def write(self, chunk: Chunk, changes: Changes) -> None:
        """Write the rows of a chunk, some of them changed; names of columns are changed, too."""
        if chunk.head:
            self._writer.writerow(self._changed(self._header, changes.get(0, {})))
            return
        rows: list[list[str]] = chunk.source
        for at, row in enumerate(rows):
            some = changes.get(at, {})
            values = {place: change for place, change in some.items() if not place[1]}
            self._writer.writerow(self._changed(row, values) if values else row)

    def _changed(self, row: Sequence[str], changes: Mapping[Place, Change]) -> list[object]:
        changed: list[object] = list(row)
        for (steps, _), change in changes.items():
            at = self._at(str(steps[0]))
            changed[at] = change(row[at])
        return changed

    def _at(self, step: str) -> int:
        if step in self._steps:
            return self._steps.index(step)
        return int(step.removeprefix(EXTRA)) - 1

    @property
    def emptied(self) -> int:
        """None: each value can hold text."""
        return 0

    def close(self) -> None:
        """End the file."""
        self._sink.flush()
