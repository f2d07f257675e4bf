"""Inputs for as many calls as it takes, from any iterable."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pytest_mlgates.core import Unmeasurable
from pytest_mlgates.reading.equality import equality_key
from pytest_mlgates.reading.records import records

__all__ = ["Feed"]


class Feed:
    """Gives inputs one by one; reads an iterator once and starts again when it ends.

    >>> feed = Feed(["a", "b"])
    >>> [next(feed) for _ in range(5)], feed.cycled, feed.distinct
    (['a', 'b', 'a', 'b', 'a'], True, 2)
    >>> feed = Feed(["a", "a", "b"], numbered=True)
    >>> [(next(feed), feed.at)[1] for _ in range(4)], feed.distinct
    ([0, 0, 1, 0], 2)
    """

    def __init__(
        self,
        inputs: Iterable[object],
        why: str = "a latency needs at least one input",
        *,
        numbered: bool = False,
    ) -> None:
        """``numbered`` tells inputs apart by value: ``at`` is then the number of the last one."""
        self._why = why
        self._known: dict[int, int] | None = {} if numbered else None
        self._numbers: list[int] = []
        self.at = 0
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
                self._number(item)
                return item
            self._source = None
            if not self._kept:
                raise Unmeasurable(f"inputs is empty: {self._why}")
        self.cycled = True
        item = self._kept[self._next]
        if self._known is not None:
            self.at = self._numbers[self._next]
        self._next = (self._next + 1) % len(self._kept)
        return item

    @property
    def distinct(self) -> int:
        """How many inputs were read; numbered ones that are equal count once."""
        return len(self._kept) if self._known is None else len(self._known)

    def _number(self, item: object) -> None:
        if self._known is None:
            return
        try:
            key = hash(equality_key(item))
        except Exception:  # noqa: BLE001 - what can't be compared is like no other
            key = -len(self._kept)
        self.at = self._known.setdefault(key, len(self._known))
        self._numbers.append(self.at)

    def close(self) -> None:
        """Close the source if it is a generator."""
        close = getattr(self._source, "close", None)
        if close is not None:
            close()
