"""Times as view logs write them: ISO 8601, seconds since 1970 and finer, dates with slashes or dots.

Only their order is used. One log may mix forms; whether ``03/04/2026`` is in March or April is
told by the other dates of the log, or by the order in which its lines stand.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import numpy as np
import numpy.typing as npt

__all__ = ["read_times"]

_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?")
_SLASHED = re.compile(
    r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d{2})"
    r"(?:[ T,]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?\s*([AaPp]\.?[Mm]\.?)?)?"
)
_NAMED = ("%d %b %Y", "%d %B %Y", "%b %d %Y", "%B %d %Y", "%d-%b-%Y", "%d-%b-%y", "%a %b %d %Y")
_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
#: the year 5138 in seconds: a larger number counts something finer
_MOST_SECONDS = 1e11


def read_times(texts: Sequence[str]) -> tuple[npt.NDArray[np.float64], str]:
    """Return seconds since 1970 (UTC where no zone is told), NaN where a text is not a time; a note.

    >>> read_times(["2026-11-30T10:00:00Z", "1796032800", "1796032800000", "soon"])[0].tolist()
    [1796032800.0, 1796032800.0, 1796032800.0, nan]
    >>> day_first, _ = read_times(["03/04/2026", "13/04/2026"])
    >>> float(day_first[1] - day_first[0]) / 86400
    10.0
    """
    known: dict[str, float] = {}
    slashed: dict[str, re.Match[str]] = {}
    for text in dict.fromkeys(texts):
        bare = " ".join(text.split())
        if match := _SLASHED.fullmatch(bare):
            slashed[text] = match
        else:
            known[text] = _plain(bare)
    note = ""
    if slashed:
        day_first, note = _day_first(slashed, texts)
        known |= {text: _of_slashed(match, day_first) for text, match in slashed.items()}
    return np.array([known[text] for text in texts], float), note


def _plain(text: str) -> float:
    if _NUMBER.fullmatch(text) and not _is_compact_date(text):
        value = float(text)
        while math.isfinite(value) and abs(value) >= _MOST_SECONDS:
            value /= 1000
        return value if math.isfinite(value) else math.nan
    for parse in _PARSERS:
        try:
            when = parse(text)
        except (ValueError, TypeError, OverflowError, IndexError):
            continue
        return _seconds(when)
    return math.nan


def _is_compact_date(text: str) -> bool:
    """Tell 20261130 from a number of seconds, which it would be in 1970."""
    return len(text) == 8 and "18000101" <= text <= "21991231" and "01" <= text[4:6] <= "12"


def _named(text: str) -> datetime:
    bare = text.replace(",", "")
    for day in _NAMED:
        for clock in _CLOCKS:
            try:
                return datetime.strptime(bare, day + clock)
            except ValueError:
                continue
    raise ValueError(text)


def _iso_with_spaces(text: str) -> datetime:
    """Read ``2026/11/30 10:00``, ``2026-11-30 10:00:00 UTC`` and ``2026-1-5``."""
    bare = re.sub(r"\s*(UTC|GMT)$", "+00:00", text.replace("/", "-"))
    bare = re.sub(r"^(\d{4})-(\d{1,2})-(\d{1,2})", _padded, bare)
    return datetime.fromisoformat(re.sub(r"\s+([+-]\d\d:?\d\d)$", r"\1", bare))


def _padded(match: re.Match[str]) -> str:
    return f"{match[1]}-{int(match[2]):02}-{int(match[3]):02}"


_PARSERS: tuple[Callable[[str], datetime], ...] = (
    datetime.fromisoformat,
    _iso_with_spaces,
    parsedate_to_datetime,
    _named,
)


def _day_first(slashed: dict[str, re.Match[str]], texts: Sequence[str]) -> tuple[bool, str]:
    if any(int(match[1]) > 12 for match in slashed.values()):
        return True, ""
    if any(int(match[3]) > 12 for match in slashed.values()):
        return False, ""
    backwards = []
    for day_first in (True, False):
        order = [_of_slashed(slashed[text], day_first) for text in texts if text in slashed]
        backwards.append(int(np.sum(np.diff(order) < 0)))
    day_first = backwards[0] <= backwards[1]
    which = "day" if day_first else "month"
    text = next(iter(slashed))
    return day_first, f"dates such as {text!r} are read with the {which} first"


def _of_slashed(match: re.Match[str], day_first: bool) -> float:
    first, _, second, year, hour, minute, second_of, half = match.groups()
    day, month = (first, second) if day_first else (second, first)
    hours = int(hour or 0)
    if half:
        hours = hours % 12 + (12 if half[0] in "pP" else 0)
    try:
        when = datetime(
            int(year) + (2000 if len(year) == 2 else 0), int(month), int(day),
            hours, int(minute or 0), min(59, int(second_of or 0)),
        )  # fmt: skip
    except ValueError:
        return math.nan
    return _seconds(when)


def _seconds(when: datetime) -> float:
    aware = when if when.tzinfo else when.replace(tzinfo=UTC)
    return (aware - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(seconds=1)
