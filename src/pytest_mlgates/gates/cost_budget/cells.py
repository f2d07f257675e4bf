"""The cells of an inventory, read strictly: each fault names the record."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from pytest_mlgates.core import Unmeasurable
from pytest_mlgates.gates.cost_budget.money import Fault
from pytest_mlgates.gates.cost_budget.periods import instant
from pytest_mlgates.reading.tables import missing

__all__ = ["cell_count", "cell_number", "cell_share", "cell_text", "cell_time"]


def cell_text(record: Mapping[str, object], name: str) -> str:
    """Return a field as text, "" where the record says nothing."""
    value = record.get(name)
    return "" if missing(value) else str(value).strip()


def cell_time(record: Mapping[str, object], name: str, place: str) -> int | None:
    """Return a time in seconds since 1970."""
    value = record.get(name)
    if missing(value):
        return None
    try:
        return instant(value)
    except Fault as fault:
        raise Unmeasurable(f"{place} has a {name} that {fault}") from None


def cell_count(record: Mapping[str, object], name: str, place: str) -> float:
    """Return how many, 0 where the record says nothing."""
    value = cell_number(record, name, place)
    if value is not None and value < 0:
        raise Unmeasurable(f"{place}: {name} is negative")
    return value or 0.0


def cell_share(record: Mapping[str, object], name: str, place: str) -> float | None:
    """Return a share between 0 and 1."""
    value = cell_number(record, name, place)
    if value is not None and not 0 <= value <= 1:
        raise Unmeasurable(f"{place} has a {name} that is not a share between 0 and 1")
    return value


def cell_number(record: Mapping[str, object], name: str, place: str) -> float | None:
    """Return a finite number."""
    value: Any = record.get(name)
    if missing(value):
        return None
    try:
        if isinstance(value, bool):
            raise TypeError
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        raise Unmeasurable(f"{place} has a {name} that is not a number") from None
    if not math.isfinite(number):
        raise Unmeasurable(f"{place} has a {name} that is not finite")
    return number
