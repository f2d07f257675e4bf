"""The two sides: for each row asked for, what training and what serving holds.

A side is a table (its rows are matched by the entity columns), or a callable that is asked.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Generator, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from pytest_mlgates.calls.ask import Subject
from pytest_mlgates.core.errors import Unmeasurable
from pytest_mlgates.core.records import Look
from pytest_mlgates.core.words import a, plural
from pytest_mlgates.gates.feature_parity.values import Text, instant_of, plain_value
from pytest_mlgates.reading.records import records
from pytest_mlgates.reading.slices import mask_identifiers
from pytest_mlgates.reading.text import kind_of

__all__ = ["AskedRows", "Side", "asked_rows", "asked_side", "table_side"]

_HOW = "a DataFrame, a list of dicts, the path of a table, or a callable of an entity"
Row = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class AskedRows:
    """The rows asked for: their key columns, each row's key, and its event time where it has one."""

    columns: tuple[str, ...]
    rows: Sequence[Row]
    times: Sequence[datetime] | None
    text: Text

    def keys(self, keys: Sequence[str], *, as_texts: bool) -> list[Hashable]:
        """Return the key of each row."""
        return [
            key_of(row, keys, f"entities row {n}", as_texts=as_texts)
            for n, row in enumerate(self.rows)
        ]


@dataclass(slots=True)
class Side:
    """For each row asked for what a side holds; None where it is dropped. ``twice`` are ambiguous."""

    rows: list[Row | None]
    columns: frozenset[str]
    text: Text
    twice: set[int] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)


def text_of(source: object) -> Text:
    """Return what a text of a source may stand for."""
    if not isinstance(source, (str, os.PathLike)):
        return "text"
    path = Path(source)
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    return "any" if any(kind_of(file) in (".csv", ".tsv") for file in files) else "time"


def _records(source: object, what: str, notes: list[str]) -> list[Row]:
    rows = list(records(source, what, _HOW, note=notes.append))
    for number, row in enumerate(rows):
        if not isinstance(row, Mapping):
            raise Unmeasurable(f"{what} row {number} is {a(type(row).__name__)}: give {_HOW}")
    return rows


def _column_names(rows: Sequence[Row]) -> dict[str, None]:
    found: dict[str, None] = {}
    for shape in dict.fromkeys(tuple(row) for row in rows):
        found.update(dict.fromkeys(map(str, shape)))
    return found


def asked_rows(source: object, timestamp: str, notes: list[str]) -> AskedRows:
    """Read the rows that are asked for."""
    rows = _records(source, "entities", notes)
    columns = _column_names(rows)
    times = None
    if timestamp in columns:
        times = [time_of(row.get(timestamp), f"entities row {n}") for n, row in enumerate(rows)]
    keys = tuple(name for name in columns if name != timestamp)
    return AskedRows(keys, rows, times, text_of(source))


def time_of(value: object, place: str) -> datetime:
    """Return the time of an event."""
    try:
        return instant_of(plain_value(value))
    except (ValueError, OverflowError, OSError):
        raise Unmeasurable(f"{place}: its time is missing, or not ISO 8601") from None


def key_of(row: Row, keys: Sequence[str], place: str, *, as_texts: bool) -> Hashable:
    """Return the key of a row: numbers as numbers, or all as texts where a side is of texts."""
    found = []
    for name in keys:
        value = plain_value(row.get(name))
        if value is None:
            raise Unmeasurable(f"{place} has no {mask_identifiers(name)!r}, which is its key")
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, Hashable):
            raise Unmeasurable(f"{place}: {mask_identifiers(name)!r} is {a(type(value).__name__)}")
        found.append(str(value) if as_texts else value)
    return tuple(found)


