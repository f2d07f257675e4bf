"""Questions with their gold answers, from what is true of made-up patients."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from reference_systems.medco_rag.people import ALLERGENS, DRUGS, Person

__all__ = ["Question", "questions"]


@dataclass(frozen=True, slots=True)
class Question:
    """A question about one patient; ``gold`` None is one that the chart can't answer.

    Gold is "yes", "no", or the values that an answer must hold; ``never`` are values of the same
    kind that it must not.
    """

    patient: str
    text: str
    gold: tuple[str, ...] | None
    never: tuple[str, ...] = ()
    document_type: str | None = None

    def line(self) -> dict[str, object]:
        """Return the line of input: it holds no gold."""
        found: dict[str, object] = {"patient": self.patient, "question": self.text}
        if self.document_type:
            found["document_type"] = self.document_type
        return found

    def record(self) -> dict[str, object]:
        """Return the question as the gates take it, with its gold."""
        gold: object = list(self.gold) if self.gold is not None else None
        if self.gold in (("yes",), ("no",)):
            gold = self.gold == ("yes",)
        return self.line() | {"gold": gold}


def questions(persons: list[Person] | tuple[Person, ...], count: int, seed: int) -> list[Question]:
    """Return so many questions, about a third of which no chart answers."""
    rng = Random(f"medco questions {seed}")
    made = [question for person in persons for question in _of(person, rng)]
    rng.shuffle(made)
    return made[:count]


def _of(person: Person, rng: Random) -> Iterator[Question]:
    he = "she" if person.female else "he"
    substances = tuple(s for s, _ in person.allergies)
    others = tuple(s for s, _ in ALLERGENS if s not in substances)
    allergic = substances or ("no",)
    yield Question(
        person.id, "What allergies does the patient have?", allergic, others if substances else ()
    )
    yield Question(
        person.id, "What allergies?", allergic, others if substances else (), "AllergyList"
    )
    for substance, reaction in person.allergies:
        yield Question(person.id, f"Is {he} allergic to {substance}?", ("yes",))
        yield Question(person.id, f"What reaction does {he} have to {substance}?", (reaction,))
    if not person.allergies:
        yield Question(person.id, f"Is the patient allergic to {rng.choice(others)}?", ("no",))
    yield from _of_drugs(person, he, rng)
    yield from _of_the_rest(person, rng)


def _of_drugs(person: Person, he: str, rng: Random) -> Iterator[Question]:
    orders = [(visit, order) for visit in person.visits for order in visit.orders]
    drugs = {order.drug for _, order in orders}
    active = tuple(dict.fromkeys(o.drug for _, o in orders if o.active))
    gone = tuple(sorted(drugs - set(active)))
    if active:
        yield Question(person.id, "What medications is the patient currently taking?", active, gone)
    for drug in sorted(drugs):
        mine = [(visit, order) for visit, order in orders if order.drug == drug]
        yield Question(person.id, f"Was {drug} ever prescribed?", ("yes",))
        yield Question(person.id, f"When was {drug} first prescribed?", (mine[0][0].date,))
        yield Question(
            person.id, f"What dose of {drug} was prescribed last?", (f"{mine[-1][1].dose} mg",)
        )
        yield Question(
            person.id, f"Is {he} still taking {drug}?", ("yes",) if drug in active else ("no",)
        )
        yield Question(person.id, f"Why was {drug} prescribed?", (mine[-1][1].reason,))
    absent = [drug for drug, _, _ in DRUGS if drug not in drugs]
    for drug in rng.sample(absent, 3):
        yield Question(person.id, f"What dose of {drug} does the patient take?", None)
        yield Question(person.id, f"When was {drug} prescribed?", None)


def _of_the_rest(person: Person, rng: Random) -> Iterator[Question]:
    found: set[str] = set()
    for visit in person.visits:
        for condition in visit.conditions:
            if condition not in found:
                yield Question(person.id, f"When was {condition} diagnosed?", (visit.date,))
            found.add(condition)
        if visit.procedures:
            yield Question(
                person.id, f"Which procedures were done on {visit.date}?", tuple(visit.procedures)
            )
    yield Question(person.id, "When was the last visit?", (person.visits[-1].date,))
    for kin, what in person.family[:1]:
        yield Question(person.id, f"Does the patient have {what}?", None)
        if kin in ("mother", "father", "sister", "brother"):
            yield Question(person.id, f"Did the patient's {kin} have {what}?", ("yes",))
    for text in rng.sample(_NOWHERE, 4):
        yield Question(person.id, text, None)


_NOWHERE = (
    "What was the hemoglobin A1c?", "What is the patient's blood type?", "What did the chest MRI show?", "Who is the emergency contact?",
    "What is the dose of atorvastatin?", "When was the kidney transplant?", "Does the patient have celiac disease?",
    "What was the creatinine level?", "What reaction does the patient have to morphine?", "Which pharmacy does the patient use?",
)  # fmt: skip
