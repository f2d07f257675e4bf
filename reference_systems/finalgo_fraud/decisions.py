"""The log of decisions: what a label, days later, is joined to.

A ring in a mapped file, 64 bytes a decision, written before the answer leaves: a scorer that is
killed loses none that it gave. Each scorer has a ring of its own; readers look in all of them.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np

from reference_systems.finalgo_fraud.profile import COLUMNS, PLACES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["DecisionLog", "find", "recent", "short"]

_RECORD = np.dtype([("key", "S32"), ("places", "<u2", COLUMNS), ("time", "<f8")])
_HEAD = 4096
_MAGIC = b"finalgo-decisions-1\n"
_MOST_RINGS = 64


def short(key: bytes) -> bytes:
    """Return an id's JSON where it has at most 32 bytes, and a digest otherwise."""
    if len(key) <= 32:
        return key
    return b"~" + hashlib.blake2b(key, digest_size=15).hexdigest().encode()


class DecisionLog:
    """Keeps the last ``capacity`` decisions of this process in the first ring that is free."""

    def __init__(self, folder: Path, capacity: int = 1 << 22) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = _first_free(folder)
        size = _HEAD + capacity * _RECORD.itemsize
        held = self._file.read(len(_MAGIC))
        if held != _MAGIC or os.fstat(self._file.fileno()).st_size != size:
            os.ftruncate(self._file.fileno(), 0)
            os.ftruncate(self._file.fileno(), size)
            os.pwrite(self._file.fileno(), _MAGIC, 0)
        self._cursor = np.memmap(self._file, "<u8", "r+", offset=64, shape=(1,))
        self._ring = np.memmap(self._file, _RECORD, "r+", offset=_HEAD, shape=(capacity,))
        self.capacity = capacity

    def add(
        self, keys: Sequence[bytes], places: NDArray[np.uint16], times: NDArray[np.float64]
    ) -> None:
        """Append decisions; they outlive this process once this returns."""
        records = np.empty(len(keys), _RECORD)
        records["key"] = [key if len(key) <= 32 else short(key) for key in keys]
        records["places"], records["time"] = places, times
        records = records[-self.capacity :]
        start = int(self._cursor[0]) % self.capacity
        head = min(len(records), self.capacity - start)
        self._ring[start : start + head] = records[:head]
        if head < len(records):
            self._ring[: len(records) - head] = records[head:]
        self._cursor[0] += len(records)

    def close(self) -> None:
        """Let go of the ring."""
        del self._cursor, self._ring
        self._file.close()


def _first_free(folder: Path) -> IO[bytes]:
    for number in range(_MOST_RINGS):
        handle = os.open(folder / f"{number}.ring", os.O_RDWR | os.O_CREAT, 0o600)
        file = os.fdopen(handle, "r+b", buffering=0)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            continue
        return file
    raise RuntimeError(f"{_MOST_RINGS} scorers use {folder} already: name another --state")


def _rings(folder: Path) -> list[tuple[NDArray[np.void], int]]:
    """Return each ring with the number of decisions ever written to it."""
    rings = []
    for path in sorted(folder.glob("*.ring")):
        with path.open("rb") as file:
            head = file.read(_HEAD)
        count = (path.stat().st_size - _HEAD) // _RECORD.itemsize
        if not head.startswith(_MAGIC) or len(head) < _HEAD or count < 1:
            continue
        written = int.from_bytes(head[64:72], "little")
        ring = np.memmap(path, _RECORD, "r", offset=_HEAD, shape=(count,))
        rings.append((ring, written))
    return rings


def find(folder: Path, keys: Sequence[bytes]) -> dict[bytes, NDArray[np.uint16]]:
    """Return the places of those ids that a scorer decided on; the latest decision counts."""
    wanted = {short(key): key for key in keys}
    names = np.array(list(wanted), "S32")
    found: dict[bytes, tuple[float, NDArray[np.uint16]]] = {}
    for ring, written in _rings(folder):
        held = ring[: min(written, len(ring))]
        for row in np.flatnonzero(np.isin(held["key"], names)).tolist():
            record = held[row]
            if not (record["places"] < PLACES).all():
                continue
            key, age = wanted[bytes(record["key"])], (row - written) % len(ring)
            if key not in found or age >= found[key][0]:
                found[key] = (age, record["places"].copy())
    return {key: places for key, (_, places) in found.items()}


def recent(folder: Path, most: int) -> tuple[list[bytes], NDArray[np.uint16]]:
    """Return the ids and places of up to ``most`` of the latest decisions of each ring."""
    keys: list[bytes] = []
    places = [np.empty((0, COLUMNS), np.uint16)]
    for ring, written in _rings(folder):
        last = np.arange(max(0, written - min(most, len(ring))), written) % len(ring)
        held = ring[last]
        held = held[(held["places"] < PLACES).all(axis=1)]
        keys += held["key"].tolist()
        places.append(held["places"])
    return keys, np.concatenate(places)
