"""Parquet, row group by row group: chunks of records, and a copy with the same schema and rows."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

from pytest_mlgates.audit.cells import Cell, Change, Place, Steps, cells_of, rewritten, text_of
from pytest_mlgates.audit.chunks import Changes, Chunk, is_chosen, steps_of
from pytest_mlgates.audit.draws import Draw
from pytest_mlgates.core.errors import Unmeasurable
from pytest_mlgates.pii.datasets import BETWEEN

if TYPE_CHECKING:
    from pyarrow import DataType, RecordBatch, Schema
    from pyarrow.parquet import ParquetFile, ParquetWriter

__all__ = ["ParquetCopy", "batch_chunk", "parquet_chunks"]

#: bytes, as a column has them before packing, and rows of a chunk
_BYTES, _ROWS = 8 << 20, 8_192


def parquet_chunks(
    opened: ParquetFile, groups: range, columns: Sequence[str], draw: Draw
) -> Iterator[Chunk]:
    """Yield the head and the records of some row groups that are drawn."""
    schema = opened.schema_arrow
    names = [name for name in schema.names if _is_wanted(name, columns)]
    if not names:
        raise Unmeasurable("it has none of the columns asked for")
    yield head_chunk(names, schema)
    row = sum(opened.metadata.row_group(g).num_rows for g in range(groups.start))
    total = sum(opened.metadata.row_group(g).num_rows for g in groups)
    chosen = draw.places(total)
    done = 0
    for group in groups:
        about = opened.metadata.row_group(group)
        size = max(1, about.total_byte_size // max(1, about.num_rows))
        batches = opened.iter_batches(
            batch_size=max(1, min(_ROWS, _BYTES // size)),
            row_groups=[group],
            columns=names if columns else None,
            use_threads=False,
        )
        for batch in batches:
            kept: RecordBatch = batch
            numbers: Sequence[int] = range(row + 1, row + batch.num_rows + 1)
            if not draw.takes_all:
                low, high = (bisect_left(chosen, n) for n in (done, done + batch.num_rows))
                inside = [n - done for n in chosen[low:high]]
                kept = batch.take(inside)
                numbers = [row + 1 + at for at in inside]
            done += batch.num_rows
            row += batch.num_rows
            if kept.num_rows:
                yield batch_chunk(kept, numbers, columns)


def head_chunk(names: Sequence[str], schema: Schema | None = None) -> Chunk:
    """Return the names of the columns, and of the fields inside them, as a record of number 0."""
    steps = [(step,) for step in steps_of(names)]
    cells = [Cell(at, name, len(name)) for at, name in zip(steps, names, strict=True)]
    for name in names if schema is not None else ():
        inner = _fields_inside(schema.field(name).type, (name,)) if schema is not None else ()
        cells += [Cell(at, str(at[-1]), len(str(at[-1]))) for at in inner]
    return Chunk([0], [text_of(cells)], lambda _: cells, head=True)


def _fields_inside(kind: Any, steps: Steps) -> Iterator[Steps]:
    for index in range(kind.num_fields):
        field = kind.field(index)
        at = (*steps, field.name)
        if hasattr(kind, "names"):  # a struct: what a list holds has no name of its own
            yield at
        yield from _fields_inside(field.type, at)


def batch_chunk(batch: RecordBatch, rows: Sequence[int], columns: Sequence[str] = ()) -> Chunk:
    """Return the records of an Arrow batch."""
    names = batch.schema.names
    steps = steps_of(names)
    values = [_values(column) for column in batch.columns]
    nested = [
        not name or _is_nested(column.type)
        for name, column in zip(names, batch.columns, strict=True)
    ]
    parts = [
        _nested_texts(some, name, (step,), columns) if deep else _flat_texts(some, name)
        for some, name, step, deep in zip(values, names, steps, nested, strict=True)
    ]
    texts = parts[0] if len(parts) == 1 else list(map(BETWEEN.join, zip(*parts, strict=True)))
    if any(nested):  # a cell that says nothing leaves no mark
        texts = [BETWEEN.join(filter(None, row)) for row in zip(*parts, strict=True)]

    def cells(at: int) -> list[Cell]:
        return [
            cell
            for some, name, step in zip(values, names, steps, strict=True)
            for cell in cells_of(some[at], name, (step,))
            if is_chosen(cell.steps, columns)
        ]

    return Chunk(rows, texts, cells, source=batch, names_once=True)


class ParquetCopy:
    """Writes the records to a file of the same schema, a row group for each that was read."""

    def __init__(self, sink: BinaryIO, opened: ParquetFile) -> None:
        from pyarrow import parquet

        codec = "snappy"
        if opened.metadata.num_row_groups and opened.metadata.num_columns:
            codec = opened.metadata.row_group(0).column(0).compression.lower()
        self._writer: ParquetWriter = parquet.ParquetWriter(
            sink, opened.schema_arrow, compression="none" if codec == "uncompressed" else codec
        )
        self.emptied = 0

    def write(self, chunk: Chunk, changes: Changes) -> None:
        """Write the records of a chunk, some of them changed."""
        if chunk.head:
            if changes:
                raise Unmeasurable("the name of a column holds personal data: rename the column")
            return
        batch: Any = chunk.source
        by_column: dict[str, dict[int, dict[Place, Change]]] = {}
        for at, some in changes.items():
            for (steps, in_name), change in some.items():
                column = by_column.setdefault(str(steps[0]), {}).setdefault(at, {})
                column[steps[1:], in_name] = change
        for index, step in enumerate(steps_of(batch.schema.names)):
            if step in by_column:
                changed = self._changed(batch.column(index), by_column[step])
                batch = batch.set_column(index, batch.schema.field(index), changed)
        self._writer.write_batch(batch)

    def close(self) -> None:
        """End the file."""
        self._writer.close()

    def _changed(self, column: Any, changes: dict[int, dict[Place, Change]]) -> Any:
        """Return a column with some of its values changed; what can't hold text is emptied."""
        import pyarrow as pa

        kind: DataType = column.type
        values = _values(column, exact=True)
        for at, some in changes.items():
            fitting = {
                (steps, False): change if _holds_text(kind, steps) else self._emptied
                for (steps, in_name), change in some.items()
                if not in_name  # names of a struct are the schema's
            }
            values[at] = rewritten(values[at], fitting)
        plain = kind.value_type if pa.types.is_dictionary(kind) else kind
        made = pa.array(values, type=plain)
        return made.dictionary_encode().cast(kind) if pa.types.is_dictionary(kind) else made

    def _emptied(self, _: object) -> object:
        self.emptied += 1
        return None


