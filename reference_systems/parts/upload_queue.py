"""Clips (any bytes) that wait for a network: a durable queue in one SQLite file.

A clip is *queued*, then *sending*, then *sent*; each change is one transaction, on disk before the
next thing happens (WAL, synchronous=FULL). Whoever finds a clip in *sending*, after a kill or a
lost connection, can't know whether it arrived, so the receiver is asked before anything is sent
again. The receiver keeps each clip once, whatever is asked of it.

Standard library only: this is what runs on the device.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

__all__ = ["Budget", "Busy", "Lost", "QueueFull", "Uplink", "UploadQueue", "clip_id"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS clips (
    id TEXT PRIMARY KEY, size INTEGER NOT NULL, score REAL NOT NULL, queued_at REAL NOT NULL,
    state TEXT NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'sending', 'sent')),
    tries INTEGER NOT NULL DEFAULT 0, due REAL NOT NULL, receipt TEXT, payload BLOB,
    CHECK ((state = 'sent') = (receipt IS NOT NULL AND payload IS NULL))
) STRICT;
CREATE INDEX IF NOT EXISTS waiting ON clips (state, score DESC, queued_at);
CREATE TABLE IF NOT EXISTS spent (period INTEGER PRIMARY KEY, bytes INTEGER NOT NULL) STRICT;
"""


class Lost(ConnectionError):
    """The network went away; ``sent_bytes`` of the clip had gone out by then."""

    def __init__(self, message: str = "no network", sent_bytes: int = 0) -> None:
        super().__init__(message)
        self.sent_bytes = sent_bytes


class QueueFull(OSError):
    """The disk space for waiting clips is used up; nothing that waits is thrown away for it."""


class Busy(RuntimeError):
    """Another process sends from this queue."""


class Uplink(Protocol):
    """What takes clips; both calls raise :class:`Lost` where there is no network."""

    def receipt(self, clip: str) -> str | None:
        """Return the receipt of a clip that arrived earlier, or None."""

    def put(self, clip: str, payload: bytes) -> str:
        """Hand over a clip and return its receipt; a clip that is there already stays as it is."""


@dataclass(frozen=True, slots=True)
class Budget:
    """Bytes that may go out in each period (a day), and how long to wait after a lost network."""

    bytes_per_period: int
    period_s: float = 86_400.0
    first_wait_s: float = 5.0
    longest_wait_s: float = 600.0
    disk_bytes: int = 64 * 2**30

    def wait(self, tries: int) -> float:
        """Return the seconds to wait after so many tries.

        >>> [Budget(1).wait(tries) for tries in (1, 2, 3, 99)]
        [5.0, 10.0, 20.0, 600.0]
        """
        return min(self.first_wait_s * 2.0 ** min(tries - 1, 30), self.longest_wait_s)


def clip_id(payload: bytes) -> str:
    """Return the name of a clip: the SHA-256 of its bytes, in hex."""
    return hashlib.sha256(payload).hexdigest()


