"""Which slices an input, or a row of a data set, belongs to."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from typing import Any

from pytest_mlgates.core.errors import Unmeasurable
from pytest_mlgates.core.words import a, plural, shorten
from pytest_mlgates.reading.frames import is_table
from pytest_mlgates.reading.records import records

__all__ = [
    "NO_NAME",
    "Slicer",
    "field_of",
    "is_missing",
    "label",
    "mask_identifiers",
    "recorded",
    "unique_labels",
]

#: the slice of what has no slice name: None, NaN, an empty text
NO_NAME = "(none)"
MAX_LABEL = 80
MAX_COLUMNS = 4
#: names of slices that are looked up instead of made again
_MAX_KNOWN = 10_000
_PERSONAL = re.compile(r"[^\s@<>\"']+@[^\s@<>\"']+|\d(?:[ .\-]?\d){8,}")

#: maps the place of an input, and the input, to the names of its slices
Namer = Callable[[int, object], tuple[str, ...]]


def label(value: object) -> str:
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
    if is_missing(value):
        return NO_NAME
    plain = (
        getattr(type(value), name) is getattr(object, name) for name in ("__str__", "__repr__")
    )
    if all(plain):
        raise Unmeasurable(f"a slice name is {a(type(value).__name__)}: give a text or a number")
    # as it would be read back from a record
    return " ".join(str(value).encode("utf-8", "replace").decode().split())


def mask_identifiers(name: str) -> str:
    """Return a name as it may be shown: addresses and long numbers masked, 80 characters at most.

    >>> mask_identifiers("ada@example.org in Rome")
    '<masked> in Rome'
    """
    text = _PERSONAL.sub("<masked>", name)
    return shorten(text, MAX_LABEL)


def unique_labels(names: Iterable[str]) -> dict[str, str]:
    """Return each name as it may be shown, numbered where several would look alike.

    >>> unique_labels(["a@b.org", "c@d.org", "left"])
    {'a@b.org': '<masked>', 'c@d.org': '<masked> #2', 'left': 'left'}
    """
    counts: Counter[str] = Counter()
    result = {}
    for name in names:
        plain = mask_identifiers(name)
        counts[plain] += 1
        result[name] = f"{plain} #{counts[plain]}" if counts[plain] > 1 else plain
    return result


def recorded(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names of slices as they stand in a record.

    >>> recorded(["left", "ada@example.org"])
    ('left', '<masked>')
    """
    return tuple(unique_labels(map(label, names)).values())


