"""Where the items nearest to a user are looked up: all vectors in float32, or int8 in lists.

The lists are those of an inverted file; how many of them are looked into (``nprobe``) is chosen by
measured recall and stored with the index. What is found is put in order by a second byte a
dimension, the rest that the first byte leaves.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import faiss
import numpy as np
import numpy.typing as npt

from reference_systems.shopfast_two_tower.factors import Floats
from reference_systems.shopfast_two_tower.towers import DIMENSIONS
from reference_systems.shopfast_two_tower.views import Ints

__all__ = ["Exact", "Index", "Quantised", "recall"]

#: of the exact ten, the share that may be lost for the lists not looked into; and items for which
#: one list is enough
MAX_LOST, _FEW = 0.002, 2_000
#: vectors a list at least and, for clustering, at most, and its rounds
_A_LIST, _LOOKED_AT, _ROUNDS = 39, 64, 12
_DEPTH = 10
_NOBODY = np.empty(0, np.int64)
#: items more than asked for that are put in order again
_RANKED = 30

# one query at a time: threads would wait for each other
faiss.omp_set_num_threads(1)


class Index(Protocol):
    """Vectors of items by number."""

    files: tuple[str, ...]

    def __len__(self) -> int: ...
    @property
    def nbytes(self) -> int:
        """Bytes of vectors, lists and the numbers of their items."""
        ...

    def search(self, query: Floats, k: int, without: Ints) -> tuple[Ints, Floats]:
        """Return the ``k`` best items that are not among ``without``, and their scores, falling."""
        ...

    def vectors(self, items: Ints) -> Floats:
        """Return vectors as they are stored, shape (n, 64)."""
        ...

    def write(self, folder: Path) -> None:
        """Write :attr:`files` into a folder."""
        ...


class Exact:
    """Every vector in float32, every score computed: the incident, and the yardstick of recall."""

    files = ("vectors.npy",)

    def __init__(self, vectors: Floats) -> None:
        self._vectors = np.ascontiguousarray(vectors, np.float32)

    @classmethod
    def read(cls, folder: Path) -> Exact:
        """Read what :meth:`write` wrote."""
        return cls(np.load(folder / cls.files[0], allow_pickle=False))

    def __len__(self) -> int:
        return len(self._vectors)

    @property
    def nbytes(self) -> int:
        """Four bytes a dimension."""
        return self._vectors.nbytes

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
        np.save(folder / self.files[0], self._vectors, allow_pickle=False)


class Quantised:
    """Vectors in int8, in the lists of an inverted file (faiss), with a second int8 to re-rank."""

    files = ("index.faiss", "fine.npz")

    def __init__(
        self, index: faiss.IndexIVFScalarQuantizer, fine: npt.NDArray[np.int8], scale: Floats
    ) -> None:
        self._index, self._fine, self._scale = index, fine, scale
        index.make_direct_map()

    @classmethod
    def build(cls, vectors: Floats, queries: Floats) -> Quantised:
        """Quantise vectors, and look into as few lists as ``queries`` allow."""
        vectors = np.ascontiguousarray(vectors, np.float32)
        n = len(vectors)
        lists = 1 if n < _FEW else min(int(2 * n**0.5), n // _A_LIST)
        coarse = faiss.IndexFlatIP(DIMENSIONS)
        index = faiss.IndexIVFScalarQuantizer(
            coarse, DIMENSIONS, lists, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT
        )
        index.cp.min_points_per_centroid = 1  # few items, few lists: no reason to warn
        index.cp.niter, index.cp.max_points_per_centroid = _ROUNDS, _LOOKED_AT
        index.train(vectors)
        index.add(vectors)
        index.make_direct_map()
        rest = vectors - index.reconstruct_n(0, n)
        scale = np.maximum(np.abs(rest).max(axis=0) / 127, 1e-12).astype(np.float32)
        found = cls(index, np.round(rest / scale).astype(np.int8), scale)
        found._choose(Exact(vectors), queries)
        return found

    @classmethod
    def read(cls, folder: Path) -> Quantised:
        """Read what :meth:`write` wrote."""
        index = faiss.read_index(str(folder / cls.files[0]))
        with np.load(folder / cls.files[1], allow_pickle=False) as held:
            return cls(index, held["fine"], held["scale"])

    def __len__(self) -> int:
        return int(self._index.ntotal)

    @property
    def nbytes(self) -> int:
        """Two bytes a dimension, the centre of each list, and eight for the number of each item."""
        return len(faiss.serialize_index(self._index)) + self._fine.nbytes + self._scale.nbytes

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
        scores, items = self._index.search(query[None, :], k + _RANKED, params=parameters)
        items, scores = items[0][items[0] >= 0], scores[0][items[0] >= 0]
        scores = scores + self._fine[items] @ (self._scale * query)
        best = np.argsort(-scores, kind="stable")[:k]
        return items[best], scores[best]

    def vectors(self, items: Ints) -> Floats:
        """Return vectors as the codes say."""
        found: Floats = self._index.reconstruct_batch(items)
        return found + self._fine[items] * self._scale

    def write(self, folder: Path) -> None:
        """Write the index, ``nprobe`` in it."""
        faiss.write_index(self._index, str(folder / self.files[0]))
        np.savez(folder / self.files[1], fine=self._fine, scale=self._scale)

    def _choose(self, exact: Exact, queries: Floats) -> None:
        """Take the smallest number of lists that finds enough of the exact ten."""
        nearest = [exact.search(query, _DEPTH, _NOBODY)[0] for query in queries]
        self._index.nprobe = self.lists
        wanted = _recall(self, nearest, queries) - MAX_LOST
        for nprobe in sorted({*(2**n for n in range(self.lists.bit_length())), self.lists}):
            self._index.nprobe = nprobe
            if _recall(self, nearest, queries) >= wanted:
                return


def recall(index: Index, exact: Index, queries: Floats, depth: int = _DEPTH) -> float:
    """Return the mean share of the exact ``depth`` nearest that the index finds.

    >>> some = np.eye(3, DIMENSIONS, dtype=np.float32)
    >>> recall(Exact(some), Exact(some), some, depth=2)
    1.0
    """
    nearest = [exact.search(query, depth, _NOBODY)[0] for query in queries]
    return _recall(index, nearest, queries)


def _recall(index: Index, nearest: Sequence[Ints], queries: Floats) -> float:
    found = []
    for query, wanted in zip(queries, nearest, strict=True):
        got = index.search(query, len(wanted), _NOBODY)[0]
        found.append(len(np.intersect1d(wanted, got)) / len(wanted))
    return float(np.mean(found)) if found else 1.0
