"""Confirmed labels, on the disk before anyone is told that they arrived.

SQLite with full synchronisation: a label that was answered survives a kill of any process. Ids
are unique here, so a label that comes twice is one label.
"""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import orjson

from reference_systems.finalgo_fraud.profile import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["Label", "Outbox", "database"]

_TABLE = """
create table if not exists label (
    place integer primary key,
    key blob not null,
    version integer not null,
    fraud integer not null,
    places blob not null,
    at real not null,
    published integer not null default 0,
    unique (key, version)
)
"""


@dataclass(frozen=True, eq=False)
class Label:
    """What became of a transaction: ``key`` is its id as JSON, ``places`` what was scored.

    A label that corrects an earlier one of the same id has the next ``version``.
    """

    key: bytes
    fraud: bool
    places: NDArray[np.uint16]
    at: float
    version: int = 1

    def to_bytes(self) -> bytes:
        """Return it as one message."""
        told = {"id": orjson.Fragment(self.key), "fraud": self.fraud, "at": self.at}
        told["version"] = self.version
        return orjson.dumps({**told, "places": self.places.tolist()})

    @classmethod
    def from_bytes(cls, data: bytes) -> Label:
        """Return the label of a message; ValueError where it is none."""
        from reference_systems.finalgo_fraud.state import check_rows

        try:
            found = orjson.loads(data)
            key, fraud, at = orjson.dumps(found["id"]), found["fraud"], float(found["at"])
            places = np.array(found["places"], np.uint16)
            version = int(found["version"])
            check_rows(places.reshape(1, -1))
        except (KeyError, TypeError, OverflowError) as error:
            raise ValueError(f"the message is no label: {error!r}") from None
        if type(fraud) is not bool:
            raise ValueError("the message's fraud is neither true nor false")
        return cls(key, fraud, places, at, version)


@contextlib.contextmanager
def database(path: Path, tables: str) -> Iterator[sqlite3.Connection]:
    """Open a database in which what was committed stays."""
    with contextlib.closing(sqlite3.connect(path, timeout=30, isolation_level=None)) as found:
        found.execute("pragma journal_mode = wal")
        found.execute("pragma synchronous = full")
        found.executescript(tables)
        yield found


class Outbox:
    """Labels on their way to the stream."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._database = connection

    @classmethod
    @contextlib.contextmanager
    def opened(cls, path: Path) -> Iterator[Outbox]:
        """Open the outbox; several processes may."""
        with database(path, _TABLE) as found:
            yield cls(found)

    def record(self, labels: Sequence[Label]) -> None:
        """Keep labels; on the disk when this returns. One with a known id and version is dropped."""
        self._database.execute("begin immediate")
        try:
            self._database.executemany(
                "insert or ignore into label (key, version, fraud, places, at) "
                "values (?, ?, ?, ?, ?)",
                [(one.key, one.version, one.fraud, one.places.tobytes(), one.at) for one in labels],
            )
        except BaseException:
            self._database.execute("rollback")
            raise
        self._database.execute("commit")

    def known(self, keys: Sequence[bytes]) -> dict[bytes, Label]:
        """Return the latest label of those ids that have one."""
        found = {}
        for key in keys:
            for row in self._database.execute(
                "select key, fraud, places, at, version from label where key = ? "
                "order by version desc limit 1", (key,),
            ):  # fmt: skip
                found[key] = _label(*row)
        return found

    def unpublished(self, most: int) -> list[tuple[int, Label]]:
        """Return the oldest labels that the stream has not acknowledged, with their place."""
        rows = self._database.execute(
            "select place, key, fraud, places, at, version from label where not published "
            "order by place limit ?", (most,)
        )  # fmt: skip
        return [(place, _label(*rest)) for place, *rest in rows]

    def acknowledged(self, places: Sequence[int]) -> None:
        """Note that the stream has these; noted late or never, they are published again."""
        self._database.execute("begin immediate")
        self._database.executemany(
            "update label set published = 1 where place = ?", [(place,) for place in places]
        )
        self._database.execute("commit")

    def forget_acknowledgements(self) -> None:
        """Publish all again: the stream that had them kept them in memory only."""
        self._database.execute("update label set published = 0")

    def count(self) -> int:
        """Return how many labels were ever recorded."""
        ((count,),) = self._database.execute("select count(*) from label")
        return int(count)


def _label(key: bytes, fraud: int, places: bytes, at: float, version: int) -> Label:
    return Label(key, bool(fraud), np.frombuffer(places, np.uint16, COLUMNS), at, version)
