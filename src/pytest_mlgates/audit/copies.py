"""The redacted copy of a file: it takes the original's place in another folder, whole or not at all."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryFile
from typing import BinaryIO, cast

from pytest_mlgates.audit.chunks import Changes, Chunk
from pytest_mlgates.audit.formats import Copy
from pytest_mlgates.audit.partitions import Stretch
from pytest_mlgates.audit.storage import Address, why_refused
from pytest_mlgates.core.errors import MlgatesError

__all__ = ["CopyFailed", "CopyFile"]


class CopyFailed(MlgatesError):
    """A copy can't be written; the text says why."""


class CopyFile:
    """Writes a copy beside the place where it shall be, and puts it there when it is whole."""

    def __init__(self, folder: str, stretch: Stretch, make: Callable[[BinaryIO], Copy]) -> None:
        self._to = Address.of(folder).joined(stretch.name)
        self._written: Path | None = None
        if self._to.is_local:
            place = Path(self._to.path)
            place.parent.mkdir(parents=True, exist_ok=True)
            file = NamedTemporaryFile(dir=place.parent, prefix=".copy.", delete=False)  # noqa: SIM115
            self._written = Path(file.name)
        else:  # sent in one go when it is whole: a store shows what was sent so far to nobody
            file = TemporaryFile()  # type: ignore[assignment]  # noqa: SIM115
        self._file = cast("BinaryIO", file)
        self._copy = make(self._file)
        self._kept = False

    def write(self, chunk: Chunk, changes: Changes) -> None:
        """Write the records of a chunk, some of them changed."""
        try:
            self._copy.write(chunk, changes)
        except OSError as error:
            raise CopyFailed(f"the copy can't be written: {why_refused(error)}") from None

    def commit(self) -> int:
        """Put the copy where it shall be; return how many values are empty in it."""
        try:
            self._put()
        except OSError as error:
            raise CopyFailed(f"the copy can't be written: {why_refused(error)}") from None
        return self._copy.emptied

    def _put(self) -> None:
        self._copy.close()
        self._kept = True
        self._file.flush()
        if self._written is not None:
            self._written.chmod(0o644)
            self._written.replace(self._to.path)
            self._written = None
        else:
            self._file.seek(0)
            with self._to.filesystem.open_output_stream(self._to.path, compression=None) as stream:
                shutil.copyfileobj(self._file, stream)

    def close(self) -> None:
        """Leave nothing behind that is not whole."""
        if not self._kept:
            with contextlib.suppress(Exception):  # of a writer that is given up
                self._copy.close()
        self._file.close()
        if self._written is not None:
            self._written.unlink(missing_ok=True)
