"""Open a file of any address: what it is packed with and what it holds is told by its first bytes."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO, cast

from pytest_mlgates.audit.storage import Address

if TYPE_CHECKING:
    from pyarrow import NativeFile

__all__ = ["opened_file", "packed", "packing_of", "unpacked"]

#: bytes read at a time; of what is packed less, since those before a break are lost with it
_BUFFER, _PACKED_BUFFER = 1 << 20, 1 << 16
#: how a file begins that is packed, and by what
_MAGIC = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bz2",
    b"\xfd7zXZ\0": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\x04\x22\x4d\x18": "lz4",
}


@contextlib.contextmanager
def opened_file(address: Address) -> Iterator[NativeFile]:
    """Open a file that can be read from any place; it is closed on the way out."""
    with address.filesystem.open_input_file(address.path) as source:
        yield source


def packing_of(head: bytes) -> str:
    r"""Return by what a file is packed that begins so, or nothing.

    >>> packing_of(b"\x1f\x8b\x08"), packing_of(b'{"a": 1}')
    ('gzip', '')
    """
    return next((name for magic, name in _MAGIC.items() if head.startswith(magic)), "")


def unpacked(source: NativeFile, packing: str) -> io.BufferedReader:
    """Return the bytes of a file, unpacked as they are read; one that is cut off raises at its end."""
    if packing == "xz":
        return io.BufferedReader(cast("io.RawIOBase", lzma.open(source, "rb")), _PACKED_BUFFER)
    if packing:
        from pyarrow import CompressedInputStream

        source = CompressedInputStream(source, packing)
    return io.BufferedReader(_Raw(source), _PACKED_BUFFER if packing else _BUFFER)


def packed(sink: BinaryIO, packing: str) -> BinaryIO:
    """Return what packs the bytes that are written to it; closing it leaves ``sink`` open."""
    if packing == "xz":
        return cast("BinaryIO", lzma.open(sink, "wb"))
    if packing in ("gzip", "bz2"):
        return cast("BinaryIO", (gzip if packing == "gzip" else bz2).open(sink, "wb"))
    from pyarrow import CompressedOutputStream, PythonFile

    return cast("BinaryIO", CompressedOutputStream(PythonFile(_LeftOpen(sink)), packing))


class _LeftOpen:
    """What pyarrow writes to and closes, over what stays open."""

    closed = False

    def __init__(self, sink: BinaryIO) -> None:
        self.write, self.flush = sink.write, sink.flush

    def close(self) -> None:
        self.flush()
        self.closed = True


class _Raw(io.RawIOBase):
    """What pyarrow reads, as Python's buffers want it."""

    def __init__(self, source: NativeFile) -> None:
        self._source = source

    def readable(self) -> bool:
        return True

    def readinto(self, into: bytearray | memoryview) -> int:  # type: ignore[override]
        data = self._source.read(len(into))
        into[: len(data)] = data
        return len(data)
