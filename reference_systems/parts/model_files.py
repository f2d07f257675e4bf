"""The models of a device as files, each under the SHA-256 of its bytes and read only if it has it."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

__all__ = ["DIGEST", "GatedFiles", "ModelFiles", "UncheckedFiles", "digest_of", "write_at_once"]

DIGEST = re.compile(r"[0-9a-f]{64}")


def digest_of(data: bytes) -> str:
    """Return the name of a model: the hex SHA-256 of its bytes."""
    return hashlib.sha256(data).hexdigest()


class ModelFiles:
    """Models in a folder.

    >>> with tempfile.TemporaryDirectory() as folder:
    ...     files = ModelFiles(Path(folder))
    ...     files.read(files.keep(b"a model"))
    b'a model'
    """

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        self.folder, self.durable = folder, durable

    def keep(self, data: bytes) -> str:
        """Store a model and return its digest; a file that is there already is written anew."""
        digest = digest_of(data)
        write_at_once(self.path(digest), data, durable=self.durable)
        return digest

    def read(self, digest: str) -> bytes:
        """Return a model; LookupError where it is not there, or not what it was."""
        try:
            data = self.path(digest).read_bytes()
        except OSError:
            raise LookupError(f"no model {digest[:12]} is there") from None
        if digest_of(data) != digest:
            raise LookupError(f"the model {digest[:12]} is damaged")
        return data

    def path(self, digest: str) -> Path:
        """Return the file of a digest."""
        if not DIGEST.fullmatch(digest):
            raise LookupError("not a digest")
        return self.folder / f"{digest}.onnx"


class UncheckedFiles(ModelFiles):
    """As devices had it before: the name of the file was believed."""

    def read(self, digest: str) -> bytes:
        """Return whatever lies there."""
        return self.path(digest).read_bytes()


class GatedFiles:
    """The files as the gate ``artifact_immutability`` asks for a store."""

    def __init__(self, files: ModelFiles) -> None:
        self._files = files

    def put(self, stream: BinaryIO, name: str) -> str:  # noqa: ARG002  (the digest is the name)
        """Store a model."""
        return self._files.keep(stream.read())

    def get(self, reference: str) -> bytes:
        """Read a model."""
        return self._files.read(reference)

    def list(self) -> Iterator[str]:
        """Give the digests of all models."""
        return (path.stem for path in self._files.folder.glob("*.onnx"))

    def delete(self, reference: str) -> None:
        """Remove a model, as a device that is short of space does."""
        self._files.path(reference).unlink()

    def damage(self, reference: str, change: Callable[[bytes], bytes]) -> None:
        """Change the file of a model, as a worn flash memory does."""
        path = self._files.path(reference)
        path.write_bytes(change(path.read_bytes()))

    def reopen(self) -> GatedFiles:
        """Open the folder as after a restart."""
        return GatedFiles(type(self._files)(self._files.folder))


def write_at_once(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Write a file at once: a device that loses power has the old one or the new one.

    Without ``durable`` that holds for a killed process only, which is enough for a simulation.
    """
    handle, draft = tempfile.mkstemp(dir=path.parent, suffix=".part")
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        if durable:
            os.fsync(file.fileno())
    Path(draft).replace(path)
