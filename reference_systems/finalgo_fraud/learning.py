"""Learning from labels: the same step for one label and for years of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reference_systems.finalgo_fraud.model import Model
from reference_systems.finalgo_fraud.profile import PLACES

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["GENUINE_KEPT", "Learner", "absorb", "average_precision", "batch_model", "threshold_of"]

#: one in so many genuine payments is learned from; scores are corrected for it
GENUINE_KEPT = 8
_RATE = 0.15
_SHRINK = 1e-4
_BATCH = 64
#: what a place has learned so far slows its steps up to here, so that it never stops learning
_MOST_SQUARES = 40.0
#: rows of earlier labels, and of recent payments that nobody complained of, for each new fraud
REPLAYED, PRESUMED = 24, 8
#: genuine payments declined at the threshold, as a share
_FALSE_DECLINES = 0.003


class Learner:
    """Logistic regression over places by adaptive gradient steps; ``state`` is all it knows."""

    def __init__(self, state: NDArray[np.float64] | None = None) -> None:
        if state is None:
            state = np.zeros((2, PLACES + 1))
            state[1] = 0.1
        if state.shape != (2, PLACES + 1):
            raise ValueError(f"a learner's state has the shape (2, {PLACES + 1})")
        self.state = state.copy()

    def learn(self, places: NDArray[np.uint16], fraud: NDArray[np.bool_]) -> None:
        """Take one pass over labelled rows, in their order."""
        weights, squares = self.state
        for start in range(0, len(places), _BATCH):
            rows = places[start : start + _BATCH].astype(np.int64)
            logits = weights[rows].sum(axis=1) + weights[-1]
            error = 1 / (1 + np.exp(-np.clip(logits, -30, 30))) - fraud[start : start + _BATCH]
            flat = rows.ravel()
            slope = np.bincount(flat, np.repeat(error, rows.shape[1]), PLACES + 1)
            slope[-1] = error.sum()
            slope += _SHRINK * len(rows) * weights
            squares += slope**2
            weights -= _RATE * slope / np.sqrt(squares)

    def model(self, threshold: float) -> Model:
        """Return what was learned as a model, corrected for the genuine payments left out."""
        weights, bias = self.state[0, :-1].astype(np.float32), self.state[0, -1]
        return Model(weights, float(bias - np.log(GENUINE_KEPT)), threshold)


def absorb(
    learner: Learner,
    places: NDArray[np.uint16],
    fraud: NDArray[np.bool_],
    *,
    replay: tuple[NDArray[np.uint16], NDArray[np.bool_]],
    presumed: NDArray[np.uint16],
    rng: np.random.Generator,
    passes: int = 2,
) -> None:
    """Learn new labels beside earlier ones and payments presumed genuine, so as not to forget."""
    n = max(1, int(fraud.sum()))
    again = rng.choice(len(replay[0]), REPLAYED * n) if len(replay[0]) else np.empty(0, np.int64)
    most = min(len(presumed), PRESUMED * n)
    calm = rng.choice(len(presumed), most, replace=False) if most else np.empty(0, np.int64)
    rows = np.concatenate([places, replay[0][again], presumed[calm]])
    labels = np.concatenate([fraud, replay[1][again], np.zeros(most, bool)])
    np.minimum(learner.state[1], _MOST_SQUARES, out=learner.state[1])
    for _ in range(passes):
        order = rng.permutation(len(rows))
        learner.learn(rows[order], labels[order])


def batch_model(
    places: NDArray[np.uint16], fraud: NDArray[np.bool_], seed: int, passes: int = 3
) -> Learner:
    """Return a learner trained from nothing on all rows, in shuffled order."""
    learner = Learner()
    rng = np.random.default_rng(seed)
    for _ in range(passes):
        order = rng.permutation(len(places))
        learner.learn(places[order], fraud[order])
    return learner


def threshold_of(scores: NDArray[np.float64], fraud: NDArray[np.bool_]) -> float:
    """Return the score above which a small share of genuine payments lies."""
    genuine = scores[~fraud]
    level = float(np.quantile(genuine, 1 - _FALSE_DECLINES)) if len(genuine) else 0.5
    return min(max(level, 1e-6), 1 - 1e-6)


def average_precision(
    scores: NDArray[np.float64],
    fraud: NDArray[np.bool_],
    weights: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Return the area under precision and recall, one for each row of ``weights`` (r, n).

    Equal scores count as one step. Without weights the result has one element.

    >>> average_precision(np.array([.9, .8, .1]), np.array([True, False, True])).round(4).tolist()
    [0.8333]
    """
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    weights = np.ones((1, len(scores))) if weights is None else weights
    weights = weights[:, order]
    hits = np.cumsum(weights * fraud[order], axis=1)
    seen = np.cumsum(weights, axis=1)
    last = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)
    hits, seen = hits[:, last], seen[:, last]
    steps = np.diff(hits, axis=1, prepend=0.0)
    precision = np.divide(hits, seen, out=np.zeros_like(hits), where=seen > 0)
    total = hits[:, -1]
    area = (steps * precision).sum(axis=1)
    found: NDArray[np.float64] = np.divide(area, total, out=np.zeros_like(area), where=total > 0)
    return found
