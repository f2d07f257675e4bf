"""Where the items nearest to a user are looked up: all vectors in float32, or int8 in lists.

The lists are those of an inverted file; how many of them are looked into (``nprobe``) is chosen by
measured recall and stored with the index.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import faiss
import numpy as np

from reference_systems.shopfast_two_tower.factors import Floats
from reference_systems.shopfast_two_tower.towers import DIMENSIONS
from reference_systems.shopfast_two_tower.views import Ints

__all__ = ["Exact", "Index", "Quantised", "recall"]

#: the share of the exact ten that is to be found, and items for which one list is enough
WANTED, _FEW = 0.99, 2_000
#: vectors a list at least, as clustering wants them
_A_LIST = 39
_DEPTH = 10

# one query at a time: threads would wait for each other
faiss.omp_set_num_threads(1)


class Index(Protocol):
    """Vectors of items by number."""

    file: str

    def __len__(self) -> int: ...
    def search(self, query: Floats, k: int, without: Ints) -> tuple[Ints, Floats]:
        """Return the ``k`` best items that are not among ``without``, and their scores, falling."""
        ...

    def vectors(self, items: Ints) -> Floats:
        """Return vectors as they are stored, shape (n, 64)."""
        ...

    def write(self, folder: Path) -> None:
        """Write :attr:`file` into a folder."""
        ...


class Exact:
    """Every vector in float32, every score computed: the incident, and the yardstick of recall."""

    file = "vectors.npy"

    def __init__(self, vectors: Floats) -> None:
        self._vectors = np.ascontiguousarray(vectors, np.float32)

    @classmethod
    def read(cls, folder: Path) -> Exact:
        """Read what :meth:`write` wrote."""
        return cls(np.load(folder / cls.file, allow_pickle=False))

    def __len__(self) -> int:
        return len(self._vectors)

    def search(self, query: Floats, k: int, without: Ints) -> tuple[Ints, Floats]:
        """Score all items."""
        scores = self._vectors @ query
        scores[without] = -np.inf
        k = min(k, len(self) - len(without))
        best = np.argpartition(-scores, k - 1)[:k] if 0 < k < len(scores) else np.argsort(-scores)
        best = best[np.argsort(-scores[best], kind="stable")][:k]
        return best, scores[best]

    def vectors(self, items: Ints) -> Floats:
        """Return the vectors themselves."""
        return self._vectors[items]

    def write(self, folder: Path) -> None:
        """Write all vectors."""
        np.save(folder / self.file, self._vectors, allow_pickle=False)


class Quantised:
    """Vectors in int8, a byte a dimension, in the lists of an inverted file (faiss)."""

    file = "index.faiss"

    def __init__(self, index: faiss.IndexIVFScalarQuantizer) -> None:
        self._index = index
        index.make_direct_map()

    @classmethod
    def build(cls, vectors: Floats, queries: Floats) -> Quantised:
        """Quantise vectors, and look into as few lists as ``queries`` allow."""
        vectors = np.ascontiguousarray(vectors, np.float32)
        n = len(vectors)
        lists = 1 if n < _FEW else min(int(4 * n**0.5), n // _A_LIST)
        coarse = faiss.IndexFlatIP(DIMENSIONS)
        index = faiss.IndexIVFScalarQuantizer(
            coarse, DIMENSIONS, lists, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT
        )
        index.cp.min_points_per_centroid = 1  # few items, few lists: no reason to warn
        index.train(vectors)
        index.add(vectors)
        found = cls(index)
        found._choose(Exact(vectors), queries)
        return found

    @classmethod
    def read(cls, folder: Path) -> Quantised:
        """Read what :meth:`write` wrote."""
        return cls(faiss.read_index(str(folder / cls.file)))

    def __len__(self) -> int:
        return int(self._index.ntotal)

    @property
    def lists(self) -> int:
        """How many lists there are."""
        return int(self._index.nlist)

    @property
    def nprobe(self) -> int:
        """How many of the lists are looked into."""
        return int(self._index.nprobe)

    def search(self, query: Floats, k: int, without: Ints) -> tuple[Ints, Floats]:
        """Look into the nearest lists, or into all where these hold fewer than ``k`` items."""
        k = min(k, len(self) - len(without))
        if k <= 0:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        items, scores = self._look(query, k, without, self.nprobe)
        if len(items) < k and self.nprobe < self.lists:
            items, scores = self._look(query, k, without, self.lists)
        return items, scores

    def _look(self, query: Floats, k: int, without: Ints, nprobe: int) -> tuple[Ints, Floats]:
        parameters = faiss.SearchParametersIVF(nprobe=nprobe)
        if len(without):
            seen = faiss.IDSelectorBatch(without)
            selector = faiss.IDSelectorNot(seen)
            parameters = faiss.SearchParametersIVF(nprobe=nprobe, sel=selector)
        scores, items = self._index.search(query[None, :], k, params=parameters)
        there = items[0] >= 0
        return items[0][there], scores[0][there]

    def vectors(self, items: Ints) -> Floats:
        """Return vectors as the codes say."""
        found: Floats = self._index.reconstruct_batch(items)
        return found

    def write(self, folder: Path) -> None:
        """Write the index, ``nprobe`` in it."""
        faiss.write_index(self._index, str(folder / self.file))

    def _choose(self, exact: Exact, queries: Floats) -> None:
        """Take the smallest number of lists that finds enough of the exact ten."""
        self._index.nprobe = self.lists
        best = recall(self, exact, queries)
        wanted = min(WANTED, best - 0.003)
        for nprobe in sorted({*(2**n for n in range(self.lists.bit_length())), self.lists}):
            self._index.nprobe = nprobe
            if recall(self, exact, queries) >= wanted:
                return


def recall(index: Index, exact: Index, queries: Floats, depth: int = _DEPTH) -> float:
    """Return the mean share of the exact ``depth`` nearest that the index finds.

    >>> some = np.eye(3, DIMENSIONS, dtype=np.float32)
    >>> recall(Exact(some), Exact(some), some, depth=2)
    1.0
    """
    nobody = np.empty(0, np.int64)
    found = []
    for query in queries:
        wanted = set(exact.search(query, depth, nobody)[0].tolist())
        got = set(index.search(query, depth, nobody)[0].tolist())
        found.append(len(wanted & got) / len(wanted))
    return float(np.mean(found)) if found else 1.0
