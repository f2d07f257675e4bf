"""Inputs for as many calls as it takes, from any iterable."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pytest_mlgates.core import Unmeasurable
from pytest_mlgates.reading.records import records

__all__ = ["Feed"]


class Feed:
    """Gives inputs one by one; reads an iterator once and starts again when it ends.

    >>> feed = Feed(["a", "b"])
    >>> [next(feed) for _ in range(5)], feed.cycled, feed.distinct
    (['a', 'b', 'a', 'b', 'a'], True, 2)
    """

    def __init__(
        self, inputs: Iterable[object], why: str = "a latency needs at least one input"
    ) -> None:
        self._why = why
        self._source: Iterator[object] | None = iter(records(inputs, "inputs"))
        self._kept: list[object] = []
        self._next = 0
        self.cycled = False

    def __iter__(self) -> Feed:
        return self

    def __next__(self) -> object:
        if self._source is not None:
            for item in self._source:
                self._kept.append(item)
                return item
            self._source = None
            if not self._kept:
                raise Unmeasurable(f"inputs is empty: {self._why}")
        self.cycled = True
        item = self._kept[self._next]
        self._next = (self._next + 1) % len(self._kept)
        return item

    @property
    def distinct(self) -> int:
        """How many inputs were read."""
        return len(self._kept)

    def close(self) -> None:
        """Close the source if it is a generator."""
        close = getattr(self._source, "close", None)
        if close is not None:
            close()
