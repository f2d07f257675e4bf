"""Hold a claim against the passage that it cites, knowing nothing of who wrote it.

Surely without support: a number, dose, date, identifier or known name that the passage lacks, a
statement that the passage denies, or one that it makes of a relative. A word that no rule knows
and that the passage lacks is unclear.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Set
from dataclasses import dataclass
from functools import lru_cache

from pytest_mlgates.gates.grounding.entities import Entities, Synonyms, entities_of
from pytest_mlgates.gates.grounding.polarity import KIN, stances

__all__ = ["Checker", "Finding"]

#: words that join what is said and say nothing of their own
_GLUE = frozenset(
    re.findall(
        r"\w+",
        "a an the and or of in on at to for with from by as is are was were be been being has have"
        " had do does did it its this that these those there patient pt he she they his her their"
        " him them who also per since until after before during not no none never without yes note"
        " record recorded chart document documented dated date day list listed entry order ordered"
        " prescribed prescription take takes taken taking ended source stands stand says said"
        " according report reported shows show given give known any all year month week hour time",
    )
)


@dataclass(frozen=True, slots=True)
class Finding:
    """Why a claim is without support; ``sure`` where no reading of it would help."""

    reason: str
    sure: bool


class Checker:
    """Checks claims with one table of names; passages are read once.

    >>> checker = Checker(Synonyms({"zestril": "lisinopril"}))
    >>> checker.check("lisinopril 20 mg", "Zestril 0.02 g daily")
    >>> checker.check("lisinopril 40 mg", "Zestril 20 mg daily")
    Finding(reason='a dose is not in the passage', sure=True)
    >>> checker.check("penicillin", "no known allergy to penicillin").reason
    'the passage denies it'
    >>> checker.check("diabetes", "Her mother has diabetes.").reason
    'the passage says it of a relative'
    """

    def __init__(self, names: Synonyms) -> None:
        self.names = names
        self._read = lru_cache(maxsize=4_096)(lambda text: entities_of(text, names))

    def read(self, text: str) -> Entities:
        """Return what a text names."""
        return self._read(text)

    def check(self, claim: str, passage: str) -> Finding | None:
        """Return why a claim is without support, or None where the passage bears it out."""
        said, told = self.read(claim), self.read(passage)
        if missing := lacking(said, told):
            return Finding(f"{missing} is not in the passage", sure=True)
        if turned := _turned(said, told):
            return Finding(turned, sure=True)
        known = {word for word, _ in told.words} | _GLUE
        if any(word not in known and len(word) > 1 for word, _ in said.words):
            return Finding("a word is not in the passage", sure=False)
        if not any((told.words, told.numbers, told.dates, told.doses, told.identifiers)):
            return Finding("the passage is empty", sure=True)
        return None


def lacking(said: Entities, told: Entities) -> str:
    """Return what kind of hard entity one text has and another lacks, or nothing."""
    if said.dates - told.dates:
        return "a date"
    loose = told.numbers | {f"{value:g}" for value, _ in told.doses}
    if any(dose not in told.doses and not _unit_apart(dose, loose, told) for dose in said.doses):
        return "a dose"
    spare = loose | {part for day in told.dates for part in day.split("-")}
    spare |= {part.lstrip("0") for day in told.dates for part in day.split("-")}
    if any(number not in spare and not _in_identifier(number, told) for number in said.numbers):
        return "a number"
    if any(each not in told.identifiers and each not in told.text for each in said.identifiers):
        return "an identifier"
    if said.names - told.names:
        return "a name"
    relatives = {word for word, _ in said.words if word in KIN}
    if relatives and not relatives & {word for word, _ in told.words}:
        return "a relative"
    return ""


def _unit_apart(dose: tuple[float, str], loose: Set[str], told: Entities) -> bool:
    """Tell whether value and unit stand apart, as in ``"value": 6.1, "unit": "%"``."""
    value, unit = dose
    scales = {"g": (1, 1e3, 1e6), "l": (1, 10, 1e3)}.get(unit, (1,))
    return '"' in told.text and any(f"{value * scale:.6g}" in loose for scale in scales)


def _in_identifier(number: str, told: Entities) -> bool:
    return any(number in each for each in told.identifiers)


def _turned(said: Entities, told: Entities) -> str:
    """Return how a claim turns what its passage says, or nothing."""
    shared = {word for word, _ in told.words} & {word for word, _ in said.words} - _GLUE - KIN
    if not shared:
        return ""
    here, there = _by_word(said, shared), _by_word(told, shared)
    for word in shared:
        mine, theirs = here[word], there[word]
        if mine & theirs:
            continue
        if {denied for denied, _ in mine}.isdisjoint(denied for denied, _ in theirs):
            denied = next(iter(mine))[0]
            return "the passage affirms what is denied" if denied else "the passage denies it"
        if not any(kin for _, kin in mine) and all(kin for _, kin in theirs):
            return "the passage says it of a relative"
    return ""


def _by_word(text: Entities, shared: set[str]) -> dict[str, set[tuple[bool, str]]]:
    places = [(word, at) for word, at in text.words if word in shared]
    told = stances(text.text, [at for _, at in places])
    found: dict[str, set[tuple[bool, str]]] = defaultdict(set)
    for word, at in places:
        found[word].add(told[at])
    return found
