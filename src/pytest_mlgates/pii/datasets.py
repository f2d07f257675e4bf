"""Read the records of a data set as texts: text, mail, JSON, CSV and Parquet files, and folders of them.

Nothing is left out: a key of an object is read like a value, also where it stands twice, and a file
that can't be read is told of, since one that was skipped would count as clean. Values are read with
the name of their column before them, since ``order_id`` and ``card`` mean different things.
"""

from __future__ import annotations

import email
import email.policy
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TextIO

from pytest_mlgates.core.errors import Unmeasurable
from pytest_mlgates.pii.scrub import scrub
from pytest_mlgates.reading.tables import tables
from pytest_mlgates.reading.text import UNREADABLE, Text, kind_of, why_unreadable

__all__ = ["BETWEEN", "PACKED", "Chosen", "Pairs", "flat", "looks_like_text", "records"]

_JSON, _LINES, _TABLES = {".json", ".ipynb"}, {".jsonl", ".ndjson"}, {".csv", ".tsv", ".parquet"}
#: kinds that hold no text as it stands, however a file of them begins
PACKED = frozenset(
    [
        ".zip",
        ".tar",
        ".tgz",
        ".bz2",
        ".xz",
        ".zst",
        ".7z",
        ".pdf",
        ".png",
        ".jpg",
        ".jpeg",
        ".gif",
        ".webp",
        ".xlsx",
        ".xls",
        ".docx",
        ".doc",
        ".pptx",
        ".odt",
        ".ods",
        ".avro",
        ".orc",
        ".feather",
        ".arrow",
        ".pkl",
        ".pickle",
        ".npy",
        ".npz",
        ".h5",
        ".sqlite",
        ".db",
        ".pt",
        ".safetensors",
        ".onnx",
    ]
)
#: characters of a text held at a time, and how far two parts of a long paragraph overlap
_MAX_PART, _OVERLAP = 1 << 20, 1024
#: bytes that tell whether a file of an unknown kind is text
_MAX_HEAD = 1 << 13
#: between two values of a record: no identifier reaches over it
BETWEEN = " \x1f "
_HOW = "convert it to text, JSON, CSV or Parquet"


class Pairs(list[tuple[str, object]]):
    """The pairs of a JSON object, a key as often as it stands there."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A data set, and what a person chose: files left out, and files read as the text they are not.

    Both are globs, for the name of a file or its place in the folder; ``told`` says what they did.
    """

    path: Path
    skip: tuple[str, ...] = ()
    as_text: tuple[str, ...] = ()
    told: dict[str, int] = field(default_factory=dict, compare=False)

    def is_left_out(self, place: Path) -> bool:
        """Tell whether a file is left out, and note it."""
        return self._fits(self.skip, place, "left out")

    def is_read_as_text(self, place: Path) -> bool:
        """Tell whether a file is read as text whatever it is, and note it."""
        return self._fits(self.as_text, place, "read as text")

    def _fits(self, globs: tuple[str, ...], place: Path, what: str) -> bool:
        for glob in globs:
            if fnmatchcase(place.name, glob) or fnmatchcase(place.as_posix(), glob):
                line = f"{what}, by choice: files that fit {scrub(glob)}"
                self.told[line] = self.told.get(line, 0) + 1
                return True
        return False


def records(path: Path | Chosen, unread: list[str] | None = None) -> Iterator[tuple[str, str]]:
    """Yield where each record stands and its text; all files of a folder, sorted.

    A record is a paragraph of a text, a line of JSON Lines, an item of a JSON list, a row of CSV
    or Parquet, a mail. With ``unread`` a file of a folder that can't be read is noted there, and
    the others are read; without it, it is an error.

    >>> list(records(Path("no-such-file.csv")))
    Traceback (most recent call last):
        ...
    pytest_mlgates.core.errors.Unmeasurable: the data set is not there: give a file or a folder
    """
    chosen = path if isinstance(path, Chosen) else Chosen(path)
    path = chosen.path
    if not path.exists():
        raise Unmeasurable("the data set is not there: give a file or a folder")
    whole = path.is_dir()
    inside = path.rglob("*") if whole else iter([path])
    # a link to nothing is a file that can't be read
    files = sorted(file for file in inside if file.is_file() or not file.exists())
    for file in files:
        place = file.relative_to(path) if whole else Path(file.name)
        if chosen.is_left_out(place):
            continue
        name = scrub(str(place))
        read = _as_text(file) if chosen.is_read_as_text(place) else _read_file(file, name)
        try:
            for number, text in enumerate(read, start=1):
                yield f"{name}:{number}", text
        except (Unmeasurable, *UNREADABLE) as error:
            reason = str(error)
            if not isinstance(error, Unmeasurable):
                reason = f"{name} can't be read: {why_unreadable(error)}"
            if unread is None:
                raise Unmeasurable(reason) from None
            unread.append(reason)


