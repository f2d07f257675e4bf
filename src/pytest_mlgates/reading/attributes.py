"""Attributes of people beside other rows: one column, several, or a table, as labels by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pytest_mlgates.core.errors import Unmeasurable
from pytest_mlgates.core.words import a, did_you_mean, plural
from pytest_mlgates.reading.frames import column, is_table
from pytest_mlgates.reading.records import records
from pytest_mlgates.reading.slices import NO_NAME, label

__all__ = ["UNKNOWN", "attributes_of", "is_unknown", "known_labels"]

#: what forms put where a person did not say; compared without case, blanks and punctuation
UNKNOWN = (
    "unknown", "not known", "undisclosed", "not disclosed", "not specified", "unspecified",
    "not stated", "not reported", "not provided", "not available", "n/a", "na", "nan", "none", "null",
    "missing", "prefer not to say", "prefer not to answer", "decline to state", "declined to state",
    "decline to answer", "i do not wish to answer", "no answer", "?", "-", "x/unknown",
)  # fmt: skip

_HOW = "a value for each row, a table with a column for each attribute, or {attribute: values}"


def attributes_of(
    source: Any, count: int, what: str, wanted: Sequence[str] = (), of: str = "row"
) -> dict[str, list[str]]:
    """Return the labels of each attribute, one for each of ``count`` rows, in their order.

    ``source`` is one value for each row, a table (a DataFrame, a file, dicts or tuples), a mapping
    of columns, or a list of them; ``wanted`` picks columns. What is missing is "(none)".

    >>> attributes_of([{"sex": "f", "age": 3}, {"sex": None, "age": 4}], 2, "groups", ("sex",))
    {'sex': ['f', '(none)']}
    >>> attributes_of({"sex": ["f"]}, 2, "groups")
    Traceback (most recent call last):
        ...
    pytest_mlgates.core.errors.Unmeasurable: groups has 1 value of 'sex' for 2 rows
    """
    columns = _attribute_columns(source, count, what)
    found = {str(name): values for name, values in columns.items()}
    if not found:
        raise Unmeasurable(f"{what} holds no attribute: give {_HOW}")
    for name in wanted:
        if name not in found:
            hint = did_you_mean(name, tuple(found))
            raise Unmeasurable(f"{what} has no attribute {name!r}{hint}")
    found = {name: found[name] for name in wanted} if wanted else found
    for name, values in found.items():
        if len(values) != count:
            has = plural(len(values), "value")
            raise Unmeasurable(f"{what} has {has} of {name!r} for {plural(count, of)}")
    return {name: [label(value) for value in values] for name, values in found.items()}


def is_unknown(name: str, words: Iterable[str] = UNKNOWN) -> bool:
    """Tell whether a label says that the attribute is not known.

    >>> is_unknown("(none)"), is_unknown("Prefer not to  say."), is_unknown("nonbinary")
    (True, True, False)
    """
    return known_labels([name], words) == [None]


def known_labels(labels: Sequence[str], words: Iterable[str] = UNKNOWN) -> list[str | None]:
    """Return the labels, None where one says that the attribute is not known."""
    folded = {_letters_of(word) for word in words}
    known: dict[str, str | None] = {
        name: None if name == NO_NAME or _letters_of(name) in folded else name
        for name in set(labels)
    }
    return [known[name] for name in labels]


def _letters_of(name: str) -> str:
    letters = "".join(c for c in name.casefold() if c.isalnum())
    return letters or " ".join(name.split())


def _attribute_columns(source: Any, count: int, what: str) -> Mapping[Any, list[Any]]:
    if isinstance(source, Mapping) and source and all(map(_is_column, source.values())):
        return {name: list(_values(values)) for name, values in source.items()}
    if _is_list_of_columns(source, count):
        named = [
            getattr(values, "name", None) or f"group {at}" for at, values in enumerate(source, 1)
        ]
        if len(set(named)) < len(named):
            named = [f"group {at}" for at in range(1, len(named) + 1)]
        return dict(zip(named, (list(_values(values)) for values in source), strict=True))
    name = getattr(source, "name", None)
    rows = list(records(source, what, _HOW, values=not is_table(source)))
    if rows and all(isinstance(row, Mapping) for row in rows):
        return _of_dicts(rows, what)
    if rows and all(isinstance(row, (list, tuple)) for row in rows):
        return _of_tuples(rows, what)
    for index, row in enumerate(rows):
        if isinstance(row, (Mapping, list, tuple, set, frozenset)):
            raise Unmeasurable(f"{what}: row {index} is {a(type(row).__name__)}: give {_HOW}")
    return {name if isinstance(name, str) and name else "group": rows}


def _of_dicts(rows: Sequence[Mapping[object, object]], what: str) -> Mapping[object, list[object]]:
    names = list(rows[0])
    for index, row in enumerate(rows):
        if set(row) != set(names):
            odd = min(map(str, set(row) ^ set(names)))
            raise Unmeasurable(
                f"{what}: row {index} and row 0 do not have the same columns ({odd!r} is in one of"
                " them): give a null where a value is missing"
            )
    return {name: [row[name] for row in rows] for name in names}


def _of_tuples(rows: Sequence[Sequence[object]], what: str) -> Mapping[object, list[object]]:
    width = len(rows[0])
    for index, row in enumerate(rows):
        if len(row) != width:
            raise Unmeasurable(
                f"{what}: row {index} has {plural(len(row), 'value')}, row 0 has {width}: give a"
                " null where a value is missing"
            )
    return {f"group {at + 1}": [row[at] for row in rows] for at in range(width)}


def _is_list_of_columns(source: object, count: int) -> bool:
    if not isinstance(source, (list, tuple)) or not source or len(source) == count:
        return False
    return all(_is_column(values) and len(values) == count for values in source)


def _is_column(values: object) -> bool:
    if isinstance(values, (str, bytes, Mapping, set, frozenset)) or is_table(values):
        return False
    return hasattr(values, "__len__") and hasattr(values, "__getitem__")


def _values(values: Any) -> Sequence[Any]:
    return found if (found := column(values)) is not None else values
