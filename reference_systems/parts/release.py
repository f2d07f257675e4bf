"""A model on its way to a device: in pieces that are checked one by one, and kept over a kill.

What lies in the draft is hashed again before it counts, so nothing is believed that a device wrote
down before it lost power, and no byte that arrived whole is asked for twice.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from reference_systems.parts.model_files import DIGEST, digest_of

__all__ = ["Download", "Release", "Throttle"]

_LARGEST = 2**34


@dataclass(frozen=True, slots=True)
class Release:
    """A model by its digest, and the digest of each piece of ``piece_bytes``.

    >>> release = Release.cut(b"a model of some length", piece_bytes=10)
    >>> release.size, len(release.pieces), Release.read(release.text()) == release
    (22, 3, True)
    """

    digest: str
    size: int
    piece_bytes: int
    pieces: tuple[str, ...]

    def __post_init__(self) -> None:
        if not (0 < self.size <= _LARGEST and self.piece_bytes > 0):
            raise ValueError("a release has a size above 0, and pieces too")
        if len(self.pieces) != -(-self.size // self.piece_bytes):
            raise ValueError(f"{len(self.pieces)} pieces are not {self.size} bytes")
        if not all(map(DIGEST.fullmatch, (self.digest, *self.pieces))):
            raise ValueError("a digest is 64 hexadecimal digits")

    @classmethod
    def cut(cls, data: bytes, piece_bytes: int = 2**16) -> Release:
        """Return the release of a model."""
        parts = (data[at : at + piece_bytes] for at in range(0, len(data), piece_bytes))
        return cls(digest_of(data), len(data), piece_bytes, tuple(map(digest_of, parts)))

    def text(self) -> str:
        """Return it as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, text: str) -> Release:
        """Return what JSON tells; raises ValueError where it is no release."""
        try:
            said = json.loads(text)
            whole = (int(said["size"]), int(said["piece_bytes"]))
            return cls(str(said["digest"]), *whole, tuple(map(str, said["pieces"])))
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"this is no release ({type(error).__name__})") from None

    def span(self, piece: int) -> tuple[int, int]:
        """Return where a piece begins and ends."""
        begin = piece * self.piece_bytes
        return begin, min(begin + self.piece_bytes, self.size)


class Download:
    """The draft of a release in a folder; safe to kill at any point.

    >>> import tempfile
    >>> release = Release.cut(b"a model of some length", piece_bytes=10)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     draft = Download(Path(folder), release)
    ...     taken = draft.take(1, b" some leng"), draft.take(0, b"other stuf")
    ...     taken, Download(Path(folder), release).missing()
    ((True, False), [0, 2])
    """

    def __init__(self, folder: Path, release: Release, *, durable: bool = True) -> None:
        self.release, self.durable = release, durable
        self.path = folder / f"{release.digest}.draft"
        self._there = self._look()

    def missing(self) -> list[int]:
        """Return the pieces that are not there, in order."""
        return [piece for piece, there in enumerate(self._there) if not there]

    def take(self, piece: int, data: bytes) -> bool:
        """Keep a piece; return False where its bytes are not those of the release."""
        if hashlib.sha256(data).hexdigest() != self.release.pieces[piece]:
            return False
        with self.path.open("r+b" if self.path.exists() else "w+b") as file:
            file.seek(self.release.span(piece)[0])
            file.write(data)
            file.flush()
            if self.durable:
                os.fsync(file.fileno())
        self._there[piece] = True
        return True

    def whole(self) -> bytes:
        """Return the model; raises ValueError where it is not all there, or not what it should be."""
        data = self.path.read_bytes() if not self.missing() else b""
        if digest_of(data) != self.release.digest:
            self.drop()
            raise ValueError("the pieces together are not the model: all are fetched again")
        return data

    def drop(self) -> None:
        """Remove the draft."""
        self.path.unlink(missing_ok=True)
        self._there = [False] * len(self.release.pieces)

    def _look(self) -> list[bool]:
        """Hash what is in the draft."""
        size, pieces = self.release.piece_bytes, self.release.pieces
        try:
            with self.path.open("rb") as file:
                return [digest_of(file.read(size)) == digest for digest in pieces]
        except OSError:
            return [False] * len(pieces)


class Throttle:
    """Bytes that may come in by now, from a rate and how much of it may be saved up.

    >>> throttle = Throttle(1000, most_saved=500)
    >>> throttle.take(500, now=0.0), throttle.take(100, now=0.0), throttle.take(100, now=0.1)
    (True, False, True)
    """

    def __init__(self, bytes_per_s: float, most_saved: float) -> None:
        if not (bytes_per_s > 0 and most_saved > 0):
            raise ValueError("a throttle needs a rate and a store above 0")
        self.rate, self.most, self._saved, self._at = bytes_per_s, most_saved, most_saved, 0.0
        self._known = False

    def take(self, count: int, now: float) -> bool:
        """Take ``count`` bytes if there are as many; a clock that goes back gives nothing."""
        if self._known:
            self._saved = min(self.most, self._saved + self.rate * max(0.0, now - self._at))
        self._at, self._known = now, True
        if count > self._saved:
            return False
        self._saved -= count
        return True

    def wait_s(self, count: int) -> float:
        """Return how long ``count`` bytes take from now; raises ValueError where they never come."""
        if count > self.most:
            raise ValueError(
                f"{count} bytes at once are more than the {self.most:g} that are saved"
            )
        return max(0.0, (count - self._saved) / self.rate)
