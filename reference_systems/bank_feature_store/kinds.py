"""The types of features and keys: how a column of a file becomes one, or which row does not fit."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd

from reference_systems.bank_feature_store.errors import BankError

__all__ = ["FLOATS", "INTS", "KINDS", "cast", "instants", "key_kind"]

INTS = {"Int32": 32, "Int64": 64}
FLOATS = ("Float32", "Float64")
#: types of Feast that are taken
KINDS = (*INTS, *FLOATS, "String", "Bool", "UnixTimestamp")
_BOOLS = {"true": True, "false": False, "1": True, "0": False, "1.0": True, "0.0": False}
_WHOLE = re.compile(r"[+-]?(0|[1-9]\d*)")


def _first_row(bad: pd.Series) -> int:
    """Return the number of the first row that is marked, as a person counts them."""
    return int(np.flatnonzero(bad.to_numpy())[0]) + 1


def _refuse(bad: pd.Series, place: str, name: str, told: str) -> None:
    if bad.any():
        more = int(bad.sum()) - 1
        also = f" (and {more:,} more rows)" if more else ""
        raise BankError(f"{place} row {_first_row(bad)}: {name!r} {told}{also}")


def cast(column: pd.Series, kind: str, place: str, name: str) -> pd.Series:
    """Return a column as ``kind``, nulls kept; refused where a value does not fit.

    >>> cast(pd.Series(["7", ""]), "Int64", "a.csv", "age").tolist()
    [7, <NA>]
    """
    if column.dtype == object:
        column = column.map(_blank_is_null)
    if kind in INTS or kind in FLOATS:
        return _numbers(column, kind, place, name)
    if kind == "Bool":
        return _bools(column, place, name)
    if kind == "UnixTimestamp":
        return instants(column, place, name, null_ok=True)
    numeric = pd.api.types.is_numeric_dtype(column) or pd.api.types.is_datetime64_any_dtype(column)
    if numeric and column.notna().any():
        raise BankError(
            f"{place}: {name!r} holds {column.dtype}, the definition says String: change either"
        )
    bad = column.map(lambda value: value is not None and not isinstance(value, str))
    _refuse(bad & column.notna(), place, name, "is not a text, the definition says String")
    return column.astype(object).where(column.notna(), None)


def _blank_is_null(value: Any) -> Any:
    if isinstance(value, str) and not value.strip():
        return None
    return value


def _numbers(column: pd.Series, kind: str, place: str, name: str) -> pd.Series:
    told = f"is not {'a whole' if kind in INTS else 'a'} number, the definition says {kind}"
    if pd.api.types.is_bool_dtype(column) or pd.api.types.is_datetime64_any_dtype(column):
        raise BankError(f"{place}: {name!r} holds {column.dtype}, the definition says {kind}")
    if kind in INTS and column.dtype == object:
        # by way of a float, digits beyond 2**53 would change
        texts = column.map(lambda v: str(v).strip() if v is not None and v == v else None)  # noqa: PLR0124
        numbers = texts.map(lambda t: int(t) if t is not None and _WHOLE.fullmatch(t) else None)
        floats = pd.to_numeric(texts.where(numbers.isna()), errors="coerce")
        numbers = (
            numbers.where(
                numbers.notna(),
                floats.map(lambda f: int(f) if f == f and f == int(f) else None),  # noqa: PLR0124
            )
            if floats.notna().any()
            else numbers
        )
        _refuse(numbers.isna() & texts.notna(), place, name, told)
    else:
        numbers = pd.to_numeric(column, errors="coerce")
        _refuse(numbers.isna() & column.notna(), place, name, told)
        _refuse(numbers.isin([np.inf, -np.inf]), place, name, "is not a finite number")
    if kind in FLOATS:
        return numbers.astype("Float64").astype(kind)
    if pd.api.types.is_float_dtype(numbers):
        _refuse(numbers.notna() & (numbers != numbers.round()), place, name, told)
    limit = 2 ** (INTS[kind] - 1)
    out = pd.Series([n is not None and n == n and not -limit <= n < limit for n in _held(numbers)])  # noqa: PLR0124
    _refuse(out, place, name, f"is too large for {kind}")
    return numbers.astype("Int64").astype(kind)


def _held(numbers: pd.Series) -> list[Any]:
    return [None if value is pd.NA else value for value in numbers.tolist()]


def _bools(column: pd.Series, place: str, name: str) -> pd.Series:
    if pd.api.types.is_bool_dtype(column):
        return column.astype("boolean")
    found = column.map(lambda v: _BOOLS.get(str(v).strip().lower()), na_action="ignore")
    bad = found.isna() & column.notna()
    _refuse(bad, place, name, "is not true or false, the definition says Bool")
    return found.astype("boolean")


def instants(
    column: pd.Series, place: str, name: str, *, zone: str = "UTC", null_ok: bool = False
) -> pd.Series:
    """Return times in UTC, to the microsecond; those without an offset are of ``zone``.

    >>> instants(pd.Series(["2026-07-01T12:00"]), "a.csv", "at", zone="Europe/Zurich")[0].hour
    10
    """
    if column.dtype == object:
        column = column.map(_blank_is_null)
    if not null_ok:
        _refuse(column.isna(), place, name, "is empty: every row needs its time")
    if pd.api.types.is_numeric_dtype(column) and column.notna().any():
        raise BankError(f"{place}: {name!r} holds {column.dtype}, not times: give ISO 8601")
    if not pd.api.types.is_datetime64_any_dtype(column):
        column = _parsed(column, place, name, zone)
    elif column.dt.tz is None:
        column = _localized(column, place, name, zone)
    return column.dt.tz_convert("UTC").dt.floor("us").astype("datetime64[us, UTC]")


def _parsed(column: pd.Series, place: str, name: str, zone: str) -> pd.Series:
    texts = column.map(str, na_action="ignore")
    told = "is not a time: give ISO 8601, such as 2026-11-30T09:00:00Z"
    # a plain number, or 30/11/2026, would be read as something
    _refuse(~texts.fillna("1999-").str.match(r"\s*\d{4}-"), place, name, told)
    aware = texts.str.contains(r"[Tt ].*(?:[Zz]|[+-]\d\d:?\d\d)\s*$", regex=True, na=False)
    with_zone = pd.to_datetime(texts.where(aware), errors="coerce", utc=True, format="ISO8601")
    naive = pd.to_datetime(texts.where(~aware), errors="coerce", format="ISO8601")
    _refuse(with_zone.isna() & naive.isna() & column.notna(), place, name, told)
    if naive.isna().all():
        return with_zone
    return with_zone.fillna(_localized(naive, place, name, zone).dt.tz_convert("UTC"))


def _localized(column: pd.Series, place: str, name: str, zone: str) -> pd.Series:
    try:
        found = column.dt.tz_localize(zone, ambiguous="NaT", nonexistent="NaT")
    except (KeyError, ValueError, OSError):
        raise BankError(
            f"{place}: there is no time zone {zone!r}: give one such as Europe/Zurich"
        ) from None
    told = f"is a time that {zone} has twice or not at all: write its offset"
    _refuse(found.isna() & column.notna(), place, name, told)
    return found


def key_kind(column: pd.Series) -> str:
    """Return what a key is where the definition does not say: whole numbers, or texts.

    >>> key_kind(pd.Series(["007"])), key_kind(pd.Series(["7"]))
    ('String', 'Int64')
    """
    if pd.api.types.is_bool_dtype(column):
        return "Bool"
    if pd.api.types.is_integer_dtype(column):
        return "Int64"
    held = column.dropna()
    if pd.api.types.is_float_dtype(column):
        return "Int64" if len(held) and (held == held.round()).all() else "Float64"
    return (
        "Int64"
        if len(held) and held.map(lambda v: bool(_WHOLE.fullmatch(str(v)))).all()
        else "String"
    )
