"""Evidence kept for good: content-addressed, append-only, chained from run to run.

``objects/<aa>/<sha256>`` holds every file of every report, and every piece of evidence as canonical
JSON under its own digest. ``chain.jsonl`` has one line a run: its number, the SHA-256 of the line
before, the time, and the digests of its files. A run that is removed, moved, inserted or edited
breaks the links after it. What the chain alone can't show is that its *last* runs are gone, or that
all of it was written anew: for that a signed report names its number and the line before it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from pytest_mlgates.core.canonical import canonical, parse
from pytest_mlgates.core.errors import UsageError
from pytest_mlgates.core.files import put
from pytest_mlgates.core.plain import FileFault, open_plain, read_plain

__all__ = ["FIRST", "Link", "Run", "Store", "StoreFault", "is_digest"]

CHAIN = "chain.jsonl"
#: what the first run names as the line before it
FIRST = "0" * 64

MAX_CHAIN = 1 << 30

_KEYS = {"sequence", "previous", "time", "outcome", "files"}


class StoreFault(UsageError):
    """A store can't be used, or is not what it was; the text says where."""


@dataclasses.dataclass(frozen=True, slots=True)
class Link:
    """The place of a run in the chain: its number, from 1, and the digest of the line before."""

    sequence: int
    previous: str

    def to_dict(self) -> dict[str, Any]:
        """Return the link as a signed report holds it."""
        return dataclasses.asdict(self)


@dataclasses.dataclass(frozen=True, slots=True)
class Run:
    """A line of the chain; ``digest`` is what the next line names."""

    link: Link
    time: str
    outcome: str
    files: Mapping[str, str]
    digest: str = ""

    @classmethod
    def read(cls, line: bytes) -> Run:
        """Read a line without its end, or raise :class:`StoreFault`."""
        try:
            data = parse(line)
            if set(data) != _KEYS or canonical(data) != line:
                raise ValueError("not canonical JSON")
            texts = [data["time"], data["outcome"]]
            digests = [data["previous"], *data["files"].values()]
            if not all(isinstance(text, str) for text in texts) or not all(map(is_digest, digests)):
                raise TypeError("not a text, or not a digest")
            link = Link(data["sequence"], data["previous"])
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise StoreFault("is not a line of a chain") from None
        digest = hashlib.sha256(line).hexdigest()
        return cls(link, data["time"], data["outcome"], data["files"], digest)

    def line(self) -> bytes:
        """Return the line, with its end."""
        plain = {
            "sequence": self.link.sequence,
            "previous": self.link.previous,
            "time": self.time,
            "outcome": self.outcome,
            "files": dict(self.files),
        }
        return canonical(plain) + b"\n"


class Store:
    """A folder of runs. Nothing in it is written twice; a lock keeps writers apart.

    >>> import tempfile
    >>> store = Store(Path(tempfile.mkdtemp()))
    >>> with store.locked():
    ...     files = {"report.json": store.put(b"{}")}
    ...     store.append(Run(store.next(), "2026-12-31T00:00:00+00:00", "pass", files))
    >>> [run.link.sequence for run in store.runs()]
    [1]
    >>> store.next().sequence
    2
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.chain = folder / CHAIN

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep every other writer out, on this machine and on file systems that share locks."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("ab") as file:
            _lock(file)
            yield  # closing the file ends the lock

    def next(self) -> Link:
        """Return the place of the run to come; take the lock first.

        Half a line at the end is a run whose recording was cut off. Where only its end is missing
        it is whole and gets one; else it is dropped: no digest of it was ever given out.
        """
        lines, rest = self._lines()
        if rest:
            with contextlib.suppress(StoreFault):
                run = Run.read(rest)
                if run.link == _after(lines):
                    self._write(b"\n")
                    lines, rest = self._lines()
            if rest:
                self._cut(len(rest))
        return _after(lines)

    def put(self, data: bytes) -> str:
        """Keep some bytes under their SHA-256 and return it; what is there is never replaced."""
        digest = hashlib.sha256(data).hexdigest()
        path = self.object(digest)
        try:
            with open_plain(path) as file:
                same = file.read(len(data) + 1) == data
        except FileNotFoundError:
            path.parent.mkdir(parents=True, exist_ok=True)
            put(path, data, 0o444)
            return digest
        except (FileFault, OSError) as fault:  # a pipe; a link, which is not followed
            raise StoreFault(f"{path}: {getattr(fault, 'strerror', None) or fault}") from None
        if not same:
            raise StoreFault(f"{path}: holds other bytes than its name says: see what changed it")
        return digest

    def append(self, run: Run) -> None:
        """Add a run whose files were put; take the lock first."""
        if run.link != self.next():
            raise StoreFault(f"{self.chain}: grew while a run was being added")
        if sys.platform != "win32":
            os.sync()  # the objects first; one by one takes a hundred times as long
        self._write(run.line())

    def runs(self) -> Iterator[Run]:
        """Yield the runs from the first on; raise :class:`StoreFault` at the first broken link."""
        lines, rest = self._lines()
        place = Link(1, FIRST)
        for line in lines:
            try:
                run = Run.read(line)
            except StoreFault as fault:
                raise StoreFault(f"{CHAIN}:{place.sequence}: {fault}") from None
            if run.link != place:
                raise StoreFault(
                    f"{CHAIN}:{place.sequence}: is run {run.link.sequence} and follows another line: "
                    "a run was removed, moved, inserted or edited"
                )
            yield run
            place = Link(run.link.sequence + 1, run.digest)
        if rest:
            raise StoreFault(f"{CHAIN}:{place.sequence}: ends in half a line: a run was cut off")

    def object(self, digest: str) -> Path:
        """Return where the bytes with a digest are kept."""
        return self.folder / "objects" / digest[:2] / digest

    def _lines(self) -> tuple[list[bytes], bytes]:
        if not os.path.lexists(self.chain):
            return [], b""
        try:
            *lines, rest = read_plain(self.chain, MAX_CHAIN).split(b"\n")
        except FileFault as fault:
            raise StoreFault(f"{self.chain}: {fault}") from None
        return lines, rest

    def _write(self, data: bytes) -> None:
        with self.chain.open("ab") as file:
            end = file.tell()
            try:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                file.truncate(end)  # a full disk leaves no half of a line
                raise

    def _cut(self, size: int) -> None:
        with self.chain.open("r+b") as file:
            file.truncate(file.seek(0, os.SEEK_END) - size)


def _after(lines: list[bytes]) -> Link:
    if not lines:
        return Link(1, FIRST)
    try:
        last = Run.read(lines[-1])
    except StoreFault as fault:
        raise StoreFault(f"{CHAIN}:{len(lines)}: {fault}: nothing can follow it") from None
    return Link(last.link.sequence + 1, last.digest)


def is_digest(text: object) -> bool:
    """Tell whether a text is a SHA-256 in hex, and so not a path to anywhere else."""
    return isinstance(text, str) and re.fullmatch("[0-9a-f]{64}", text) is not None


def _lock(file: BinaryIO) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX)
