"""Whether the name of a column is that of a blocked attribute, in whatever spelling."""

from __future__ import annotations

import re
import unicodedata
from difflib import SequenceMatcher

__all__ = ["is_near", "match", "words_of"]

#: words that forms use for the same thing; each is blocked where any of its line is
_SAME = (
    ("sex", "gender", "pronoun", "salutation", "female", "male", "woman", "man"),
    ("race", "ethnicity", "ethnic", "ethnic group", "ethnic origin", "origin"),
    ("name", "first name", "last name", "full name", "given name", "family name", "surname",
     "forename", "firstname", "lastname", "fullname", "middle name", "maiden name", "nickname"),
    ("age", "birth date", "date of birth", "birthday", "dob", "birth year", "year of birth",
     "birthdate", "yob"),
    ("college", "university", "institution", "school", "alma mater", "campus"),
    ("zip code", "zip", "zipcode", "postal code", "postcode", "post code", "postalcode", "plz"),
    ("religion", "faith", "denomination", "religious"),
    ("nationality", "citizenship", "country of birth", "birthplace", "place of birth"),
    ("marital status", "marital", "married", "spouse"),
    ("disability", "disabled", "handicap"),
    ("pregnancy", "pregnant", "maternity"),
    ("hobby", "hobbies", "interest", "volunteer", "volunteering", "club", "association"),
    ("photo", "picture", "image", "portrait", "avatar"),
    ("language", "mother tongue", "native language"),
)  # fmt: skip
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
#: shorter words than this are never taken for a misspelling
_LONG = 5
_NEAR = 0.84


def words_of(name: str) -> tuple[str, ...]:
    """Return the words of a column's name, folded: without case, accents, plurals and digits.

    >>> words_of("person.firstName"), words_of("Ethnicities_2"), words_of("Geschlécht")
    (('person', 'first', 'name'), ('ethnicity',), ('geschlecht',))
    """
    plain = unicodedata.normalize("NFKD", _CAMEL.sub(" ", name))
    plain = "".join(c for c in plain if not unicodedata.combining(c)).casefold()
    words = re.findall(r"[^\W\d_]+", plain)
    return tuple(map(_singular, words))


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    if word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 3:
        return word[:-1]
    return word


def match(column: str, blocked: str) -> bool:
    """Tell whether the name of a column holds a blocked name, or another word for it.

    >>> match("applicant_sex", "gender"), match("ZIPCode", "zip_code"), match("sextant", "sex")
    (True, True, False)
    """
    words = words_of(column)
    return any(_spells(words, term) for term in _terms(blocked))


def is_near(column: str, blocked: str) -> bool:
    """Tell whether a word of the column's name may be a misspelling of a blocked name.

    >>> is_near("gendre", "gender"), is_near("generic", "gender")
    (True, False)
    """
    words = words_of(column)
    candidates = {*words, "".join(words)}
    for term in _terms(blocked):
        wanted = "".join(term)
        for word in candidates:
            if min(len(word), len(wanted)) < _LONG or word[0] != wanted[0]:
                continue
            same = sorted(word) == sorted(wanted)
            if word != wanted and (same or SequenceMatcher(None, word, wanted).ratio() >= _NEAR):
                return True
    return False


def _terms(blocked: str) -> set[tuple[str, ...]]:
    own = words_of(blocked)
    joined = "".join(own)
    for line in _SAME:
        if any(joined == "".join(words_of(term)) for term in line):
            return {own, *(words_of(term) for term in line)}
    return {own}


def _spells(words: tuple[str, ...], term: tuple[str, ...]) -> bool:
    """Tell whether the term stands among the words, also where they are written as one."""
    if not term:
        return False
    joined = "".join(term)
    for start in range(len(words)):
        run = ""
        for word in words[start:]:
            run += word
            if run == joined:
                return True
            if not joined.startswith(run):
                break
    return False
