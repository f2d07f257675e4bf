"""A record as one text, and which cell of it a find stands in.

The detector reads a record as ``mlgates scan`` always did: ``name: value`` for each cell, with a
mark between cells that no identifier reaches over. A find is then told by the path of its cell and
by characters of the value there, so that a person, or the copy, can go to it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pytest_mlgates.pii.datasets import BETWEEN, Pairs
from pytest_mlgates.pii.spans import Span

__all__ = [
    "Cell",
    "Change",
    "Found",
    "Place",
    "Steps",
    "cells_of",
    "locate",
    "rewritten",
    "text_of",
]

#: steps from a record to a value: keys and indices
Steps = tuple[str | int, ...]
#: a value by its steps, or the name before it
Place = tuple[Steps, bool]
Change = Callable[[object], object]


@dataclass(frozen=True, slots=True)
class Cell:
    """A value, or a name that stands alone, as text; the value starts after ``prefix`` characters."""

    steps: Steps
    text: str
    prefix: int

    @property
    def path(self) -> str:
        """Where the value stands, as a person writes it.

        >>> Cell(("messages", 0, "content"), "content: hi", 9).path
        'messages[0].content'
        """
        shown = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.steps)
        return shown.removeprefix(".")


@dataclass(frozen=True, slots=True)
class Found:
    """A find in a cell: characters ``start`` to ``end`` of the value, or of the name."""

    cell: Cell
    span: Span
    start: int
    end: int
    in_name: bool

    @property
    def value(self) -> str:
        """The characters found; they leave this process only masked."""
        at = 0 if self.in_name else self.cell.prefix
        return self.cell.text[at + self.start : at + self.end]


def cells_of(value: object, name: str = "", steps: Steps = ()) -> Iterator[Cell]:
    """Yield the cells of a record in the order in which its text holds them.

    >>> [(c.path, c.text) for c in cells_of({"who": {"card": 4111}, "tags": ["a", None]})]
    [('who', 'who'), ('who.card', 'card: 4111'), ('tags[0]', 'tags: a'), ('tags[1]', 'tags')]
    """
    waiting = [(name, value, steps)]  # no recursion: what JSON can nest is deeper than the stack
    while waiting:
        name, value, steps = waiting.pop()
        if isinstance(value, (Mapping, Pairs)):
            if name:
                yield Cell(steps, name, len(name))
            pairs = reversed(_keyed(value))
            waiting += [(key, item, (*steps, step)) for step, key, item in pairs]
        elif isinstance(value, (list, tuple)) and value:
            last = len(value) - 1
            waiting += [
                (name, item, (*steps, last - back)) for back, item in enumerate(reversed(value))
            ]
        elif value is None or isinstance(value, (list, tuple)):
            if name:
                yield Cell(steps, name, len(name))
        else:
            text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
            yield Cell(steps, f"{name}: {text}" if name else text, len(name) + 2 if name else 0)


def text_of(cells: Iterable[Cell]) -> str:
    """Return what the detector reads."""
    return BETWEEN.join(cell.text for cell in cells)


def locate(cells: Sequence[Cell], spans: Iterable[Span]) -> Iterator[Found]:
    """Yield for each span of the text of ``cells`` the cell it starts in.

    >>> cells = list(cells_of({"id": 7, "card": "4111"}))
    >>> [(f.cell.path, f.start, f.value) for f in locate(cells, [Span("X", 14, 18, 1, True)])]
    [('card', 0, '4111')]
    """
    at, index = 0, 0
    for span in spans:
        while index < len(cells) - 1 and span.start >= at + len(cells[index].text) + len(BETWEEN):
            at += len(cells[index].text) + len(BETWEEN)
            index += 1
        cell = cells[index]
        start, end = span.start - at, min(span.end - at, len(cell.text))
        in_name = end <= cell.prefix
        if not in_name:
            start, end = max(start, cell.prefix) - cell.prefix, end - cell.prefix
        yield Found(cell, span, start, end, in_name)


def rewritten(value: object, changes: Mapping[Place, Change]) -> object:
    """Return a record with some of its values, or the names before them, changed.

    >>> rewritten({"a": [1, {"b": 2}]}, {(("a", 1, "b"), False): lambda old: None})
    {'a': [1, {'b': None}]}
    """
    inside = {steps[:at] for steps, _ in changes for at in range(len(steps))}
    return _rewritten(value, (), changes, inside)


def _rewritten(
    value: object, steps: Steps, changes: Mapping[Place, Change], inside: set[Steps]
) -> object:
    if (steps, False) in changes:
        return changes[steps, False](value)
    if steps not in inside:
        return value
    if isinstance(value, (Mapping, Pairs)):
        pairs = []
        for step, key, item in _keyed(value):
            rename = changes.get(((*steps, step), True))
            name = str(rename(key)) if rename else key
            pairs.append((name, _rewritten(item, (*steps, step), changes, inside)))
        return Pairs(pairs) if isinstance(value, Pairs) else dict(pairs)
    if isinstance(value, (list, tuple)):
        items = [_rewritten(item, (*steps, at), changes, inside) for at, item in enumerate(value)]
        return tuple(items) if isinstance(value, tuple) else items
    return value


def _keyed(value: Mapping[object, object] | Pairs) -> list[tuple[str, str, object]]:
    """Return the steps, keys and items of an object; a key that comes again has steps of its own."""
    pairs = value if isinstance(value, Pairs) else [(str(k), item) for k, item in value.items()]
    seen: Counter[str] = Counter()
    found = []
    for key, item in pairs:
        seen[key] += 1
        found.append((key if seen[key] == 1 else f"{key} ({seen[key]})", key, item))
    return found
