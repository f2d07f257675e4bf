"""Read transfers: records, a table, or the path of a CSV or Parquet file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from pytest_mlgates.core import Unmeasurable
from pytest_mlgates.reading.records import records
from pytest_mlgates.reading.tables import missing

__all__ = ["Columns", "Transfer", "read"]

_FIELDS = ("sent_bytes", "raw_bytes", "at", "seconds", "source")
_WANTED = (
    "records with sent_bytes (and raw_bytes, at, seconds, source), a DataFrame, or the path of a"
    " .csv, .parquet, .json or .jsonl file"
)


@dataclass(frozen=True, slots=True)
class Transfer:
    """One upload: bytes sent, and what is known besides.

    ``raw_bytes`` is what would have been sent without the system that is judged (raw video, say);
    ``at`` is when the transfer began (seconds on any clock, or a datetime), ``seconds`` how long
    it took, ``source`` the vehicle, camera or session it came from.

    >>> Transfer(1200, raw_bytes=9_000_000, at=0.0, seconds=2.5, source="truck-7").sent_bytes
    1200
    """

    sent_bytes: float
    raw_bytes: float | None = None
    seconds: float | None = None
    at: float | datetime | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Columns:
    """The transfers as arrays; a column is NaN where a record lacks it.

    ``source`` holds the index into ``sources``, or -1.
    """

    sent: npt.NDArray[np.float64]
    raw: npt.NDArray[np.float64]
    at: npt.NDArray[np.float64]
    seconds: npt.NDArray[np.float64]
    source: npt.NDArray[np.int64]
    sources: tuple[str, ...]

    def need(self, column: npt.NDArray[Any], name: str, limit: str) -> None:
        """Raise :class:`Unmeasurable` where a transfer lacks what a limit is about."""
        lacking = int(np.sum(column < 0 if name == "source" else np.isnan(column)))
        if lacking:
            raise Unmeasurable(
                f"{lacking} of {column.size} transfers have no {name}, and {limit} is about it"
            )

    def by_source(self, column: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the sum of a column for each source."""
        return np.bincount(self.source, column, minlength=len(self.sources)).astype(np.float64)


def read(transfers: object) -> Columns:
    """Read all transfers once.

    Raises :class:`Unmeasurable` on what is not a transfer, and on counts that are missing, negative
    or not finite.

    >>> read([{"sent_bytes": 10, "source": "a"}, Transfer(20, source="a")]).sent.tolist()
    [10.0, 20.0]
    """
    numbers: list[tuple[float, float, float, float]] = []
    names: dict[str, int] = {}
    source: list[int] = []
    for index, record in enumerate(records(transfers, "transfers", _WANTED, columns=_FIELDS)):
        values = _field_values(record, index)
        row = (
            _byte_count(values[0], "sent_bytes", index),
            _byte_count(values[1], "raw_bytes", index),
            _moment(values[2], index),
            _byte_count(values[3], "seconds", index),
        )
        if math.isnan(row[0]):
            raise Unmeasurable(f"transfer {index} has no sent_bytes")
        numbers.append(row)
        source.append(-1 if missing(values[4]) else names.setdefault(str(values[4]), len(names)))
    table = np.array(numbers, float).reshape(-1, 4)
    sent, raw, at, seconds = (np.ascontiguousarray(column) for column in table.T)
    return Columns(sent, raw, at, seconds, np.array(source, np.int64), tuple(names))


def _field_values(record: object, index: int) -> tuple[object, ...]:
    if isinstance(record, Mapping):
        return tuple(record.get(name) for name in _FIELDS)
    if isinstance(record, Transfer):
        return tuple(getattr(record, name) for name in _FIELDS)
    raise Unmeasurable(f"transfer {index} is a {type(record).__name__}: give {_WANTED}")


def _byte_count(value: object, name: str, index: int) -> float:
    """Return a number >= 0, or NaN where it is missing."""
    if missing(value):
        return math.nan
    number = _transfer_amount(value, name, index)
    if number < 0 or math.isinf(number):
        raise Unmeasurable(f"transfer {index} has {name} that are negative or not finite")
    return number


def _transfer_amount(value: Any, name: str, index: int) -> float:
    try:
        if isinstance(value, (bool, np.bool_)):
            raise TypeError
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        raise Unmeasurable(f"transfer {index} has {name} that are not a number") from None
    return number


def _moment(value: object, index: int) -> float:
    """Return seconds since some start: a number, a datetime, or ISO 8601 text."""
    if missing(value):
        return math.nan
    if isinstance(value, str) and "T" in value.upper().replace(" ", "T"):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise Unmeasurable(f"transfer {index} has an `at` that is not a time") from None
    number = (
        value.timestamp() if isinstance(value, datetime) else _transfer_amount(value, "at", index)
    )
    if not math.isfinite(number):
        raise Unmeasurable(f"transfer {index} has an `at` that is not finite")
    return number