def is_missing(value: object) -> bool:
    """Tell whether a value stands for none: None, NaN, NaT, pandas' NA, a blank text."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return True
    if type(value).__name__ == "NAType":  # pandas: it equals nothing and has no truth value
        return True
    try:
        return bool(value != value)  # noqa: PLR0124  (NaN, NaT)
    except (TypeError, ValueError):
        return False


class Slicer:
    """Names the slices of inputs; built with the first of them.

    ``slice_of`` is a callable, a column, several columns, or a name for each input in order (a list,
    a Series, an array); a list or set that a callable or a column gives names several slices.
    ``count`` is the number of inputs where it is known, ``what`` what one is called.

    Several columns name each column and their intersections, and what has no name is in the slice
    "(none)". With ``finest`` they name their whole intersection only, and it is in no slice.

    >>> row = {"road": "A1", "rain": True}
    >>> Slicer(("road", "rain"), row).of(0, row)
    ('road=A1', 'rain=True', 'road=A1 & rain=True')
    >>> Slicer(("road", "rain"), row, finest=True).of(0, row)
    ('road=A1 & rain=True',)
    """

    def __init__(
        self,
        slice_of: object,
        sample: object,
        count: int | None = None,
        *,
        what: str = "input",
        finest: bool = False,
    ) -> None:
        self.what, self.finest = what, finest
        self._names: list[object] | None = None
        self._known: dict[str, tuple[str, ...]] = {}
        if slice_of is None:
            self.of: Namer = lambda _index, _item: ()
        elif callable(slice_of):
            self.of = lambda index, item: self._several(_call_slice_of(slice_of, index, item, what))
        elif isinstance(slice_of, str):
            self.of = lambda index, item: self._several(field_of(item, slice_of, index, what))
        elif (columns := columns_of(slice_of, sample, count)) is not None:
            sizes = [len(columns)] if finest else range(1, len(columns) + 1)
            sets = [c for size in sizes for c in itertools.combinations(columns, size)]
            self.of = lambda index, item: self._crossed(sets, item, index)
        else:
            self._names = _parallel(slice_of)
            self.of = self._at
            if count is not None:
                self.check(count)

    @property
    def reads_inputs(self) -> bool:
        """Whether a name is told from the input itself, and not from its place."""
        return self._names is None

    def check(self, count: int) -> None:
        """Raise :class:`Unmeasurable` where there is not one name for each of ``count`` inputs."""
        if self._names is not None and len(self._names) != count:
            raise Unmeasurable(
                f"slice_of has {plural(len(self._names), 'name')} for {plural(count, self.what)}"
            )

    def _at(self, index: int, _item: object) -> tuple[str, ...]:
        assert self._names is not None
        if index >= len(self._names):
            names = plural(len(self._names), "name")
            raise Unmeasurable(f"slice_of has {names}, and there are more {self.what}s")
        return self._several(self._names[index])

    def _several(self, value: object) -> tuple[str, ...]:
        if isinstance(value, str) and value in self._known:
            return self._known[value]
        several = isinstance(value, (list, set, frozenset))
        names = tuple(dict.fromkeys(sorted(map(label, value)))) if several else (label(value),)  # type: ignore[call-overload]
        if self.finest:
            names = tuple(name for name in names if name != NO_NAME)
        else:
            names = names or (NO_NAME,)
        if isinstance(value, str) and len(self._known) < _MAX_KNOWN:
            self._known[value] = names
        return names

    def _crossed(
        self, sets: Sequence[tuple[str, ...]], item: object, index: int
    ) -> tuple[str, ...]:
        found = []
        for columns in sets:
            labels = [label(field_of(item, column, index, self.what)) for column in columns]
            if not (self.finest and NO_NAME in labels):
                pairs = zip(columns, labels, strict=True)
                found.append(" & ".join(f"{column}={name}" for column, name in pairs))
        return tuple(found)


def _parallel(slice_of: object) -> list[object]:
    if isinstance(slice_of, Mapping) or not hasattr(slice_of, "__len__"):
        raise Unmeasurable(
            f"slice_of is {a(type(slice_of).__name__)}: give a callable, a column, a tuple of"
            " columns or a name for each input"
        )
    names = list(records(slice_of, "slice_of", "a name for each input", values=True))
    if is_table(slice_of) and names and isinstance(names[0], Mapping):
        raise Unmeasurable("slice_of is a table of several columns: give one of them")
    return names


def columns_of(
    slice_of: object, sample: object, count: int | None = None
) -> tuple[str, ...] | None:
    """Return the columns that a list or tuple of texts names, or None where it names none."""
    if not isinstance(slice_of, (list, tuple)) or not slice_of:
        return None
    if not all(isinstance(name, str) for name in slice_of):
        return None
    if isinstance(sample, Mapping):
        many = len(slice_of) > MAX_COLUMNS or len(slice_of) == count
        if many and not any(name in sample for name in slice_of):
            return None
    elif not all(hasattr(sample, name) for name in slice_of):
        return None
    if len(slice_of) > MAX_COLUMNS or len(set(slice_of)) < len(slice_of):
        raise Unmeasurable(
            f"slice_of names {len(slice_of)} columns: {MAX_COLUMNS} different at most"
        )
    return tuple(slice_of)


def field_of(item: object, column: str, index: int, what: str = "input") -> object:
    """Return the value of a column of an input: a key of a mapping, or an attribute."""
    if isinstance(item, Mapping):
        if column in item:
            return item[column]
    elif hasattr(item, column):
        return getattr(item, column)
    known = [key for key in item if isinstance(key, str)] if isinstance(item, Mapping) else []
    has = f" (it has {', '.join(map(mask_identifiers, known[:8]))})" if known else ""
    raise Unmeasurable(f"{what} {index} has no column {column!r}{has}")


def _call_slice_of(
    slice_of: Callable[[Any], object], index: int, item: object, what: str
) -> object:
    try:
        return slice_of(item)
    except Exception as error:  # noqa: BLE001  (told by its type: its text may hold the input)
        raise Unmeasurable(f"slice_of raised {type(error).__name__} at {what} {index}") from None
