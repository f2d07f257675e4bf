"""The items of what holds many, one after the other; or why nobody can tell what an item is."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pytest_mlgates.core.words import a

__all__ = ["has_length", "is_stream", "items", "why_unclear"]


def items(source: Any) -> Iterable[Any]:
    """Return what gives the items in order, each once: ``source`` itself where it does."""
    found: Iterable[Any] = _ByPlace(source) if _gives_by_place(source) else source
    return found


def why_unclear(source: Any, what: str, how: str) -> str:
    """Return why the rows of ``source`` can't be told, and the way out; or an empty text."""
    head = f"{what} is {a(type(source).__name__)}"
    if isinstance(source, (bytes, bytearray, memoryview)):
        return f"{head}: decode it, and give {how}"
    if isinstance(source, Mapping):
        return f"{head}: is it one record, or columns? give [record] for one, or a list of records"
    if isinstance(source, io.IOBase) or hasattr(type(source), "readline"):
        return f"{head}, an open file: give its path, or a list of what it holds"
    if _is_a(source, "torch.utils.data", "DataLoader") and source.batch_sampler is not None:
        return (
            f"{head} that gives batches: give its .dataset (a row is an item), or list(loader)"
            " where a batch is what one call takes"
        )
    if getattr(source, "ndim", None) == 0:
        return f"{head} without an axis, one value: give [value], or {how}"
    if isinstance(source, type) or not (
        isinstance(source, Iterable) or hasattr(source, "__getitem__")
    ):
        return f"{head}: give {how}"
    return ""


def _gives_by_place(source: object) -> bool:
    return (
        not is_stream(source)
        and hasattr(source, "__getitem__")
        and not hasattr(type(source), "__iter__")
        and has_length(source)
    )


def has_length(source: Any) -> bool:
    """Tell whether the number of items is known."""
    try:
        return len(source) >= 0
    except TypeError:  # none, or one that is not known
        return False


def is_stream(source: object) -> bool:
    """Tell whether ``source`` can only be read in order, though it has a length and an index."""
    return _is_a(source, "torch.utils.data", "IterableDataset")


def _is_a(source: Any, module: str, name: str) -> bool:
    """Tell what an object is without importing what it may come from."""
    kind = getattr(sys.modules.get(module), name, None)
    return isinstance(kind, type) and isinstance(source, kind)


class _ByPlace(Sequence[Any]):
    """What has a length and gives items by their place, and may not end when it is iterated."""

    def __init__(self, source: Any) -> None:
        self._source = source

    def __len__(self) -> int:
        return len(self._source)

    def __getitem__(self, index: Any) -> Any:
        return self._source[index]

    def __iter__(self) -> Iterator[Any]:
        return (self._source[index] for index in range(len(self._source)))
