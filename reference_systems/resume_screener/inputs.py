"""Résumés as JSON Resume documents (jsonresume.org, schema 1.0.0), and as the text that is scored.

``applicants`` also tells what the documents do not: the true qualification and the group.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reference_systems.resume_screener import wording
from reference_systems.resume_screener.people import Person, data_folder, draw, seeded
from reference_systems.resume_screener.rendering import PLACEHOLDER, render

if TYPE_CHECKING:
    from random import Random

__all__ = ["PLACEHOLDER", "Applicant", "applicants", "resumes", "schema", "templates"]

Document = dict[str, Any]
_BAR = 0.45
_MOST_JOBS = 4


@dataclass(frozen=True, slots=True)
class Applicant:
    """A résumé with ``{NAME}`` where the name goes, the person, and how good they really are."""

    blank: Document
    person: Person
    qualification: float

    @property
    def qualified(self) -> bool:
        """Tell whether a fair and all-knowing recruiter would invite this person (about 1 in 3)."""
        return self.qualification > _BAR

    @property
    def template(self) -> str:
        """The text with the placeholder."""
        return render(self.blank)

    @property
    def text(self) -> str:
        """The text with the person's name."""
        return self.template.replace(PLACEHOLDER, self.person.name)

    @property
    def document(self) -> Document:
        """The JSON Resume document with the person's name."""
        filled: Document = _fill(self.blank, self.person.name)
        return filled


def applicants(
    n: int, seed: int, *, purpose: str = "applicants", year: int = 2026
) -> list[Applicant]:
    """Draw ``n`` people who applied in ``year``; another purpose gives other people."""
    random = seeded(purpose, seed, year)
    return [_applicant(random, year) for _ in range(n)]


def resumes(n: int, seed: int) -> list[Document]:
    """Return ``n`` JSON Resume documents.

    >>> sorted(resumes(1, seed=0)[0])[:4]
    ['basics', 'certificates', 'education', 'languages']
    """
    return [applicant.document for applicant in applicants(n, seed)]


def templates(n: int, seed: int) -> list[str]:
    """Return ``n`` résumé texts with ``{NAME}`` in the title, the e-mail and two sentences.

    >>> templates(1, seed=0)[0].count("{NAME}") >= 4
    True
    """
    return [applicant.template for applicant in applicants(n, seed, purpose="templates")]


def schema() -> Document | None:
    """Return the JSON Resume schema from the folder named by MLGATES_DATA, or None."""
    folder = data_folder()
    if folder is None:
        return None
    read: Document = json.loads((folder / "jsonresume_schema.json").read_text(encoding="utf-8"))
    return read


def _fill(value: Any, name: str) -> Any:
    if isinstance(value, str):
        return value.replace(PLACEHOLDER, name)
    if isinstance(value, Mapping):
        return {key: _fill(item, name) for key, item in value.items()}
    if isinstance(value, list):
        return [_fill(item, name) for item in value]
    return value


def _applicant(random: Random, year: int) -> Applicant:
    person = draw(random)
    good = random.gauss(0, 1)  # independent of group and gender: nobody is born better
    years = max(0, min(25, round(8 + 2.5 * good + random.gauss(0, 4))))
    degree = max(0, min(4, round(2 + 0.5 * good + random.gauss(0, 0.8))))
    start = (year - years - 4) if years else year - 4
    work = _work(random, good, years, year)
    title = work[0]["position"] if work else "Graduate"
    has = "has" if work else "wants"
    blank: Document = {
        "basics": {
            "name": PLACEHOLDER,
            "label": title,
            # the job portal hides the applicant's own address behind a relay
            "email": f"applicant-{random.randrange(10**6):06d}@mail.example",
            "phone": f"(555) {random.randrange(100, 1000)}-{random.randrange(10**4):04d}",
            "summary": f"My name is {PLACEHOLDER} and I work as {title} in a team of "
            f"{random.randrange(3, 15)}.",
            "location": {"city": random.choice(wording.CITIES), "countryCode": "US"},
            "pronouns": {"female": "she/her", "male": "he/him"}[person.gender],
        },
        "work": work,
        "volunteer": _volunteer(random, person),
        "education": [_education(random, good, person, degree, start)],
        "skills": _skills(random, good),
        "certificates": [
            {
                "name": name,
                "issuer": "Example Board",
                "date": f"{year - random.randrange(1, 5)}-06-01",
            }
            for name in random.sample(wording.CERTIFICATES, _count(random, 0.8 + 0.7 * good, 4))
        ],
        "languages": _languages(random, person),
        "interests": [],
        "references": [
            {
                "name": "A former manager",
                "reference": f"{PLACEHOLDER} {has} the habits of a careful engineer; ask "
                f"{PLACEHOLDER} about the last migration.",
            }
        ],
        "meta": {"version": "v1.0.0", "lastModified": f"{year}-01-15T09:00:00"},
    }
    _home(blank, person)
    return Applicant(blank, person, good)


