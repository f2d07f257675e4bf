"""Patients made up by seed: what is true of each, before anybody writes it down."""

from __future__ import annotations

import datetime
import uuid
from dataclasses import dataclass, field
from random import Random

__all__ = ["ALLERGENS", "CONDITIONS", "DRUGS", "Order", "Person", "Visit", "people"]

#: drug, doses in mg, what it is for
DRUGS: tuple[tuple[str, tuple[int, ...], str], ...] = (
    ("lisinopril", (5, 10, 20, 40), "essential hypertension"),
    ("amlodipine", (5, 10), "essential hypertension"),
    ("metformin", (500, 850, 1000), "type 2 diabetes mellitus"),
    ("simvastatin", (10, 20, 40), "hyperlipidemia"),
    ("sertraline", (25, 50, 100), "major depression"),
    ("levothyroxine", (25, 50, 75), "hypothyroidism"),
    ("omeprazole", (20, 40), "gastroesophageal reflux disease"),
    ("allopurinol", (100, 300), "gout"),
    ("warfarin", (2, 5), "atrial fibrillation"),
    ("amoxicillin", (250, 500), "acute bronchitis"),
    ("naproxen", (220, 500), "knee pain"),
    ("prednisone", (5, 10, 20), "asthma"),
    ("gabapentin", (100, 300), "peripheral neuropathy"),
    ("furosemide", (20, 40), "congestive heart failure"),
    ("clarithromycin", (250, 500), "sinusitis"),
)
CONDITIONS = tuple(dict.fromkeys(reason for _, _, reason in DRUGS))
ALLERGENS: tuple[tuple[str, str], ...] = (
    ("penicillin", "hives"), ("sulfamethoxazole", "rash"), ("latex", "itching"), ("peanut", "swelling"),
    ("shellfish", "wheezing"), ("codeine", "nausea"), ("bee venom", "anaphylaxis"), ("ibuprofen", "hives"),
)  # fmt: skip
_PROCEDURES = (
    "colonoscopy",
    "electrocardiogram",
    "chest x-ray",
    "spirometry",
    "depression screening",
    "knee arthroscopy",
    "echocardiography",
    "skin biopsy",
)
_VACCINES = ("influenza vaccine", "tetanus booster", "pneumococcal vaccine", "hepatitis B vaccine")
_SYMPTOMS = (
    "chest pain",
    "fever",
    "shortness of breath",
    "weight loss",
    "night sweats",
    "palpitations",
    "headache",
)
_KIN = ("mother", "father", "sister", "brother", "maternal aunt", "grandfather")
_FAMILY = (
    "breast cancer",
    "stroke",
    "colon cancer",
    "Alzheimer disease",
    "hemophilia",
    "schizophrenia",
)
_FIRST = (
    "Amara",
    "Ben",
    "Chloe",
    "Dmitri",
    "Elena",
    "Farid",
    "Grace",
    "Hugo",
    "Ines",
    "Jonas",
    "Keiko",
    "Luis",
)
_LAST = ("Abbott", "Baker", "Castro", "Dunn", "Eriksen", "Fontaine", "Gupta", "Hale")
_SPECIALTIES = ("Cardiology", "Internal medicine", "Pulmonology", "Psychiatry", "Endocrinology")
_JOBS = ("teacher", "welder", "nurse", "bus driver", "accountant")
_SMOKING = ("never smoked", "quit smoking in 2009", "smokes half a pack a day")


@dataclass(frozen=True, slots=True)
class Order:
    """One order of a drug; ``active`` is whether it still stands at the end."""

    drug: str
    dose: int
    reason: str
    active: bool

    @property
    def text(self) -> str:
        """The order as a record words it."""
        return f"{self.drug} {self.dose} MG Oral Tablet"


@dataclass(slots=True)
class Visit:
    """What happened on one day."""

    date: str
    specialty: str
    conditions: list[str] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    procedures: list[str] = field(default_factory=list)
    vaccines: list[str] = field(default_factory=list)
    complaint: str = ""
    denied: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Person:
    """A patient and all that is true of them; allergies with reaction, relatives with condition."""

    id: str
    first: str
    last: str
    female: bool
    born: str
    allergies: list[tuple[str, str]]
    family: list[tuple[str, str]]
    job: str
    smoking: str
    visits: list[Visit]

    @property
    def stem(self) -> str:
        """The name of this patient's files."""
        return f"{self.first}_{self.last}_{self.id}"


def people(count: int, seed: int) -> list[Person]:
    """Return made-up patients; among each dozen two have one name.

    >>> one, again = people(2, 7)[0], people(2, 7)[0]
    >>> one.id == again.id, len(one.visits) >= 4
    (True, True)
    """
    rng = Random(f"medco people {seed}")
    found = [_person(rng) for _ in range(count)]
    for at in range(11, count, 12):
        found[at].first, found[at].last = found[at - 1].first, found[at - 1].last
    return found


def _person(rng: Random) -> Person:
    born = datetime.date(1935, 1, 1) + datetime.timedelta(days=rng.randrange(60 * 365))
    visits = _visits(rng)
    known = {order.drug for visit in visits for order in visit.orders}
    allergens = [each for each in ALLERGENS if each[0] not in known]
    allergies = rng.sample(allergens, rng.choice((0, 0, 1, 1, 2, 3)))
    relatives = rng.sample(_KIN, rng.choice((0, 1, 2)))
    return Person(
        id=str(uuid.UUID(int=rng.getrandbits(128), version=4)),
        first=rng.choice(_FIRST),
        last=rng.choice(_LAST),
        female=rng.random() < 0.5,
        born=born.isoformat(),
        allergies=sorted(allergies),
        family=[(kin, rng.choice(_FAMILY)) for kin in relatives],
        job=rng.choice(_JOBS),
        smoking=rng.choice(_SMOKING),
        visits=visits,
    )


def _visits(rng: Random) -> list[Visit]:
    days = sorted(rng.sample(range(3_000), rng.randrange(4, 9)))
    visits: list[Visit] = []
    chosen = rng.sample(DRUGS, rng.randrange(2, 6))
    for number, day in enumerate(days):
        date = (datetime.date(2016, 3, 1) + datetime.timedelta(days=day)).isoformat()
        visit = Visit(date, rng.choice(_SPECIALTIES), complaint=rng.choice(_SYMPTOMS))
        visit.denied = [s for s in rng.sample(_SYMPTOMS, 2) if s != visit.complaint]
        if number < len(chosen):
            drug, doses, reason = chosen[number]
            visit.conditions.append(reason)
            visit.orders.append(Order(drug, rng.choice(doses), reason, active=rng.random() < 0.6))
        elif rng.random() < 0.6:  # another dose of a drug that was ordered before
            drug, doses, reason = rng.choice(chosen[: len(visits)])
            _stop(visits, drug)
            visit.orders.append(Order(drug, rng.choice(doses), reason, active=rng.random() < 0.8))
        visit.procedures = rng.sample(_PROCEDURES, rng.choice((0, 1, 1, 2)))
        visit.vaccines = rng.sample(_VACCINES, rng.choice((0, 0, 1)))
        visits.append(visit)
    return visits


def _stop(visits: list[Visit], drug: str) -> None:
    for visit in visits:
        visit.orders = [
            Order(o.drug, o.dose, o.reason, active=False) if o.drug == drug else o
            for o in visit.orders
        ]
