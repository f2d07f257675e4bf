"""The types of features and keys: how a column of a file becomes one, or which row does not fit."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from reference_systems.bank_feature_store.errors import BankError
from reference_systems.bank_feature_store.repo import FIRST, LAST, OUTSIDE

__all__ = ["FLOATS", "INTS", "KINDS", "cast", "event_times", "instants", "key_kind"]

INTS = {"Int32": 32, "Int64": 64}
FLOATS = ("Float32", "Float64")
#: types of Feast that are taken
KINDS = (*INTS, *FLOATS, "String", "Bool", "UnixTimestamp")
_BOOLS = {"true": True, "false": False, "1": True, "0": False, "1.0": True, "0.0": False}
_WHOLE = re.compile(r"[+-]?(0|[1-9][0-9]*)")
_DIGITS = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,6})?")


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
        column = _without_blanks(column)
    if kind in INTS or kind in FLOATS:
        return _numbers(column, kind, place, name)
    if kind == "Bool":
        return _bools(column, place, name)
    if kind == "UnixTimestamp":
        # Feast serves whole seconds online, and training must not see more
        return instants(column, place, name, null_ok=True).dt.floor("s")
    numeric = pd.api.types.is_numeric_dtype(column) or pd.api.types.is_datetime64_any_dtype(column)
    if numeric and column.notna().any():
        raise BankError(
            f"{place}: {name!r} holds {column.dtype}, the definition says String: change either"
        )
    bad = column.map(lambda value: value is not None and not isinstance(value, str))
    _refuse(bad & column.notna(), place, name, "is not a text, the definition says String")
    return column.astype(object).where(column.notna(), None)


def _without_blanks(column: pd.Series) -> pd.Series:
    """Return a column of objects with nulls for blank texts, and all else as it is."""
    held = [None if isinstance(v, str) and not v.strip() else v for v in column]
    return pd.Series(held, index=column.index, dtype=object)


def _numbers(column: pd.Series, kind: str, place: str, name: str) -> pd.Series:
    told = f"is not {'a whole' if kind in INTS else 'a'} number, the definition says {kind}"
    if pd.api.types.is_bool_dtype(column) or pd.api.types.is_datetime64_any_dtype(column):
        raise BankError(f"{place}: {name!r} holds {column.dtype}, the definition says {kind}")
    if kind in INTS and column.dtype == object:
        held = [None if v is None or v is pd.NA or v != v else _exactly(str(v)) for v in column]  # noqa: PLR0124
        # as they are: beside a null, pandas would make a float of a whole number
        numbers = pd.Series(held, index=column.index, dtype=object)
        _refuse(numbers.isna() & column.notna(), place, name, told)
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


def _exactly(text: str) -> int | None:
    """Return the whole number that a text is, to its last digit; one of 30 digits stands for more.

    >>> _exactly("9007199254740993"), _exactly("1e3"), _exactly("7.00"), _exactly("7.5"), _exactly("1_000")
    (9007199254740993, 1000, 7, None, None)
    """
    if not _DIGITS.fullmatch(text.strip()):
        return None
    number = Decimal(text.strip())
    if number.adjusted() > 30:
        return 10**30
    return int(number) if number == number.to_integral_value() else None


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
        column = _without_blanks(column)
    if not null_ok:
        _refuse(column.isna(), place, name, "is empty: every row needs its time")
    if pd.api.types.is_numeric_dtype(column) and column.notna().any():
        raise BankError(f"{place}: {name!r} holds {column.dtype}, not times: give ISO 8601")
    if not pd.api.types.is_datetime64_any_dtype(column):
        column = _parsed(column, place, name, zone)
    elif column.dt.tz is None:
        column = _localized(column, place, name, zone)
    return column.dt.tz_convert("UTC").dt.floor("us").astype("datetime64[us, UTC]")


def event_times(column: pd.Series, place: str, name: str, zone: str) -> pd.Series:
    """Return the times of rows, as :func:`instants` does; refused where Feast can't join by them."""
    found = instants(column, place, name, zone=zone)
    outside = ~found.dt.year.between(FIRST.year, LAST.year)
    _refuse(outside, place, name, OUTSIDE)
    return found


def _parsed(column: pd.Series, place: str, name: str, zone: str) -> pd.Series:
    texts = column.map(str, na_action="ignore")
    told = "is not a time: give ISO 8601, such as 2026-11-30T09:00:00Z"
    # a plain number, or 30/11/2026, would be read as something
    _refuse(~texts.fillna("1999-").str.match(r"\s*\d{4}-"), place, name, told)
    aware = texts.str.contains(r"[Tt ].*(?:[Zz]|[+-]\d\d:?\d\d)\s*$", regex=True, na=False)
    with_zone = pd.to_datetime(texts.where(aware), errors="coerce", utc=True, format="ISO8601")
    naive = pd.to_datetime(texts.where(~aware), errors="coerce", format="ISO8601")
    far = texts[with_zone.isna() & naive.isna() & column.notna()].map(_beyond_nanoseconds).dropna()
    if len(far):
        with_zone, naive = with_zone.dt.as_unit("us"), naive.dt.as_unit("us")
        aware_far = far.map(lambda when: when.tzinfo is not None)
        with_zone = with_zone.fillna(far[aware_far].astype("datetime64[us, UTC]"))
        naive = naive.fillna(far[~aware_far].astype("datetime64[us]"))
    _refuse(with_zone.isna() & naive.isna() & column.notna(), place, name, told)
    if naive.isna().all():
        return with_zone
    return with_zone.fillna(_localized(naive, place, name, zone).dt.tz_convert("UTC"))


def _beyond_nanoseconds(text: str) -> datetime | None:
    """Return a time that pandas' nanoseconds since 1970 can't hold, such as 9999-12-31."""
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError:
        return None


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
    held = (_without_blanks(column) if column.dtype == object else column).dropna()
    if pd.api.types.is_float_dtype(column):
        return "Int64" if len(held) and (held == held.round()).all() else "Float64"
    return (
        "Int64"
        if len(held) and held.map(lambda v: bool(_WHOLE.fullmatch(str(v)))).all()
        else "String"
    )
