"""Questions on the shared Synthea charts: gold from the FHIR bundles, text from the notes.

The two were written side by side by another project's simulation. They disagree in known ways, so
a question is kept only where the note can settle it: where what the record holds stands in the note
too. All of this reads files by itself: nothing of the system under test is used.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from random import Random

from reference_systems.medco_rag.folder import Folder
from reference_systems.medco_rag.questions_made import Question
from reference_systems.medco_rag.words import words

__all__ = ["shared_questions"]

_KIND = re.compile(
    r"\s*\((?:disorder|finding|situation|procedure|substance|organism|regime/therapy|edible)\)?",
    re.IGNORECASE,
)
_ORDERS = re.compile(r"was prescribed the following medications:\n((?:- .*\n?)+)")
_DONE = re.compile(r"following procedures were conducted:\n((?:- .*\n?)+)")
_WITH = re.compile(r"Patient is presenting with (.*?)\. *\n")
_DAY = re.compile(r"^\d{4}-\d\d-\d\d$", re.MULTILINE)


@dataclass(slots=True)
class _Record:
    """One patient's bundle, by what is asked about."""

    id: str
    allergens: list[str] = field(default_factory=list)
    orders: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    procedures: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    conditions: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    visits: list[str] = field(default_factory=list)


def shared_questions(folder: Folder, count: int, seed: int) -> list[Question]:
    """Return so many questions on the charts of a folder that holds notes and FHIR."""
    rng = Random(f"medco shared {seed}")
    records = {
        p: _record(p, folder) for p in folder.patients() if p in folder.fhir and p in folder.notes
    }
    drugs = sorted({name for record in records.values() for name in record.orders})
    made: list[Question] = []
    for patient, record in records.items():
        note = folder.text(folder.notes[patient][0])
        made += _of(record, _by_day(note), note, drugs, rng)
    rng.shuffle(made)
    return made[:count]


def _record(patient: str, folder: Folder) -> _Record:
    bundle = json.loads(folder.text(folder.fhir[patient][0]))
    resources = [entry["resource"] for entry in bundle["entry"]]
    days = {
        r["id"]: r["period"]["start"][:10] for r in resources if r["resourceType"] == "Encounter"
    }
    drugs = {r["id"]: r["code"]["text"] for r in resources if r["resourceType"] == "Medication"}
    found = _Record(patient, visits=sorted(days.values()))
    for resource in resources:
        kind = resource["resourceType"]
        day = days.get(resource.get("encounter", {}).get("reference", "").rsplit(":", 1)[-1], "")
        if kind == "AllergyIntolerance":
            found.allergens.append(_plain(resource["code"]["text"]))
        elif kind == "MedicationRequest":
            found.orders[_drug(resource, drugs)].add(day)
        elif kind == "Procedure":
            found.procedures[_plain(resource["code"]["text"])].add(day)
        elif kind == "Condition":
            found.conditions[_plain(resource["code"]["text"])].add(day)
    return found


def _drug(resource: Mapping[str, object], drugs: Mapping[str, str]) -> str:
    named = resource.get("medicationCodeableConcept")
    if isinstance(named, dict):
        return _plain(str(named["text"]))
    reference = resource.get("medicationReference")
    assert isinstance(reference, dict)
    return _plain(drugs[str(reference["reference"]).rsplit(":", 1)[-1]])


def _plain(name: str) -> str:
    return " ".join(_KIND.sub("", name).lower().split())


def _by_day(note: str) -> dict[str, str]:
    """Return what the note says of each day, notes of one day joined."""
    found: dict[str, str] = defaultdict(str)
    starts = list(_DAY.finditer(note))
    for at, start in enumerate(starts):
        end = starts[at + 1].start() if at + 1 < len(starts) else len(note)
        found[start.group()] += note[start.end() : end]
    return found


def _entries(pattern: re.Pattern[str], text: str) -> set[str]:
    return {_plain(line[2:]) for block in pattern.findall(text) for line in block.splitlines()}


