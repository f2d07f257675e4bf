"""The inputs, in the order they are run: rare slices as often as common ones where that can be.

Inputs that have a length are read once for their slices, so that all slices are known beforehand.
They get places in one random order, which is that of every slice too: slices take turns, and each
turn runs the next input of that slice which was not run yet. An input that another slice brought
forward counts for a slice only once all of its inputs before that were run, so what is counted of a
slice is a random sample of it, whatever other slices its inputs are in. Others are run as they come.
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
    ``sizes`` how many inputs a slice has (both empty for a stream). ``queues`` are the inputs of each
    slice in the order that they count in, those of all inputs under None; empty where inputs count
    as they are run.

    >>> feed = Feed(["a", "a", "a", "b"], lambda text: text, "routed", 4, seed=0)
    >>> sorted(case.item for case in list(feed)[:2]), feed.shares[("a",)]
    (['a', 'b'], 0.75)
    """

    def __init__(
        self, inputs: object, slice_of: object, order: Order, most: int, seed: int
    ) -> None:
        self.known: list[str] = []
        self.shares: dict[tuple[str, ...], float] = {}
        self.sizes: Counter[str] = Counter()
        self.queues: dict[str | None, list[int]] = {}
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
        strata: Counter[tuple[str, ...]] = Counter()
        names = []
        for index in range(self.total):
            stratum = slicer.of(index, _item(inputs, index) if by_input else None)
            names.append(stratum)
            strata[stratum] += 1
        self.sizes.update(itertools.chain.from_iterable(names))
        self.known = list(self.sizes)
        self.shares = {s: count / self.total for s, count in strata.items()}
        every = range(self.total)
        places: Iterable[int] = every
        if order != "given":
            places = random.Random(seed).sample(every, self.total)
        if order == "routed":
            self.queues = {None: list(places)}
            for index in places:
                for name in names[index]:
                    self.queues.setdefault(name, []).append(index)
            slices = [queue for name, queue in self.queues.items() if name is not None]
            places = _in_turn(slices or list(self.queues.values()))
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


def _in_turn(queues: list[list[int]]) -> Iterator[int]:
    """Take the next of each queue in turn that was not taken yet, until all are empty."""
    taken: set[int] = set()
    left = [iter(queue) for queue in queues]
    while left:
        going = []
        for queue in left:
            index = next((index for index in queue if index not in taken), None)
            if index is not None:
                taken.add(index)
                yield index
                going.append(queue)
        left = going


def _item(inputs: Any, index: int) -> Any:
    try:
        return inputs[index]
    except Exception as error:  # noqa: BLE001  (told by its type: its text may hold the input)
        raise Unmeasurable(f"input {index} can't be read ({type(error).__name__})") from None
