"""The unit of work: a stretch of one large file, or a few small files together.

A partition is done as a whole or not at all, and the same partition gives the same findings
wherever and however often it is done: nothing is counted twice.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

from pytest_mlgates.audit.listing import DataFile
from pytest_mlgates.audit.storage import Address

__all__ = ["MAX_BYTES", "Partition", "Stretch", "cut", "with_draws"]

#: bytes of a partition; a file that can't be cut may have more
MAX_BYTES = 128 << 20
#: files of a partition
_MAX_FILES = 2_000


@dataclass(frozen=True, slots=True)
class Stretch:
    """A file, or the row groups ``first`` to ``stop`` of a Parquet file (0, 0: all of them).

    ``draw`` is how many records are drawn from it at random; -1 is all.
    """

    url: str
    name: str
    size: int
    stamp: str
    first: int = 0
    stop: int = 0
    draw: int = -1


@dataclass(frozen=True, slots=True)
class Partition:
    """Stretches that are scanned together, under a number that tells the file of their findings."""

    number: int
    stretches: tuple[Stretch, ...]

    @property
    def size(self) -> int:
        """Bytes to be read."""
        return sum(stretch.size for stretch in self.stretches)

    @property
    def file_name(self) -> str:
        """Where its findings stand below the output folder."""
        return f"findings/part-{self.number:07}.parquet"

    def to_json(self) -> str:
        """Return it as a line."""
        return json.dumps([self.number, [list(asdict(s).values()) for s in self.stretches]])

    @classmethod
    def from_json(cls, line: str) -> Partition:
        """Return the partition of a line.

        >>> one = Partition(3, (Stretch("/a.csv", "a.csv", 10, "10-5"),))
        >>> Partition.from_json(one.to_json()) == one
        True
        """
        number, stretches = json.loads(line)
        return cls(int(number), tuple(Stretch(*values) for values in stretches))


def cut(
    files: Iterable[DataFile], *, whole: bool = False, most: int = MAX_BYTES
) -> list[Partition]:
    """Return the partitions of all files; with ``whole`` no file is cut, as a copy of it wants.

    A Parquet file of more than ``most`` bytes is cut between row groups; its footer is read for
    that. One whose footer can't be read is a partition of its own, and is told of when it is read.
    """
    partitions: list[list[Stretch]] = []
    small: list[Stretch] = []
    for file in files:
        one = Stretch(file.url, file.name, file.size, file.stamp)
        if file.size > most // 2:
            pieces = [one] if whole else _pieces(one, most)
            partitions += [[piece] for piece in pieces]
            continue
        small.append(one)
        if sum(s.size for s in small) > most // 2 or len(small) >= _MAX_FILES:
            partitions.append(small)
            small = []
    if small:
        partitions.append(small)
    return [Partition(number, tuple(some)) for number, some in enumerate(partitions)]


def with_draws(partitions: Iterable[Partition], records: int) -> list[Partition]:
    """Return the partitions with ``records`` spread over all of them, each stretch by its bytes.

    Every stretch gets its share rounded up: at least one record of each file is looked at.
    """
    every = list(partitions)
    total = sum(partition.size for partition in every) or 1
    return [
        Partition(
            partition.number,
            tuple(
                replace(s, draw=max(1, math.ceil(records * s.size / total)))
                for s in partition.stretches
            ),
        )
        for partition in every
    ]


def _pieces(one: Stretch, most: int) -> list[Stretch]:
    if not one.url.lower().endswith((".parquet", ".parq", ".pq")):
        return [one]
    from pyarrow import ArrowException, parquet

    address = Address.of(one.url)
    try:
        with address.filesystem.open_input_file(address.path) as source:
            sizes = _packed_sizes(parquet.ParquetFile(source).metadata)
    except (ArrowException, OSError):
        return [one]
    pieces, first, size = [], 0, 0
    for group, more in enumerate(sizes):
        if size and size + more > most:
            pieces.append(replace(one, first=first, stop=group, size=size))
            first, size = group, 0
        size += more
    return [*pieces, replace(one, first=first, stop=len(sizes), size=size)] if sizes else [one]


def _packed_sizes(metadata: Any) -> list[int]:
    return [
        sum(
            metadata.row_group(g).column(c).total_compressed_size
            for c in range(metadata.num_columns)
        )
        for g in range(metadata.num_row_groups)
    ]
