"""When a charge counts: instants, days and budget periods, all in UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from pytest_mlgates.gates.cost_budget.money import Fault
from pytest_mlgates.reading.tables import missing

__all__ = ["DAY", "Period", "day_of", "instant", "iso", "period_of"]

#: seconds of a day
DAY = 86_400
_EPOCH = date(1970, 1, 1)
_FIRST, _LAST = 946_684_800, 4_102_444_800  # 2000 and 2100


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """A budget period: from the day ``start`` up to, and without, the day ``end``.

    Days are counted from 1970-01-01.
    """

    start: int
    end: int
    kind: str

    def __str__(self) -> str:
        first = _EPOCH + timedelta(days=self.start)
        names = {
            "day": first.isoformat(),
            "week": f"the week of {first.isoformat()}",
            "month": f"{first:%Y-%m}",
            "quarter": f"{first:%Y}-Q{(first.month + 2) // 3}",
            "year": f"{first:%Y}",
        }
        return names[self.kind]


def instant(value: object) -> int:
    """Return seconds since 1970 in UTC; a time without an offset is UTC. Raises :class:`Fault`.

    >>> instant("2026-11-07T00:00:00Z"), instant("2026-11-07 01:00:00+01:00"), instant("2026-11-07")
    (1794009600, 1794009600, 1794009600)
    """
    if missing(value):
        raise Fault("is empty")
    if isinstance(value, str):
        plain = value.strip().removesuffix(" UTC").replace(" +0000", "+00:00")
        try:
            value = datetime.fromisoformat(plain)
        except ValueError:
            raise Fault("is not a time as in 2026-11-07T00:00:00Z") from None
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day, tzinfo=UTC)
    if not isinstance(value, datetime):
        raise Fault("is not a time as in 2026-11-07T00:00:00Z")
    if value.tzinfo is None:
        value = value.replace(tzinfo=UTC)
    seconds = int(value.timestamp())
    if not _FIRST <= seconds < _LAST:
        raise Fault("is not between 2000 and 2100")
    return seconds


def day_of(text: str) -> int:
    """Return the day of an ISO date.

    >>> day_of("1970-01-02")
    1
    """
    return (date.fromisoformat(text) - _EPOCH).days


def iso(seconds: int) -> str:
    """Return an instant as a person reads it.

    >>> iso(1794009600)
    '2026-11-07 00:00 UTC'
    """
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"


def period_of(day: int, kind: str) -> Period:
    """Return the period that a day belongs to.

    >>> print(period_of(day_of("2026-11-07"), "week"), period_of(day_of("2026-11-07"), "quarter"))
    the week of 2026-11-02 2026-Q4
    """
    if kind == "day":
        return Period(day, day + 1, kind)
    if kind == "week":
        monday = day - (day + 3) % 7  # 1970-01-01 was a Thursday
        return Period(monday, monday + 7, kind)
    there = _EPOCH + timedelta(days=day)
    months = {"month": 1, "quarter": 3, "year": 12}[kind]
    first = (there.month - 1) // months * months
    year, month = there.year + (first + months) // 12, (first + months) % 12
    start, end = date(there.year, first + 1, 1), date(year, month + 1, 1)
    return Period((start - _EPOCH).days, (end - _EPOCH).days, kind)
