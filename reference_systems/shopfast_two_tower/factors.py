"""Where the item tower starts: the factors of who viewed what, from a randomised decomposition.

Halko, Martinsson and Tropp, SIAM Review 53(2), 2011.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import sparse

from reference_systems.shopfast_two_tower.views import Ints

__all__ = ["Floats", "factors"]

Floats = npt.NDArray[np.float32]

#: columns drawn beyond the rank, and passes over the matrix
_MORE, _PASSES = 10, 3
#: how far the popular are held back, from 0 (not) to 0.5 (each item weighs the same)
_DAMPING = 0.4


def factors(user: Ints, item: Ints, shape: tuple[int, int], kept: int, rank: int) -> Floats:
    """Return a vector of ``rank`` numbers for each item, of mean length 1 over the first ``kept``.

    Only the first ``kept`` items shape the space; the rest are put into it by who viewed them.

    >>> factors(np.array([0, 0, 1, 1, 2]), np.array([0, 1, 0, 1, 2]), (3, 3), 2, 4).shape
    (3, 4)
    """
    users, items = shape
    views = sparse.csr_matrix((np.ones(len(user), np.float32), (user, item)), shape)
    views.sum_duplicates()
    views.data = np.log1p(views.data)
    lengths = np.sqrt(np.asarray(views.multiply(views).sum(axis=1)))[:, 0]
    popularity = np.maximum(np.bincount(item, minlength=items), 1) ** -_DAMPING
    views = sparse.diags(1 / np.maximum(lengths, 1e-9)) @ views @ sparse.diags(popularity)
    views = views.astype(np.float32).tocsr()
    found = np.zeros((items, rank), np.float32)
    directions = min(rank, users, kept)
    basis = _basis(views[:, :kept].tocsr(), directions)
    # the basis is of users: what an item is, is who viewed it
    small = (views[:, :kept].T @ basis).T
    values, turned = np.linalg.eigh(small @ small.T)
    best = np.argsort(-values)[:directions]
    strength = np.sqrt(np.maximum(values[best], 1e-12))
    projected = (views.T @ (basis @ turned[:, best])) / np.sqrt(strength)
    found[:, : len(best)] = projected
    mean = float(np.linalg.norm(found[:kept], axis=1).mean())
    return found / mean if mean > 0 else found


def _basis(views: sparse.csr_matrix, directions: int) -> npt.NDArray[np.float64]:
    random = np.random.default_rng(0)
    width = min(directions + _MORE, *views.shape)
    basis = views @ random.standard_normal((views.shape[1], width)).astype(np.float32)
    for _ in range(_PASSES):
        basis, _ = np.linalg.qr(basis)
        basis = views @ (views.T @ basis)
    basis, _ = np.linalg.qr(basis)
    return basis
