"""What a report folder holds, looked at as if a stranger had packed it.

No link is followed, no device or pipe is opened, and a file that is not expected, or not of the
expected size, is not read.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

from pytest_mlgates.core.plain import FileFault, open_plain

__all__ = ["Folder", "Stored", "scan", "stored"]

MAX_FILES = 10_000
_BLOCK = 1 << 20


@dataclasses.dataclass(frozen=True, slots=True)
class Stored:
    """A file of a report: its size and the hex SHA-256 of its bytes (empty where not read)."""

    size: int
    sha256: str


@dataclasses.dataclass(frozen=True, slots=True)
class Folder:
    """Files by name (POSIX, relative), folders, and a line for whatever is neither."""

    files: Mapping[str, Stored]
    folders: frozenset[str]
    faults: tuple[str, ...]


def scan(folder: Path, expected: Mapping[str, int] | None = None) -> Folder:
    """List a folder and digest its files; with ``expected`` sizes only those that fit."""
    files: dict[str, Stored] = {}
    folders: set[str] = set()
    faults: list[str] = []
    waiting = [""]
    while waiting:
        inside = waiting.pop()
        with os.scandir(folder / inside) as entries:
            for entry in entries:
                name = f"{inside}{entry.name}"
                if len(files) + len(folders) + len(faults) >= MAX_FILES:
                    return Folder(files, frozenset(folders), (*faults, _too_many()))
                if entry.is_dir(follow_symlinks=False):
                    folders.add(name)
                    waiting.append(f"{name}/")
                elif not entry.is_file(follow_symlinks=False):
                    faults.append(f"{name}: is not a plain file")
                elif not _utf8(name):
                    faults.append(f"{name!a}: has a name that is not UTF-8")
                else:
                    try:
                        files[name] = stored(
                            folder / name, None if expected is None else expected.get(name, -1)
                        )
                    except (OSError, FileFault) as error:
                        faults.append(f"{name}: {getattr(error, 'strerror', None) or error}")
    return Folder(files, frozenset(folders), tuple(faults))


def stored(path: Path, size_expected: int | None = None) -> Stored:
    """Return size and digest of a plain file; it is not read where another size is expected."""
    with open_plain(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size_expected is not None and size_expected != size:
            return Stored(size, "")
        digest = hashlib.sha256()
        read = 0
        while block := file.read(_BLOCK):
            read += len(block)
            digest.update(block)
        return Stored(read, digest.hexdigest())


def _utf8(name: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in name)


def _too_many() -> str:
    return f"it holds more than {MAX_FILES:,} files: a report has a folder of its own"
