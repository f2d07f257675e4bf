"""Features as columns: of a table, of nested records, of vectors, of texts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from pytest_mlgates.core.errors import Unmeasurable
from pytest_mlgates.core.words import a
from pytest_mlgates.reading.frames import column
from pytest_mlgates.reading.records import records

__all__ = ["MAX_COLUMNS", "feature_columns"]

MAX_COLUMNS = 5_000
#: levels of a nested record that make columns of their own; what is deeper is text
_DEPTH = 6
_HOW = "a table, a list of dicts, of vectors or of texts: the features as the model gets them"


def feature_columns(
    features: object, what: str = "features"
) -> tuple[dict[str, list[object]], int, bool]:
    """Return the columns, the number of rows, and whether the columns have names.

    A value that a row does not have is None; ``what`` is the parameter's name.

    >>> feature_columns([{"sex": 1, "at": {"zip": "10"}}, {"sex": 0}])
    ({'sex': [1, 0], 'at.zip': ['10', None]}, 2, True)
    >>> feature_columns([[1.0, 2.0]])
    ({'0': [1.0], '1': [2.0]}, 1, False)
    """
    rows = _feature_rows(features, what)
    found: dict[str, list[object]] = {}
    named = True
    for index, row in enumerate(rows):
        cells, has_names = _cells_of(row, index, what)
        named &= has_names
        for name, value in cells:
            values = found.setdefault(name, [])
            values.extend([None] * (index - len(values)))
            if len(values) == index:
                values.append(value)
        if len(found) > MAX_COLUMNS:
            raise Unmeasurable(
                f"{what} has more than {MAX_COLUMNS:,} columns: give fewer, or the text itself"
            )
    for values in found.values():
        values.extend([None] * (len(rows) - len(values)))
    return found, len(rows), named


def _feature_rows(features: Any, what: str) -> list[Any]:
    if _is_columns(features):
        parts = {str(name): _listed(values) for name, values in features.items()}
        return [dict(zip(parts, row, strict=True)) for row in _zipped(parts, what)]
    if hasattr(features, "toarray") and getattr(features, "ndim", 0) == 2:  # a sparse matrix
        return list(features.toarray())
    return list(records(features, what, _HOW))


def _cells_of(row: object, index: int, what: str) -> tuple[Iterator[tuple[str, object]], bool]:
    """Return the cells of a row with their columns, and whether those are names."""
    plain = _unboxed(row)
    if isinstance(plain, Mapping):
        return _flat(plain, "", 0), True
    if fields := getattr(plain, "__dataclass_fields__", None):
        return _flat({name: getattr(plain, name) for name in fields}, "", 0), True
    if isinstance(plain, (list, tuple)):
        return _of_vector(plain, index, what), False
    if isinstance(plain, str):
        return iter([("text", plain)]), False
    if plain is None or isinstance(plain, (bool, int, float)):
        return iter([("value", plain)]), False
    raise Unmeasurable(f"{what}: row {index} is {a(type(row).__name__)}: give {_HOW}")


def _is_columns(features: Any) -> bool:
    if not isinstance(features, Mapping) or not features:
        return False
    return all(
        hasattr(values, "__len__") and not isinstance(values, (str, bytes, Mapping))
        for values in features.values()
    )


def _listed(values: Any) -> list[Any]:
    return list(found if (found := column(values)) is not None else values)


def _zipped(parts: Mapping[str, list[object]], what: str) -> Iterator[tuple[object, ...]]:
    sizes = {len(values) for values in parts.values()}
    if len(sizes) > 1:
        raise Unmeasurable(f"{what} has columns of different length: give one value for each row")
    return zip(*parts.values(), strict=True)


def _unboxed(row: object) -> object:
    if hasattr(row, "detach"):
        row = row.detach().cpu().numpy()
    if isinstance(row, np.ndarray):
        row = row.reshape(-1).tolist() if row.ndim else row.item()
    return row.item() if isinstance(row, np.generic) else row


def _of_vector(row: Sequence[object], index: int, what: str) -> Iterator[tuple[str, object]]:
    for at, value in enumerate(row):
        plain = _unboxed(value)
        if isinstance(plain, (list, tuple, Mapping)):
            raise Unmeasurable(
                f"{what}: row {index} is a list of {a(type(value).__name__)}: give {_HOW}"
            )
        yield str(at), plain


def _flat(row: Mapping[object, object], prefix: str, depth: int) -> Iterator[tuple[str, object]]:
    """Yield each value under its path; of a list of records, all values of a path as one text."""
    for key, held in row.items():
        name = f"{prefix}{key}"
        value = _unboxed(held)
        if isinstance(value, Mapping) and depth < _DEPTH:
            yield from _flat(value, f"{name}.", depth + 1)
        elif isinstance(value, (list, tuple, set, frozenset)):
            yield from _flat_list(list(value), name, depth)
        else:
            yield name, value


def _flat_list(values: list[object], name: str, depth: int) -> Iterator[tuple[str, object]]:
    numbers = [_unboxed(value) for value in values]
    if numbers and all(type(value) in (int, float) for value in numbers):  # an embedding
        yield from ((f"{name}.{at}", value) for at, value in enumerate(numbers))
        return
    inner: dict[str, list[str]] = {}
    rest = []
    for value in values:
        if isinstance(value, Mapping) and depth < _DEPTH:
            for path, cell in _flat(value, f"{name}.", depth + 1):
                inner.setdefault(path, []).append(str(cell))
        else:
            rest.append(str(value))
    if rest or not inner:
        yield name, " ; ".join(rest)
    for path, cells in inner.items():
        yield path, " ; ".join(cells)
