"""A catalogue as large as the case's, to measure what a request costs on it: bytes and CPU time.

Its vectors are trained ones, drawn again with some noise. That does for time and size; recall is
measured on what was trained, never on these.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TypeVar

import numpy as np

from reference_systems.shopfast_two_tower.cost import Measured
from reference_systems.shopfast_two_tower.factors import Floats
from reference_systems.shopfast_two_tower.index import Exact, Index, Quantised
from reference_systems.shopfast_two_tower.recommender import Recommender
from reference_systems.shopfast_two_tower.views import Ints

__all__ = ["ITEMS", "Million", "cpu_s", "large", "measured"]

T = TypeVar("T")

ITEMS = 1_000_000
#: what pruning leaves, in the case and in the log that is generated here
KEPT = 0.1
#: of the spread of the trained vectors, the noise that is added
_NOISE = 0.3
_ROUNDS = 3


class Million:
    """The index of each build over a million items, by the trained vectors of fewer."""

    def __init__(self, vectors: Floats, queries: Floats, seed: int = 0, items: int = ITEMS) -> None:
        random = np.random.default_rng((seed, 10))
        drawn = vectors[random.integers(len(vectors), size=items)]
        noise = random.standard_normal(drawn.shape, dtype=np.float32)
        self.vectors: Floats = drawn + _NOISE * vectors.std(axis=0) * noise
        self.queries = queries

    @cached_property
    def incident(self) -> Index:
        """All items in float32."""
        return Exact(self.vectors)

    @cached_property
    def fixed(self) -> Index:
        """The tenth that is kept, in int8 lists."""
        return Quantised.build(self.vectors[: int(KEPT * len(self.vectors))], self.queries)


def large(shop: Recommender, vectors: Floats, seed: int) -> Million:
    """Return a catalogue of a million, asked for by users of a shop."""
    histories = [shop.histories.user(number) for number in range(len(shop.users))]
    asked = [shop.vector(viewed) for viewed in histories if len(viewed)][:300]
    return Million(vectors, np.array(asked, np.float32), seed)


def measured(million: Million, build: str, shop: Recommender, users: Sequence[str]) -> Measured:
    """Measure what an answer of a build takes on a million items, and the bytes of its index."""
    index: Index = getattr(million, build)
    search_s = cpu_s(index, million.queries[: 30 if build == "incident" else 300])
    whole_s = _least(lambda user: shop.recommend(user, 10), users)
    # the rest of an answer is the same for all builds: the user tower, the histories, the merge
    own = [shop.vector(shop.histories.user(shop.users[user])) for user in users]
    own_s = cpu_s(shop.index, np.array(own, np.float32))
    return Measured(search_s=search_s, answer_s=max(0.0, whole_s - own_s), index_bytes=index.nbytes)


def cpu_s(index: Index, queries: Floats, k: int = 10) -> float:
    """Return the CPU time of a search, in seconds: the least of some rounds' means.

    The time of the process is taken, so what others do on the machine counts only as far as it
    makes this process slower; the least of the rounds has the least of that.
    """
    nobody: Ints = np.empty(0, np.int64)
    return _least(lambda query: index.search(query, k, nobody), list(queries))


def _least(call: Callable[[T], object], items: Sequence[T]) -> float:
    found = []
    for _ in range(_ROUNDS):
        begin = time.process_time()
        for item in items:
            call(item)
        found.append((time.process_time() - begin) / len(items))
    return min(found)
