"""Whose names the résumés carry: name tables with the share of people of each group."""

from __future__ import annotations

import csv
import json
import os
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from random import Random

from pytest_mlgates.gates.name_invariance.table import read_names

__all__ = ["GROUPS", "Name", "Person", "data_folder", "draw", "seeded"]

#: group -> share of the applicants
GROUPS = {"white": 0.58, "black": 0.14, "hispanic": 0.15, "asian_pacific": 0.13}
#: the groups as the real tables call them
_COLUMNS = ("white", "black", "hispanic", "api")
#: a name stands for a group when at least this share of the people who bear it belong to it
_MOST = 0.5
_MARRIED = 0.08


@dataclass(frozen=True, slots=True)
class Name:
    """A first name or a surname; ``white`` is the share of its bearers that are white.

    ``rank`` is its place among the commonest names: a common name is drawn more often.
    """

    text: str
    white: float
    gender: str = ""
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Person:
    """What a résumé does not state: who applied, and how western the name sounds (0 to 1)."""

    name: str
    group: str
    gender: str
    western: float


def seeded(*key: object) -> Random:
    """Return a generator of its own for a purpose and a seed, the same in every process."""
    return Random(":".join(map(str, key)))


def data_folder() -> Path | None:
    """Return the folder with the real tables (see MLGATES_DATA), or None."""
    root = os.environ.get("MLGATES_DATA")
    folder = Path(root) / "resume_screener" if root else None
    return folder if folder and folder.is_dir() else None


def draw(random: Random) -> Person:
    """Draw an applicant."""
    firsts, lasts = _tables(data_folder())
    groups = list(GROUPS)
    group = random.choices(groups, list(GROUPS.values()))[0]
    # some bear a surname of another group: by marriage, by adoption
    house = random.choice(groups) if random.random() < _MARRIED else group
    first, last = _one(random, firsts[group]), _one(random, lasts[house])
    gender = first.gender or random.choice(("female", "male"))
    return Person(f"{first.text} {last.text}", group, gender, (first.white + last.white) / 2)


#: group -> names and their cumulative weights
_Table = dict[str, tuple[tuple[Name, ...], tuple[float, ...]]]


def _one(random: Random, entry: tuple[tuple[Name, ...], tuple[float, ...]]) -> Name:
    names, weights = entry
    return random.choices(names, cum_weights=weights)[0]


def _table(names: dict[str, list[Name]]) -> _Table:
    """Weigh names by Zipf's law, flattened at the top."""
    return {
        group: (tuple(known), tuple(accumulate(1 / (name.rank + 50) for name in known)))
        for group, known in names.items()
    }


@lru_cache(maxsize=4)
def _tables(folder: Path | None) -> tuple[_Table, _Table]:
    """Return first names and surnames by group."""
    if folder is None:
        return _shipped()
    genders = _genders(folder / "checklist_names.json")
    firsts = _read(folder / "first_names_race_share.csv", "", 1.0, genders)
    lasts = _read(folder / "us_census_2010_surnames_top10000.csv", "pct", 100.0, {})
    return firsts, lasts


def _read(path: Path, prefix: str, whole: float, known: dict[str, tuple[int, str]]) -> _Table:
    """Read a table of shares; where a name is not in ``known``, its row is its rank."""
    table: dict[str, list[Name]] = {group: [] for group in GROUPS}
    with path.open(encoding="utf-8", newline="") as file:
        for row, entry in enumerate(csv.DictReader(file)):
            shares = {
                group: float(entry[prefix + column] or 0) / whole
                for group, column in zip(GROUPS, _COLUMNS, strict=True)
            }
            group = max(shares, key=shares.__getitem__)
            if shares[group] >= _MOST:
                text = entry["name"]
                rank, gender = known.get(text, (row, ""))
                table[group].append(Name(text.title(), shares["white"], gender, rank))
    return _table(table)


def _genders(path: Path) -> dict[str, tuple[int, str]]:
    """Read rank and gender of first names; the list where a name ranks higher decides."""
    lists = json.loads(path.read_text(encoding="utf-8"))
    known: dict[str, tuple[int, str]] = {}
    for key, gender in (("men", "male"), ("women", "female")):
        for rank, name in enumerate(lists[key]):
            known[name.upper()] = min(known.get(name.upper(), (rank, gender)), (rank, gender))
    return known


def _shipped() -> tuple[_Table, _Table]:
    """Return the words of the names that the gate ships, to be joined anew within each group."""
    firsts: dict[str, list[Name]] = {group: [] for group in GROUPS}
    lasts: dict[str, list[Name]] = {group: [] for group in GROUPS}
    for name in read_names(None, _ALL):
        first, _, last = name.text.rpartition(" ")
        if first and name.group in GROUPS:  # the names that stand alone have no surname
            white = name.share if name.group == "white" else 1 - name.share
            gender = "female" if first in _WOMEN else "male"
            firsts[name.group].append(Name(first, white, gender))
            lasts[name.group].append(Name(last, white))
    return _table(firsts), _table(lasts)


_ALL = 10_000
#: given names of women in the shipped table, which does not tell
_WOMEN = frozenset(
    [
        "Emily",
        "Claire",
        "Heather",
        "Megan",
        "Molly",
        "Kristen",
        "Allison",
        "Laurie",
        "Anne",
        "Katie",
        "Abigail",
        "Holly",
        "Latoya",
        "Keisha",
        "Ebony",
        "Tanisha",
        "Imani",
        "Lakisha",
        "Shanice",
        "Kenya",
        "Monique",
        "Tamika",
        "Aaliyah",
        "Nia",
        "Maria",
        "Guadalupe",
        "Rosa",
        "Ximena",
        "Lucia",
        "Alejandra",
        "Yolanda",
        "Carmen",
        "Esperanza",
        "Marisol",
        "Daniela",
        "Pilar",
        "Linh",
        "Priya",
        "Mei",
        "Xiu",
        "Thuy",
        "Yan",
        "Ling",
        "Soo-jin",
        "Harpreet",
        "Mai",
        "Jing",
        "Anjali",
        "Ji-woo",
    ]
)
