"""Find slices that nobody named: search one half of the inputs, test on the other.

Values of one feature and of pairs of features are searched (numbers in quarters); the best are
then counted on inputs that had no part in the search, since the best of many is too good on the
inputs it was chosen by. Exhaustive to depth 2; deeper: Sagadeeva and Boehm, SliceLine, SIGMOD 2021.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pytest_mlgates.reading.slices import label, mask_identifiers, unique_labels

__all__ = ["Found", "search"]

_LEAST = 20
_MOST_VALUES = 20
_MOST_FEATURES = 60
_MOST_VALUES_IN_ALL = 400
_BINS = 4
#: how much more evidence a pair must have than its better half, in nats
_DEEPER = 3.0
_OVERLAP = 0.5
_PLAIN = (str, bool, int, float, type(None), np.generic)

_Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Found:
    """A slice that a search came up with, and which of the inputs are in it."""

    name: str
    members: _Mask
    score: float


@dataclass(frozen=True, slots=True)
class _Value:
    feature: str
    name: str
    members: _Mask


def search(
    features: Sequence[Mapping[str, Any]], diverged: _Mask, half: _Mask, limit: float, most: int
) -> list[Found]:
    """Return up to ``most`` slices whose rate on ``half`` is highest above ``limit``.

    >>> rows = [{"road": "A1" if i % 9 else "B2", "lane": i % 2} for i in range(900)]
    >>> off = np.array([i % 18 == 0 for i in range(900)])
    >>> [found.name for found in search(rows, off, np.ones(900, bool), 0.02, 1)]
    ['road=B2 & lane=0']
    """
    values = _column_values(features, half)[:_MOST_VALUES_IN_ALL]
    if not values or not bool((diverged & half).any()):
        return []
    members = np.array([value.members[half] for value in values], np.float32)
    bad = members[:, diverged[half]]
    n, k = members @ members.T, bad @ bad.T  # of each pair; on the diagonal of each value
    scores = _scores(n, k, limit)
    alone = scores.diagonal()
    better = scores - np.maximum(alone[:, None], alone[None, :]) >= _DEEPER
    pairs = [(i, i) for i in range(len(values))]
    pairs += [
        (i, j)
        for i, j in np.argwhere(np.triu(better, 1)).tolist()
        if values[i].feature != values[j].feature
    ]
    chosen: list[Found] = []
    for i, j in sorted(pairs, key=lambda pair: -scores[pair]):
        if len(chosen) == most or scores[i, j] <= 0:
            break
        name = values[i].name if i == j else f"{values[i].name} & {values[j].name}"
        found = Found(name, values[i].members & values[j].members, float(scores[i, j]))
        if all(_overlap(found.members & half, other.members & half) < _OVERLAP for other in chosen):
            chosen.append(found)
    return chosen


def _scores(n: Any, k: Any, limit: float) -> Any:
    """Return the log-likelihood ratio of each rate against ``limit``; 0 where it is not above."""
    rate = np.divide(k, n, out=np.zeros_like(n), where=n >= _LEAST).astype(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        hits = np.where(k > 0, k * np.log(rate / limit), 0.0)
        rest = np.where(n > k, (n - k) * np.log((1 - rate) / (1 - limit)), 0.0)
    return np.where(rate > limit, hits + rest, 0.0)


def _overlap(a: _Mask, b: _Mask) -> float:
    either = int((a | b).sum())
    return int((a & b).sum()) / either if either else 0.0


def _column_values(features: Sequence[Mapping[str, object]], half: _Mask) -> list[_Value]:
    names = list(dict.fromkeys(itertools.chain.from_iterable(features)))
    values: list[_Value] = []
    for feature in [name for name in names if isinstance(name, str)][:_MOST_FEATURES]:
        column = [row.get(feature) for row in features]
        values += _bins(feature, column, half) or _categories(feature, column, half)
    return values


def _bins(feature: str, column: Sequence[object], half: _Mask) -> list[_Value]:
    """Return quarters of a column of numbers, by edges of the searched half; none where it is none."""
    kinds = (int, float, np.integer, np.floating)
    if not all(isinstance(x, kinds) and not isinstance(x, bool) for x in column if x is not None):
        return []
    numbers = np.array([math.nan if x is None else x for x in column], float)
    known = numbers[half & np.isfinite(numbers)]
    if len(np.unique(known)) <= 2 * _BINS:
        return []
    edges = np.unique(np.quantile(known, np.arange(1, _BINS) / _BINS))
    bins = np.searchsorted(edges, numbers, "left")
    found = []
    for i in range(len(edges) + 1):
        low = f"{edges[i - 1]:.4g} < " if i else ""
        high = f" <= {edges[i]:.4g}" if i < len(edges) else ""
        members = (bins == i) & ~np.isnan(numbers)
        found.append(_Value(feature, f"{low}{mask_identifiers(feature)}{high}", members))
    return found


def _categories(feature: str, column: Sequence[object], half: _Mask) -> list[_Value]:
    if not all(isinstance(x, _PLAIN) for x in column):
        return []
    names: dict[object, str] = {}
    index: dict[str, int] = {}
    numbers = []
    for x in column:
        key = (type(x), x)  # 1 and True are one key of a dict
        if key not in names:
            names[key] = label(x)
        numbers.append(index.setdefault(names[key], len(index)))
    codes = np.array(numbers)
    sizes = np.bincount(codes[half], minlength=len(index))
    common = np.argsort(-sizes, kind="stable")[:_MOST_VALUES]
    told = list(unique_labels(index).values())
    return [
        _Value(feature, f"{mask_identifiers(feature)}={told[i]}", codes == i)
        for i in common.tolist()
        if sizes[i] >= _LEAST
    ]
