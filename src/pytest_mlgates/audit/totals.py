"""What a whole scan found: the reports of all partitions added up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from pytest_mlgates.audit.findings import reports_of
from pytest_mlgates.audit.folder import OutFolder
from pytest_mlgates.audit.partitions import Partition
from pytest_mlgates.audit.report import StretchReport, most_counted

__all__ = ["ScanTotals", "examples", "totals_of"]

#: files and columns that a summary lists, and examples of each sort
_LISTED, _EXAMPLES = 100, 20


@dataclass(slots=True)
class ScanTotals:
    """Counts of a whole scan; ``unread`` has a line for each file that was not read to its end."""

    files: int = 0
    size: int = 0
    records: int = 0
    held: int = 0
    blank: int = 0
    dirty: int = 0
    hits: int = 0
    emptied: int = 0
    unconfirmed: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    unconfirmed_kinds: Counter[str] = field(default_factory=Counter)
    columns: Counter[str] = field(default_factory=Counter)
    dirty_files: Counter[str] = field(default_factory=Counter)
    doubtful: Counter[str] = field(default_factory=Counter)
    unread: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    #: of each stretch that was drawn from: how many records are there, and how many were drawn
    drawn: list[tuple[int, int]] = field(default_factory=list)

    def add(self, report: StretchReport) -> None:
        """Add what was read of a stretch."""
        for name in ("size", "records", "held", "blank", "dirty", "hits", "emptied"):
            setattr(self, name, getattr(self, name) + getattr(report, name))
        for (column, entity, sure), count in report.counts.items():
            if sure:
                self.kinds[entity] += count
                self.columns[column or "(text)"] += count
            else:
                self.unconfirmed += count
                self.unconfirmed_kinds[entity] += count
        if report.hits:
            self.dirty_files[report.file] += report.hits
        self.doubtful.update(report.doubtful)
        if report.error:
            self.unread.append(f"{report.file}: {report.error}")
        self.notes += [f"{report.file}: {note}" for note in report.notes]
        if report.draw >= 0:
            self.drawn.append((report.held, report.records))

    def to_json(self) -> dict[str, Any]:
        """Return what a summary holds; long lists are cut, and the counts say by how much."""
        return {
            "files": self.files,
            "bytes": self.size,
            "records": self.records,
            "records_there": self.held,
            "blank": self.blank,
            "dirty_records": self.dirty,
            "confirmed": self.hits,
            "unconfirmed": self.unconfirmed,
            "emptied_in_copy": self.emptied,
            "by_entity": dict(sorted(self.kinds.items())),
            "unconfirmed_by_entity": dict(sorted(self.unconfirmed_kinds.items())),
            "by_column": dict(most_counted(self.columns, _LISTED)),
            "columns": len(self.columns),
            "by_file": dict(most_counted(self.dirty_files, _LISTED)),
            "dirty_files": len(self.dirty_files),
            "doubtful_records": dict(sorted(self.doubtful.items())),
            "unread_files": len(self.unread),
            "unread": self.unread,
            "notes": self.notes[:_LISTED],
        }


def totals_of(folder: OutFolder, partitions: Sequence[Partition]) -> ScanTotals:
    """Return the sums over all partitions, in their order."""
    totals = ScanTotals()
    names: set[str] = set()
    with ThreadPoolExecutor(8) as pool:
        every = pool.map(lambda one: reports_of(folder.address.joined(one.file_name)), partitions)
        for reports in every:
            for report in reports:
                totals.add(report)
                names.add(report.file)
    totals.files = len(names)
    return totals


def examples(folder: OutFolder, partitions: Iterable[Partition], *, sure: bool) -> list[str]:
    """Return some findings in words, masked, the first of the data set in its order."""
    from pyarrow import parquet

    lines: list[str] = []
    for one in partitions:
        place = folder.address.joined(one.file_name)
        with place.filesystem.open_input_file(place.path) as source:
            opened = parquet.ParquetFile(source)
            for batch in opened.iter_batches(1_000):
                lines += [_line(row) for row in batch.to_pylist() if row["confirmed"] == sure]
                if len(lines) >= _EXAMPLES:
                    return lines[:_EXAMPLES]
    return lines


def _line(row: dict[str, Any]) -> str:
    where = f"{row['file']}:{row['row']}" + (f" {row['column']}" if row["column"] else "")
    return (
        f'{row["entity"]} "{row["masked"]}" (digest {row["digest"][:8]})'
        f" at offset {row['start']} of {where}"
    )
