"""Drug-drug interactions over a whole chart, by published lists; two encounters may hide a pair.

The high-priority pairs are facts that ship with this module; ``MEDCO_INTERACTIONS`` names a CSV
with ``drug_a,drug_b,list`` (and ``class_a,class_b``) in their place, and with ``MLGATES_DATA`` set
the full table there is read. Only ``high_priority`` interrupts, the rest is listed below.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from itertools import combinations
from pathlib import Path

from reference_systems.medco_rag.chart import Chart
from reference_systems.medco_rag.drugs import ingredients_in
from reference_systems.medco_rag.model import Fact, Kind, Polarity, State
from reference_systems.medco_rag.terms import terms

__all__ = ["BadTable", "Pair", "pairs_of", "table"]

_CITATIONS = {
    "high_priority": "ONC high-priority list, Phansalkar et al., J Am Med Inform Assoc 2012;19:735",
    "non_interruptive": "ONC non-interruptive list, Phansalkar et al., J Am Med Inform Assoc 2013;20:489",
}
_ORDER = {"high_priority": 0, "non_interruptive": 1}


class BadTable(ValueError):
    """A table of pairs that can't be read; the message names file, line and what is wrong."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two ingredients of one chart that a list warns of."""

    drug_a: str
    drug_b: str
    level: str
    source: str
    encounters: tuple[str, ...]
    together: str
    facts_a: tuple[Fact, ...]
    facts_b: tuple[Fact, ...]

    def to_json(self) -> dict[str, object]:
        """Return the fields of an output line."""
        return {
            "drug_a": self.drug_a,
            "drug_b": self.drug_b,
            "level": self.level,
            "source": self.source,
            "encounters": list(self.encounters),
            "together": self.together,
        }


@lru_cache(maxsize=4)
def table(path: str = "") -> dict[tuple[str, str], tuple[str, str]]:
    """Return level and citation by pair of ingredients, the two in alphabetical order.

    >>> table()[("phenelzine", "sertraline")][0]
    'high_priority'

    :raises BadTable: naming file, line and what is wrong.
    """
    path = path or _chosen()
    if path:
        try:
            text = Path(path).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise BadTable(f"{path}: {error}") from error
    else:
        text = resources.files(__package__).joinpath("onc_high_priority.csv").read_text("utf-8")
    found: dict[tuple[str, str], tuple[str, str]] = {}
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    if not {"drug_a", "drug_b", "list"} <= set(rows.fieldnames or ()):
        raise BadTable(f"{path}: needs the columns drug_a, drug_b, list")
    for number, row in enumerate(rows, 2):
        names = (row["drug_a"] or "").strip(), (row["drug_b"] or "").strip()
        level = (row["list"] or "").strip()
        if not all(names) or not level:
            raise BadTable(f"{path}: line {number}: a drug or its list is missing")
        a, b = sorted(_ingredient(name) for name in names)
        old = found.get((a, b))
        if old is None or _ORDER.get(level, 2) < _ORDER.get(old[0], 2):
            found[a, b] = level, _cited(row, level, path)
    return found


def pairs_of(chart: Chart, allowed: Iterable[str] | None = None) -> list[Pair]:
    """Return every pair that a list warns of in the whole chart, high priority first."""
    inside = None if allowed is None else set(allowed)
    by_drug: dict[str, list[Fact]] = {}
    for fact in chart.facts:
        if fact.kind is not Kind.MEDICATION or fact.subject != "patient" or fact.blanket:
            continue
        if fact.polarity is not Polarity.AFFIRMED or (
            inside is not None and fact.chunk not in inside
        ):
            continue
        for name in _drugs(fact.name, _chosen()):
            by_drug.setdefault(name, []).append(fact)
    known = table(_chosen())
    found = [
        _pair(a, b, told, by_drug[a], by_drug[b])
        for a, b in combinations(sorted(by_drug), 2)
        if (told := known.get((a, b))) is not None
    ]
    return sorted(found, key=lambda p: (_ORDER.get(p.level, 2), p.drug_a, p.drug_b))


def _pair(a: str, b: str, told: tuple[str, str], first: list[Fact], second: list[Fact]) -> Pair:
    both = _orders(first) & _orders(second)
    active = _is_active(first) and _is_active(second)
    meetings = both or (_named_in(first) | _named_in(second))
    together = "yes" if active or both else "may overlap"
    return Pair(a, b, *told, tuple(sorted(meetings)), together, tuple(first), tuple(second))


def _orders(facts: list[Fact]) -> set[str]:
    """Return the encounters that order a drug; a list in a note orders nothing."""
    structured = [f for f in facts if f.structured]
    orders = structured or [f for f in facts if f.state is State.ORDERED]
    return {_meeting(f) for f in orders} - {""}


def _named_in(facts: list[Fact]) -> set[str]:
    """Return the encounters that order a drug; where none does, those that list it."""
    return _orders(facts) or {_meeting(f) for f in facts} - {""}


def _meeting(fact: Fact) -> str:
    """Return the id of a FHIR Encounter, the date of a note's, or its file where it has none."""
    if fact.structured:
        return fact.encounter or fact.date
    return fact.date or fact.span.file


def _is_active(facts: list[Fact]) -> bool:
    return any(f.structured and f.state is State.ACTIVE for f in facts)


@lru_cache(maxsize=8_192)
def _drugs(stated: str, path: str) -> frozenset[str]:
    """Return the ingredients of a name; those of the table too that no table of names knows."""
    words = terms(stated)
    own = {
        name
        for at in range(len(words))
        for name in _own_names(path).get(words[at], ())
        if words[at : at + len(terms(name))] == terms(name)
    }
    return ingredients_in(stated) | own


@lru_cache(maxsize=4)
def _own_names(path: str) -> dict[str, tuple[str, ...]]:
    """Return drugs of the table that the table of names does not know, by their first word."""
    found: dict[str, tuple[str, ...]] = {}
    for name in {each for pair in table(path) for each in pair}:
        if not ingredients_in(name) and terms(name):
            found[terms(name)[0]] = (*found.get(terms(name)[0], ()), name)
    return found


def _ingredient(name: str) -> str:
    found = ingredients_in(name)
    return next(iter(found)) if len(found) == 1 else name.lower()


def _cited(row: dict[str, str], level: str, path: str) -> str:
    classes = " with ".join(filter(None, (row.get("class_a"), row.get("class_b"))))
    citation = _CITATIONS.get(level, Path(path).name)
    return f"{citation} ({classes})" if classes else citation


def _chosen() -> str:
    """Return the path of the table in use; nothing for the one that ships."""
    return os.environ.get("MEDCO_INTERACTIONS", "") or _shared()


def _shared() -> str:
    folder = os.environ.get("MLGATES_DATA", "")
    path = Path(folder, "medco_rag", "drug_interactions_onc.csv") if folder else None
    return str(path) if path is not None and path.is_file() else ""
