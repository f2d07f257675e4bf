"""FHIR R4 resources as typed facts and chunks, each fact with the lines it stands in.

Resources of kinds that have no rule here are counted and named, not taken for empty.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from reference_systems.medco_rag.dates import first_date
from reference_systems.medco_rag.fhir_facts import READERS, VERSION, Reading, concept, resolved
from reference_systems.medco_rag.jsonspans import Node, entries
from reference_systems.medco_rag.model import Chunk, Fact, Kind, Span
from reference_systems.medco_rag.model import DocumentType as Doc

__all__ = ["Bundle", "read_bundle"]

_TYPES = {
    Kind.ALLERGY: Doc.ALLERGY_LIST,
    Kind.MEDICATION: Doc.MEDICATION_LIST,
    Kind.CONDITION: Doc.PROBLEM_LIST,
    Kind.PROCEDURE: Doc.PROCEDURE_LIST,
    Kind.IMMUNIZATION: Doc.IMMUNIZATION_LIST,
    Kind.OBSERVATION: Doc.RESULTS,
    Kind.ENCOUNTER: Doc.ENCOUNTER,
    Kind.PERSON: Doc.DEMOGRAPHICS,
}
#: the specialty that an encounter's type stands for; charts of Synthea name none
_SPECIALTIES = (
    ("Emergency medicine", ("emergency", "urgent")),
    ("Obstetrics", ("prenatal", "obstetric", "postnatal", "antenatal", "gynecology")),
    ("Dentistry", ("dental",)),
    ("Pediatrics", ("well child",)),
    ("Addiction medicine", ("rehabilitation and detoxification",)),
    ("Palliative care", ("hospice",)),
    ("Pulmonology", ("asthma",)),
    ("Surgery", ("postoperative",)),
)


@dataclass(slots=True)
class Bundle:
    """What one file gives for one patient; ``notices`` names what was not read."""

    chunks: list[Chunk] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)


def read_bundle(patient: str, file: str, text: str) -> Bundle:
    """Return the chunks and facts of one patient in a FHIR file.

    >>> text = '{"resourceType": "AllergyIntolerance", "code": {"text": "Latex"}, "recordedDate": "2020-01-02"}'
    >>> found = read_bundle("p1", "fhir/p1.json", text)
    >>> found.facts[0].name, found.facts[0].date, text[found.facts[0].span.start:found.facts[0].span.end]
    ('Latex', '2020-01-02', '"code": {"text": "Latex"}, "recordedDate": "2020-01-02"')

    :raises ValueError: where the file is not JSON.
    """
    found = Bundle()
    addressed = list(entries(text))
    nodes = [node for _, node in addressed]
    index = _index(addressed)
    people = [node.text("id") for node in nodes if node.text("resourceType") == "Patient"]
    unread: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    by_chunk: dict[tuple[str, Doc], list[Fact]] = {}
    meetings = {node.text("id"): node for node in nodes if node.text("resourceType") == "Encounter"}
    for node in nodes:
        kind = node.text("resourceType")
        if (owner := _owner(node, people, index)) != patient and owner is not None:
            if owner not in people:
                lost[owner] += 1
            continue
        if kind in ("Medication", "Organization", "Practitioner", "PractitionerRole", "Location"):
            continue
        if kind not in READERS:
            unread[kind or "no resourceType"] += 1
            continue
        reading = Reading(file, text, node, index)
        for fact in READERS[kind](reading):
            meeting = _meeting(node, fact)
            by_chunk.setdefault((meeting, _TYPES[fact.kind]), []).append(fact)
    for (meeting, document_type), facts in by_chunk.items():
        _chunk(found, patient, file, meeting, document_type, facts, meetings.get(meeting))
    found.notices += [f"{file}: {n} {kind} not read" for kind, n in sorted(unread.items())]
    found.notices += [
        f"{file}: {n} resources of Patient {owner[:64]!r}, who is not in the file, left out"
        for owner, n in sorted(lost.items())
    ]
    return found


def _index(addressed: list[tuple[str, Node]]) -> dict[str, Node]:
    """Return resources by everything that a reference can call them."""
    index: dict[str, Node] = {}
    for address, node in addressed:
        name, kind = node.text("id"), node.text("resourceType")
        if address:
            index.setdefault(address, node)
        if name:
            for key in (f"{kind}/{name}", f"urn:uuid:{name}", name):
                index.setdefault(key, node)
    return index


def _owner(node: Node, people: list[str], index: dict[str, Node]) -> str | None:
    """Return the patient a resource is about; None where it does not say and only one is there."""
    if node.text("resourceType") == "Patient":
        return node.text("id") or None
    for key in ("subject", "patient", "beneficiary"):
        reference = node.text(key, "reference")
        if not reference:
            continue
        target = resolved(reference, node, index)
        if target is not None and target.text("resourceType") == "Patient":
            return target.text("id") or None
        return VERSION.sub("", reference).rsplit("/", 1)[-1].rsplit(":", 1)[-1]
    return None if len(people) <= 1 else ""


def _meeting(node: Node, fact: Fact) -> str:
    if fact.kind is Kind.ENCOUNTER:
        return node.text("id")
    for key in ("encounter", "context"):
        if reference := node.text(key, "reference"):
            return VERSION.sub("", reference).rsplit("/", 1)[-1].rsplit(":", 1)[-1]
    return ""


def _chunk(
    found: Bundle,
    patient: str,
    file: str,
    meeting: str,
    document_type: Doc,
    facts: list[Fact],
    encounter: Node | None,
) -> None:
    """Add a chunk for each encounter and kind; without an encounter, for each date."""
    groups: dict[str, list[Fact]] = {}
    day = first_date(encounter.text("period", "start")) if encounter is not None else ""
    for fact in facts:
        groups.setdefault(day or fact.date, []).append(fact)
    specialty = _specialty(encounter) if encounter is not None else ""
    for date, group in groups.items():
        # the patient too: one file may hold several, and ids are of all charts together
        name = f"{file}:{patient}:{meeting}:{date or 'undated'}:{document_type}"
        first = group[0].span
        chunk = Chunk(
            id=name,
            patient=patient,
            text="; ".join(dict.fromkeys(fact.name for fact in group)),
            span=Span(file, first.start, first.end),
            document_type=document_type,
            encounter=meeting,
            encounter_date=date,
            doctor_specialty=specialty,
        )
        found.chunks.append(chunk)
        found.facts += _placed(group, name, meeting)


def _placed(facts: list[Fact], chunk: str, meeting: str) -> Iterator[Fact]:
    from dataclasses import replace

    for fact in facts:
        yield replace(fact, chunk=chunk, encounter=meeting)


def _specialty(encounter: Node) -> str:
    named = concept(encounter, "serviceType") or ""
    if named:
        return named
    kinds = [concept(each) or "" for each in encounter.items("type")]
    place = encounter.text("class", "code")
    words = " ".join([*kinds, "emergency" if place == "EMER" else ""]).lower()
    for specialty, cues in _SPECIALTIES:
        if any(cue in words for cue in cues):
            return specialty
    return "General practice"