def table_side(
    source: object, what: str, entities: AskedRows, keys: Sequence[str], timestamp: str
) -> Side:
    """Match the rows of a table with those asked for, whatever order they are in."""
    notes: list[str] = []
    rows = _records(source, what, notes)
    if not rows:
        raise Unmeasurable(f"{what} holds no rows, so nothing can be compared")
    columns = _column_names(rows)
    mine = [name for name in keys if name in columns]
    if len(mine) < len(keys) or not mine:
        lacks = next((name for name in keys if name not in columns), "")
        shown = ", ".join(mask_identifiers(name) for name in list(columns)[:8])
        raise Unmeasurable(
            f"{what} lacks the entity column {mask_identifiers(lacks)!r} (it has {shown}): add it, or"
            " name the columns that make an entity in `keys`"
        )
    text = text_of(source)
    timed = timestamp in columns and entities.times is not None
    texts = "any" in (text, entities.text)
    found: dict[Hashable, list[Row]] = defaultdict(list)
    for number, row in enumerate(rows):
        place = f"{what} row {number}"
        key = key_of(row, mine, place, as_texts=texts)
        found[(key, time_of(row[timestamp], place)) if timed else key].append(row)
    held = found if timed else {key: _one_of_same(rows) for key, rows in found.items()}
    asked = entities.keys(mine, as_texts=texts)
    if timed and entities.times is not None:
        asked = list(zip(asked, entities.times, strict=True))
    side = Side([], frozenset(columns), text, notes=notes)
    _match(side, asked, held, timed=timed)
    if all(row is None for row in side.rows) and entities.rows:
        raise Unmeasurable(
            f"none of {plural(len(asked), 'row')} of entities is in {what}: are the keys of one type,"
            " and the times in one time zone?"
        )
    if extra := len(set(held) - set(asked)):
        notes.append(f"{what} holds {extra:,} more keys than were asked for")
    return side


def _one_of_same(rows: list[Row]) -> list[Row]:
    """Return one row where several are the same: values of now, written down twice."""
    if len(rows) == 1:
        return rows
    shapes = {repr(sorted((str(k), repr(plain_value(v))) for k, v in row.items())) for row in rows}
    return rows[:1] if len(shapes) == 1 else rows


def _match(
    side: Side, asked: Sequence[Hashable], held: Mapping[Hashable, list[Row]], *, timed: bool
) -> None:
    """Give each row asked for its row: the first for the first, and so on, where it was asked again."""
    times_asked = Counter(asked)
    given: Counter[Hashable] = Counter()
    for number, key in enumerate(asked):
        rows = held.get(key, [])
        at = given[key]
        given[key] += 1
        if len(rows) == 1 and not timed:
            side.rows.append(rows[0])  # values of now serve each time an entity is asked for
        elif at < len(rows):
            side.rows.append(rows[at])
            if len(rows) > times_asked[key]:
                side.twice.add(number)
        else:
            side.rows.append(None)


def asked_side(
    call: Callable[[Any], object],
    what: str,
    entities: AskedRows,
    keys: Sequence[str],
    timestamp: str | None,
    subject: tuple[float, int],
) -> Generator[Look, object, Side]:
    """Ask a callable for each row; it gets the keys, and the event time where ``timestamp`` is given."""
    if isinstance(call, type):
        raise Unmeasurable(f"{what} is a class: give {_HOW}")
    wanted = [*keys, *([timestamp] if timestamp else [])]
    asked = [{name: row[name] for name in wanted if name in row} for row in entities.rows]
    answers: list[Row | None] = yield from Subject(call, _RowAnswer(what), *subject).ask(asked)
    columns = _column_names([row for row in answers if row is not None])
    if not columns:
        raise Unmeasurable(
            f"{what} gave no features for any of {plural(len(asked), 'entity', 'entities')}"
        )
    return Side(answers, frozenset(columns) - set(keys), "text")


class _RowAnswer:
    """Checks that an answer is a row: a mapping of features, or what has ``to_dict`` (Feast's)."""

    def __init__(self, what: str) -> None:
        self.what = what

    def __call__(self, answer: object, call: int) -> Row | None:
        if answer is None:
            return None
        if not isinstance(answer, Mapping) and hasattr(answer, "to_dict"):
            answer = answer.to_dict()
        if not isinstance(answer, Mapping):
            kind = a(type(answer).__name__)
            raise Unmeasurable(f"{self.what} gave {kind} at call {call}: return a dict of features")
        values = list(answer.values())
        if values and all(isinstance(value, list) and len(value) == 1 for value in values):
            return {str(name): value[0] for name, value in answer.items()}  # one row of columns
        return {str(name): value for name, value in answer.items()}
