"""A clinical note as chunks by encounter and section, with its typed facts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from reference_systems.medco_rag.model import Chunk, Fact, Kind, Span, State
from reference_systems.medco_rag.model import DocumentType as Doc
from reference_systems.medco_rag.note_facts import facts_of
from reference_systems.medco_rag.note_place import Place
from reference_systems.medco_rag.sections import Section, sections
from reference_systems.medco_rag.sentences import sentences

__all__ = ["read_note"]

#: a chunk of one section ends at the first sentence past so many characters
_LONG = 1_200


def read_note(patient: str, file: str, text: str) -> tuple[list[Chunk], list[Fact]]:
    r"""Return the chunks and facts of one note file.

    >>> chunks, facts = read_note("p1", "notes/p1.txt", "2024-05-01\n\n# Allergies\nPenicillin (hives)\n")
    >>> chunks[0].document_type.value, chunks[0].encounter_date
    ('AllergyList', '2024-05-01')
    >>> [(fact.kind.value, fact.name, fact.date, fact.detail) for fact in facts][0]
    ('allergy', 'Penicillin', '2024-05-01', {'reaction': 'hives'})
    """
    chunks: list[Chunk] = []
    facts: list[Fact] = []
    seen: set[int] = set()
    known: dict[tuple[str, Doc, bool], tuple[int, list[Fact]]] = {}
    for section in sections(text):
        encounter = f"{file}#{section.date_start}" if section.date else file
        parts = list(_parts(text, section))
        if not parts:
            continue
        own = [
            Chunk(
                id=f"{file}:{start}-{end}",
                patient=patient,
                text=text[start:end],
                span=Span(file, start, end),
                document_type=section.document_type,
                encounter=encounter,
                encounter_date=section.date,
                doctor_specialty=section.specialty,
            )
            for start, end in parts
        ]
        place = Place(file, text, section, encounter, tuple((c.span.start, c.id) for c in own))
        found = _again(place, known) or list(facts_of(place))
        known.setdefault(_key(place), (section.start, found))
        chunks += own
        facts += found
        chunks += _own_allergies(own, found, section)
        if section.date and section.date_start not in seen:
            seen.add(section.date_start)
            facts.append(_encounter(file, section, encounter, own[0].id))
    return chunks, facts


def _key(place: Place) -> tuple[str, Doc, bool]:
    section = place.section
    return place.text[section.start : section.end], section.document_type, section.mixed


def _again(place: Place, known: dict[tuple[str, Doc, bool], tuple[int, list[Fact]]]) -> list[Fact]:
    """Return the facts of a section that reads as an earlier one did, moved to its place."""
    if (before := known.get(_key(place))) is None:
        return []
    start, facts = before
    by = place.section.start - start
    date = place.section.date
    day = Span(place.file, place.section.date_start, place.section.date_end) if date else None
    return [
        replace(
            fact,
            span=Span(place.file, fact.span.start + by, fact.span.end + by),
            chunk=place.chunk(fact.span.start + by),
            date=date,
            date_span=day,
            encounter=place.encounter,
        )
        for fact in facts
    ]


def _parts(text: str, section: Section) -> Iterator[tuple[int, int]]:
    begin = end = -1
    for start, stop in sentences(text, section.start, section.end):
        if begin >= 0 and stop - begin > _LONG:
            yield begin, end
            begin = -1
        if begin < 0:
            begin = start
        end = stop
    if begin >= 0:
        yield begin, end


def _own_allergies(own: list[Chunk], found: list[Fact], section: Section) -> Iterator[Chunk]:
    """Yield sentences that name an allergy under another heading as an AllergyList of their own.

    Headings mislead: "# Allergies" can say none while the assessment names one.
    """
    if section.document_type in (Doc.ALLERGY_LIST, Doc.FAMILY_HISTORY):
        return
    for span in dict.fromkeys(
        f.span for f in found if f.kind is Kind.ALLERGY and f.subject == "patient"
    ):
        chunk = next(c for c in own if c.span.start <= span.start <= c.span.end)
        start = span.start - chunk.span.start
        yield Chunk(
            id=f"{span.file}:{span.start}-{span.end}:allergy",
            patient=chunk.patient,
            text=chunk.text[start : start + span.end - span.start],
            span=span,
            document_type=Doc.ALLERGY_LIST,
            encounter=chunk.encounter,
            encounter_date=chunk.encounter_date,
            doctor_specialty=chunk.doctor_specialty,
        )


def _encounter(file: str, section: Section, encounter: str, chunk: str) -> Fact:
    span = Span(file, section.date_start, section.date_end)
    return Fact(
        kind=Kind.ENCOUNTER, name="encounter", span=span, chunk=chunk, state=State.PAST,
        date=section.date, date_span=span, encounter=encounter,
    )  # fmt: skip
