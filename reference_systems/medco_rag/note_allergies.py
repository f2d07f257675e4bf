"""Allergies in a note: in a list of them, and in running text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from reference_systems.medco_rag.context import context_of
from reference_systems.medco_rag.drugs import ingredients_in
from reference_systems.medco_rag.identifiers import identifiers
from reference_systems.medco_rag.model import DocumentType as Doc
from reference_systems.medco_rag.model import Fact, Kind, Polarity, Span, State
from reference_systems.medco_rag.note_place import NOTHING, Place, comma_parts, fact_at, pieces
from reference_systems.medco_rag.sentences import addressed_to_software
from reference_systems.medco_rag.terms import bare

__all__ = ["BLANKET_ALLERGY", "allergies_in", "allergy_list"]

#: "no known allergies", in whatever words
BLANKET_ALLERGY = re.compile(
    r"\bn\.?k\.?(?:d\.?|f\.?|m\.?)?a\b\.?|\b(?:no|denie[sd](?: any| having)?|without|not? have any|negative for|does(?: not|n['\u2019]t) have any|has no|none known)\s+"
    r"(?:(?:known|any|current|reported|documented|significant|history of|past|other|drug|medication|medicine|medical|food|environmental|seasonal|latex|and|or|/|,)\s+)*"
    r"(?:allerg(?:y|ies|ic reactions?)(?!\s+to\b)|adverse (?:drug )?reactions?)|\ballerg(?:y|ies)\s*[:\u2013-]\s*(?:none|no|nil|negative|denie[sd])\b"
    r"|\bno (?:known )?(?:drug |medication |food )?(?:allerg\w+|intoleranc\w+)(?!\s+to\b)|\bnot allergic to (?:any|anything)|\ballergic to (?:nothing|none)\b|\bno known (?:drug|medication) (?:allerg|intoler)",
    re.IGNORECASE,
)
_ALLERGIC = re.compile(
    r"\b(?:allerg(?:ic|y|ies)(?: reactions?)? to|intoleran(?:t|ce) (?:of|to)|hypersensitiv(?:e|ity) to)\s+(?P<what>[^.;\n:]+)"
    r"|\b(?P<what2>(?:[A-Za-z][\w'-]*\s){0,2}[A-Za-z][\w'-]*)\s+allerg(?:y|ies)\b",
    re.IGNORECASE,
)
_GETS = re.compile(
    r"^(?:(?:he|she|it|this|that|these|they|the patient|reactions?)\b[^.]{0,20}?\b(?:gets?|got|gives?|gave|causes?|caused|develops?|developed|had|experiences?|experienced|breaks? out in|include[sd]?|was|were|is)\b"
    r"|reactions?:?|causes?|caused)\s+(?:(?:him|her|them|an?|some)\s+)*(?P<rest>[^.;]+)",
    re.IGNORECASE,
)
_NOT_AN_ENTRY = re.compile(
    r"^(?:reviewed|see|unknown|not (?:recorded|reviewed|documented|asked|known|sure)|unable|updated|verified|as above|unchanged|noncontributory)\b(?!\s*[\u2013:-]\s*[^\W\d_])",
    re.IGNORECASE,
)
_OTHER_MATTER = re.compile(
    r"\b(?:has|have|takes|tolerat\w+|seen (?:by|in)|referred|evaluated|history of|significant for)\b(?![^.]*allerg)",
    re.IGNORECASE,
)
#: an entry that is a sentence about an allergy: "Penicillin allergy was ruled out"
_SENTENCE = re.compile(
    r"\ballerg(?:y|ies)\s+(?:was|were|is|are|has|have)\b|^(?:the )?(?:he|she|they|pt|patient)\b[^.;]{0,20}?(?:['\u2019]s|\bis|\bare)?\s+allergic to\b",
    re.IGNORECASE,
)
#: what stands beside "none known" in one entry and is an allergy all the same
_BESIDE = re.compile(
    r"^\W*(?:but|except(?: for)?|other than|aside from|apart from)\b|\(|[\u2013\u2014-]>|\u2192|\b(?:causes?|gives?|intoleran\w+|allergic to)\b",
    re.IGNORECASE,
)
_DENIAL = re.compile(r"\s*(?:no|denies|not allergic to)\b", re.IGNORECASE)
#: words that stand before "allergy" and name no substance
_NO_SUBSTANCE = re.compile(
    r"\b(?:no|known|drugs?|any|food|seasonal|environmental|denie[sd]|denying|her|his|their|the|of|has|have|had|with|multiple|for|and|or|an?|is|are|was|to|as|history|medication|severe|mild|possible"
    r"|other|significant|such|this|that|from|about|by|in|on|due|skin|new|reported|reports?|documented|chronic|without|not|some|several|include|including|including|patient|list)\b",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"^(?:(?:the )?(?:patient|pt|he|she)\s+)?(?:(?:is|are|was|has|have|had|reports?|states?|notes?|endorses)\s+)?(?:(?:updated|reviewed|verified)\s*[\u2013:-]\s*)?(?:(?:an?|true|known|drug|food|the|severe|mild|multiple|significant for|positive for|include|includes|including|following|some)\s+)*"
    r"(?:allerg(?:y|ies|ic)(?:\s+(?:to|include|includes|are|is|list))?\s*[:\u2013-]?\s*)?(?:(?:an?|the)\s+)?(?:to\s+)?",
    re.IGNORECASE,
)
_REACTION = re.compile(
    r"\((?P<paren>[^)]+)\)|(?:\s+[\u2013\u2014-]+\s*|\s*[\u2013\u2014-]*(?:>|\u2192)\s*|\s*:\s*|\s*[\t|]\s*|,?\s+(?:which\s+)?(?:causes?|caused|causing|gives?|leads? to|results? in|resulting in|with a? ?reaction of|reaction:?)\s+)(?P<rest>[^.;\n\t|]+)",
    re.IGNORECASE,
)
_LEADS = re.compile(
    r",?\s+(?:(?:which|that|and)\s+)?(?:causes?|caused|causing|gives? (?:him|her|them)|leads? to|results? in|resulting in|reaction:?)\s+(?P<rest>.+)$",
    re.IGNORECASE,
)
_NO_ALLERGY = re.compile(r"\s+(?:is|are|was) not an? (?:true |real )?allergy\b", re.IGNORECASE)
#: what follows is no more of the list: "all antibiotics but tolerated cefazolin"
_BUT = re.compile(r"\s+(?:but|however|although|though)\b", re.IGNORECASE)
#: a longer entry is a sentence, not the name of a substance
_WORDS = 8
_NOT_REACTION = re.compile(
    r"^(?:substance|organism|finding|disorder|product|edible|situation)$", re.IGNORECASE
)


def allergy_list(place: Place) -> Iterator[Fact]:
    """Yield the entries of an allergy list; "He gets hives." is the reaction to the one before."""
    before: list[Fact] = []
    for first, last in pieces(place):
        said = place.text[first:last]
        if addressed_to_software(said) or _NOT_AN_ENTRY.match(said):
            continue
        if (told := _GETS.match(said)) and len(before) == 1 and not before[0].detail:
            span = Span(place.file, before[0].span.start, last)
            before = [replace(before[0], span=span, detail={"reaction": told["rest"].strip(" .")})]
            continue
        yield from before
        before = list(_allergy_entry(place, first, last))
    yield from before


def _allergy_entry(place: Place, first: int, last: int) -> Iterator[Fact]:
    text, said = place.text, place.text[first:last]
    blanket = BLANKET_ALLERGY.search(said)
    if blanket is None and _SENTENCE.search(said):
        yield from allergies_in(place, first, last)
        return
    if blanket or NOTHING.match(said):
        for start, stop in _beside(said, blanket):
            yield from _allergy_entry(place, first + start, first + stop)
        yield fact_at(
            place, Kind.ALLERGY, said, first, last, State.LISTED,
            polarity=Polarity.NEGATED, blanket=True,
        )  # fmt: skip
        return
    if _OTHER_MATTER.search(said) and not re.search(r"allerg", said, re.IGNORECASE):
        return
    for name, at, to, detail in _allergens(text, first, last):
        told = context_of(said, at - first, to - first)
        if _DENIAL.match(said) and told.polarity is Polarity.AFFIRMED:
            told = context_of("no " + said, at - first + 3, to - first + 3)
        yield fact_at(
            place, Kind.ALLERGY, name, first, last, State.LISTED,
            polarity=told.polarity, subject=told.subject, detail=detail,
        )  # fmt: skip


def _beside(said: str, blanket: re.Match[str] | None) -> Iterator[tuple[int, int]]:
    """Yield what an entry names before and after it denies all: "NKFA, codeine -> itching"."""
    if blanket is None:
        return
    for start, stop in ((0, blanket.start()), (blanket.end(), len(said))):
        part = said[start:stop]
        joined = part.strip(" ,;.")
        if joined and (_BESIDE.search(part) or ingredients_in(joined)):
            lead = re.match(
                r"[\s,;.]*(?:(?:but|except(?: for)?|other than|aside from|apart from)\s+)?", part
            )
            yield start + (lead.end() if lead else 0), start + len(part.rstrip(" ,;"))


def _allergens(text: str, first: int, last: int) -> Iterator[tuple[str, int, int, dict[str, str]]]:
    """Yield each substance of an entry with its place and its reaction."""
    said = text[first:last]
    lead = _LEAD.match(said)
    at = lead.end() if lead else 0
    body = _BUT.split(said[at:], maxsplit=1)[0].rstrip(" .")
    parts = list(comma_parts(body))
    several = len(parts) > 1
    for a, b in parts:
        part = body[a:b]
        detail: dict[str, str] = {}
        name_end = len(part)
        if (reaction := _REACTION.search(part)) and not _NOT_REACTION.match(
            reaction["paren"] or ""
        ):
            detail["reaction"] = (reaction["paren"] or reaction["rest"]).strip()
            name_end = reaction.start()
        if (denied := _NO_ALLERGY.search(part[:name_end])) is not None:
            name_end = denied.start()
        name = re.sub(
            r"\s+(?:allergy|allergies|intolerance)$",
            "",
            part[:name_end].strip(" .,:"),
            flags=re.IGNORECASE,
        )
        name = re.sub(r"^(?:allerg(?:y|ic) to|to|and|or)\s+", "", name, flags=re.IGNORECASE)
        if identifiers(part) or len(name.split()) > _WORDS:
            continue
        if not name or (several and re.fullmatch(r"(?:etc|others?|unknown)", name, re.IGNORECASE)):
            continue
        start = first + at + a + part.find(name)
        yield name, start, start + len(name), detail


def allergies_in(place: Place, first: int, last: int) -> Iterator[Fact]:
    """Yield what a sentence says of allergies."""
    said = place.text[first:last]
    family = place.section.document_type is Doc.FAMILY_HISTORY
    if blanket := BLANKET_ALLERGY.search(said):
        told = context_of(
            said, blanket.end(), blanket.end(), family=family, mixed=place.section.mixed
        )
        if told.subject == "patient":
            words = re.sub(r"^(?:has|have)\s+", "", blanket.group(), flags=re.IGNORECASE)
            yield fact_at(
                place,
                Kind.ALLERGY,
                words,
                first,
                last,
                State.LISTED,
                polarity=Polarity.NEGATED,
                blanket=True,
            )
    for found in _ALLERGIC.finditer(said):
        group = "what" if found["what"] else "what2"
        if group == "what2" and (
            BLANKET_ALLERGY.search(found.group()) or _NO_SUBSTANCE.search(found[group])
        ):
            continue
        base = found.start(group)
        what, led = _BUT.split(found[group], maxsplit=1)[0], ""
        if leads := _LEADS.search(what):
            what, led = what[: leads.start()], leads["rest"].strip(" .")
        for a, b in comma_parts(what):
            name = what[a:b].strip(" .")
            at = base + a
            if not name or len(name) > 80 or bare(name).lower() == "substance":
                continue
            detail = {"reaction": led} if led else {}
            if (reaction := _REACTION.search(name)) and not _NOT_REACTION.match(
                reaction["paren"] or ""
            ):
                detail["reaction"] = (reaction["paren"] or reaction["rest"]).strip()
                name = name[: reaction.start()].strip()
            told = context_of(said, at, at + len(name), family=family, mixed=place.section.mixed)
            yield fact_at(
                place,
                Kind.ALLERGY,
                name,
                first,
                last,
                State.PRESENT,
                polarity=told.polarity,
                subject=told.subject,
                detail=detail,
            )
