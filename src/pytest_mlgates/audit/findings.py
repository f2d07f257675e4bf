"""The findings of a partition as a Parquet file: where, what kind, how sure; never the value.

Columns: ``file``, ``row`` (of a table and of JSON the record's number from 1, of a text the line it
starts at; 0 is the names of the columns), ``column`` (dotted, with indices), ``in_name`` (the find
stands in a name, not in a value), ``start`` and ``end`` in characters of the value, ``entity``,
``score``, ``confirmed``, ``digest`` (keyed: the same value gives the same one) and ``masked``.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pytest_mlgates.audit.cells import Found
from pytest_mlgates.audit.report import StretchReport
from pytest_mlgates.audit.storage import Address
from pytest_mlgates.pii.mask import Masker, shape_shown
from pytest_mlgates.pii.scrub import scrub
from pytest_mlgates.pii.spans import Span

if TYPE_CHECKING:
    from pyarrow import RecordBatch, Schema

__all__ = [
    "COLUMNS",
    "FindingRows",
    "FindingsFile",
    "findings_schema",
    "reports_of",
    "sorted_findings",
]

#: digits of a digest: two values of 10^8 are told apart
_DIGITS = 24
#: findings held at a time, and longest path of a column that is kept
_FLUSH, _MAX_PATH = 50_000, 300
_REPORT = b"mlgates.reports"
COLUMNS = (
    "file",
    "row",
    "column",
    "in_name",
    "start",
    "end",
    "entity",
    "score",
    "confirmed",
    "digest",
    "masked",
)


class FindingRows:
    """Gathers findings, in which nothing identifies a person."""

    def __init__(self, key: bytes, min_confidence: float) -> None:
        self._masker, self._least = Masker(key), min_confidence
        self._paths: dict[str, str] = {}
        self._columns: list[list[object]] = [[] for _ in COLUMNS]

    def __len__(self) -> int:
        return len(self._columns[0])

    def column(self, found: Found) -> str:
        """Return the path of a cell, in which nothing identifies a person."""
        path = found.cell.path
        if path not in self._paths:
            if len(self._paths) >= _FLUSH:
                self._paths.clear()
            self._paths[path] = scrub(path)[:_MAX_PATH]
        return self._paths[path]

    def is_sure(self, span: Span) -> bool:
        """Tell whether a span counts as confirmed."""
        return span.confirmed and span.score >= self._least

    def add(self, file: str, row: int, found: Found, moved: int = 0) -> None:
        """Add a find; ``moved`` is how far the part of a long record it was found in lies."""
        from pytest_mlgates.pii.normalise import fold

        span, value = found.span, found.value
        line = (
            file,
            row,
            self.column(found),
            found.in_name,
            found.start + moved,
            found.end + moved,
            span.entity,
            span.score,
            self.is_sure(span),
            self._masker.digest(fold(value), _DIGITS),
            shape_shown(value),
        )
        for column, cell in zip(self._columns, line, strict=True):
            column.append(cell)

    def taken(self) -> RecordBatch:
        """Return what was gathered, and gather anew."""
        import pyarrow as pa

        schema = findings_schema()
        arrays = [
            pa.array(cells, type=field.type)
            for cells, field in zip(self._columns, schema, strict=True)
        ]
        self._columns = [[] for _ in COLUMNS]
        return pa.RecordBatch.from_arrays(arrays, schema=schema)


class FindingsFile(FindingRows):
    """The findings of one partition, written in one step with what was read."""

    def __init__(self, key: bytes, min_confidence: float) -> None:
        import pyarrow as pa
        from pyarrow import parquet

        super().__init__(key, min_confidence)
        self._sink = pa.BufferOutputStream()
        self._writer = parquet.ParquetWriter(
            self._sink,
            findings_schema(),
            compression="zstd",
            write_statistics=["file", "entity"],
        )

    def add(self, file: str, row: int, found: Found, moved: int = 0) -> None:
        """Add a find; many are packed at once."""
        super().add(file, row, found, moved)
        if len(self) >= _FLUSH:
            self._writer.write_batch(self.taken())

    def write(self, to: Address, reports: list[StretchReport]) -> None:
        """Write the file; it is there as a whole or not at all."""
        if len(self):
            self._writer.write_batch(self.taken())
        text = json.dumps([report.to_json() for report in reports], separators=(",", ":"))
        self._writer.add_key_value_metadata({_REPORT: text.encode()})
        self._writer.close()
        to.write(self._sink.getvalue().to_pybytes())


def reports_of(address: Address) -> list[StretchReport]:
    """Return what a file of findings says was read."""
    from pyarrow import parquet

    with address.filesystem.open_input_file(address.path) as source:
        metadata = parquet.ParquetFile(source).metadata.metadata
    return [StretchReport.from_json(row) for row in json.loads(metadata[_REPORT])]


def sorted_findings(folder: Address) -> list[dict[str, object]]:
    """Return all findings below an output folder in one order, for small scans and for tests."""
    from pyarrow import dataset

    found = dataset.dataset(folder.path, filesystem=folder.filesystem, format="parquet")
    keys = [(name, "ascending") for name in ("file", "row", "column", "in_name", "start", "entity")]
    rows: list[dict[str, object]] = found.to_table().sort_by(keys).to_pylist()
    return rows


def findings_schema() -> Schema:
    """Return the columns of the findings."""
    import pyarrow as pa

    kinds = {
        "row": pa.int64(),
        "in_name": pa.bool_(),
        "start": pa.int64(),
        "end": pa.int64(),
        "score": pa.float64(),
        "confirmed": pa.bool_(),
    }
    return pa.schema(
        [pa.field(name, kinds.get(name, pa.string()), nullable=False) for name in COLUMNS]
    )
