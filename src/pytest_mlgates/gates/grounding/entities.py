"""What a text names, brought to one form: numbers, doses, dates, identifiers, names and other words."""

from __future__ import annotations

import csv
import datetime
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path

from pytest_mlgates.core.errors import Unmeasurable

__all__ = ["Entities", "Synonyms", "Word", "entities_of", "plain_words"]

Word = tuple[str, int]

_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()  # noqa: SIM905
_NAMED = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_DATES = re.compile(
    r"(?<![\d.])(?:(?P<y>\d{4})[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})(?:t[\d:.]+(?:z|[+-]\d\d:?\d\d)?)?"
    r"|(?P<m2>\d{1,2})/(?P<d2>\d{1,2})/(?P<y2>\d{4}|\d{2})"
    rf"|(?P<m3>{_NAMED})\s+(?P<d3>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<y3>\d{{4}})"
    rf"|(?P<d4>\d{{1,2}})(?:st|nd|rd|th)?\s+(?P<m4>{_NAMED}),?\s+(?P<y4>\d{{4}}))(?!\d)"
)
_UNITS: Mapping[str, tuple[str, float]] = {
    "kg": ("g", 1e3), "g": ("g", 1.0), "gram": ("g", 1.0), "grams": ("g", 1.0), "mg": ("g", 1e-3), "milligram": ("g", 1e-3),
    "milligrams": ("g", 1e-3), "mcg": ("g", 1e-6), "ug": ("g", 1e-6), "\u00b5g": ("g", 1e-6), "\u03bcg": ("g", 1e-6), "microgram": ("g", 1e-6),
    "micrograms": ("g", 1e-6), "l": ("l", 1.0), "ml": ("l", 1e-3), "milliliter": ("l", 1e-3), "milliliters": ("l", 1e-3), "dl": ("l", 0.1),
    "unit": ("unit", 1.0), "units": ("unit", 1.0), "unt": ("unit", 1.0), "iu": ("unit", 1.0), "meq": ("meq", 1.0), "%": ("%", 1.0),
    "percent": ("%", 1.0), "mmhg": ("mmhg", 1.0),
}  # fmt: skip
_DOSE = re.compile(
    r"(?<![\w.])(\d+(?:[.,]\d+)*)\s*-?(" + "|".join(sorted(map(re.escape, _UNITS), key=len, reverse=True)) + r")(?![\w%])"
)  # fmt: skip
_IDENTIFIER = re.compile(r"(?<![\w-])(?=[\w-]*\d)(?=[\w-]*[a-z_])[\w]+(?:-[\w]+)*(?![\w-])")
_NUMBER = re.compile(r"(?<![\w.])\d+(?:[.,]\d+)*(?![\w])")
_LETTERS = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*")
_COUNTED = {
    word: str(number)
    for number, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve".split()  # noqa: SIM905
    )
}
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")


@dataclass(frozen=True, slots=True)
class Entities:
    """What a text names; ``words`` in order, each with where it stands."""

    dates: frozenset[str]
    doses: frozenset[tuple[float, str]]
    numbers: frozenset[str]
    identifiers: frozenset[str]
    names: frozenset[str]
    words: tuple[Word, ...]
    text: str


class Synonyms:
    """Spellings and brands, each with what it is the same as; and which of them are names of drugs."""

    def __init__(self, rows: Mapping[str, str]) -> None:
        """Take name -> same as, both in lower case."""
        self.same = dict(rows)
        self.known = frozenset(rows.values()) | frozenset(rows)
        ordered = sorted(rows, key=len, reverse=True)
        self._phrases = (
            re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, ordered)) + r")(?!\w)") if ordered else None
        )  # fmt: skip

    @classmethod
    def read(cls, path: str | None) -> Synonyms:
        """Read a table of ``name,same_as``, the shipped one where no path is given.

        :raises Unmeasurable: where the file can't be read or lacks these columns.
        """
        if path is None:
            return _shipped_names()
        try:
            text = Path(path).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise Unmeasurable(f"names: can't be read: {type(error).__name__}") from None
        return _names_of_csv(text)

    def settled(self, text: str) -> str:
        """Return a text with every name replaced by what it is the same as."""
        if self._phrases is None:
            return text
        return self._phrases.sub(lambda found: self.same[found.group()], text)


