"""Text files, whatever they were saved as: UTF-8, UTF-16, a Windows code page, packed with gzip.

What has no mark is UTF-8. A line that is not is read as Windows-1252 (of which Latin-1 is a part):
every byte has a meaning there, so no line is lost, and the lines around it stay what they are.
"""

from __future__ import annotations

import codecs
import gzip
import io
import json
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TextIO, cast

from pytest_mlgates.core.errors import Unmeasurable
from pytest_mlgates.core.words import plural

__all__ = ["UNREADABLE", "Note", "Text", "kind_of", "silent", "why_unreadable"]

#: is told what a reader of the result should know
Note = Callable[[str], object]

#: what reading a file that is broken, or not there, raises
UNREADABLE = (OSError, EOFError, ValueError, zlib.error)


def silent(_: str) -> None:
    """Tell nobody."""


def kind_of(file: Path) -> str:
    """Return the ending that tells what a file holds, without that of gzip.

    >>> kind_of(Path("bill.CSV.gz")), kind_of(Path("pods.json"))
    ('.csv', '.json')
    """
    return Path(file.stem if _is_packed(file) else file.name).suffix.lower()


def why_unreadable(error: Exception) -> str:
    """Return in words why a file can't be read; never a value that it holds."""
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    if isinstance(error, json.JSONDecodeError):
        if not error.doc.strip():
            return "it is empty"
        if error.doc.lstrip()[:6].lower() in ("error:", "error ", "unable"):
            return "it holds a command's message of an error, not what it was asked for"
        more = ": name it .jsonl where each line is a value" if error.msg == "Extra data" else ""
        return f"line {error.lineno} is not JSON ({error.msg}{more})"
    if isinstance(error, UnicodeError):
        return "it is not text in the encoding that its first bytes tell: save it as UTF-8"
    if isinstance(error, (gzip.BadGzipFile, EOFError, zlib.error)):
        return "it is not a whole gzip file"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__


class Text:
    """The lines of a text file; when it is closed, ``note`` is told of those that were not UTF-8.

    A stream of bytes, unpacked, is read as a file is; whoever opened it closes it. Raises what :data:`UNREADABLE` lists, and :class:`Unmeasurable` where it is not a file.
    """

    def __init__(
        self,
        file: Path | io.BufferedReader,
        name: str = "",
        note: Note = silent,
        *,
        newline: str | None = "",
    ) -> None:
        self._name, self._note = name, note
        self.mended = 0
        if isinstance(file, io.BufferedReader):
            self.encoding = _encoding(file.peek(4)[:4])
            errors = "surrogateescape" if self.encoding == "utf-8-sig" else "strict"
            self._text: TextIO = io.TextIOWrapper(
                file, encoding=self.encoding, errors=errors, newline=newline
            )
            return
        self._name = name or file.name
        if file.exists() and not file.is_file():  # a pipe would never end, and can't be read twice
            raise Unmeasurable(f"{self._name} is not a file")
        with _open_text(file) as raw:
            head = raw.read(4)
        if head[:2] == b"\x1f\x8b":
            way = "unpack it" if _is_packed(file) else f"name it {file.name}.gz"
            raise Unmeasurable(f"{self._name} is packed with gzip: {way}")
        encoding = _encoding(head)
        errors = "surrogateescape" if encoding == "utf-8-sig" else "strict"
        opened = gzip.open if _is_packed(file) else open
        text = opened(file, "rt", encoding=encoding, errors=errors, newline=newline)
        self.encoding = encoding
        self._text = cast("TextIO", text)

    def __enter__(self) -> Text:
        return self

    def __exit__(self, *_: object) -> None:
        self._text.close()
        if self.mended:
            lines = plural(self.mended, "line")
            self._note(f"{self._name}: {lines} not in UTF-8, read as Windows-1252")

    def __iter__(self) -> Iterator[str]:
        return (line if line.isascii() else self._mend(line) for line in self._text)

    def is_empty(self) -> None:
        """Note that there was nothing in it: an export that failed, or was cut off."""
        self._note(f"{self._name} is empty")

    def readline(self, most: int) -> str:
        """Return the next line, or ``most`` characters of it."""
        return self._mend(self._text.readline(most))

    def read(self) -> str:
        """Return the whole text."""
        return "".join(self)

    def _mend(self, line: str) -> str:
        try:
            line.encode()
        except UnicodeEncodeError:
            self.mended += 1
            data = line.encode("utf-8", "surrogateescape")
            try:
                return data.decode("cp1252")
            except UnicodeDecodeError:  # five bytes have no meaning in it
                return data.decode("latin-1")
        return line


def _encoding(start: bytes) -> str:
    r"""Return what the first bytes tell: a mark, or every other one a zero, as UTF-16 has for ASCII.

    >>> _encoding(b"a,b\n"), _encoding(b"\xff\xfea\0"), _encoding(b"\0a\0,")
    ('utf-8-sig', 'utf-16', 'utf-16-be')
    """
    if start in (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE):
        return "utf-32"
    if start[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return "utf-16"
    zeros = [byte == 0 for byte in start]
    known = {"utf-16-le": [False, True] * 2, "utf-16-be": [True, False] * 2}
    return next((name for name, pattern in known.items() if zeros == pattern), "utf-8-sig")


def _is_packed(file: Path) -> bool:
    return file.suffix.lower() == ".gz"


def _open_text(file: Path) -> IO[bytes]:
    return cast("IO[bytes]", gzip.open(file, "rb")) if _is_packed(file) else file.open("rb")
