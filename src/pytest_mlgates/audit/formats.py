"""Which reader a file takes, and which writer its copy: told by its first bytes, then by its name."""

from __future__ import annotations

import contextlib
import csv
import io
import lzma
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, BinaryIO, Protocol, TextIO, cast

from pytest_mlgates.audit.chunks import Changes, Chunk
from pytest_mlgates.audit.csv_file import CsvCopy, csv_chunks
from pytest_mlgates.audit.documents import (
    JsonCopy,
    PushedBack,
    is_json_lines,
    json_chunks,
    loaded,
    other_chunks,
)
from pytest_mlgates.audit.draws import Draw
from pytest_mlgates.audit.lines import LONG, Lines, TextCopy, json_lines_chunks, text_chunks
from pytest_mlgates.audit.opening import opened_file, packed, packing_of, unpacked
from pytest_mlgates.audit.parquet import ParquetCopy, parquet_chunks
from pytest_mlgates.audit.partitions import Stretch
from pytest_mlgates.audit.storage import Address, is_remote, why_refused
from pytest_mlgates.core.errors import Unmeasurable
from pytest_mlgates.pii.datasets import PACKED, looks_like_text
from pytest_mlgates.reading.tables import csv_rows
from pytest_mlgates.reading.text import UNREADABLE, Text, why_unreadable

if TYPE_CHECKING:
    from pyarrow import NativeFile

__all__ = ["UNREADABLE_SOURCE", "Copy", "Source", "opened_source", "why_unread"]

_PARQUET = b"PAR1"
_PACKED_NAMES = (".gz", ".bz2", ".xz", ".zst", ".zstd", ".lz4")
_TABLES, _LINES = {".csv": ",", ".tsv": "\t"}, {".jsonl", ".ndjson"}
#: bytes that tell whether a file of an unknown kind is text
_HEAD = 1 << 13
_WHOLE, _DOCUMENTS = {".eml"}, {".json", ".ipynb"}
_NO_PARQUET = "it is not a whole Parquet file"
_HOW = "convert it to text, JSON, CSV or Parquet"
#: what a file that is broken, or not there, raises (of pyarrow all but memory)
UNREADABLE_SOURCE = (Unmeasurable, csv.Error, lzma.LZMAError, NotImplementedError, *UNREADABLE)


class Copy(Protocol):
    """Writes the records of a file again, in their order."""

    @property
    def emptied(self) -> int:
        """Values that could not hold text and are empty in the copy."""

    def write(self, chunk: Chunk, changes: Changes) -> None:
        """Write the records of a chunk, some of them changed."""

    def close(self) -> None:
        """End the file; what it is written to stays open."""


@dataclass(slots=True)
class Source:
    """The records of a stretch, what its copy is written by, and what a reader should know."""

    chunks: Iterator[Chunk]
    copy_to: Callable[[BinaryIO], Copy] | None
    notes: list[str] = field(default_factory=list)
    #: how much of the file was read when a chunk came
    share: Callable[[Chunk], float] = lambda _: 0.0


@contextlib.contextmanager
def opened_source(
    stretch: Stretch, columns: Sequence[str], draw: Draw, *, copied: bool = False
) -> Iterator[Source]:
    """Open a stretch; with ``copied`` every record is read whole, however long it is.

    What :data:`UNREADABLE_SOURCE` lists is raised, here or while chunks are taken, where it can't
    be read; :func:`why_unread` tells it in words.
    """
    with opened_file(Address.of(stretch.url)) as file:
        head = bytes(file.read(8))
        file.seek(0)
        kind = _kind(stretch.url)
        if not head:
            yield Source(iter(()), lambda sink: _TextSink(sink, "", TextCopy))
        elif head[:4] == _PARQUET:
            yield _parquet_source(file, stretch, columns, draw)
        elif kind == ".parquet":
            raise Unmeasurable(_NO_PARQUET)
        else:
            stream = unpacked(file, packing := packing_of(head))
            start = stream.peek(_HEAD)[:_HEAD]
            source = Source(iter(()), None, share=lambda _: file.tell() / max(1, stretch.size))
            with Text(stream, "it", source.notes.append) as text:
                texts = _Texts(text, columns, draw, packing, whole=copied)
                if kind in _WHOLE and not is_remote(stretch.url) and not packing:
                    source.chunks = other_chunks(Path(stretch.url), draw)
                elif kind in _TABLES:
                    texts.table(source, _TABLES[kind])
                elif kind in _LINES:
                    texts.lines(source, text)
                elif kind in _DOCUMENTS:
                    texts.document(source)
                elif kind in PACKED or not looks_like_text(start, kind):
                    raise Unmeasurable(f"it is of a kind that can't be read: {_HOW}")
                else:
                    texts.paragraphs(source)
                yield source


