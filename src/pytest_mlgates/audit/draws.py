"""Which records of a stretch are looked at: all of them, or so many at random."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

__all__ = ["Draw"]

Record = TypeVar("Record")


class Draw:
    """Draws ``count`` of the records that come by, each as likely as any other; -1 takes all.

    ``held`` is how many came by. The same seed draws the same records of the same file.

    >>> draw = Draw(2, "seed:file")
    >>> chosen = list(draw.of(iter(range(100)), key=int))
    >>> len(chosen), chosen == sorted(chosen), draw.held
    (2, True, 100)
    >>> list(Draw().of("abc", key=str)), Draw(5, "x").places(3)
    (['a', 'b', 'c'], [0, 1, 2])
    """

    def __init__(self, count: int = -1, seed: str = "") -> None:
        self.count, self.held = count, 0
        self._random = random.Random(seed)

    @property
    def takes_all(self) -> bool:
        """Whether every record is looked at."""
        return self.count < 0

    def places(self, total: int) -> Sequence[int]:
        """Return the places that are drawn of ``total``, in order."""
        self.held += total
        if self.takes_all:
            return range(total)
        return sorted(self._random.sample(range(total), min(self.count, total)))

    def of(self, records: Iterable[Record], key: Callable[[Record], Any]) -> Iterator[Record]:
        """Yield what is drawn of records that come one by one, by ``key`` (reservoir, Vitter 1985)."""
        if self.takes_all:
            for record in records:
                self.held += 1
                yield record
            return
        kept: list[Record] = []
        for record in records:
            if len(kept) < self.count:
                kept.append(record)
            elif (place := self._random.randrange(self.held + 1)) < self.count:
                kept[place] = record
            self.held += 1
        yield from sorted(kept, key=key)
