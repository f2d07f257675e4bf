"""The label of each input, and the unit (an applicant, say) that each row belongs to."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from pytest_mlgates.reading.attributes import attributes_of
from pytest_mlgates.reading.records import records
from pytest_mlgates.reading.slices import NO_NAME, field_of

__all__ = ["labels_of", "units_of"]


def labels_of(
    labels: object, items: Sequence[object], how: str, what: str = "input"
) -> list[object]:
    """Return labels: parallel to ``items``, a column of theirs, or what a callable says of each.

    Those handed in are not counted against the items: the caller says what a difference means.

    >>> labels_of("y", [{"x": 1, "y": 0}], "a label for each input")
    [0]
    >>> labels_of([0, 1], ["a", "b"], "a label for each input")
    [0, 1]
    """
    if callable(labels):
        return [labels(item) for item in items]
    if isinstance(labels, str):
        return [field_of(item, labels, index, what) for index, item in enumerate(items)]
    return list(records(labels, "labels", how, values=True))


def units_of(unit_of: object, count: int, of: str = "row") -> list[int]:
    """Return the number of each row's unit, in order of appearance; what has no name is one alone.

    >>> units_of(["ann", "bo", "ann", None, None], 5)
    [0, 1, 0, 2, 3]
    >>> units_of(None, 2)
    [0, 1]
    """
    if unit_of is None:
        return list(range(count))
    names = attributes_of(unit_of, count, "unit_of", (), of)
    known: dict[Hashable, int] = {}
    found = []
    for at, name in enumerate(zip(*names.values(), strict=True)):
        key: Hashable = ("row", at) if all(part == NO_NAME for part in name) else name
        found.append(known.setdefault(key, len(known)))
    return found