def _of(
    record: _Record, days: Mapping[str, str], note: str, drugs: list[str], rng: Random
) -> Iterator[Question]:
    low = note.lower()
    mine = record.id
    told = {day: _entries(_ORDERS, text) for day, text in days.items()}
    done = {day: _entries(_DONE, text) for day, text in days.items()}
    named = [a for a in record.allergens if a != "allergy to substance"]
    if all(name in low for name in named):
        yield Question(mine, "What allergies does the patient have?", tuple(named) or ("no",))
        for name in named[:2]:
            yield Question(mine, f"Is the patient allergic to {name}?", ("yes",))
        if not named:
            yield Question(mine, "Is the patient allergic to penicillin?", ("no",))
    for drug in rng.sample(sorted(record.orders), min(6, len(record.orders))):
        settled = {day for day, names in told.items() if drug in names}
        if settled != record.orders[drug]:
            continue
        yield Question(mine, f"Was {drug} ever prescribed?", ("yes",))
        yield Question(mine, f"When was {drug} first prescribed?", (min(settled),))
        yield Question(mine, f"When was {drug} last prescribed?", (max(settled),))
        dose = re.search(r"(?<![\w.])(\d+(?:\.\d+)?) mg(?![/\w])", drug)
        name = re.match(r"[a-z]+(?: [a-z]+)?", drug)
        if (
            dose
            and name
            and " / " not in drug
            and not any(o != drug and name.group() in o for o in record.orders)
        ):
            yield Question(mine, f"What dose of {name.group()} was prescribed?", (f"{dose[1]} mg",))
    yield from _of_days(record, told, done, rng)
    yield from _of_conditions(record, days, low, rng)
    yield Question(mine, "When was the last visit?", (record.visits[-1],))
    absent = [drug for drug in drugs if re.match(r"[a-z0-9]+", drug) and not _shares(drug, low)]
    for drug in rng.sample(absent, min(3, len(absent))):
        yield Question(mine, f"What dose of {drug} does the patient take?", None)
        yield Question(mine, f"When was {drug} prescribed?", None)
    for text in rng.sample(_NOWHERE, 3):
        if not any(word in low for word in text[1]):
            yield Question(mine, text[0], None)


def _of_days(
    record: _Record, told: Mapping[str, set[str]], done: Mapping[str, set[str]], rng: Random
) -> Iterator[Question]:
    by_day: dict[str, set[str]] = defaultdict(set)
    for drug, days in record.orders.items():
        for day in days:
            by_day[day].add(drug)
    for day in rng.sample(sorted(by_day), min(2, len(by_day))):
        if told.get(day) == by_day[day]:
            yield Question(record.id, f"What was prescribed on {day}?", tuple(sorted(by_day[day])))
    acts: dict[str, set[str]] = defaultdict(set)
    for name, days in record.procedures.items():
        for day in days:
            acts[day].add(name)
    for day in rng.sample(sorted(acts), min(2, len(acts))):
        if done.get(day) == acts[day]:
            yield Question(
                record.id, f"Which procedures were done on {day}?", tuple(sorted(acts[day]))
            )
    for name in rng.sample(sorted(record.procedures), min(2, len(record.procedures))):
        settled = {day for day, names in done.items() if name in names}
        if settled == record.procedures[name]:
            yield Question(record.id, f"When was {name} last done?", (max(settled),))


def _of_conditions(
    record: _Record, days: Mapping[str, str], low: str, rng: Random
) -> Iterator[Question]:
    for name in rng.sample(sorted(record.conditions), min(4, len(record.conditions))):
        settled = {
            day
            for day, text in days.items()
            if any(name in _plain(found).split(", ") for found in _WITH.findall(text))
        }
        if settled and settled == record.conditions[name]:
            yield Question(record.id, f"When was {name} first diagnosed?", (min(settled),))
            yield Question(record.id, f"Has the patient ever had {name}?", ("yes",))
    for name in ("celiac disease", "multiple sclerosis", "sickle cell disease", "psoriasis"):
        if name not in record.conditions and name not in low and rng.random() < 0.5:
            yield Question(record.id, f"When was {name} diagnosed?", None)


def _shares(drug: str, low: str) -> bool:
    """Tell whether any word of a drug's name stands in the note."""
    return any(word in low for word in re.findall(r"[a-z]{5,}", drug) if word not in _COMMON)


_COMMON = words("common in drug names")
_NOWHERE = (
    ("What was the hemoglobin A1c?", ("a1c",)),
    ("What is the patient's blood type?", ("blood type", "blood group")),
    ("Who is the patient's emergency contact?", ("emergency contact",)),
    ("What did the patient's father die of?", ("father",)),
    ("Which pharmacy does the patient use?", ("pharmacy",)),
    ("What was the creatinine level?", ("creatinine",)),
    ("When was the liver transplant?", ("liver transplant",)),
    ("What reaction does the patient have to morphine?", ("morphine",)),
    ("Does the patient's mother have breast cancer?", ("mother",)),
)  # fmt: skip