def _is_wanted(name: str, columns: Sequence[str]) -> bool:
    return not columns or any(
        c == name or c.startswith(f"{name}.") or name.startswith(f"{c}.") for c in columns
    )


def _is_nested(kind: DataType) -> bool:
    from pyarrow import types

    return bool(types.is_nested(kind))


def _values(column: Any, *, exact: bool = False) -> list[Any]:
    """Return the values of a column as Python has them; a time as text, unless it is written back."""
    from pyarrow import string, types

    if types.is_timestamp(column.type) and not exact:
        texts: list[Any] = column.cast(string()).to_pylist()
        return texts
    values: list[Any] = column.to_pylist()
    return values


def _flat_texts(values: list[Any], name: str) -> list[str]:
    before = f"{name}: "
    return [
        name
        if value is None
        else before + (value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value))
        for value in values
    ]


def _nested_texts(values: list[Any], name: str, steps: Steps, columns: Sequence[str]) -> list[str]:
    return [
        text_of(c for c in cells_of(value, name, steps) if is_chosen(c.steps, columns))
        for value in values
    ]


def _holds_text(kind: DataType, steps: Steps) -> bool:
    """Tell whether the value at some steps of a column is text."""
    from pyarrow import types

    leaf = _leaf(kind, steps)
    return leaf is not None and bool(
        types.is_string(leaf) or types.is_large_string(leaf) or types.is_string_view(leaf)
    )


def _leaf(kind: Any, steps: Steps) -> Any:
    from pyarrow import types

    for step in steps:
        if isinstance(kind, tuple):
            kind = kind[int(step)]
        elif types.is_struct(kind):
            index = kind.get_field_index(str(step))
            if index < 0:
                return None
            kind = kind.field(index).type
        elif types.is_map(kind):
            kind = (kind.key_type, kind.item_type)
        elif hasattr(kind, "value_type"):
            kind = kind.value_type
        else:
            return None
    if isinstance(kind, tuple):
        return None
    return kind.value_type if types.is_dictionary(kind) else kind
