"""The inputs, in the order they are run: rare slices as often as common ones where that can be.

Inputs that have a length are read once for their slices, so that all slices are known beforehand.
Others are run as they come.
"""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from pytest_mlgates.core.errors import Unmeasurable
from pytest_mlgates.gates.shadow_divergence.details import Order
from pytest_mlgates.reading.records import pool
from pytest_mlgates.reading.slices import Slicer

__all__ = ["Case", "Feed"]

#: how much of a stream is read ahead, to know its slices
_AHEAD = 1000


@dataclass(frozen=True, slots=True)
class Case:
    """One input: its place, itself, the slices it is in, its stratum (the set of them)."""

    index: int
    item: object
    names: tuple[str, ...]


class Feed:
    """Inputs in order.

    ``known`` are the slices known beforehand, ``shares`` what part of all inputs a stratum is, and
    ``sizes`` how many inputs a slice has (both empty for a stream).

    >>> feed = Feed(["a", "a", "a", "b"], lambda text: text, "routed", 4, seed=0)
    >>> [case.item for case in feed][:2], feed.shares[("a",)]
    (['a', 'b'], 0.75)
    """

    def __init__(
        self, inputs: object, slice_of: object, order: Order, most: int, seed: int
    ) -> None:
        self.known: list[str] = []
        self.shares: dict[tuple[str, ...], float] = {}
        self.sizes: Counter[str] = Counter()
        self.total: int | None = None
        self.order: Order = order
        self._most = most
        rows = pool(inputs, "inputs")
        if isinstance(rows, Iterator):
            self.order = "stream"
            self._cases = self._stream(rows, slice_of)
        else:
            self._cases = self._pool(rows, slice_of, order, seed)

    def __iter__(self) -> Iterator[Case]:
        return itertools.islice(self._cases, self._most)

    def _pool(self, inputs: Any, slice_of: Any, order: str, seed: int) -> Iterator[Case]:
        self.total = len(inputs)
        if not self.total:
            return iter(())
        slicer = Slicer(slice_of, _item(inputs, 0), self.total)
        by_input = slice_of is not None and slicer.reads_inputs
        strata: dict[tuple[str, ...], list[int]] = {}
        names = []
        for index in range(self.total):
            stratum = slicer.of(index, _item(inputs, index) if by_input else None)
            names.append(stratum)
            strata.setdefault(stratum, []).append(index)
        self.sizes.update(itertools.chain.from_iterable(names))
        self.known = list(self.sizes)
        self.shares = {s: len(places) / self.total for s, places in strata.items()}
        places = _ordered(list(strata.values()), self.total, order, random.Random(seed))
        return (Case(index, _item(inputs, index), names[index]) for index in places)

    def _stream(self, inputs: Iterator[object], slice_of: object) -> Iterator[Case]:
        ahead = list(itertools.islice(inputs, min(_AHEAD, self._most)))
        if not ahead:
            return iter(())
        name = Slicer(slice_of, ahead[0]).of
        first = [Case(index, item, name(index, item)) for index, item in enumerate(ahead)]
        self.known = list(dict.fromkeys(itertools.chain.from_iterable(c.names for c in first)))
        rest = (
            Case(index, item, name(index, item)) for index, item in enumerate(inputs, len(ahead))
        )
        return itertools.chain(first, rest)


def _ordered(strata: list[list[int]], total: int, order: str, draw: random.Random) -> Iterable[int]:
    if order == "given":
        return range(total)
    if order == "shuffled":
        places = list(range(total))
        draw.shuffle(places)
        return places
    for stratum in strata:
        draw.shuffle(stratum)
    return _in_turn(strata)


def _in_turn(strata: list[list[int]]) -> Iterator[int]:
    """Take one of each stratum in turn, until all are empty."""
    while strata:
        strata = [stratum for stratum in strata if stratum]
        for stratum in strata:
            yield stratum.pop()


def _item(inputs: Any, index: int) -> Any:
    try:
        return inputs[index]
    except Exception as error:  # noqa: BLE001  (told by its type: its text may hold the input)
        raise Unmeasurable(f"input {index} can't be read ({type(error).__name__})") from None
