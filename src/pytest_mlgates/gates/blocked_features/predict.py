"""How well groups are told from features by models fitted to other applicants.

All models are linear in the groups, so those that are dealt out anew (the permutations) are fitted
together with the real ones, at little cost.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.stats import rankdata

from pytest_mlgates.gates.blocked_features.design import Design, Encoding, Floats

__all__ = ["FOLDS", "Folds", "alone", "aucs"]

Whole = npt.NDArray[np.int64]

FOLDS = 5
_RIDGE = 10.0


@dataclass(frozen=True, slots=True)
class Folds:
    """``unit`` of each row, and ``fold`` of each unit: rows of one applicant stay together."""

    unit: Whole
    fold: Whole

    @classmethod
    def of(cls, unit: Whole, group: Whole, rng: np.random.Generator) -> Folds:
        """Deal units out so that each fold has its share of each group (one for each unit)."""
        order = rng.permutation(len(group))
        order = order[np.argsort(group[order], kind="stable")]
        fold = np.empty(len(group), np.int64)
        fold[order] = np.arange(len(group)) % FOLDS
        return cls(unit, fold)

    def blocks(self, members: Floats) -> Whole:
        """Return how many independent pairs of a member and another each fold has."""
        yes = np.array([members[self.fold == f].sum() for f in range(FOLDS)])
        size = np.array([(self.fold == f).sum() for f in range(FOLDS)])
        pairs: Whole = np.minimum(yes, size - yes).astype(np.int64)
        return pairs


def aucs(design: Design, groups: Floats, folds: Folds) -> Iterator[tuple[str, Floats]]:
    """Yield the name of a model and its AUC for each column of ``groups`` (a row for each unit)."""
    rows = groups[folds.unit]
    yield "added up", _auc(_ridge(design.added, rows, folds), groups, folds)
    if design.pairs is not None:
        yield "pairs of columns", _auc(_ridge(design.pairs, rows, folds), groups, folds)
    if design.points is not None:
        yield "nearest neighbours", _auc(_nearest(design.points, rows, folds), groups, folds)


def alone(block: Encoding, group: Floats, folds: Folds) -> float:
    """Return the AUC of one column alone for one group."""
    column = group[:, None]
    return float(_auc(_ridge(block.x, column[folds.unit], folds), column, folds)[0])


def _ridge(x: Floats, y: Floats, folds: Folds) -> Floats:
    scores = np.zeros_like(y)
    for test, train in _split(folds):
        mean, middle = x[train].mean(axis=0), y[train].mean(axis=0)
        seen = x[train] - mean
        gram = seen.T @ seen + _RIDGE * np.eye(x.shape[1])
        weights = np.linalg.solve(gram, seen.T @ (y[train] - middle))
        scores[test] = (x[test] - mean) @ weights
    return scores


def _nearest(x: Floats, y: Floats, folds: Folds) -> Floats:
    scores = np.zeros_like(y)
    for test, train in _split(folds):
        k = min(len(train), max(5, round(len(train) ** 0.5)))
        apart = (x[test] ** 2).sum(axis=1)[:, None] - 2 * x[test] @ x[train].T
        apart += (x[train] ** 2).sum(axis=1)[None, :]
        near = np.argpartition(apart, k - 1, axis=1)[:, :k]
        places = (np.repeat(np.arange(len(test)), k), near.ravel())
        chosen = sparse.csr_matrix((np.full(near.size, 1 / k), places), (len(test), len(train)))
        scores[test] = chosen @ y[train]
    return scores


def _split(folds: Folds) -> Iterator[tuple[Whole, Whole]]:
    place = folds.fold[folds.unit]
    for f in range(FOLDS):
        yield np.flatnonzero(place == f), np.flatnonzero(place != f)


def _auc(scores: Floats, groups: Floats, folds: Folds) -> Floats:
    """Return the AUC over units, each with the mean score of its rows; the mean over folds."""
    units = groups.shape[0]
    to_unit = sparse.csr_matrix(
        (np.ones(len(folds.unit)), (folds.unit, np.arange(len(folds.unit)))),
        (units, len(folds.unit)),
    )
    mean = (to_unit @ scores) / np.bincount(folds.unit, minlength=units)[:, None]
    total, weight = np.zeros(groups.shape[1]), np.zeros(groups.shape[1])
    for f in range(FOLDS):
        here = folds.fold == f
        y = groups[here]
        # sums in another order must not break ties
        ranks = rankdata(np.round(mean[here], 10), axis=0)
        yes = y.sum(axis=0)
        no = y.shape[0] - yes
        above = ((ranks * y).sum(axis=0) - yes * (yes + 1) / 2) / np.maximum(yes * no, 1)
        blocks = np.minimum(yes, no)
        total += blocks * above
        weight += blocks
    return np.where(weight > 0, total / np.maximum(weight, 1), 0.5)
