"""Drugs in the words of charts: ingredients by their names, doses, units, routes.

Names of brands and spellings come from a table that users can replace (``MEDCO_DRUG_NAMES``, a
CSV of ``name,ingredient``); units and routes are a closed list, so a unit that no rule knows stays
as the chart has it.
"""

from __future__ import annotations

import csv
import os
import re
from functools import lru_cache
from importlib import resources
from pathlib import Path

from reference_systems.medco_rag.terms import terms
from reference_systems.medco_rag.words import words

__all__ = ["drug_details", "ingredients_in", "names_of", "same_drug"]

_DOSE = re.compile(
    r"(?<![\w.])(?P<dose>\d+(?:[.,]\d+)?(?:\s?[-\u2013]\s?\d+(?:\.\d+)?)?)\s*(?P<unit>mg/ml|mcg/ml|unt/ml|meq/ml|mg/hr|mg/actuat|mcg/actuat|mg/mg|mg/kg"
    r"|mg|milligrams?|mcg|\u00b5g|ug|micrograms?|g|grams?|ml|milliliters?|units?|unt|iu|meq|%|puffs?|tablets?|tabs?|capsules?|caps?|drops?|sprays?|patch(?:es)?)(?![\w])",
    re.IGNORECASE,
)
_ROUTES = (
    ("oral", r"\boral(?:ly)?\b|\bp\.?o\.?\b|by mouth|\btablets?\b|\bcapsules?\b"),
    ("inhaled", r"inhal|\bnebuli[sz]|metered dose"),
    ("subcutaneous", r"subcutaneous|\bsub-?q\b|\bsc\b|\bsq\b"),
    ("intravenous", r"intravenous|\biv\b"),
    ("intramuscular", r"intramuscular|\bim\b"),
    ("injected", r"inject|auto-?injector|prefilled syringe"),
    ("transdermal", r"transdermal|\bpatch"),
    ("topical", r"topical|\bcream\b|\bointment\b"),
    ("nasal", r"\bnasal|intranasal"),
    ("ophthalmic", r"ophthalmic|eye drops?"),
    ("sublingual", r"sublingual"),
    ("rectal", r"rectal|suppositor"),
    ("vaginal", r"vaginal"),
)
_FREQUENCY = re.compile(
    r"\b(?:once|twice|three times|four times|\d+ times)\s+(?:a|per|each|every)?\s*(?:day|daily|week|weekly|month|monthly)\b|\b(?:once|twice) daily\b"
    r"|\bevery\s+(?:other\s+)?(?:\w+(?:\s+to\s+\w+)?\s+)?(?:hours?|days?|weeks?|months?|morning|evening|night|day)\b|\bq\.?\s?\d+(?:-\d+)?\s?h(?:ours?|rs?)?\b"
    r"|\b(?:b\.?i\.?d|t\.?i\.?d|q\.?i\.?d|q\.?d|q\.?h\.?s|q\.?a\.?m|q\.?p\.?m|q\.?o\.?d|prn|p\.r\.n)\b\.?|\bdaily\b|\bweekly\b|\bmonthly\b|\bnightly\b|\bat bedtime\b|\bas needed\b|\ba day\b|\bper day\b",
    re.IGNORECASE,
)
_UNITS = {
    "milligram": "mg", "milligrams": "mg", "microgram": "mcg", "micrograms": "mcg", "ug": "mcg",
    "\u00b5g": "mcg", "gram": "g", "grams": "g", "milliliter": "ml", "milliliters": "ml",
    "unit": "units", "unt": "units", "iu": "units",
}  # fmt: skip
_SALTS = words("salts")
_FORMS = words("drug forms")


def drug_details(stated: str) -> dict[str, str]:
    """Return dose, unit, route and frequency where a text gives them.

    >>> drug_details("lisinopril 20 mg by mouth twice daily")
    {'dose': '20', 'unit': 'mg', 'route': 'oral', 'frequency': 'twice daily'}
    """
    found: dict[str, str] = {}
    if dose := _DOSE.search(stated):
        unit = dose["unit"].lower()
        found["dose"], found["unit"] = dose["dose"].replace(",", "."), _UNITS.get(unit, unit)
    for route, cue in _ROUTES:
        if re.search(cue, stated, re.IGNORECASE):
            found["route"] = route
            break
    if often := _FREQUENCY.search(stated):
        found["frequency"] = often.group()
    return found


@lru_cache(maxsize=1)
def _names() -> dict[tuple[str, ...], str]:
    """Return stems of each known name, and the ingredient it stands for."""
    chosen = os.environ.get("MEDCO_DRUG_NAMES")
    if chosen:
        text = Path(chosen).read_text("utf-8")
    else:
        text = resources.files(__package__).joinpath("drug_names.csv").read_text("utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    return {terms(row["name"]): row["ingredient"] for row in rows}


@lru_cache(maxsize=16_384)
def ingredients_in(stated: str) -> frozenset[str]:
    """Return the ingredients that the table knows among the names in a text.

    >>> sorted(ingredients_in("Tylenol 500 mg and warfarin"))
    ['acetaminophen', 'warfarin']
    """
    words = terms(stated)
    known = _names()
    found = set()
    for at in range(len(words)):
        for width in (3, 2, 1):
            if (name := known.get(words[at : at + width])) is not None:
                found.add(name)
                break
    return frozenset(found)


def names_of(asked: str) -> list[tuple[str, ...]]:
    """Return the stems of every other name of the one drug that a phrase names, with its numbers.

    >>> ("tylenol",) in names_of("acetaminophen"), names_of("Lipitor"), names_of("asthma")
    (True, [('atorvastatin',)], [])
    """
    found = ingredients_in(asked)
    known = _known_words(asked)
    rest = tuple(w for w in terms(asked) if w not in known and w not in _SALTS)
    if len(found) != 1 or any(not word[:1].isdigit() and word not in _FORMS for word in rest):
        return []
    (wanted,) = found
    if not _generic(asked, found):
        return [terms(wanted) + rest]
    return [name + rest for name, ingredient in _names().items() if ingredient == wanted]


def same_drug(asked: str, stated: str) -> bool:
    """Tell whether a chart's words name the drug asked for, by name or by ingredient.

    >>> same_drug("Tylenol", "acetaminophen 325 mg oral tablet"), same_drug("warfarin", "aspirin 81 mg")
    (True, False)
    """
    wanted = [word for word in terms(asked) if word not in _SALTS]
    if not wanted:
        return False
    words = set(terms(stated))
    if set(wanted) <= words:
        return True
    names = ingredients_in(asked)
    if not any(set(terms(name)) <= words for name in names) and not _generic(asked, names):
        return False  # another brand of the same ingredient is not the brand asked for
    numbers = {word for word in wanted if word[:1].isdigit()}
    rest = {w for w in wanted if w not in numbers}
    known = set().union(*(terms(name) for name in names), _known_words(asked))
    return (
        bool(names)
        and names <= ingredients_in(stated)
        and numbers <= words
        and rest <= known | words
    )


def _generic(asked: str, names: frozenset[str]) -> bool:
    """Tell whether a drug is asked for by its ingredient, which any brand of it answers."""
    return any(set(terms(name)) <= set(terms(asked)) for name in names)


def _known_words(asked: str) -> set[str]:
    words = terms(asked)
    known = _names()
    found: set[str] = set()
    for at in range(len(words)):
        for width in (3, 2, 1):
            if words[at : at + width] in known:
                found |= set(words[at : at + width])
                break
    return found
