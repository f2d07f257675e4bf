"""What each metric observes of an answer and its label, and the bounds that follow.

Means of observations have exact binomial or betting bounds; F1 is a function of one proportion;
AUROC is a U-statistic; a calibration error adds up the worst that each bin allows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import numpy as np

from pytest_mlgates.core.observations import mean_bounds
from pytest_mlgates.gates.quality_floor.details import Bin, Pairs, QualityRow
from pytest_mlgates.stats import binomial
from pytest_mlgates.stats.bounded import entropy_lower, entropy_upper

__all__ = [
    "BINARY",
    "LESS_IS_BETTER",
    "MEANS",
    "OF_ONE_LABEL",
    "Metric",
    "best_constant",
    "metric_bounds",
    "observation",
    "value_of",
]

Metric = Literal[
    "accuracy", "recall", "precision", "specificity", "f1", "auroc", "calibration_error", "score"
]
#: metrics that are means over inputs: a drop can be paired, and inputs can share a unit
MEANS = frozenset({"accuracy", "recall", "specificity", "score"})
#: metrics whose labels are yes or no
BINARY = frozenset({"recall", "precision", "specificity", "f1", "auroc", "calibration_error"})
#: metrics that look at the inputs of one label only: one and the same answer to all reaches 1
OF_ONE_LABEL = {"recall": "yes", "specificity": "no"}
LESS_IS_BETTER = frozenset({"calibration_error"})

BINS = 10


def observation(metric: str, answer: float, label: float) -> float | None:
    """Return what one input shows of a metric of yes and no, or None where it is not about it.

    >>> observation("recall", 1, 1), observation("recall", 1, 0), observation("f1", 1, 0), observation("f1", 0, 0)
    (1.0, None, 0.0, None)
    """
    yes, true = answer > 0.5, label > 0.5
    about = {
        "accuracy": True,
        "recall": true,
        "specificity": not true,
        "precision": yes,
        "f1": yes or true,
    }[metric]
    return float(yes == true) if about else None


def pairs_of(scores: Sequence[float], labels: Sequence[float]) -> Pairs:
    """Return how often a positive scores above a negative (Mann and Whitney).

    >>> pairs_of([0.1, 0.4, 0.4, 0.9], [0, 0, 1, 1]).above
    0.875
    """
    from scipy.stats import rankdata

    true = np.asarray(labels, float) > 0.5
    positives, negatives = int(true.sum()), int((~true).sum())
    above = 0.0
    if positives and negatives:
        ranks = rankdata(scores)
        wins = float(ranks[true].sum()) - positives * (positives + 1) / 2
        above = wins / (positives * negatives)
    return Pairs(above=above, positives=positives, negatives=negatives)


def bins_of(scores: Sequence[float], labels: Sequence[float]) -> tuple[Bin, ...]:
    """Return the inputs by score, in ten bins of equal width."""
    found = []
    place = np.minimum((np.asarray(scores, float) * BINS).astype(int), BINS - 1)
    for at in range(BINS):
        here = np.flatnonzero(place == at)
        if here.size:
            positives = int(np.sum(np.asarray(labels, float)[here] > 0.5))
            score = float(np.mean(np.asarray(scores, float)[here]))
            found.append(Bin(n=here.size, positives=positives, score=score))
    return tuple(found)


def value_of(metric: str, row: QualityRow) -> float:
    """Return what the metric comes to on the inputs of a row."""
    if row.pairs is not None:
        return row.pairs.above
    if row.bins is not None:
        total = sum(bin_.n for bin_ in row.bins)
        off = sum(abs(bin_.positives - bin_.n * bin_.score) for bin_ in row.bins)
        return off / total if total else 0.0
    mean = row.values.mean if row.values is not None else 0.0
    return _f1(mean) if metric == "f1" else mean


def count_of(row: QualityRow) -> int:
    """Return how many observations the metric rests on."""
    if row.pairs is not None:
        return min(row.pairs.positives, row.pairs.negatives)
    if row.bins is not None:
        return sum(bin_.n for bin_ in row.bins)
    return row.values.n if row.values is not None else 0


def metric_bounds(metric: str, row: QualityRow, below: float, above: float) -> tuple[float, float]:
    """Return one-sided bounds of a metric: the truth is under the first with chance ``below``."""
    if row.pairs is not None:
        n, mean = count_of(row), row.pairs.above
        return entropy_lower(mean, n, below), entropy_upper(mean, n, above) if n else 1.0
    if row.bins is not None:
        return _calibration(row.bins, below, above)
    low, high = mean_bounds(row.values, below, above) if row.values is not None else (0.0, 1.0)
    return (_f1(low), _f1(high)) if metric == "f1" else (low, high)


def _calibration(bins: Sequence[Bin], below: float, above: float) -> tuple[float, float]:
    """Return bounds of the calibration error of scores that are distributed as these."""
    low = high = 0.0
    total = sum(bin_.n for bin_ in bins)
    for bin_ in bins:
        share, score = bin_.n / total, bin_.score
        under, over = below / 2 / len(bins), above / 2 / len(bins)
        most = binomial.upper(bin_.positives, bin_.n, over)
        least = binomial.lower(bin_.positives, bin_.n, over)
        high += share * max(abs(most - score), abs(score - least))
        near = (
            binomial.lower(bin_.positives, bin_.n, under),
            binomial.upper(bin_.positives, bin_.n, under),
        )
        low += share * max(near[0] - score, score - near[1], 0.0)
    return low, high


def best_constant(metric: str, labels: Sequence[object]) -> float | None:
    """Return what the best answer that never changes reaches on these labels, where it can count.

    >>> best_constant("accuracy", [0.0, 0.0, 0.0, 1.0]), best_constant("f1", [0.0, 0.0, 0.0, 1.0])
    (0.75, 0.4)
    """
    if metric not in _CONSTANT or not labels:
        return None
    return _CONSTANT[metric](Counter(labels), len(labels))


def _majority(counts: Mapping[object, int], n: int) -> float:
    return max(counts.values()) / n


def _always_yes(counts: Mapping[object, int], n: int) -> float:
    return counts.get(1.0, 0) / n


_CONSTANT: dict[str, Callable[[Mapping[object, int], int], float]] = {
    "accuracy": _majority,
    "precision": _always_yes,
    "f1": lambda counts, n: _f1(_always_yes(counts, n)),
    "auroc": lambda _counts, _n: 0.5,
}


def _f1(jaccard: float) -> float:
    return 2 * jaccard / (1 + jaccard)
