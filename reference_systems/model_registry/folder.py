"""A local folder that keeps bytes: the smallest backend.

A put writes to a scratch file, syncs it, links it to its name (link(2) never overwrites) and
syncs the folder, so that a name is either free or holds all its bytes, whenever the power fails.
A removal holds a lock that every put shares: nothing is removed between "it is there" and "stored".
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from reference_systems.model_registry.backend import Version
from reference_systems.model_registry.digests import blocks_of
from reference_systems.model_registry.errors import NotThere, Unreachable

try:
    import fcntl
except ImportError:  # pragma: no cover  (not POSIX)
    fcntl = None  # type: ignore[assignment]

__all__ = ["FolderBackend"]

_SCRATCH = "scratch"
#: what a put's scratch file is called, so that nobody else's file is tidied away
_DRAFT = "put-"
_ONLY = "1"
#: seconds for which a put under way may write nothing to its scratch file
_LONGEST_PAUSE = 3600.0
#: a file system without hard links says one of these
_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}


class FolderBackend:
    """Keeps each key as a read-only file below ``root``; a key has one version, named ``1``."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.where = str(root)

    @contextlib.contextmanager
    def spool(self) -> Iterator[BinaryIO]:
        """Give a scratch file in the folder itself, so that it can be linked to its name."""
        with _told(self.root):
            (self.root / _SCRATCH).mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self.root / _SCRATCH, prefix=_DRAFT)
            os.close(handle)
        try:
            with Path(name).open("w+b") as file:
                yield file
        finally:
            Path(name).unlink(missing_ok=True)

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Share the lock with other puts."""
        with self._lock(exclusive=False):
            yield

    def create(self, key: str, source: BinaryIO, size: int) -> str | None:  # noqa: ARG002
        """Link the scratch file to its name."""
        target = self._path(key)
        with _told(target):
            self._ready(source, target)
            try:
                os.link(source.name, target, follow_symlinks=False)
            except FileExistsError:
                return None
            except OSError as error:
                if error.errno not in _NO_LINKS:
                    raise
                if not self._rename_if_free(source, target):
                    return None
            _sync(target.parent)
        return _ONLY

    def replace(self, key: str, source: BinaryIO, size: int) -> str:  # noqa: ARG002
        """Rename a scratch file over the damaged one, at once."""
        target = self._path(key)
        with _told(target):
            self._ready(source, target)
            Path(source.name).replace(target)
            _sync(target.parent)
        return _ONLY

    def renew(self, version: Version) -> bool:
        """Set the file's time to now."""
        try:
            os.utime(self._path(version.key), follow_symlinks=False)
        except FileNotFoundError:
            return False
        return True

    def versions(self, key: str) -> list[Version]:
        """Return the one version, or none."""
        return self._seen(key)

    def under(self, prefix: str) -> Iterator[Version]:
        """Yield what is stored below a prefix that ends with a slash."""
        top = self._path(prefix.rstrip("/"))
        for folder, folders, files in os.walk(top):
            folders.sort()
            for name in sorted(files):
                yield from self._seen(Path(folder, name).relative_to(self.root).as_posix())

    def blocks(self, key: str, version: str | None = None) -> Iterator[bytes]:
        """Read the file; a link or anything else that is not a plain file is not followed."""
        path = self._path(key)
        if version not in (None, _ONLY):
            raise NotThere(f"{path}: a folder keeps one version of a file, there is no {version}")
        with _told(path):
            flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
            with os.fdopen(os.open(path, flags), "rb", buffering=0) as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    raise Unreachable(f"{path}: is not a plain file")
                yield from blocks_of(file)  # type: ignore[arg-type]

    def remove(self, version: Version, older_than: float) -> bool:
        """Unlink the file while no put is under way, unless one has renewed it."""
        path = self._path(version.key)
        with self._lock(exclusive=True), _told(path):
            now = self._seen(version.key)
            if not now or time.time() - now[0].modified < older_than:
                return False
            path.unlink()
            _sync(path.parent)
        return True

    def tidy(self, older_than: float) -> Iterator[str]:
        """Unlink scratch files that no put can be using any more."""
        scratch = self.root / _SCRATCH
        for path in sorted(scratch.glob(f"{_DRAFT}*")):
            with contextlib.suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime >= max(older_than, _LONGEST_PAUSE):
                    path.unlink()
                    yield f"{_SCRATCH}/{path.name}"

    def _path(self, key: str) -> Path:
        return self.root.joinpath(*key.split("/"))

    def _seen(self, key: str) -> list[Version]:
        try:
            facts = self._path(key).lstat()
        except (FileNotFoundError, NotADirectoryError):
            return []
        when = facts.st_mtime
        return [Version(key=key, version=_ONLY, size=facts.st_size, modified=when)]

    def _ready(self, source: BinaryIO, target: Path) -> None:
        """Bring the scratch file's bytes to the disk, and the folder that it goes to."""
        source.flush()
        os.fchmod(source.fileno(), 0o444)
        os.fsync(source.fileno())
        for folder in (*reversed(target.relative_to(self.root).parents), None):
            if folder is not None and not (made := self.root / folder).is_dir():
                made.mkdir(exist_ok=True)
                _sync(made.parent)

    def _rename_if_free(self, source: BinaryIO, target: Path) -> bool:
        """Rename where links are unknown; the lock keeps every other put of this registry out."""
        with self._lock(exclusive=True, name="names"):
            if os.path.lexists(target):
                return False
            Path(source.name).rename(target)
        return True

    @contextlib.contextmanager
    def _lock(self, *, exclusive: bool, name: str = "lock") -> Iterator[None]:
        with _told(self.root):
            file = (self.root / name).open("ab")
        with file:  # closing it lets go of the lock
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH)
            yield


def _sync(folder: Path) -> None:
    """Bring a folder's names to the disk."""
    if os.name != "posix":  # pragma: no cover
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    """Turn what the system says into one line that names the file."""
    try:
        yield
    except FileNotFoundError:
        raise NotThere(f"{path}: is not there") from None
    except OSError as error:
        raise Unreachable(f"{path}: {error.strerror or error}") from None
