"""The incident build: a shared folder of files by name, as the team of fifty models had it.

Storing ``model_v1.pkl`` again writes over it. What a name or a digest gives is whatever lies there
now; nothing is checked.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from reference_systems.model_registry.errors import Damaged, NotThere, Refused

__all__ = ["NamedFiles"]


class NamedFiles:
    """Keeps files by name.

    >>> import io, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     files = NamedFiles(Path(folder))
    ...     monday = files.put(io.BytesIO(b"old"), "model_v1.pkl")
    ...     tuesday = files.put(io.BytesIO(b"new"), "model_v1.pkl")
    ...     files.read(monday)
    b'new'
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)

    def put(self, stream: BinaryIO, name: str) -> str:
        """Write the file, over whatever lies there, and return the digest of what was written."""
        path = self._path(name)
        with path.open("wb") as file:
            shutil.copyfileobj(stream, file)
        digest = _digest(path)
        self._note("digests", digest, name)
        return digest

    def path_of(self, wanted: str) -> Path:
        """Return the file of a name, or of the name that a digest was once put under."""
        name = self._notes("digests").get(wanted.removeprefix("sha256:"), wanted)
        path = self._path(str(name))
        if not path.is_file():
            raise NotThere(f"{self.root}: holds no {wanted}")
        return path

    def read(self, wanted: str) -> bytes:
        """Return what lies there now."""
        return self.path_of(wanted).read_bytes()

    def get(self, wanted: str, target: Path) -> int:
        """Copy what lies there now."""
        shutil.copyfile(self.path_of(wanted), target)
        return target.stat().st_size

    def delete(self, wanted: str) -> None:
        """Remove the file."""
        self.path_of(wanted).unlink()

    def names(self) -> Iterator[str]:
        """Yield the names of all files."""
        yield from sorted(path.name for path in self.root.iterdir() if path.suffix != ".notes")

    def promote(self, name: str, wanted: str) -> dict[str, Any]:
        """Point a name at a file; no evidence is asked for, and where it pointed is forgotten."""
        path = self.path_of(wanted)
        entry = {"file": path.name, "digest": _digest(path), "when": time.time(), "report": None}
        self._note("pointers", name, entry)
        return entry

    def resolve(self, name: str) -> dict[str, Any]:
        """Return where a name points; its digest is that of the day it was promoted."""
        entry = self._notes("pointers").get(name)
        if entry is None:
            raise NotThere(f"{self.root}: {name} points at nothing")
        return dict(entry)

    def _path(self, name: str) -> Path:
        if not name or name != Path(name).name or name in (".", "..") or name.endswith(".notes"):
            raise Refused(f"{name!r} is not a file name")
        return self.root / name

    def _notes(self, kind: str) -> dict[str, Any]:
        try:
            notes: dict[str, Any] = json.loads((self.root / f"{kind}.notes").read_text("utf-8"))
        except OSError:
            return {}
        except ValueError:
            raise Damaged(f"{self.root / kind}.notes: can't be read") from None
        return notes

    def _note(self, kind: str, key: str, value: object) -> None:
        notes = {**self._notes(kind), key: value}
        (self.root / f"{kind}.notes").write_text(json.dumps(notes), "utf-8")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