class UploadQueue:
    """Clips on disk, the most telling first; safe to kill at any point.

    >>> import tempfile
    >>> class Depot(dict):
    ...     receipt = dict.get
    ...     def put(self, clip, payload):
    ...         return self.setdefault(clip, f"got {len(payload)} bytes")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     queue = UploadQueue(Path(folder, "clips.db"), Budget(bytes_per_period=1000))
    ...     added = [queue.add(b"left turn", score=3.0, now=0.0) for _ in range(2)]
    ...     sent = queue.upload(Depot(), now=1.0)
    ...     queue.close()
    >>> added, len(sent)
    ([True, False], 1)
    """

    def __init__(self, path: Path, budget: Budget) -> None:
        self.path, self.budget = path, budget
        self._lock_path = path.with_name(path.name + "-uploader")
        self._db = sqlite3.connect(path, isolation_level=None, timeout=30)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def add(self, payload: bytes, *, score: float, now: float) -> bool:
        """Keep a clip until it has arrived; return False where it was added before.

        Raises :class:`QueueFull` where the waiting clips would take more than their disk space.
        """
        with self._transaction():
            clip = clip_id(payload)
            if self._db.execute("SELECT 1 FROM clips WHERE id = ?", (clip,)).fetchone():
                return False
            held = self.waiting_bytes()
            if held + len(payload) > self.budget.disk_bytes:
                raise QueueFull(f"{held} bytes wait already, {self.budget.disk_bytes} have room")
            self._db.execute(
                "INSERT INTO clips (id, size, score, queued_at, due, payload)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (clip, len(payload), score, now, now, payload),
            )
        return True

    def upload(self, uplink: Uplink, now: float) -> list[str]:
        """Send what is due, until the network is lost or the budget is used; return what arrived.

        Raises :class:`Busy` where another process sends from this queue.
        """
        arrived: list[str] = []
        with self._alone():
            try:
                for clip in self._due("sending", now):
                    self._settle(uplink, clip, now, arrived)
                while (clip := next(self._due("queued", now), None)) and self._fits(clip, now):
                    self._send(uplink, clip, now, arrived)
            except Lost:
                pass  # noted where it happened
        return arrived

    def states(self) -> Counter[str]:
        """Return how many clips are in each state."""
        rows = self._db.execute("SELECT state, count(*) FROM clips GROUP BY state")
        return Counter(dict(rows.fetchall()))

    def receipts(self) -> dict[str, str]:
        """Return the receipt of each clip that arrived."""
        rows = self._db.execute("SELECT id, receipt FROM clips WHERE state = 'sent'")
        return dict(rows.fetchall())

    def waiting_bytes(self) -> int:
        """Return the bytes of the clips that have not arrived."""
        query = "SELECT coalesce(sum(size), 0) FROM clips WHERE state != 'sent'"
        return int(self._db.execute(query).fetchone()[0])

    def spent_bytes(self, now: float) -> int:
        """Return the bytes that went out in the period of ``now``, lost ones included."""
        query = "SELECT coalesce(sum(bytes), 0) FROM spent WHERE period = ?"
        return int(self._db.execute(query, (self._period(now),)).fetchone()[0])

    def _due(self, state: str, now: float) -> Iterator[str]:
        rows = self._db.execute(
            "SELECT id FROM clips WHERE state = ? AND due <= ? ORDER BY score DESC, queued_at, id",
            (state, now),
        )
        return iter([row[0] for row in rows.fetchall()])

    def _size(self, clip: str) -> int:
        return int(self._db.execute("SELECT size FROM clips WHERE id = ?", (clip,)).fetchone()[0])

    def _fits(self, clip: str, now: float) -> bool:
        return self.spent_bytes(now) + self._size(clip) <= self.budget.bytes_per_period

    def _settle(self, uplink: Uplink, clip: str, now: float, arrived: list[str]) -> None:
        """Ask what became of a clip that may have arrived."""
        try:
            receipt = uplink.receipt(clip)
        except Lost:
            self._postpone(clip, now, unsent=0)
            raise
        if receipt is not None:
            self._arrived(clip, receipt, arrived)
        else:
            self._db.execute("UPDATE clips SET state = 'queued' WHERE id = ?", (clip,))

    def _send(self, uplink: Uplink, clip: str, now: float, arrived: list[str]) -> None:
        with self._transaction():  # counted before it goes out: a kill can't hide bytes
            self._db.execute(
                "UPDATE clips SET state = 'sending', tries = tries + 1 WHERE id = ?", (clip,)
            )
            self._spend(self._size(clip), now)
        (payload,) = self._db.execute("SELECT payload FROM clips WHERE id = ?", (clip,)).fetchone()
        try:
            receipt = uplink.put(clip, payload)
        except Lost as lost:
            self._postpone(clip, now, unsent=len(payload) - lost.sent_bytes)
            raise
        self._arrived(clip, receipt, arrived)

    def _arrived(self, clip: str, receipt: str, arrived: list[str]) -> None:
        self._db.execute(
            "UPDATE clips SET state = 'sent', receipt = ?, payload = NULL WHERE id = ?",
            (receipt, clip),
        )
        arrived.append(clip)

    def _postpone(self, clip: str, now: float, unsent: int) -> None:
        """Leave a clip in *sending*, to be asked about later; what did not go out is not spent."""
        with self._transaction():
            row = self._db.execute("SELECT tries FROM clips WHERE id = ?", (clip,)).fetchone()
            due = now + self.budget.wait(row[0])
            self._db.execute("UPDATE clips SET due = ? WHERE id = ?", (due, clip))
            self._spend(-unsent, now)

    def _spend(self, count: int, now: float) -> None:
        self._db.execute(
            "INSERT INTO spent VALUES (?, ?) ON CONFLICT DO UPDATE SET bytes = bytes + ?",
            (self._period(now), count, count),
        )

    def _period(self, now: float) -> int:
        return int(now // self.budget.period_s)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold a lock that the system lets go of when the process dies."""
        with closing(sqlite3.connect(self._lock_path, isolation_level=None, timeout=0)) as lock:
            try:
                lock.execute("BEGIN EXCLUSIVE")
            except sqlite3.OperationalError as error:
                raise Busy("another process sends from this queue") from error
            yield
            lock.execute("ROLLBACK")