def _home(blank: Document, person: Person) -> None:
    """Say where a person lives and what they like: neither tells how good they are."""
    # a generator of its own: who applied does not change with what else is told of them
    random = seeded("home", blank["basics"]["email"], blank["basics"]["phone"])
    about = (person.group, person.gender)

    def odds(table: Mapping[str, Mapping[str, float]]) -> list[float]:
        return [math.prod(leans.get(who, 1.0) for who in about) for leans in table.values()]

    area = random.choices(list(wording.POSTCODES), odds(wording.POSTCODES))[0]
    blank["basics"]["location"]["postalCode"] = f"{area}{random.randrange(100):02d}"
    liked = random.choices(list(wording.HOBBIES), odds(wording.HOBBIES), k=2)
    blank["interests"] = [{"name": hobby} for hobby in dict.fromkeys(liked)]


def _count(random: Random, mean: float, most: int) -> int:
    return max(0, min(most, round(mean + random.gauss(0, 0.9))))


def _work(random: Random, good: float, years: int, year: int) -> list[Document]:
    """Return the jobs, newest first, one after another from ``years`` ago until January."""
    jobs: list[Document] = []
    left, end = years, year
    while left > 0 and len(jobs) < _MOST_JOBS:
        length = left if len(jobs) == _MOST_JOBS - 1 else min(left, random.randrange(1, 6))
        rank = max(0, min(3, round(left / 5 + 0.4 * good + random.gauss(0, 0.4))))
        job = {
            "name": random.choice(wording.COMPANIES),
            "position": random.choice(wording.TITLES[rank]),
            "startDate": f"{end - length}-01",
            "highlights": random.sample(wording.HIGHLIGHTS, 2),
        }
        if jobs:
            job["endDate"] = f"{end}-01"
        jobs.append(job)
        left, end = left - length, end - length
    return jobs


def _education(random: Random, good: float, person: Person, degree: int, start: int) -> Document:
    # who gets into which college depends on the group far more than on ability
    odds = [
        (white if person.group == "white" else 1.0) * 2.0 ** (good * (prestige - 0.5))
        for prestige, white in wording.COLLEGES.values()
    ]
    grade = max(2.0, min(4.0, 3.1 + 0.2 * good + random.gauss(0, 0.3)))
    return {
        "institution": random.choices(list(wording.COLLEGES), odds)[0],
        "area": random.choice(wording.AREAS),
        "studyType": wording.DEGREES[degree],
        "startDate": str(start),
        "endDate": str(start + 4),
        "score": f"{grade:.1f}",
    }


def _skills(random: Random, good: float) -> list[Document]:
    families = random.sample(list(wording.SKILLS), max(1, _count(random, 2.4 + 0.6 * good, 4)))
    return [
        {
            "name": family,
            "level": wording.LEVELS[_count(random, 1.4 + 0.6 * good, 3)],
            "keywords": random.sample(
                wording.SKILLS[family], max(1, _count(random, 2.5 + 0.8 * good, 6))
            ),
        }
        for family in families
    ]


def _volunteer(random: Random, person: Person) -> list[Document]:
    open_to = [club for club, whose in wording.CLUBS.items() if whose in ("", person.gender)]
    return [
        {"organization": club, "position": "Member"}
        for club in random.sample(open_to, random.choice((0, 1, 1, 2)))
    ]


def _languages(random: Random, person: Person) -> list[Document]:
    mother = random.choice(wording.MOTHER_TONGUES[person.group])
    spoken = [{"language": mother, "fluency": "Native speaker"}]
    if mother != "English":
        spoken.append({"language": "English", "fluency": "Fluent"})
    return spoken
