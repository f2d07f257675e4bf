"""Records that were read together: what the detector reads of each, and its cells where it is dirty."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pytest_mlgates.audit.cells import Cell, Change, Place, Steps

__all__ = ["Changes", "Chunk", "Window", "gathered", "is_chosen", "steps_of"]

_Item = TypeVar("_Item")
#: of one chunk, the most records and the characters from which it is full
_RECORDS, _CHARACTERS = 8_192, 1 << 20

#: for each record by its place in the chunk, what is changed of it in a copy
Changes = Mapping[int, Mapping[Place, Change]]


@dataclass(frozen=True, slots=True)
class Window:
    """A part of a record that is too long to be read at once.

    ``at`` is where the part starts; finds count that start between ``low`` and ``high`` of it, so
    that one in the overlap of two parts counts once. Only the ``last`` counts as a record.
    """

    at: int
    low: int
    high: int
    last: bool


@dataclass(frozen=True, slots=True)
class Chunk:
    """Texts of records, their numbers in the file, and how the cells of one are got.

    ``head`` says that it is the names of the columns. ``source`` is what the format's own copy
    makes the records from. ``names_once`` says that names are those of the columns and are told
    of with the head, not again in each record.
    """

    rows: Sequence[int]
    texts: Sequence[str]
    cells: Callable[[int], Sequence[Cell]]
    source: Any = None
    head: bool = False
    names_once: bool = False
    windows: Sequence[Window] = ()


def steps_of(names: Sequence[str]) -> list[str]:
    """Return the first step to each column; one of a name that comes again is numbered.

    >>> steps_of(["a", "b", "a"])
    ['a', 'b', 'a (2)']
    """
    return list(_numbered(names))


def _numbered(names: Sequence[str]) -> Iterator[str]:
    seen: dict[str, int] = {}
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        yield name if seen[name] == 1 else f"{name} ({seen[name]})"


def is_chosen(steps: Steps, columns: Sequence[str]) -> bool:
    """Tell whether a value is in one of the columns wanted; of a nested one by its dotted name.

    >>> is_chosen(("a", 3, "b"), ["a.b"]), is_chosen(("a", "c"), ["a.b"]), is_chosen(("x",), [])
    (True, False, True)
    """
    if not columns:
        return True
    name = ".".join(step for step in steps if isinstance(step, str))
    return any(name == wanted or name.startswith(f"{wanted}.") for wanted in columns)


def gathered(found: Iterator[_Item], size_of: Callable[[_Item], int]) -> Iterator[list[_Item]]:
    """Yield records in lists of the size of a chunk; what stands before a break is yielded too."""
    some: list[_Item] = []
    size = 0
    try:
        for item in found:
            some.append(item)
            size += size_of(item)
            if size >= _CHARACTERS or len(some) >= _RECORDS:
                yield some
                some, size = [], 0
    except Exception:
        if some:
            yield some
        raise
    if some:
        yield some
