"""From a source file to the one table of a view: checked, typed, in UTC, one row a key and time.

A row that does not fit is named by its number and refused; nothing is served of a file in part.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from reference_systems.bank_feature_store.definition import KNOWN_AT, View, meant
from reference_systems.bank_feature_store.errors import BankError
from reference_systems.bank_feature_store.kinds import cast, event_times, instants, key_kind
from reference_systems.bank_feature_store.sources import READERS
from reference_systems.bank_feature_store.windows import changes

__all__ = ["AT", "Taken", "read", "take"]

#: the column of times in every table of the store
AT = "event_timestamp"
_CREATED = "__created"


@dataclass(frozen=True, slots=True)
class Taken:
    """What was taken in: the source's rows as they were read, and the table of features."""

    events: pd.DataFrame
    table: pd.DataFrame
    keys: dict[str, str]


def take(view: View, note: Callable[[str], object]) -> Taken:
    """Read the source of a view; ``note`` is told what a person should know."""
    place = view.path.name
    raw = read(view.path)
    if raw.empty:
        raise BankError(f"{place}: holds no rows, so there is nothing to serve")
    raw = _renamed(raw, view, place)
    _require(view, list(raw.columns), place)
    rows, keys = pd.DataFrame(index=raw.index), {}
    for key, kind in view.keys.items():
        keys[key] = kind or key_kind(raw[key])
        if keys[key] not in ("Int64", "String"):
            raise BankError(
                f"{place}: the key {key!r} holds {raw[key].dtype}: keys are whole numbers or texts"
            )
        rows[key] = cast(raw[key], keys[key], place, key)
        if (empty := rows[key].isna()).any():
            number = int(empty.to_numpy().argmax()) + 1
            raise BankError(f"{place} row {number}: the key {key!r} is empty: whose row is it?")
    rows[AT] = event_times(raw[view.timestamp], place, view.timestamp, view.zone)
    if view.created:
        rows[_CREATED] = instants(raw[view.created], place, view.created, zone=view.zone)
    for name, kind in _columns(view, raw).items():
        rows[name] = cast(raw[name], kind, place, name)
    late = [name for name in rows if rows[name].isna().all()]
    if late:
        note(f"{place}: {late[0]!r} is empty in every row: it will be served as null")
    events = rows.sort_values([*keys, AT, *([_CREATED] if view.created else [])], kind="stable")
    table = changes(events, view, AT) if view.windowed else _last(events, keys, place, view, note)
    for field in view.fields:
        table[field.name] = cast(table[field.name], field.kind, place, field.name)
    table[KNOWN_AT] = table[AT].astype("int64")
    events = events.drop(columns=_CREATED, errors="ignore").reset_index(drop=True)
    return Taken(events, table.reset_index(drop=True), keys)


def read(path: Path) -> pd.DataFrame:
    """Return the rows of a Parquet or CSV file, or of a folder of them."""
    if path.is_dir():
        return _folder(path)
    if not path.is_file():
        raise BankError(
            f"{path.name}: not there ({path}): the path of a source is relative to its definition"
        )
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise BankError(f"{path.name}: is neither a Parquet nor a CSV file: give one of them")
    return reader(path)


def _folder(path: Path) -> pd.DataFrame:
    files = sorted(
        file for file in path.rglob("*") if file.is_file() and not file.name.startswith((".", "_"))
    )
    if not files:
        raise BankError(f"{path.name}: the folder holds no file")
    # a column that came later is empty in the files before it
    tables = [read(file) for file in files]
    return pd.concat([table for table in tables if len(table)] or tables[:1], ignore_index=True)


def _renamed(raw: pd.DataFrame, view: View, place: str) -> pd.DataFrame:
    if lost := [name for name in view.renamed if name not in raw.columns]:
        hint = meant(lost[0], [str(c) for c in raw.columns])
        raise BankError(f"{place} has no column {lost[0]!r}, which field_mapping renames{hint}")
    raw = raw.rename(columns=view.renamed)
    if raw.columns.has_duplicates:
        name = str(raw.columns[raw.columns.duplicated()][0])
        raise BankError(f"{place} has the column {name!r} more than once: rename one")
    return raw


def _columns(view: View, raw: pd.DataFrame) -> dict[str, str]:
    """Return the columns that features come from, with the types they are read as."""
    if not view.windowed:
        return {field.name: field.kind for field in view.fields}
    found = {}
    for field in view.fields:
        assert field.window is not None
        column = raw[field.window.column]
        whole = pd.api.types.is_integer_dtype(column) or key_kind(column) == "Int64"
        counted = field.window.operation == "count"
        kind = "Int64" if whole else "Float64"
        # what is only counted may be of any type
        if not counted or field.window.column not in found:
            found[field.window.column] = "String" if counted and column.dtype == object else kind
    return {name: kind for name, kind in found.items() if name not in view.keys}


def _require(view: View, columns: list[str], place: str) -> None:
    sources = [f.window.column if f.window else f.name for f in view.fields]
    needed = [*view.keys, view.timestamp, *([view.created] if view.created else []), *sources]
    for name in needed:
        if name not in columns:
            hint = meant(name, [str(c) for c in columns])
            raise BankError(
                f"{place} has no column {name!r}{hint}: change the definition, or map it with"
                f" field_mapping={{old: {name!r}}}"
            )


def _last(
    events: pd.DataFrame,
    keys: dict[str, str],
    place: str,
    view: View,
    note: Callable[[str], object],
) -> pd.DataFrame:
    """Keep one row a key and time: the one created last, or else the last in the file."""
    by = [*keys, AT]
    again = events.duplicated(by, keep="last")
    if again.any():
        differ = events[~events.duplicated()].duplicated(
            [*by, *([_CREATED] if view.created else [])]
        )
        if differ.any():
            note(
                f"{place}: {int(differ.sum()):,} rows have the key and the times of another row and"
                " differ from it: the last in the file counts"
            )
    return events[~again].drop(columns=_CREATED, errors="ignore").copy()
