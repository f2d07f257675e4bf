"""Plain files, opened as if a stranger had put them there: no link, no pipe, no device, a size."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

from pytest_mlgates.core.errors import UsageError

__all__ = ["FileFault", "open_plain", "read_plain"]


class FileFault(UsageError, ValueError):
    """A file is not what it has to be; the text says why."""


def read_plain(path: Path, most: int) -> bytes:
    """Return the bytes of a plain file of at most ``most`` bytes, or raise :class:`FileFault`."""
    try:
        with open_plain(path) as file:
            size = os.fstat(file.fileno()).st_size
            if size > most:
                raise FileFault(f"has {size:,} bytes, more than {most:,}")
            return file.read(most + 1)
    except FileNotFoundError:
        raise FileFault("is not there") from None
    except OSError as error:
        raise FileFault(f"can't be read: {error.strerror}") from None


def open_plain(path: Path) -> BinaryIO:
    """Open a plain file to read; no link is followed, and no pipe or device waits for ever."""
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0)
    flags |= getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    descriptor = os.open(path, flags)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise FileFault("is not a plain file")
    return os.fdopen(descriptor, "rb")
