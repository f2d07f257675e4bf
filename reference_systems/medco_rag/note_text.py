"""Drugs, conditions and operations in the running text of a note."""

from __future__ import annotations

import re
from collections.abc import Iterator

from reference_systems.medco_rag.context import Context, context_of
from reference_systems.medco_rag.drugs import drug_details, ingredients_in
from reference_systems.medco_rag.model import DocumentType as Doc
from reference_systems.medco_rag.model import Fact, Kind, Polarity, State
from reference_systems.medco_rag.note_place import Place, comma_parts, fact_at

__all__ = ["conditions_in", "drugs_in", "operations_in"]

_PRESENTING = re.compile(
    r"\b(?P<cue>(?:is )?present(?:s|ed|ing) with|(?:was |is |were )?(?:newly )?diagnosed with|(?:has|have|with) (?:a )?(?:\w+ )?(?:past )?(?:medical )?(?:history|hx) (?:significant |notable )?(?:of|for)|\bh/o|\bPMHx?:)\s+(?P<what>[^.;\n]+(?:\.\d[^.;\n]*)*)",
    re.IGNORECASE,
)
_STARTED = re.compile(
    r"\b(?:prescribed|was started on|started on|start(?:ed)?|initiated|begin|began|resumed?|given a prescription for|new prescription for|rx for|continues?(?: on| to take| taking)?|takes|taking|is on|was on|remains on|maintained on|managed with|controlled with|increase(?:d)?|decrease(?:d)?|switch(?:ed)? to)\s+(?P<what>[^.;\n]+(?:\.\d[^.;\n]*)*)",
    re.IGNORECASE,
)
_ORDERED = re.compile(
    r"^(?:prescribed|was started|started|start|initiated|begin|began|given a|new pres|rx|increase|decrease|switch|resume)",
    re.IGNORECASE,
)
_ON_CONDITION = re.compile(r"\s(?:if|unless|in case)\b", re.IGNORECASE)
#: what was taken once: neither "yes" nor "no" to whether it is taken
_WAS = re.compile(r"^was on\b", re.IGNORECASE)
_STOPPED = re.compile(
    r"\b(?:stop(?:ped)?(?: taking)?|discontinued?|d/c['\u2019]?d?|taken off(?: of)?|c(?:a|o)me off|weaned off)\s+(?:the |her |his )?(?P<what>[A-Za-z][\w-]*(?: [A-Za-z][\w-]*){0,2})",
    re.IGNORECASE,
)
_DENIED = re.compile(r"^(?:no|denies|denied|without|negative for)\s+", re.IGNORECASE)
_OPERATIONS = re.compile(
    r"\b(?P<what>(?:(?:total|partial|right|left|bilateral|open|laparoscopic|coronary|artery|hip|knee|shoulder|cataract|heart|valve|hernia|spinal|carpal|tunnel|aortic|kidney|liver|bone|marrow|tubal|cesarean|gastric|breast|skin|colon|cardiac)\s+)*"
    r"(?:\w{3,}(?:ectom|plast|otom|ostom|scop|centes|rrhaph|graph)(?:y|ies|is)\b|\w*(?:surgery|surgeries)\b|bypass(?: graft(?:ing)?)?\b|replacement\b|transplant(?:ation)?\b|c-section\b|cesarean\b|biops(?:y|ies)\b|laminectomy\b|hernia repair\b|ligation\b|arthrodesis\b|angioplasty\b|pacemaker (?:placement|implantation)\b|stent(?:ing| placement)?\b))",
    re.IGNORECASE,
)


def drugs_in(place: Place, first: int, last: int) -> Iterator[Fact]:
    """Yield drugs that a sentence says are started, taken or stopped."""
    said = place.text[first:last]
    if "llerg" in said:
        return
    family = place.section.document_type is Doc.FAMILY_HISTORY
    for found in _STOPPED.finditer(said):
        if ingredients_in(found["what"]):
            yield fact_at(
                place, Kind.MEDICATION, found["what"], first, last, State.ENDED,
                polarity=Polarity.NEGATED, subject=_subject_of(said, found, family),
            )  # fmt: skip
    for found in _STARTED.finditer(said):
        what = found["what"]
        if not ingredients_in(what):
            continue
        for a, b in comma_parts(what):
            if not ingredients_in(what[a:b]):
                continue
            at = found.start("what") + a
            until = _ON_CONDITION.search(what, a, b)
            end = found.start("what") + (until.start() if until else b)
            told = context_of(said, at, end, family=family, mixed=place.section.mixed)
            state = State.ORDERED if _ORDERED.match(found.group()) else State.LISTED
            if _WAS.match(found.group()):
                state = State.ENDED
            yield fact_at(
                place,
                Kind.MEDICATION,
                what[a:b],
                first,
                last,
                state,
                polarity=told.polarity,
                subject=told.subject,
                detail=drug_details(what[a:b]),
            )


def _subject_of(said: str, found: re.Match[str], family: bool) -> str:
    return context_of(said, found.start("what"), found.end("what"), family=family).subject


def operations_in(place: Place, first: int, last: int) -> Iterator[Fact]:
    """Yield operations named in running text."""
    said = place.text[first:last]
    for found in _OPERATIONS.finditer(said):
        told = context_of(said, found.start("what"), found.end("what"))
        yield fact_at(
            place, Kind.PROCEDURE, found["what"], first, last, State.PAST,
            polarity=told.polarity, subject=told.subject,
        )  # fmt: skip


def conditions_in(place: Place, first: int, last: int) -> Iterator[Fact]:
    """Yield the conditions that a sentence presents, diagnoses or remembers."""
    said = place.text[first:last]
    for found in _PRESENTING.finditer(said):
        past = re.search(r"history|hx|h/o|PMH", found["cue"], re.IGNORECASE) is not None
        allergic = False
        for a, b in comma_parts(found["what"]):
            name = found["what"][a:b].strip()
            found.start("what") + a
            told = _told(said[: found.start("what")], name)
            name = _DENIED.sub("", name)
            allergic = allergic or name.lower().startswith("allergy to substance")
            kind = (
                Kind.ALLERGY
                if allergic and not name.lower().startswith("allergy to substance")
                else Kind.CONDITION
            )
            state = State.PAST if past else State.PRESENT
            yield fact_at(
                place, kind, name, first, last, state, polarity=told.polarity, subject=told.subject
            )


def _told(head: str, name: str) -> Context:
    """Return what is said of an entry of a list: by the words before the list and by its own."""
    own = _DENIED.match(name)
    joined = f"{head}{name}"
    return context_of(joined, len(head) + (own.end() if own else 0), len(joined))