def _read_file(file: Path, name: str) -> Iterator[str]:
    kind = kind_of(file)
    if kind in _TABLES:
        yield from _row_texts(file, name, has_header=kind != ".parquet")
    elif kind == ".eml":
        yield from _mail(file)
    elif kind in _JSON:
        yield from _json(file)
    elif kind in _LINES:
        with Text(file, newline=None) as text:
            for line in text:
                yield flat(_json_or_none(line))
    elif kind in PACKED or (file.suffix.lower() != ".gz" and not _is_text(file)):
        raise Unmeasurable(f"{name} is of a kind that can't be read: {_HOW}")
    else:
        with Text(file, newline=None) as text:
            for part in _paragraphs(text):
                if "\0" in part:
                    raise Unmeasurable(
                        f"{name} can't be read: it is not text in UTF-8 (null bytes)"
                    )
                yield part


def _as_text(file: Path) -> Iterator[str]:
    """Yield the paragraphs of a file that is to be read as text; what is none is replaced."""
    with file.open(encoding="utf-8", errors="replace") as text:
        for part in _paragraphs(text):
            yield part.replace("\0", " ")


def _is_text(file: Path) -> bool:
    """Tell whether a file begins as text does, whatever its name ends in."""
    with file.open("rb") as raw:
        return looks_like_text(raw.read(_MAX_HEAD), file.suffix.lower())


def looks_like_text(head: bytes, suffix: str) -> bool:
    """Tell whether the first bytes of a file are those of a text."""
    if head[:2] in (b"\xff\xfe", b"\xfe\xff") or suffix in (".txt", ".log", ".md", ""):
        return True
    if head[1:8:2].strip(b"\0") == b"" or head[0:8:2].strip(b"\0") == b"":
        return len(head) > 3  # UTF-16 without a mark, which the reader knows
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return error.start > len(head) - 4 and b"\0" not in head  # cut inside a character
    return b"\0" not in head


def _json(file: Path) -> Iterator[str]:
    with Text(file, newline=None) as text:
        try:
            whole = json.loads(text.read(), object_pairs_hook=Pairs)
        except RecursionError:  # nested deeper than the parser goes: read it as text
            whole = None
    if whole is None:
        with Text(file, newline=None) as again:
            yield from _paragraphs(again)
    else:
        alone = isinstance(whole, Pairs) or not isinstance(whole, list)
        yield from map(flat, [whole] if alone else whole)


def _mail(file: Path) -> Iterator[str]:
    """Yield the head of a mail and its parts, decoded; and the file as it stands."""
    message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
    yield BETWEEN.join(f"{name}: {value}" for name, value in message.items())
    for part in message.walk():
        body = part.get_payload(decode=True)
        if isinstance(body, bytes):
            charset = part.get_content_charset() or "utf-8"
            try:
                yield body.decode(charset, "replace")
            except LookupError:  # a character set that nobody knows
                yield body.decode("latin-1")
    with Text(file, newline=None) as text:
        yield from _paragraphs(text)


def _row_texts(file: Path, called: str, *, has_header: bool) -> Iterator[str]:
    """Yield the rows of a table; whatever is wrong with them, each value is among them."""
    for table in tables(file, _HOW, lenient=True, name_of=lambda _: called):
        if has_header:
            yield BETWEEN.join(table.header)  # a file without a header has data there
        for _, row in table.rows:
            pairs = itertools.zip_longest(table.header, row)
            yield BETWEEN.join(text for name, cell in pairs for text in _texts_in(cell, name or ""))


def _json_or_none(line: str) -> object:
    try:
        return json.loads(line, object_pairs_hook=Pairs)
    except (ValueError, RecursionError):
        return line  # a broken line can hold something, too


def _paragraphs(text: Text | TextIO) -> Iterator[str]:
    part, size = [], 0
    while line := text.readline(_MAX_PART):
        if line.strip():
            part.append(line)
            size += len(line)
        if part and (not line.strip() or size >= _MAX_PART):
            whole = "".join(part)
            yield whole
            tail = whole[-_OVERLAP:] if size >= _MAX_PART and line.strip() else ""
            part, size = [tail] if tail else [], len(tail)
    if part:
        yield "".join(part)


def flat(value: object) -> str:
    r"""Return all values of a record as one text.

    >>> flat({"name": "Jo", "card": [4111, None]})
    'name: Jo \x1f card: 4111 \x1f card'
    """
    return BETWEEN.join(_texts_in(value, ""))


def _texts_in(value: object, name: str) -> Iterable[str]:
    waiting = [(name, value)]  # no recursion: what JSON can nest may be deeper than Python's stack
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, (Mapping, Pairs)):
            pairs = value if isinstance(value, Pairs) else list(value.items())
            if name:
                yield name  # a key can be what gives somebody away
            waiting += [(str(key), item) for key, item in reversed(pairs)]
        elif isinstance(value, (list, tuple)) and value:
            waiting += [(name, item) for item in reversed(value)]
        elif value is None or isinstance(value, (list, tuple)):
            if name:
                yield name
        else:
            text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
            yield f"{name}: {text}" if name else text
