"""Which slices an input, or a row of a data set, belongs to."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from typing import Any

from pytest_mlgates.core import Unmeasurable

__all__ = ["NO_NAME", "Namer", "columns_of", "field_of", "label", "namer", "shown", "told_apart"]

#: the slice of what has no slice name: None, NaN, an empty text
NO_NAME = "(none)"
_LONGEST = 80
_MOST_COLUMNS = 4
_PERSONAL = re.compile(r"[^\s@<>\"']+@[^\s@<>\"']+|\d(?:[ .\-]?\d){8,}")

#: maps the place of an input and the input to the names of its slices
Namer = Callable[[int, Any], tuple[str, ...]]


def label(value: Any) -> str:
    """Return the name of a slice.

    >>> label("left_turn"), label(3), label(None), label(float("nan")), label(("rain", 2))
    ('left_turn', '3', '(none)', '(none)', 'rain & 2')
    """
    if getattr(value, "shape", None) == () and hasattr(value, "item"):
        value = value.item()
    if isinstance(value, Enum):
        value = value.name
    if isinstance(value, tuple):
        return " & ".join(map(label, value)) or NO_NAME
    if _is_missing(value):
        return NO_NAME
    plain = (
        getattr(type(value), name) is getattr(object, name) for name in ("__str__", "__repr__")
    )
    if all(plain):
        raise Unmeasurable(f"a slice name is a {type(value).__name__}: give a text or a number")
    # as it would be read back from a record
    return " ".join(str(value).encode("utf-8", "replace").decode().split())


def shown(name: str) -> str:
    """Return a name as it may be shown: addresses and long numbers masked, 80 characters at most.

    >>> shown("ada@example.org in Rome")
    '<masked> in Rome'
    """
    text = _PERSONAL.sub("<masked>", name)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def told_apart(names: Iterable[str]) -> dict[str, str]:
    """Return each name as it may be shown, numbered where several would look alike.

    >>> told_apart(["a@b.org", "c@d.org", "left"])
    {'a@b.org': '<masked>', 'c@d.org': '<masked> #2', 'left': 'left'}
    """
    counts: Counter[str] = Counter()
    result = {}
    for name in names:
        plain = shown(name)
        counts[plain] += 1
        result[name] = f"{plain} #{counts[plain]}" if counts[plain] > 1 else plain
    return result


def _is_missing(value: Any) -> bool:
    if value is None or (isinstance(value, str) and not value.strip()):
        return True
    if type(value).__name__ == "NAType":  # pandas: it equals nothing and has no truth value
        return True
    try:
        return bool(value != value)  # noqa: PLR0124  (NaN, NaT)
    except (TypeError, ValueError):
        return False


def namer(slice_of: Any, sample: Any, count: int | None) -> Namer:
    """Return what names the slices of an input.

    ``slice_of`` is a callable, a column, several columns (each and their intersections) or a
    sequence parallel to the inputs; ``sample`` is an input, ``count`` how many there are.

    >>> namer(("road", "rain"), {"road": "A1", "rain": True}, None)(0, {"road": "A1", "rain": True})
    ('road=A1', 'rain=True', 'road=A1 & rain=True')
    """
    if slice_of is None:
        return lambda _index, _item: ()
    if callable(slice_of):
        return lambda index, item: _called(slice_of, index, item)
    if isinstance(slice_of, str):
        return lambda index, item: (label(field_of(item, slice_of, index)),)
    if isinstance(slice_of, Mapping) or not hasattr(slice_of, "__len__"):
        kind = type(slice_of).__name__
        raise Unmeasurable(
            f"slice_of is a {kind}: give a callable, a column, a tuple of columns or a name for"
            " each input"
        )
    columns = columns_of(slice_of, sample)
    if columns is not None:
        sets = [
            c for size in range(1, len(columns) + 1) for c in itertools.combinations(columns, size)
        ]
        return lambda index, item: _crossed(sets, item, index)
    return parallel(slice_of, count)


def parallel(slice_of: Any, count: int | None) -> Namer:
    """Return what looks a name up by the place of an input."""
    if count is not None and len(slice_of) != count:
        raise Unmeasurable(f"slice_of has {len(slice_of)} names for {count} inputs")
    names = slice_of.tolist() if hasattr(slice_of, "tolist") else slice_of

    def name(index: int, _item: Any) -> tuple[str, ...]:
        if index >= len(names):
            raise Unmeasurable(f"slice_of has {len(names)} names, and there are more inputs")
        return (label(names[index]),)

    return name


def columns_of(slice_of: Any, sample: Any) -> tuple[str, ...] | None:
    """Return the columns that a list or tuple of texts names, or None where it names none."""
    if not isinstance(slice_of, (list, tuple)) or not slice_of:
        return None
    if not all(isinstance(name, str) for name in slice_of):
        return None
    rows = isinstance(sample, Mapping)
    if not rows and not all(hasattr(sample, name) for name in slice_of):
        return None
    if rows and len(slice_of) > _MOST_COLUMNS and not any(name in sample for name in slice_of):
        return None
    if len(slice_of) > _MOST_COLUMNS or len(set(slice_of)) < len(slice_of):
        raise Unmeasurable(
            f"slice_of names {len(slice_of)} columns: {_MOST_COLUMNS} different at most"
        )
    return tuple(slice_of)


def field_of(item: Any, column: str, index: int, what: str = "input") -> Any:
    """Return the value of a column of an input: a key of a mapping, or an attribute."""
    if isinstance(item, Mapping):
        if column in item:
            return item[column]
    elif hasattr(item, column):
        return getattr(item, column)
    known = [key for key in item if isinstance(key, str)] if isinstance(item, Mapping) else []
    has = f" (it has {', '.join(map(shown, known[:8]))})" if known else ""
    raise Unmeasurable(f"{what} {index} has no column {column!r}{has}")


def _called(slice_of: Callable[[Any], Any], index: int, item: Any) -> tuple[str, ...]:
    try:
        name = slice_of(item)
    except Exception as error:  # noqa: BLE001  (told by its type: its text may hold the input)
        raise Unmeasurable(f"slice_of raised {type(error).__name__} at input {index}") from None
    if isinstance(name, (list, set, frozenset)):
        return tuple(dict.fromkeys(sorted(map(label, name)))) or (NO_NAME,)
    return (label(name),)


def _crossed(sets: Sequence[tuple[str, ...]], item: Any, index: int) -> tuple[str, ...]:
    return tuple(
        " & ".join(f"{column}={label(field_of(item, column, index))}" for column in columns)
        for columns in sets
    )
