"""Typed facts in the sections of a note, each with the place where it is said."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from reference_systems.medco_rag.context import Context, context_of
from reference_systems.medco_rag.drugs import drug_details, ingredients_in
from reference_systems.medco_rag.model import DocumentType as Doc
from reference_systems.medco_rag.model import Fact, Kind, Polarity, Span, State
from reference_systems.medco_rag.sections import Section
from reference_systems.medco_rag.sentences import addressed_to_software, items, sentences
from reference_systems.medco_rag.terms import bare

__all__ = ["BLANKET_ALLERGY", "Place", "facts_of"]

#: "no known allergies", in whatever words
BLANKET_ALLERGY = re.compile(
    r"\bn\.?k\.?d?\.?a\b\.?|\b(?:no|denie[sd](?: any| having)?|without|not? have any|negative for|does(?: not|n['\u2019]t) have any|has no|none known)\s+"
    r"(?:(?:known|any|current|reported|documented|significant|history of|past|other|drug|medication|medicine|medical|food|environmental|seasonal|latex|and|or|/|,)\s+)*"
    r"(?:allerg(?:y|ies|ic reactions?)(?!\s+to\b)|adverse (?:drug )?reactions?)|\ballerg(?:y|ies)\s*[:\u2013-]\s*(?:none|no|nil|negative|denie[sd])\b"
    r"|\bno (?:known )?(?:drug |medication |food )?(?:allerg\w+|intoleranc\w+)(?!\s+to\b)|\bnot allergic to (?:any|anything)|\ballergic to (?:nothing|none)\b|\bno known (?:drug|medication) (?:allerg|intoler)",
    re.IGNORECASE,
)
_NOTHING = re.compile(
    r"^(?:none|nil|n/?a|no|negative|denies|denied|nothing|unremarkable|noncontributory|non-contributory)\b(?:\s+(?:known|reported|recorded|significant|at this time|currently|listed|noted|taken))*\s*\.?$",
    re.IGNORECASE,
)
_BLANKET_DRUGS = re.compile(
    r"^(?:none|nil|no)\b\.?$|\bno\s+(?:(?:current|active|known|home|regular|routine|prescription|prescribed|chronic|daily|other|outpatient|or|over-the-counter)\s+)*(?:medications?|meds|medicines|drugs)\b(?! allerg)"
    r"|\b(?:not (?:currently )?(?:taking|on)|denies (?:taking|use of)|does(?: not|n['\u2019]t) take|takes no)\s+(?:any\s+)?(?:(?:regular|prescription|current|daily)\s+)*(?:medications?|meds|medicines)\b",
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
    r"^(?:reviewed|see|unknown|not (?:recorded|reviewed|documented|asked|known|sure)|unable|updated|verified|as above|unchanged|noncontributory)\b",
    re.IGNORECASE,
)
_NO_CONTENT = re.compile(
    r"^(?:otherwise,? )?(?:as (?:noted|above|listed|documented)|reviewed(?: and (?:noted|updated|unchanged))?|see (?:above|chart|list|hpi)|unchanged|unknown|not sure)\b[^,;]{0,40}$",
    re.IGNORECASE,
)
_OTHER_MATTER = re.compile(
    r"\b(?:has|have|takes|history of|significant for)\b(?![^.]*allerg)", re.IGNORECASE
)
_DENIAL = re.compile(r"\s*(?:no|denies|not allergic to)\b", re.IGNORECASE)
_OPERATIONS = re.compile(
    r"\b(?P<what>(?:(?:total|partial|right|left|bilateral|open|laparoscopic|coronary|artery|hip|knee|shoulder|cataract|heart|valve|hernia|spinal|carpal|tunnel|aortic|kidney|liver|bone|marrow|tubal|cesarean|gastric|breast|skin|colon|cardiac)\s+)*"
    r"(?:\w{3,}(?:ectom|plast|otom|ostom|scop|centes|rrhaph|graph)(?:y|ies|is)\b|\w*(?:surgery|surgeries)\b|bypass(?: graft(?:ing)?)?\b|replacement\b|transplant(?:ation)?\b|c-section\b|cesarean\b|biops(?:y|ies)\b|laminectomy\b|hernia repair\b|ligation\b|arthrodesis\b|angioplasty\b|pacemaker (?:placement|implantation)\b|stent(?:ing| placement)?\b))",
    re.IGNORECASE,
)
#: words that stand before "allergy" and name no substance
_NO_SUBSTANCE = re.compile(
    r"\b(?:no|known|drugs?|any|food|seasonal|environmental|denie[sd]|denying|her|his|their|the|of|has|have|had|with|multiple|for|and|or|an?|is|are|was|to|as|history|medication|severe|mild|possible"
    r"|other|significant|such|this|that|from|about|by|in|on|due|skin|new|reported|reports?|documented|chronic|without|not|some|several|include|including|including|patient|list)\b",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"^(?:(?:the )?(?:patient|pt|he|she)\s+)?(?:(?:is|are|was|has|have|had|reports?|states?|notes?|endorses)\s+)?(?:(?:an?|known|drug|food|the|severe|mild|multiple|significant for|positive for|include|includes|including|following|some)\s+)*"
    r"(?:allerg(?:y|ies|ic)(?:\s+(?:to|include|includes|are|is|list))?\s*[:\u2013-]?\s*)?(?:(?:an?|the)\s+)?(?:to\s+)?",
    re.IGNORECASE,
)
_REACTION = re.compile(
    r"\((?P<paren>[^)]+)\)|(?:\s+[\u2013-]\s*|\s*:\s*|,?\s+(?:which\s+)?(?:causes?|caused|causing|gives?|leads? to|results? in|resulting in|with a? ?reaction of|reaction:?)\s+)(?P<rest>[^.;\n]+)",
    re.IGNORECASE,
)
_LEADS = re.compile(
    r",?\s+(?:(?:which|that|and)\s+)?(?:causes?|caused|causing|gives? (?:him|her|them)|leads? to|results? in|resulting in|reaction:?)\s+(?P<rest>.+)$",
    re.IGNORECASE,
)
_NOT_REACTION = re.compile(
    r"^(?:substance|organism|finding|disorder|product|edible|situation)$", re.IGNORECASE
)
_NAMED = re.compile(
    r"^[ \t]*(?:the )?(?:following )?(?P<head>[^\n:]{0,80}\b(?:prescribed|medications?|procedures?|immunizations?|vaccin\w+)[^\n:]{0,40}):[ \t]*(?:(?P<rest>[^\s][^\n]*)|(?P<lines>(?:\n[ \t]*[-*\u2022][^\n]*)*))",
    re.IGNORECASE | re.MULTILINE,
)
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


@dataclass(frozen=True, slots=True)
class Place:
    """Where a section stands: its file, its encounter and the chunk of each of its characters."""

    file: str
    text: str
    section: Section
    encounter: str
    chunk_at: tuple[tuple[int, str], ...]

    def chunk(self, at: int) -> str:
        """Return the id of the chunk that a character belongs to."""
        found = self.chunk_at[0][1]
        for start, name in self.chunk_at:
            if start > at:
                break
            found = name
        return found


def facts_of(place: Place) -> Iterator[Fact]:
    """Yield the typed facts of a section; sentences that give orders to software yield none."""
    kind = place.section.document_type
    start, end = place.section.start, place.section.end
    if kind is Doc.ALLERGY_LIST:
        yield from _allergy_list(place)
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
        if kind is not Doc.ALLERGY_LIST and "llerg" in said:
            yield from _allergies_in(place, first, last)
        if kind is not Doc.MEDICATION_LIST:
            yield from _drugs_in(place, first, last)
        if kind in (Doc.NOTE, Doc.HISTORY, Doc.PROBLEM_LIST):
            yield from _operations_in(place, first, last)
        if kind not in (Doc.ALLERGY_LIST, Doc.MEDICATION_LIST, Doc.FAMILY_HISTORY):
            yield from _conditions_in(place, first, last)


def _fact(
    place: Place, kind: Kind, name: str, first: int, last: int, state: State, **more: object
) -> Fact:
    section = place.section
    date_span = Span(place.file, section.date_start, section.date_end) if section.date else None
    return Fact(
        kind=kind,
        name=" ".join(name.split()).strip(" .,;:"),
        span=Span(place.file, first, last),
        chunk=place.chunk(first),
        state=state,
        date=section.date,
        date_span=date_span,
        encounter=place.encounter,
        **more,  # type: ignore[arg-type]
    )


def _allergy_list(place: Place) -> Iterator[Fact]:
    """Yield the entries of an allergy list; "He gets hives." is the reaction to the one before."""
    before: list[Fact] = []
    for first, last in _pieces(place):
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
    if BLANKET_ALLERGY.search(said) or _NOTHING.match(said):
        yield _fact(
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
        yield _fact(
            place, Kind.ALLERGY, name, first, last, State.LISTED,
            polarity=told.polarity, subject=told.subject, detail=detail,
        )  # fmt: skip


def _allergens(text: str, first: int, last: int) -> Iterator[tuple[str, int, int, dict[str, str]]]:
    """Yield each substance of an entry with its place and its reaction."""
    said = text[first:last]
    lead = _LEAD.match(said)
    at = lead.end() if lead else 0
    body = said[at:].rstrip(" .")
    parts = list(_comma_parts(body))
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
        name = re.sub(
            r"\s+(?:allergy|allergies|intolerance)$",
            "",
            part[:name_end].strip(" .,:"),
            flags=re.IGNORECASE,
        )
        name = re.sub(r"^(?:allerg(?:y|ic) to|to|and|or)\s+", "", name, flags=re.IGNORECASE)
        if not name or (several and re.fullmatch(r"(?:etc|others?|unknown)", name, re.IGNORECASE)):
            continue
        start = first + at + a + part.find(name)
        yield name, start, start + len(name), detail


def _comma_parts(text: str) -> Iterator[tuple[int, int]]:
    """Yield the entries of "a, b (c, d) and e", commas inside brackets aside."""
    depth = start = 0
    at = 0
    while at < len(text):
        mark = text[at]
        depth += mark in "([" or -(mark in ")]" and depth > 0)
        joint = (
            re.match(r",\s+(?:and\s+|or\s+)?|\s+and\s+|\s+or\s+|\s*;\s*", text[at:])
            if depth <= 0 or (mark == "," and text.find(")", at) < 0)
            else None
        )
        if joint and joint.group():
            if text[start:at].strip():
                yield start, at
            at += joint.end()
            start = at
            continue
        at += 1
    if text[start:].strip():
        yield start, len(text)


def _medication_list(place: Place) -> Iterator[Fact]:
    text = place.text
    for first, last in _pieces(place):
        said = text[first:last]
        if addressed_to_software(said) or re.match(
            r"^(?:reviewed|see|as above|unchanged|reconciled|the following)\b", said, re.IGNORECASE
        ):
            continue
        if _BLANKET_DRUGS.search(said) or _NOTHING.match(said):
            yield _fact(
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
        told = _told_of(said)
        ended = re.search(
            r"\b(?:stopped|discontinued|d/c['\u2019]?d|held|no longer|ceased|completed)\b",
            said,
            re.IGNORECASE,
        )
        polarity = told.polarity if not ended else Polarity.NEGATED
        state = State.ENDED if ended else State.LISTED
        yield _fact(
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
    for first, last in _pieces(place):
        said = place.text[first:last]
        if addressed_to_software(said):
            continue
        if _NOTHING.match(said) or re.match(
            r"^(?:otherwise,? )?(?:none|negative|no )\b", said, re.IGNORECASE
        ):
            yield _fact(
                place,
                kind,
                said,
                first,
                last,
                State.LISTED,
                polarity=Polarity.NEGATED,
                blanket=_NOTHING.match(said) is not None,
            )
            continue
        told = _told_of(said)
        yield _fact(
            place,
            kind,
            said,
            first,
            last,
            State.LISTED,
            polarity=told.polarity,
            subject=told.subject,
        )


def _told_of(said: str) -> Context:
    """Return what an entry says as a whole: by the cues before its last words."""
    whole = said.rstrip(" .;,:")
    return context_of(whole, len(whole), len(whole))


def _pieces(place: Place) -> Iterator[tuple[int, int]]:
    """Yield list entries, and within an entry its sentences."""
    for start, end in items(place.text, place.section.start, place.section.end):
        for first, last in sentences(place.text, start, end):
            said = place.text[first:last]
            if re.search(r"[^\W\d_]{2}", said) and not _NO_CONTENT.search(said):
                yield first, last


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
            yield _fact(place, kind, said, first, last, state, detail=detail)


def _allergies_in(place: Place, first: int, last: int) -> Iterator[Fact]:
    said = place.text[first:last]
    family = place.section.document_type is Doc.FAMILY_HISTORY
    if blanket := BLANKET_ALLERGY.search(said):
        told = context_of(
            said, blanket.end(), blanket.end(), family=family, mixed=place.section.mixed
        )
        if told.subject == "patient":
            words = re.sub(r"^(?:has|have)\s+", "", blanket.group(), flags=re.IGNORECASE)
            yield _fact(
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
        what, led = found[group], ""
        if leads := _LEADS.search(what):
            what, led = what[: leads.start()], leads["rest"].strip(" .")
        for a, b in _comma_parts(what):
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
            yield _fact(
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


_STOPPED = re.compile(
    r"\b(?:stop(?:ped)?(?: taking)?|discontinued?|d/c['\u2019]?d?|taken off(?: of)?|c(?:a|o)me off|weaned off)\s+(?:the |her |his )?(?P<what>[A-Za-z][\w-]*(?: [A-Za-z][\w-]*){0,2})",
    re.IGNORECASE,
)


def _subject_of(said: str, found: re.Match[str], family: bool) -> str:
    return context_of(said, found.start("what"), found.end("what"), family=family).subject


def _drugs_in(place: Place, first: int, last: int) -> Iterator[Fact]:
    said = place.text[first:last]
    if "llerg" in said:
        return
    family = place.section.document_type is Doc.FAMILY_HISTORY
    for found in _STOPPED.finditer(said):
        if ingredients_in(found["what"]):
            yield _fact(
                place, Kind.MEDICATION, found["what"], first, last, State.ENDED,
                polarity=Polarity.NEGATED, subject=_subject_of(said, found, family),
            )  # fmt: skip
    for found in _STARTED.finditer(said):
        what = found["what"]
        if not ingredients_in(what):
            continue
        for a, b in _comma_parts(what):
            if not ingredients_in(what[a:b]):
                continue
            at = found.start("what") + a
            told = context_of(said, at, at + b - a, family=family, mixed=place.section.mixed)
            state = State.ORDERED if _ORDERED.match(found.group()) else State.LISTED
            yield _fact(
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


_DENIED = re.compile(r"^(?:no|denies|denied|without|negative for)\s+", re.IGNORECASE)


def _told(head: str, name: str) -> Context:
    """Return what is said of an entry of a list: by the words before the list and by its own."""
    own = _DENIED.match(name)
    joined = f"{head}{name}"
    return context_of(joined, len(head) + (own.end() if own else 0), len(joined))


def _operations_in(place: Place, first: int, last: int) -> Iterator[Fact]:
    """Yield operations named in running text."""
    said = place.text[first:last]
    for found in _OPERATIONS.finditer(said):
        told = context_of(said, found.start("what"), found.end("what"))
        yield _fact(
            place, Kind.PROCEDURE, found["what"], first, last, State.PAST,
            polarity=told.polarity, subject=told.subject,
        )  # fmt: skip


def _conditions_in(place: Place, first: int, last: int) -> Iterator[Fact]:
    said = place.text[first:last]
    for found in _PRESENTING.finditer(said):
        past = re.search(r"history|hx|h/o|PMH", found["cue"], re.IGNORECASE) is not None
        allergic = False
        for a, b in _comma_parts(found["what"]):
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
            yield _fact(
                place, kind, name, first, last, state, polarity=told.polarity, subject=told.subject
            )
