"""Dates as charts write them, as ISO; what can't be read for sure is no date."""

from __future__ import annotations

import datetime
import re

__all__ = ["DATE", "first_date", "iso"]

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan january", "feb february", "mar march", "apr april", "may", "jun june", "jul july",
            "aug august", "sep sept september", "oct october", "nov november", "dec december",
        ),
        1,
    )
    for name in names.split()
}  # fmt: skip
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
#: any of the forms below
DATE = re.compile(
    r"(?<![\d/.-])(?:"
    r"(?P<y1>\d{4})[-/.](?P<m1>\d{1,2})[-/.](?P<d1>\d{1,2})(?:T[\d:.]+(?:Z|[+-]\d\d:?\d\d)?)?"
    r"|(?P<m2>\d{1,2})/(?P<d2>\d{1,2})/(?P<y2>\d{4}|\d{2})"
    rf"|(?P<m3>{_MONTH})\.?\s+(?P<d3>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<y3>\d{{4}})"
    rf"|(?P<d4>\d{{1,2}})(?:st|nd|rd|th)?[\s-]+(?P<m4>{_MONTH})\.?,?[\s-]+(?P<y4>\d{{4}})"
    r"|(?P<d5>\d{1,2})\.(?P<m5>\d{1,2})\.(?P<y5>\d{4})"
    r")(?![\d/])",
    re.IGNORECASE,
)


def iso(found: re.Match[str]) -> str:
    """Return what DATE matched as ISO, or nothing where no such day exists.

    >>> [iso(DATE.search(text)) for text in ("3/14/2021", "March 3rd, 2021", "14 Mar 2021", "31/12/2021", "5.2.2021")]
    ['2021-03-14', '2021-03-03', '2021-03-14', '2021-12-31', '2021-02-05']
    >>> iso(DATE.search("2021-02-30"))
    ''
    """
    form = next(number for number in "12345" if found[f"y{number}"])
    year, month, day = (found[f"{part}{form}"] for part in "ymd")
    number = _MONTHS.get(month.lower()) or int(month)
    whole = int(year)
    if whole < 100:
        whole += 2000 if whole <= datetime.datetime.now(datetime.UTC).year % 100 else 1900
    dates = [(number, int(day))]
    if form == "2" and number > 12:  # day first, where nothing else can be meant
        dates = [(int(day), number)]
    for month_number, day_number in dates:
        try:
            return datetime.date(whole, month_number, day_number).isoformat()
        except ValueError:
            continue
    return ""


def first_date(text: str) -> str:
    """Return the first date of a text as ISO, or nothing.

    >>> first_date("2004-09-06T10:19:10+00:00"), first_date("spring")
    ('2004-09-06', '')
    """
    found = DATE.search(text)
    return iso(found) if found else ""
