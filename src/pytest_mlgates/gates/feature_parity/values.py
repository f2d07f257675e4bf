"""Whether two values are the same feature value, and how they differ where they are not."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal

from pytest_mlgates.core.errors import Unmeasurable
from pytest_mlgates.core.words import a
from pytest_mlgates.reading.tables import missing

__all__ = ["ABSENT", "Text", "difference", "instant_of", "plain_value"]

#: what a row has in place of a column that it lacks
ABSENT: Any = type("Absent", (), {"__repr__": lambda _self: "absent"})()
#: what a text may stand for: in CSV anything, in other files a time, in memory itself
Text = Literal["any", "time", "text"]
_BOOLS = {"true": True, "false": False}


def plain_value(value: Any) -> Any:
    """Return what a scalar of another library holds, None of a null.

    >>> import numpy as np
    >>> plain_value(np.float32(0.5)), plain_value(float("nan")), plain_value(np.array([1, 2]))
    (0.5, None, [1, 2])
    """
    kind = type(value)  # the common kinds first: this is asked for every cell
    if kind is float:
        return value if value == value else None  # noqa: PLR0124
    if value is None or value is ABSENT or kind in (int, str, bool, datetime):
        return value
    if hasattr(value, "tolist") and hasattr(value, "shape"):  # numpy, torch
        value = value.tolist()
    if isinstance(value, str):
        return value
    return None if missing(value) else value


def difference(
    offline: Any, online: Any, tolerance: float, texts: tuple[Text, Text] = ("text", "text")
) -> str:
    """Return how two plain values differ, an empty text where they do not.

    Numbers are one type, so an Int64 that comes back as a float, or a Float32 as a float64, is the
    same value within the relative ``tolerance``; a null is not 0, and a text is not a number.

    >>> difference(1, 1.0, 0), difference(0.1, 0.10000000149, 1e-6), difference(None, 0, 1)
    ('', '', 'null')
    >>> difference("7", 7, 0), difference("7", 7, 0, ("any", "text")), difference([1], [1, 2], 0)
    ('type', '', 'value')
    """
    kind = type(offline)
    if kind is type(online) and kind in (int, str, bool, float) and offline == online:
        return ""
    offline, online = _read_as(offline, online, texts[0]), _read_as(online, offline, texts[1])
    if offline is ABSENT or online is ABSENT:
        return "" if offline is online else "missing"
    if offline is None or online is None:
        return "" if offline is online else "null"
    name = _kind(offline)
    if name != _kind(online):
        return "type"
    return "" if _values_agree(name, offline, online, tolerance) else "value"


def _values_agree(kind: str, offline: Any, online: Any, tolerance: float) -> bool:
    if kind == "number":
        return _close(offline, online, tolerance)
    if kind == "time":
        return instant_of(offline) == instant_of(online)
    if kind == "list":
        return len(offline) == len(online) and not any(
            difference(plain_value(x), plain_value(y), tolerance)
            for x, y in zip(offline, online, strict=True)
        )
    if kind == "mapping":
        return set(offline) == set(online) and not any(
            difference(plain_value(offline[k]), plain_value(online[k]), tolerance) for k in offline
        )
    return bool(offline == online)


def _close(x: Any, y: Any, tolerance: float) -> bool:
    if x == y:
        return True
    if isinstance(x, int) and isinstance(y, int):
        return False
    try:
        return math.isclose(float(x), float(y), rel_tol=tolerance, abs_tol=0.0)
    except OverflowError:
        return False


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, (int, float, Decimal)):
        return "number"
    if isinstance(value, str):
        return "text"
    if isinstance(value, (bytes, bytearray)):
        return "bytes"
    if isinstance(value, date):
        return "time"
    if isinstance(value, (list, tuple)):
        return "list"
    if isinstance(value, Mapping):
        return "mapping"
    raise Unmeasurable(
        f"a feature value is {a(type(value).__name__)}: give numbers, texts, times, lists or None"
    )


def _read_as(value: object, other: object, text: Text) -> object:
    """Read a text of a file as what it is held against, where it can be that."""
    if text == "text" or not isinstance(value, str):
        return value
    if text == "any" and not value.strip():
        return None
    try:
        if isinstance(other, date):
            return instant_of(value)
        if text == "any" and isinstance(other, bool):
            return _BOOLS.get(value.strip().lower(), value)
        if text == "any" and isinstance(other, (int, float, Decimal)):
            return _parse_number(value)
        if text == "any" and isinstance(other, str):
            # the other side may be a file too: 1 and 1.0 are one number in both
            return _parse_number(value)
    except ValueError:
        pass
    return value


def _parse_number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        return float(text)


def instant_of(value: object) -> datetime:
    """Return an instant in UTC of a time, an ISO text or seconds since 1970; else ValueError.

    One without an offset is UTC.

    >>> instant_of("2026-01-01T01:00:00+01:00") == instant_of(date(2026, 1, 1))
    True
    """
    try:
        return _parse_instant(value)
    except TypeError:  # it can't be hashed, so it is not a time
        raise ValueError("not a time") from None


@lru_cache(maxsize=1 << 17)
def _parse_instant(value: object) -> datetime:
    if isinstance(value, str):
        value = datetime.fromisoformat(value.strip())
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        value = datetime.fromtimestamp(value, UTC)
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day, tzinfo=UTC)
    if not isinstance(value, datetime):
        raise ValueError("not a time")
    when = value if value.tzinfo else value.replace(tzinfo=UTC)
    if hasattr(when, "floor"):  # pandas' own, with nanoseconds
        when = when.floor("us").to_pydatetime()
    return when.astimezone(UTC)
