"""What everything here speaks: spans of files, facts, chunks, answers. Offsets are characters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

__all__ = [
    "REFUSAL",
    "Answer",
    "Chunk",
    "Claim",
    "DocumentType",
    "Fact",
    "Kind",
    "Polarity",
    "Source",
    "Span",
    "State",
]

#: how every refusal begins
REFUSAL = "The chart does not answer this"


class DocumentType(StrEnum):
    """What a passage is about; a closed list, since it is what filters name."""

    ALLERGY_LIST = "AllergyList"
    MEDICATION_LIST = "MedicationList"
    PROBLEM_LIST = "ProblemList"
    PROCEDURE_LIST = "ProcedureList"
    IMMUNIZATION_LIST = "ImmunizationList"
    FAMILY_HISTORY = "FamilyHistory"
    SOCIAL_HISTORY = "SocialHistory"
    SURGICAL_HISTORY = "SurgicalHistory"
    CHIEF_COMPLAINT = "ChiefComplaint"
    HISTORY = "HistoryOfPresentIllness"
    REVIEW = "ReviewOfSystems"
    EXAM = "PhysicalExam"
    RESULTS = "Results"
    PLAN = "AssessmentAndPlan"
    DEMOGRAPHICS = "Demographics"
    ENCOUNTER = "Encounter"
    NOTE = "ProgressNote"


class Kind(StrEnum):
    """What a fact is about."""

    ALLERGY = "allergy"
    MEDICATION = "medication"
    CONDITION = "condition"
    PROCEDURE = "procedure"
    IMMUNIZATION = "immunization"
    OBSERVATION = "observation"
    ENCOUNTER = "encounter"
    PERSON = "person"


class Polarity(StrEnum):
    """Whether a passage says that something is so, is not so, or leaves it open."""

    AFFIRMED = "affirmed"
    NEGATED = "negated"
    OPEN = "open"


class State(StrEnum):
    """What a source says of a fact in time."""

    ACTIVE = "active"
    ENDED = "ended"
    ORDERED = "ordered"
    LISTED = "listed"
    PRESENT = "present"
    PAST = "past"


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Characters ``start`` to ``end`` of a file of the charts."""

    file: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One typed statement of a chart; ``blanket`` marks "no known allergies" and its like.

    ``name`` is as the source words it and stands in ``span``, or in ``name_span`` where a resource
    names it by reference; ``date`` is ISO or nothing and stands in ``span`` or ``date_span``;
    ``detail`` holds what the source gives: dose, unit, route, reaction, status, reason, value.
    """

    kind: Kind
    name: str
    span: Span
    chunk: str
    state: State
    polarity: Polarity = Polarity.AFFIRMED
    subject: str = "patient"
    date: str = ""
    date_span: Span | None = None
    encounter: str = ""
    blanket: bool = False
    structured: bool = False
    name_span: Span | None = None
    detail: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A passage of one encounter, with the tags that filters are about."""

    id: str
    patient: str
    text: str
    span: Span
    document_type: DocumentType
    encounter: str = ""
    encounter_date: str = ""
    doctor_specialty: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a claim stands: ``quote`` is exactly the characters of the file from start to end."""

    file: str
    start: int
    end: int
    quote: str


@dataclass(frozen=True, slots=True)
class Claim:
    """One statement and the passage that supports it; a build without sources has none."""

    text: str
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What comes back for a question."""

    text: str
    claims: tuple[Claim, ...] = ()
    refused: bool = False

    def to_json(self) -> dict[str, object]:
        """Return the fields of an output line.

        >>> Answer("Yes.", (Claim("asthma", Source("notes/a.txt", 3, 9, "Asthma")),)).to_json()["claims"]
        [{'text': 'asthma', 'source': {'file': 'notes/a.txt', 'start': 3, 'end': 9, 'quote': 'Asthma'}}]
        """
        claims: list[dict[str, object]] = []
        for claim in self.claims:
            one: dict[str, object] = {"text": claim.text}
            if claim.source is not None:
                source = claim.source
                one["source"] = {
                    "file": source.file,
                    "start": source.start,
                    "end": source.end,
                    "quote": source.quote,
                }
            claims.append(one)
        return {"answer": self.text, "refused": self.refused, "claims": claims}