def why_unread(error: Exception) -> str:
    """Return in words why a file could not be read, or not to its end; never a value of it."""
    if isinstance(error, Unmeasurable):
        return str(error)
    if "runcated" in str(error) or isinstance(error, (EOFError, lzma.LZMAError, zlib.error)):
        return "it is cut off, or not what it is packed as"
    if isinstance(error, OSError):
        return why_refused(error)
    if type(error).__module__.startswith("pyarrow"):
        return _NO_PARQUET
    if isinstance(error, csv.Error):
        return f"it is not CSV ({error})"  # its text is about the format, and holds no value
    return why_unreadable(error)


def _parquet_source(
    file: NativeFile, stretch: Stretch, columns: Sequence[str], draw: Draw
) -> Source:
    from pyarrow.parquet import ParquetFile

    opened = ParquetFile(file)
    groups = range(stretch.first, stretch.stop or opened.num_row_groups)
    chunks = parquet_chunks(opened, groups, columns, draw)
    rows = max(1, opened.metadata.num_rows)
    return Source(
        chunks, lambda sink: ParquetCopy(sink, opened), share=lambda chunk: chunk.rows[-1] / rows
    )


class _Texts:
    """What reads a file of text, and writes its copy packed as the original is."""

    def __init__(
        self,
        text: Text,
        columns: Sequence[str],
        draw: Draw,
        packing: str,
        *,
        whole: bool,
    ) -> None:
        self._text, self._columns, self._draw = text, columns, draw
        self._packing, self._most = packing, sys.maxsize if whole else LONG

    def table(self, source: Source, delimiter: str) -> None:
        """Read CSV."""
        found = csv_rows(self._text, "it", delimiter, lenient=True)
        if found is None:
            source.copy_to = self._copied(TextCopy)
            return
        source.chunks = csv_chunks(found, self._columns, self._draw)
        source.copy_to = self._copied(lambda sink: CsvCopy(sink, found))

    def lines(self, source: Source, text: Lines) -> None:
        """Read a JSON value a line."""
        source.chunks = json_lines_chunks(text, self._columns, self._draw, self._most)
        source.copy_to = self._copied(TextCopy)

    def document(self, source: Source) -> None:
        """Read JSON, whatever its name says: one value, or one a line."""
        pushed = PushedBack(self._text)
        if is_json_lines(pushed, self._most):
            self.lines(source, pushed)
            return
        whole = loaded(pushed.rest())
        source.chunks = json_chunks(whole, self._columns, self._draw)
        source.copy_to = self._copied(lambda sink: JsonCopy(sink, whole))

    def paragraphs(self, source: Source) -> None:
        """Read text."""
        if self._columns:
            raise Unmeasurable("it is text, and has none of the columns asked for")
        source.chunks = text_chunks(self._text, self._draw, self._most)
        source.copy_to = self._copied(TextCopy)

    def _copied(self, make: Callable[[TextIO], Copy]) -> Callable[[BinaryIO], Copy]:
        return lambda sink: _TextSink(sink, self._packing, make)


class _TextSink:
    """A copy as text in UTF-8, packed as the original was."""

    def __init__(self, sink: BinaryIO, packing: str, make: Callable[[TextIO], Copy]) -> None:
        self._packed = packed(sink, packing) if packing else None
        self._text = io.TextIOWrapper(
            cast("io.BufferedWriter", self._packed or sink),
            encoding="utf-8",
            errors="surrogatepass",
            newline="",
        )
        self._copy = make(self._text)

    @property
    def emptied(self) -> int:
        return self._copy.emptied

    def write(self, chunk: Chunk, changes: Changes) -> None:
        self._copy.write(chunk, changes)

    def close(self) -> None:
        self._copy.close()
        self._text.flush()
        self._text.detach()
        if self._packed is not None:
            self._packed.close()


def _kind(url: str) -> str:
    """Return the ending that tells what a file holds, without that of its packing.

    >>> _kind("s3://b/a.JSONL.zst"), _kind("part-0")
    ('.jsonl', '')
    """
    name = url.rpartition("/")[2].lower()
    for ending in _PACKED_NAMES:
        name = name.removesuffix(ending)
    return PurePath(name).suffix
