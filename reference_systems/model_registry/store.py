"""Bytes under the digest of their content, checked before they are called stored or handed out."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from reference_systems.model_registry.digests import blocks_of, copy_hashed, digest_of_blocks, short
from reference_systems.model_registry.errors import Damaged, NotThere, RegistryError, Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable

    from reference_systems.model_registry.backend import Backend, Version

__all__ = ["ContentStore", "Stored", "is_registry"]

_KEY = "objects/sha256"
#: largest manifest, pointer or attestation that is read into memory
_LARGEST_READ = 64 << 20
#: how often a put that loses a race looks again
_ROUNDS = 3


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What a put acknowledged; ``new`` is False where the very bytes were there already."""

    digest: str
    size: int
    version: str
    new: bool


class ContentStore:
    """Keeps bytes under their SHA-256 in any :class:`~.backend.Backend`.

    >>> import io, pathlib, tempfile
    >>> from reference_systems.model_registry.folder import FolderBackend
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = ContentStore(FolderBackend(pathlib.Path(folder)))
    ...     stored = store.put(io.BytesIO(b"weights"))
    ...     store.read(stored.digest)
    b'weights'
    """

    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    def put(self, stream: BinaryIO, look: Callable[[BinaryIO, str], None] | None = None) -> Stored:
        """Store a stream of any length in bounded memory and return its digest.

        ``look(file, digest)`` may refuse the bytes by raising before anything is stored. Bytes
        that are there already are read back and, where they are damaged, mended before the put is
        acknowledged: a put that was killed may have left them.
        """
        with self.backend.spool() as spool:
            digest, size = copy_hashed(blocks_of(stream), spool)
            if look is not None:
                spool.seek(0)
                look(spool, digest)
            with self.backend.writing():
                return self._keep(self.key(digest), digest, spool, size)

    def put_under(self, key: str, data: bytes) -> str | None:
        """Store a few bytes under a key of their own if it is free; None where it is taken."""
        with self.backend.spool() as spool, self.backend.writing():
            spool.write(data)
            return self.backend.create(key, spool, len(data))

    def get(self, digest: str, target: Path) -> int:
        """Write the bytes of a digest to ``target`` and return their number.

        They are checked while they are read, in a file beside ``target`` that takes its name only
        afterwards. A get that is refused leaves ``target`` as it was: absent, where it was absent.
        """
        target = Path(os.path.realpath(target))  # a link stays one, and its file is written
        if target.is_dir():
            raise Unreachable(f"{target}: is a folder: name a file")
        if target.exists() and not target.is_file():  # /dev/null would become a file for everybody
            raise Unreachable(f"{target}: is no plain file: name another")
        with _beside(target) as draft:
            size = self._fetch(digest, draft)
            draft.flush()
            os.fsync(draft.fileno())
            Path(draft.name).chmod(0o644)
            Path(draft.name).replace(target)
        return size

    def read(self, digest: str) -> bytes:
        """Return the checked bytes of a small object."""
        with tempfile.SpooledTemporaryFile(max_size=_LARGEST_READ) as file:
            self._fetch(digest, file)  # type: ignore[arg-type]
            file.seek(0)
            return file.read()

    def check(self, digest: str) -> Version:
        """Read an object through and return the version that holds its bytes, renewed."""
        key = self.key(digest)
        for version in self._candidates(digest):
            found = digest_of_blocks(self.backend.blocks(key, version.version))
            if found == digest and self.backend.renew(version):
                return version
        raise Damaged(self._damaged(digest))

    def key(self, digest: str) -> str:
        """Return the key of a digest."""
        return f"{_KEY}/{digest[:2]}/{digest}"

    def objects(self) -> Iterator[tuple[str, Version]]:
        """Yield the digest that each stored object is under, with each of its versions."""
        for version in self.backend.under(f"{_KEY}/"):
            yield version.key.rpartition("/")[2], version

    def _keep(self, key: str, digest: str, spool: BinaryIO, size: int) -> Stored:
        for _ in range(_ROUNDS):
            version = self.backend.create(key, spool, size)
            if version is not None:
                return Stored(digest=digest, size=size, version=version, new=True)
            found = self.backend.versions(key)
            if not found or found[0].deleted:
                continue  # removed meanwhile: the key is free again
            if self._holds(found[0], digest) and self.backend.renew(found[0]):
                return Stored(digest=digest, size=size, version=found[0].version, new=False)
            break
        version = self.backend.replace(key, spool, size)
        return Stored(digest=digest, size=size, version=version, new=True)

    def _holds(self, version: Version, digest: str) -> bool:
        """Tell whether a version holds these bytes, read and not believed."""
        try:
            blocks = self.backend.blocks(version.key, version.version)
            return digest_of_blocks(blocks) == digest
        except RegistryError:
            return False

    def _fetch(self, digest: str, target: BinaryIO) -> int:
        """Write checked bytes to ``target``; bytes that do not fit are taken back."""
        key = self.key(digest)
        for version in self._tries(digest):
            target.seek(0)
            target.truncate()
            try:
                found, size = copy_hashed(self.backend.blocks(key, version), target)
            except NotThere:
                continue
            if found == digest:
                return size
        target.seek(0)
        target.truncate()
        raise Damaged(self._damaged(digest))

    def _tries(self, digest: str) -> Iterator[str | None]:
        """Yield versions to read: the newest, the newest once more, then those before it."""
        yield None
        found = self._candidates(digest)
        yield from (version.version for version in found)

    def _candidates(self, digest: str) -> list[Version]:
        found = [v for v in self.backend.versions(self.key(digest)) if not v.deleted]
        if not found:
            raise NotThere(
                f"{self.backend.where}: holds nothing under {digest} (removed, or never put here)"
            )
        return found

    def _damaged(self, digest: str) -> str:
        return (
            f"{self.backend.where}: what is stored under {short(digest)}... does not have that "
            "digest: it is not served; put the file again to mend it"
        )


def is_registry(folder: Path) -> bool:
    """Tell whether something was put into a folder."""
    return (folder / _KEY).is_dir()


@contextlib.contextmanager
def _beside(target: Path) -> Iterator[BinaryIO]:
    """Give a scratch file in the folder of ``target``, gone afterwards unless renamed."""
    try:
        handle, name = tempfile.mkstemp(
            dir=target.parent, prefix=f".{target.name[:20]}.", suffix=".part"
        )
        os.close(handle)
    except OSError as error:
        raise Unreachable(f"{target}: can't be written: {error.strerror}") from None
    try:
        with Path(name).open("w+b") as file:
            yield file
    except OSError as error:
        raise Unreachable(f"{target}: can't be written: {error.strerror or error}") from None
    finally:
        Path(name).unlink(missing_ok=True)
