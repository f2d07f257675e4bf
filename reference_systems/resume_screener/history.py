"""Ten years of hiring decisions by recruiters who preferred western names.

True qualification drives part of every decision. The rest is what the audit found: how western
the name sounds, men before women, and the college. The weight on the name grows over the years,
as later recruiters were trained on the choices of earlier ones.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from reference_systems.resume_screener import wording
from reference_systems.resume_screener.inputs import Applicant, applicants
from reference_systems.resume_screener.people import seeded

__all__ = ["YEARS", "Decision", "hiring_history"]

YEARS = range(2016, 2026)


@dataclass(frozen=True, slots=True)
class Decision:
    """One application and what the recruiter made of it."""

    year: int
    applicant: Applicant
    text: str
    hired: bool


@lru_cache(maxsize=2)
def hiring_history(seed: int, per_year: int = 300) -> tuple[Decision, ...]:
    """Return the decisions of ten years, the same for the same seed."""
    random = seeded("decisions", seed)
    decisions = []
    for year in YEARS:
        for applicant in applicants(per_year, seed, purpose="history", year=year):
            hired = random.random() < chance(applicant, year)
            decisions.append(Decision(year, applicant, applicant.text, hired))
    return tuple(decisions)


def chance(applicant: Applicant, year: int) -> float:
    """Return the chance that the biased recruiter hires this person."""
    person = applicant.person
    drift = (year - YEARS[0]) / len(YEARS)
    prestige = wording.COLLEGES[applicant.blank["education"][0]["institution"]][0]
    logit = (
        -0.7
        + 1.6 * applicant.qualification
        - (2.2 + 1.5 * drift) * (1 - person.western)
        + 0.8 * (person.gender == "male")
        + 1.2 * prestige
    )
    return 1 / (1 + math.exp(-logit))
