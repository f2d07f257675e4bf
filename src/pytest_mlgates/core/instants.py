"""Instants as records hold them (ISO 8601), and how far clocks may be apart."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

__all__ = ["CLOCK_SKEW", "instant"]

#: two honest clocks may be apart by so much
CLOCK_SKEW = timedelta(minutes=5)


def instant(text: object) -> datetime:
    """Return an instant in UTC; one without a time zone is taken for UTC.

    >>> instant("2026-12-31T13:00:00+01:00").isoformat()
    '2026-12-31T12:00:00+00:00'
    >>> instant("soon")
    Traceback (most recent call last):
        ...
    ValueError: expected an instant such as 2026-12-31T12:00Z, got 'soon'
    """
    try:
        when = datetime.fromisoformat(str(text))
        return when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        shown = repr(str(text)[:60])
        raise ValueError(f"expected an instant such as 2026-12-31T12:00Z, got {shown}") from None
