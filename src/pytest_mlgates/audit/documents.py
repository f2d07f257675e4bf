"""JSON documents, and whatever else ``mlgates scan`` reads as a whole: records, and a copy of JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO

from pytest_mlgates.audit.cells import Cell, cells_of, rewritten, text_of
from pytest_mlgates.audit.chunks import Changes, Chunk, is_chosen
from pytest_mlgates.audit.draws import Draw
from pytest_mlgates.audit.lines import Lines, json_text
from pytest_mlgates.core.errors import Unmeasurable
from pytest_mlgates.pii.datasets import Pairs, records

__all__ = [
    "JsonCopy",
    "PushedBack",
    "is_json_lines",
    "json_chunks",
    "loaded",
    "other_chunks",
]

_RECORDS = 2_048


def json_chunks(whole: object, columns: Sequence[str], draw: Draw) -> Iterator[Chunk]:
    """Yield the items of a list as records, or a document that is none as the only one."""
    items = whole if isinstance(whole, list) and not isinstance(whole, Pairs) else [whole]
    numbers = draw.places(len(items))
    for start in range(0, len(numbers), _RECORDS):
        some = [(number + 1, items[number]) for number in numbers[start : start + _RECORDS]]
        yield _chunk(some, columns)


def _chunk(some: Sequence[tuple[int, object]], columns: Sequence[str]) -> Chunk:
    def cells(at: int) -> list[Cell]:
        every = cells_of(some[at][1])
        return [cell for cell in every if is_chosen(cell.steps, columns) or not cell.steps]

    texts = [text_of(cells(at)) for at in range(len(some))]
    return Chunk([number for number, _ in some], texts, cells, source=some)


def other_chunks(path: Path, draw: Draw) -> Iterator[Chunk]:
    """Yield the records of a file of any other kind, such as mail; they have no columns."""
    found = [text for _, text in records(path)]
    for number in draw.places(len(found)):
        cell = Cell((), found[number], 0)
        yield Chunk([number + 1], [cell.text], lambda _, cell=cell: [cell])  # type: ignore[misc]


class JsonCopy:
    """Writes the document again with the changes in it."""

    def __init__(self, sink: TextIO, whole: object) -> None:
        self._sink, self._whole = sink, whole
        self._items: list[object] = []

    def write(self, chunk: Chunk, changes: Changes) -> None:
        """Keep the records of a chunk, some of them changed."""
        for at, (_, value) in enumerate(chunk.source):
            self._items.append(rewritten(value, changes[at]) if at in changes else value)

    @property
    def emptied(self) -> int:
        """None: each value can hold text."""
        return 0

    def close(self) -> None:
        """Write the file."""
        listed = isinstance(self._whole, list) and not isinstance(self._whole, Pairs)
        self._sink.write(json_text(self._items if listed else self._items[0]) + "\n")
        self._sink.flush()


def loaded(text: str) -> object:
    """Return what a JSON text holds; an object has each key as often as it stands there."""
    try:
        return json.loads(text, object_pairs_hook=Pairs)
    except json.JSONDecodeError as error:
        raise Unmeasurable(f"line {error.lineno} is not JSON ({error.msg})") from None
    except RecursionError:
        raise Unmeasurable("it is nested too deeply") from None


class PushedBack:
    """Lines of which the first were looked at already."""

    def __init__(self, text: Lines) -> None:
        self._text = text
        self._seen: list[str] = []
        self._next = 0

    def readline(self, most: int) -> str:
        """Return the next line, or ``most`` characters of it."""
        if self._next < len(self._seen):
            self._next += 1
            return self._seen[self._next - 1]
        return self._text.readline(most)

    def looked(self, most: int) -> str:
        """Return the next line that is not blank, which is read again later."""
        while line := self._text.readline(most):
            self._seen.append(line)
            if line.strip():
                return line
        return ""

    def rest(self) -> str:
        """Return the whole text."""
        return "".join([*self._seen, *iter(lambda: self._text.readline(1 << 24), "")])


def is_json_lines(text: PushedBack, most: int) -> bool:
    """Tell whether the first line is a whole JSON value and another line follows."""
    try:
        json.loads(text.looked(most))
    except (ValueError, RecursionError):
        return False
    return bool(text.looked(most))
