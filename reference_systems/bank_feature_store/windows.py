"""Windows over events, computed once: what training reads and what serving reads is one table.

A window of the last 30 days changes when an event comes and when one leaves, so there is a row at
each of these instants: the value in force at any time is that of the last row, exactly. An event at
t counts from t on, and no longer at t + 30 days: the window is (now - 30 days, now].
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from reference_systems.bank_feature_store.definition import Field, View

__all__ = ["aggregate", "changes"]


def aggregate(operation: str, values: Sequence[Any]) -> float | int | None:
    """Return an aggregate of what is in a window; nulls in it say nothing.

    A window without events has the sum 0; one whose events hold only nulls has none.

    >>> aggregate("sum", []), aggregate("sum", [None]), aggregate("sum", [0.1] * 10)
    (0, None, 1.0)
    >>> aggregate("count", [5, None]), aggregate("mean", []), aggregate("max", [1, 7])
    (2, None, 7)
    """
    if operation == "count":
        return len(values)
    held = [value for value in values if value is not None]
    if operation == "sum":
        return _sum(held) if held or not values else None
    if not held:
        return None
    if operation == "mean":
        return _sum(held) / len(held)
    found: float | int = max(held) if operation == "max" else min(held)
    return found


def _sum(values: Sequence[Any]) -> float | int:
    # running sums would drift apart from sums made anew
    return sum(values) if all(isinstance(v, int) for v in values) else math.fsum(values)


def changes(events: pd.DataFrame, view: View, at: str) -> pd.DataFrame:
    """Return a row at each instant at which a window changes, for each key.

    ``events`` are sorted by key and time; ``at`` is the column of their times.
    """
    keys = list(view.keys)
    rows: list[tuple[Any, ...]] = []
    for key, group in events.groupby(keys, sort=False):
        columns = {f.name: _column(group, f) for f in view.fields}
        rows += ((*key, *row) for row in _of_one(group[at].tolist(), columns, view.fields))
    names = [*keys, at, *(field.name for field in view.fields)]
    # as they are: beside a null, pandas would make a float of a whole number
    columns_of = zip(names, zip(*rows, strict=True), strict=True)
    found = pd.DataFrame({n: pd.Series(c, dtype=object) for n, c in columns_of})
    found[at] = found[at].astype("datetime64[us, UTC]")
    return found.astype({key: events[key].dtype for key in keys})


def _column(group: pd.DataFrame, field: Field) -> list[Any]:
    assert field.window is not None
    values = group[field.window.column].tolist()
    return [None if value is pd.NA or value != value else value for value in values]  # noqa: PLR0124


def _of_one(
    times: list[pd.Timestamp], columns: dict[str, list[Any]], fields: Sequence[Field]
) -> Iterator[tuple[Any, ...]]:
    spans = {f.window.span for f in fields if f.window is not None}
    instants = sorted({*times, *(time + span for time in times for span in spans)})
    inside: dict[str, deque[int]] = {field.name: deque() for field in fields}
    coming = 0
    for now in instants:
        while coming < len(times) and times[coming] <= now:
            for events in inside.values():
                events.append(coming)
            coming += 1
        row: list[Any] = [now]
        for field in fields:
            events = inside[field.name]
            assert field.window is not None
            while events and times[events[0]] + field.window.span <= now:
                events.popleft()
            values = columns[field.name]
            row.append(aggregate(field.window.operation, [values[n] for n in events]))
        yield tuple(row)
