"""The two sides as features: numbers in spreads from the reference's median, categories by number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from pytest_mlgates.core.errors import Unmeasurable
from pytest_mlgates.reading.features import feature_columns
from pytest_mlgates.reading.tables import missing
from pytest_mlgates.stats.distances import REACH

__all__ = ["Feature", "Sides", "sides_of"]

Floats: TypeAlias = npt.NDArray[np.float64]

MAX_FEATURES = 500
#: a category that so large a part of the rows have alone names its rows
_NAMES_ROWS = 0.5
_RARE = 0.01


@dataclass(frozen=True)
class Feature:
    """One feature on both sides: numbers in spreads, cut at REACH, or the number of its category."""

    name: str
    numeric: bool
    reference: Floats
    current: Floats


@dataclass(frozen=True)
class Sides:
    """What can be compared, and what can't."""

    features: list[Feature]
    rows: tuple[int, int]
    only_reference: list[str]
    only_current: list[str]
    unusable: list[str]
    same: bool
    #: rows of each side that equal an earlier one of it; of the second, or one of the reference
    copies: tuple[int, int]


def sides_of(reference: object, current: object, wanted: Sequence[str]) -> Sides:
    """Read both sides; raises :class:`Unmeasurable` where a wanted feature is on neither."""
    one, n, _ = feature_columns(reference, "reference")
    if current is reference:
        other, m = one, n
    else:
        other, m, _ = feature_columns(current, "current")
    if lost := [name for name in wanted if name not in one and name not in other]:
        raise Unmeasurable(f"features: neither side has {', '.join(map(repr, lost[:3]))}")
    names = [name for name in one if name in other and (not wanted or name in wanted)]
    if len(names) > MAX_FEATURES:
        raise Unmeasurable(
            f"{len(names):,} features: name those that count in `features` ({MAX_FEATURES} at most)"
        )
    chosen = set(wanted) or {*one, *other}
    features: list[Feature] = []
    unusable = []
    for name in names if n and m else ():
        found = list(_compared(name, one[name], other[name]))
        features += found
        if not found:
            unusable.append(name)
    return Sides(
        features=features,
        rows=(n, m),
        only_reference=[name for name in one if name not in other and name in chosen],
        only_current=[name for name in other if name not in one and name in chosen],
        unusable=unusable,
        same=bool(names) and n == m and all(_alike(one[name], other[name]) for name in names),
        copies=_copies([one[name] for name in names], [other[name] for name in names]),
    )


def _copies(one: list[list[object]], other: list[list[object]]) -> tuple[int, int]:
    """Return how many rows of each side were there before."""
    met: set[int] = set()
    found = []
    for side in (one, other):
        rows = [hash(row) for row in zip(*(map(repr, column) for column in side), strict=True)]
        new = len(set(rows) - met)
        met.update(rows)
        found.append(len(rows) - new)
    return found[0], found[1]


def _alike(one: list[object], other: list[object]) -> bool:
    return one is other or sorted(map(repr, one)) == sorted(map(repr, other))


def _compared(name: str, one: list[object], other: list[object]) -> Iterator[Feature]:
    """Yield a feature, and as one of its own whether it is missing, where it is anywhere."""
    gaps = [np.array([missing(value) for value in side]) for side in (one, other)]
    if gaps[0].any() or gaps[1].any():
        yield Feature(f"{name} (missing)", False, gaps[0].astype(float), gaps[1].astype(float))
    known = [
        [value for value, gone in zip(side, gap, strict=True) if not gone]
        for side, gap in zip((one, other), gaps, strict=True)
    ]
    if not (known[0] and known[1]):
        return
    one_numbers = _numbers(known[0])
    if one_numbers is not None and (found := _scale(one_numbers)) is not None:
        yield from _as_numbers(name, one_numbers, known[1], found)
        return
    codes = _codes(*known)
    if codes is not None:
        yield Feature(name, False, *codes)


def _numbers(values: list[object]) -> Floats | None:
    """Return values as numbers, those of a CSV file too, or None where one is none."""
    # Python reads 1979_9552 as a number; in a table it is a name
    if any(
        isinstance(value, bool) or (isinstance(value, str) and "_" in value) for value in values
    ):
        return None
    try:
        found = np.array([float(value) for value in values])  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return found if np.isfinite(found).all() else None


def _as_numbers(
    name: str, one: Floats, other: list[object], scale: tuple[float, float]
) -> Iterator[Feature]:
    """Yield a feature that is numbers in the reference; what else stands in it now is one of its own."""
    middle, spread = scale
    now = _numbers(other)
    if now is None:
        each = [_numbers([value]) for value in other]
        strange = np.array([found is None for found in each], float)
        yield Feature(f"{name} (not a number)", False, np.zeros(one.size), strange)
        now = np.array([found[0] for found in each if found is not None])
    if now.size:
        cut = [np.clip((side - middle) / spread, -REACH, REACH) for side in (one, now)]
        yield Feature(name, True, *cut)


def _scale(one: Floats) -> tuple[float, float] | None:
    """Return the median and the spread of the reference, or None where it has none."""
    low, middle, high = np.quantile(one, [0.1587, 0.5, 0.8413])
    spread = float(high - low) / 2 or float(one.std())
    return (float(middle), spread) if spread > 0 else None


def _codes(one: list[object], other: list[object]) -> tuple[Floats, Floats] | None:
    """Return the number of each value's category; rare ones of the reference are one together.

    None where a category is little more than the name of its row.
    """
    names = [[_name(value) for value in side] for side in (one, other)]
    known, counts = np.unique(names[0], return_counts=True)
    if known.size > 20 and known.size > _NAMES_ROWS * len(one):
        return None
    kept = known[counts >= _RARE * len(one)]
    places = {name: at for at, name in enumerate(kept, 1)}
    rare = set(known.tolist())
    last = len(kept) + 1
    # 0: rare in the reference, last: not in it at all
    coded = [
        np.array([places.get(name, 0 if name in rare else last) for name in side], float)
        for side in names
    ]
    return coded[0], coded[1]


def _name(value: object) -> str:
    """Return a category as text: 1, 1.0 and '1' are one."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return f"{value:g}" if float(value).is_integer() else repr(float(value))
    return str(value).strip()
