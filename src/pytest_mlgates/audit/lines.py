"""JSON Lines and plain text: lines and paragraphs of any length, and a copy of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TextIO

from pytest_mlgates.audit.cells import Cell, cells_of, rewritten, text_of
from pytest_mlgates.audit.chunks import Changes, Chunk, Window, gathered, is_chosen
from pytest_mlgates.audit.draws import Draw
from pytest_mlgates.core.errors import Unmeasurable
from pytest_mlgates.pii.datasets import Pairs, flat

__all__ = [
    "LONG",
    "Lines",
    "TextCopy",
    "Unit",
    "json_lines_chunks",
    "json_text",
    "text_chunks",
    "units",
]

#: characters from which a record is read in parts, and how far they overlap
LONG, _OVERLAP = 8 << 20, 1 << 14


class Lines(Protocol):
    """What gives lines, as text files do."""

    def readline(self, most: int, /) -> str:
        """Return the next line, or ``most`` characters of it; nothing at the end."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A line or a paragraph, or a part of one; ``before`` are the blank lines that come first."""

    row: int
    text: str
    before: str = ""
    window: Window | None = None


def units(text: Lines, *, paragraphs: bool, most: int = LONG) -> Iterator[Unit]:
    r"""Yield the lines, or the paragraphs, that are not blank, each with the number of its line.

    >>> import io
    >>> [(u.row, u.text) for u in units(io.StringIO("a\nb\n\nc\n"), paragraphs=True)]
    [(1, 'a\nb\n'), (4, 'c\n')]
    >>> [u.row for u in units(io.StringIO("a\nb\n\nc\n"), paragraphs=False)]
    [1, 2, 4]
    """
    number, row, before = 0, 0, ""
    part: list[str] = []
    size = at = 0
    while line := text.readline(most):
        number += 1
        whole = line.endswith("\n") or len(line) < most
        if not line.strip() and whole and not at:
            if part:
                yield Unit(row, "".join(part), before)
                part, size, before = [], 0, ""
            before += line
            continue
        row = row if part or at else number
        part.append(line)
        size += len(line)
        number -= not whole
        if size >= most:
            joined = "".join(part)
            ends = whole and not paragraphs
            high = size if ends else size - _OVERLAP // 2
            yield Unit(row, joined, before, Window(at, _OVERLAP // 2 if at else 0, high, ends))
            at = 0 if ends else at + size - _OVERLAP
            part = [] if ends else [joined[-_OVERLAP:]]
            size, before = (0 if ends else _OVERLAP), ""
        elif not paragraphs or (at and not line.strip() and whole):
            yield Unit(row, "".join(part), before, _last(at, size))
            part, size, at, before = [], 0, 0, ""
    if part or before:
        yield Unit(row, "".join(part), before, _last(at, size))


def _last(at: int, size: int) -> Window | None:
    return Window(at, _OVERLAP // 2, size, True) if at else None


def json_lines_chunks(
    text: Lines, columns: Sequence[str], draw: Draw, most: int = LONG
) -> Iterator[Chunk]:
    """Yield the lines as records; one that is no JSON is read as text."""
    for some in gathered(_drawn(units(text, paragraphs=False, most=most), draw), _characters):
        values = [unit.text if unit.window else _value(unit.text) for unit in some]
        yield _chunk(some, values, columns)


def text_chunks(text: Lines, draw: Draw, most: int = LONG) -> Iterator[Chunk]:
    """Yield the paragraphs as records."""
    for some in gathered(_drawn(units(text, paragraphs=True, most=most), draw), _characters):
        if any("\0" in unit.text for unit in some):
            raise Unmeasurable("it is not text in UTF-8 (null bytes)")
        yield _chunk(some, [unit.text for unit in some], ())


def _chunk(some: Sequence[Unit], values: Sequence[object], columns: Sequence[str]) -> Chunk:
    def cells(at: int) -> list[Cell]:
        every = cells_of(values[at])
        return [cell for cell in every if is_chosen(cell.steps, columns) or not cell.steps]

    texts = [text_of(cells(at)) for at in range(len(some))] if columns else list(map(flat, values))
    windows = [unit.window or Window(0, 0, 1 << 62, True) for unit in some]
    if all(unit.window is None for unit in some):
        windows = []
    return Chunk([unit.row for unit in some], texts, cells, source=(some, values), windows=windows)


def _drawn(found: Iterator[Unit], draw: Draw) -> Iterator[Unit]:
    # blank lines at the end are for a copy, and no record
    return draw.of((u for u in found if u.text or draw.takes_all), key=lambda unit: unit.row)


def _characters(unit: Unit) -> int:
    return len(unit.text)


def _value(line: str) -> object:
    try:
        return json.loads(line, object_pairs_hook=Pairs)
    except (ValueError, RecursionError):
        return line  # a broken line can hold something, too


class TextCopy:
    """Writes lines and paragraphs as they were; JSON is written anew where something is changed."""

    def __init__(self, sink: TextIO) -> None:
        self._sink = sink

    def write(self, chunk: Chunk, changes: Changes) -> None:
        """Write the records of a chunk, some of them changed."""
        some, values = chunk.source
        for at, (unit, value) in enumerate(zip(some, values, strict=True)):
            self._sink.write(unit.before)
            if at not in changes:
                self._sink.write(unit.text)
                continue
            changed = rewritten(value, changes[at])
            if isinstance(changed, str) and value is unit.text:
                self._sink.write(changed)
                continue
            end = unit.text[len(unit.text.rstrip("\r\n")) :]
            self._sink.write(json_text(changed) + end)

    @property
    def emptied(self) -> int:
        """None: each value can hold text."""
        return 0

    def close(self) -> None:
        """End the file."""
        self._sink.flush()


def json_text(value: object) -> str:
    """Return a value as JSON; of an object each key as often as it stood there."""
    if isinstance(value, Pairs):
        inside = ", ".join(f"{json.dumps(key)}: {json_text(item)}" for key, item in value)
        return f"{{{inside}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(json_text, value))}]"
    return json.dumps(value)