@lru_cache(maxsize=1)
def _shipped_names() -> Synonyms:
    return _names_of_csv(resources.files(__package__).joinpath("names.csv").read_text("utf-8"))


def _names_of_csv(text: str) -> Synonyms:
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    if not {"name", "same_as"} <= set(rows.fieldnames or ()):
        raise Unmeasurable("names: needs the columns name and same_as")
    found = {}
    for row in rows:
        if row["name"] and row["same_as"]:
            found[row["name"].strip().lower()] = row["same_as"].strip().lower()
    return Synonyms(found)


def plain_words(text: str) -> str:
    r"""Return a text in lower case, accents and escapes of JSON aside, each character kept one.

    >>> plain_words("R\u00f6te \\u00e9")
    'rote e'
    """
    text = _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)
    folded = unicodedata.normalize("NFKD", text.replace("\u00b5", "\u03bc"))
    return "".join(c for c in folded if not unicodedata.combining(c)).lower()


def entities_of(text: str, names: Synonyms) -> Entities:
    """Return what a text names.

    >>> found = entities_of("Tylenol 0.5 g on March 3, 2021 for p003", Synonyms({"tylenol": "acetaminophen"}))
    >>> sorted(found.dates), sorted(found.doses), sorted(found.names), sorted(found.identifiers)
    (['2021-03-03'], [(0.5, 'g')], ['acetaminophen'], ['p003'])
    """
    plain = names.settled(plain_words(text))
    dates, rest = _dates(plain)
    doses = set()
    for found in _DOSE.finditer(rest):
        unit, scale = _UNITS[found[2]]
        doses.add((float(f"{_dose_value(found[1]) * scale:.9g}"), unit))
    bare = _DOSE.sub(lambda found: " " * len(found.group()), rest)
    identifiers = {f.group() for f in _IDENTIFIER.finditer(bare)}
    bare = _IDENTIFIER.sub(lambda found: " " * len(found.group()), bare)
    numbers = {_plain_number(f.group()) for f in _NUMBER.finditer(bare)}
    words = []
    for found in _LETTERS.finditer(bare):
        word = _stem(found.group())
        if word in _COUNTED:
            numbers.add(_COUNTED[word])
        else:
            words.append((word, found.start()))
    # a name of several words is looked up as it stands, one of a word among the words
    named = {name for name in names.same.values() if _has_word(plain, name)}
    return Entities(
        frozenset(dates), frozenset(doses), frozenset(numbers), frozenset(identifiers),
        frozenset(named), tuple(words), plain,
    )  # fmt: skip


@lru_cache(maxsize=8_192)
def _pattern(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")


def _has_word(text: str, name: str) -> bool:
    return name in text and _pattern(name).search(text) is not None


def _dates(text: str) -> tuple[set[str], str]:
    found = set()
    for match in _DATES.finditer(text):
        if day := _day(match):
            found.add(day)
    return found, _DATES.sub(lambda m: " " * len(m.group()) if _day(m) else m.group(), text)


def _day(match: re.Match[str]) -> str:
    for year, month, day in (
        ("y", "m", "d"),
        ("y2", "m2", "d2"),
        ("y3", "m3", "d3"),
        ("y4", "m4", "d4"),
    ):
        if match[year] is None:
            continue
        number = (
            _MONTHS.index(match[month][:3]) + 1 if match[month][0].isalpha() else int(match[month])
        )
        whole = int(match[year])
        whole += (2000 if whole < 50 else 1900) if whole < 100 else 0
        try:
            return datetime.date(whole, number, int(match[day])).isoformat()
        except ValueError:
            return ""
    return ""


def _dose_value(text: str) -> float:
    return float(_plain_number(text))


def _plain_number(text: str) -> str:
    """Return a number without separators of thousands and final zeros.

    >>> _plain_number("1,000"), _plain_number("2.50"), _plain_number("0,5")
    ('1000', '2.5', '0.5')
    """
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", text):
        text = text.replace(",", "")
    text = text.replace(",", ".")
    if text.count(".") > 1:
        return text
    return text.rstrip("0").rstrip(".") if "." in text else text.lstrip("0") or "0"


@lru_cache(maxsize=65_536)
def _stem(word: str) -> str:
    word = word.replace("\u2019", "'").removesuffix("'s")
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word
