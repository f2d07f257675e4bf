"""Typed facts in the sections of a note, each with the place where it is said."""

from __future__ import annotations

import re
from collections.abc import Iterator

from reference_systems.medco_rag.drugs import drug_details
from reference_systems.medco_rag.model import DocumentType as Doc
from reference_systems.medco_rag.model import Fact, Kind, Polarity, State
from reference_systems.medco_rag.note_allergies import BLANKET_ALLERGY, allergies_in, allergy_list
from reference_systems.medco_rag.note_place import NOTHING, Place, fact_at, pieces, told_of
from reference_systems.medco_rag.note_text import conditions_in, drugs_in, operations_in
from reference_systems.medco_rag.sentences import addressed_to_software, items, sentences

__all__ = ["facts_of"]

_BLANKET_DRUGS = re.compile(
    r"^(?:none|nil|no)\b\.?$|\bno\s+(?:(?:current|active|known|home|regular|routine|prescription|prescribed|chronic|daily|other|outpatient|or|over-the-counter)\s+)*(?:medications?|meds|medicines|drugs)\b(?! allerg)"
    r"|\b(?:not (?:currently )?(?:taking|on)|denies (?:taking|use of)|does(?: not|n['\u2019]t) take|takes no)\s+(?:any\s+)?(?:(?:regular|prescription|current|daily)\s+)*(?:medications?|meds|medicines)\b",
    re.IGNORECASE,
)
_NAMED = re.compile(
    r"^[ \t]*(?:the )?(?:following )?(?P<head>[^\n:]{0,80}\b(?:prescribed|medications?|procedures?|immunizations?|vaccin\w+)[^\n:]{0,40}):[ \t]*(?:(?P<rest>[^\s][^\n]*)|(?P<lines>(?:\n[ \t]*[-*\u2022][^\n]*)*))",
    re.IGNORECASE | re.MULTILINE,
)


def facts_of(place: Place) -> Iterator[Fact]:
    """Yield the typed facts of a section; sentences that give orders to software yield none."""
    kind = place.section.document_type
    start, end = place.section.start, place.section.end
    if kind is Doc.ALLERGY_LIST:
        yield from allergy_list(place)
    elif kind is Doc.MEDICATION_LIST:
        yield from _medication_list(place)
    elif kind in (
        Doc.PROBLEM_LIST,
        Doc.SURGICAL_HISTORY,
        Doc.IMMUNIZATION_LIST,
        Doc.PROCEDURE_LIST,
    ):
        yield from _plain_list(place)
    yield from _named_lists(place)
    for first, last in sentences(place.text, start, end):
        said = place.text[first:last]
        if addressed_to_software(said):
            continue
        if kind is not Doc.ALLERGY_LIST and ("llerg" in said or BLANKET_ALLERGY.search(said)):
            yield from allergies_in(place, first, last)
        if kind is not Doc.MEDICATION_LIST:
            yield from drugs_in(place, first, last)
        if kind in (Doc.NOTE, Doc.HISTORY, Doc.PROBLEM_LIST):
            yield from operations_in(place, first, last)
        if kind not in (Doc.ALLERGY_LIST, Doc.MEDICATION_LIST, Doc.FAMILY_HISTORY):
            yield from conditions_in(place, first, last)


def _medication_list(place: Place) -> Iterator[Fact]:
    text = place.text
    for first, last in pieces(place):
        said = text[first:last]
        if addressed_to_software(said) or re.match(
            r"^(?:reviewed|see|as above|unchanged|reconciled|the following)\b", said, re.IGNORECASE
        ):
            continue
        if _BLANKET_DRUGS.search(said) or NOTHING.match(said):
            yield fact_at(
                place,
                Kind.MEDICATION,
                said,
                first,
                last,
                State.LISTED,
                polarity=Polarity.NEGATED,
                blanket=True,
            )
            continue
        if BLANKET_ALLERGY.search(said):
            continue
        told = told_of(said)
        ended = re.search(
            r"\b(?:stopped|discontinued|d/c['\u2019]?d|held|no longer|ceased|completed)\b",
            said,
            re.IGNORECASE,
        )
        polarity = told.polarity if not ended else Polarity.NEGATED
        state = State.ENDED if ended else State.LISTED
        yield fact_at(
            place,
            Kind.MEDICATION,
            said,
            first,
            last,
            state,
            polarity=polarity,
            subject=told.subject,
            detail=drug_details(said),
        )


def _plain_list(place: Place) -> Iterator[Fact]:
    kind = {
        Doc.PROBLEM_LIST: Kind.CONDITION,
        Doc.SURGICAL_HISTORY: Kind.PROCEDURE,
        Doc.PROCEDURE_LIST: Kind.PROCEDURE,
        Doc.IMMUNIZATION_LIST: Kind.IMMUNIZATION,
    }[place.section.document_type]
    for first, last in pieces(place):
        said = place.text[first:last]
        if addressed_to_software(said):
            continue
        if NOTHING.match(said) or re.match(
            r"^(?:otherwise,? )?(?:none|negative|no )\b", said, re.IGNORECASE
        ):
            yield fact_at(
                place,
                kind,
                said,
                first,
                last,
                State.LISTED,
                polarity=Polarity.NEGATED,
                blanket=NOTHING.match(said) is not None,
            )
            continue
        told = told_of(said)
        yield fact_at(
            place,
            kind,
            said,
            first,
            last,
            State.LISTED,
            polarity=told.polarity,
            subject=told.subject,
        )


def _named_lists(place: Place) -> Iterator[Fact]:
    """Yield what stands below "The patient was prescribed the following medications:"."""
    for found in _NAMED.finditer(place.text, place.section.start, place.section.end):
        head = found["head"].lower()
        kind, state = (
            (Kind.IMMUNIZATION, State.ORDERED) if "immuni" in head or "vaccin" in head
            else (Kind.PROCEDURE, State.ORDERED) if "procedure" in head
            else (Kind.MEDICATION, State.ORDERED if re.search(r"prescri|order|start", head) else State.LISTED)
        )  # fmt: skip
        if (
            place.section.document_type is Doc.MEDICATION_LIST
            and kind is Kind.MEDICATION
            and state is State.LISTED
        ):
            continue
        if re.search(r"\b(?:no|not|denies)\b", head):
            continue
        if found["rest"]:
            at = found.start("rest")
            spans = [(at, at + len(found["rest"].rstrip()))]
        else:
            spans = list(items(place.text, found.start("lines"), found.end("lines")))
        for first, last in spans:
            said = place.text[first:last]
            if addressed_to_software(said):
                continue
            detail = drug_details(said) if kind is Kind.MEDICATION else {}
            yield fact_at(place, kind, said, first, last, state, detail=detail)
