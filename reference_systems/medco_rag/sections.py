"""Where the encounters and sections of a note begin, and what kind of document each is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from reference_systems.medco_rag.dates import DATE, iso
from reference_systems.medco_rag.model import DocumentType as Doc

__all__ = ["Section", "document_type", "sections"]

#: words of headings, the first that fits decides
_HEADINGS: tuple[tuple[Doc, str], ...] = (
    (Doc.ALLERGY_LIST, r"allerg|adverse (?:drug )?reactions?|intoleranc|\bnkda\b|^all$"),
    (Doc.FAMILY_HISTORY, r"\bfam(?:ily)?\b|\bfhx?\b"),
    (Doc.IMMUNIZATION_LIST, r"immuni[sz]|vaccin|^(?:imms?|izs?|vax)$"),
    (Doc.SURGICAL_HISTORY, r"surgical|^surg(?: hx)?$|surger|\bpshx?\b|pastsurg|operations"),
    (Doc.SOCIAL_HISTORY, r"social|^soc(?: hx)?$|\bshx?\b|sochx|substance use|tobacco|lifestyle|habits"),
    (Doc.MEDICATION_LIST, r"medication|\bmeds?\b|prescription|\bdrugs?\b|\brx\b|current therapy|medicines"),
    (Doc.PROBLEM_LIST, r"past medical|pastmedical|\bpmhx?\b|medical history|problem|^dx$|diagnos|past history|comorbid|conditions|gyn|obstetric|psychiatric history"),
    (Doc.CHIEF_COMPLAINT, r"chief complaint|\bcc\b|reason for (?:visit|encounter|admission|consult|referral)|presenting (?:complaint|problem)"),
    (Doc.HISTORY, r"history of (?:the )?present|\bhpi\b|genhx|subjective|interval history|^history$|history of present"),
    (Doc.REVIEW, r"review of systems|\bros\b"),
    (Doc.EXAM, r"exam|vitals?|objective|^(?:pe|vss?|obj)$"),
    (Doc.RESULTS, r"result|\blabs?\b|laborator|imaging|radiolog|investigation|studies|pathology"),
    (Doc.PROCEDURE_LIST, r"procedure"),
    (Doc.PLAN, r"assessment|\bplan\b|impression|recommendation|disposition|follow[- ]?up|hospital course|edcourse|treatment|discharge|instructions|\ba/?p\b"),
    (Doc.DEMOGRAPHICS, r"demographic|patient information|^patient$"),
    (Doc.NOTE, r"^notes?$|^comments?$|^summary$|^other(?:_history)?$|^background$|^overview$|^addendum$|^medical$|^surgical$"),
)  # fmt: skip
_KNOWN = tuple((kind, re.compile(words, re.IGNORECASE)) for kind, words in _HEADINGS)
_MARKED = re.compile(
    r"^[ \t\f\ufeff]*(?:#{1,6}[ \t]*(?P<hash>[^#\n].*?)[ \t]*#*|\*\*(?P<bold>[^*\n]+)\*\*:?|=+[ \t]*(?P<equal>[^=\n]+?)[ \t]*=+)[ \t\r]*$"
)
_INLINE = re.compile(
    r"^[ \t\f\ufeff]*(?:\d{1,2}[.)][ \t]*)?(?:\*\*)?(?P<head>[A-Za-z][A-Za-z0-9 /&'\u2019()_-]{0,48}?)(?:\*\*)?[ \t]*:(?:\*\*)?(?=[ \t]|$)(?P<rest>.*)$"
)
_ALONE = re.compile(
    r"^[ \t\f\ufeff]*(?:\d{1,2}[.)][ \t]*)?(?P<head>[A-Z][A-Za-z0-9 /&'\u2019()_-]{1,48}?)[ \t\r]*$"
)
#: words of a sentence that ends in a colon, not of a heading
_SENTENCE = re.compile(
    r"\b(?:was|were|is|are|following|given|has|had|he|she|they)\b", re.IGNORECASE
)
#: what the columns of a table in a note are headed with
_COLUMN = re.compile(
    r"allergens?|allerg(?:y|ies)|substance|agent|reactions?|severity|type|category|date|onset(?: date)?|noted|recorded|status|comments?|notes?|medications?|drugs?|medicines?|name|dose|dosage|strength|unit|route|frequency|sig"
    r"|dispense[d]?|quantity|refills?|started?|ended?|stop(?:ped)?|start date|end date|stop date|indication|prescriber|provider|diagnos[ie]s|problems?|conditions?|vaccines?|immuni[sz]ations?|procedures?|surger(?:y|ies)|age of onset|relation|icd(?:-?10)?|code",
    re.IGNORECASE,
)
_CELLS = re.compile(r"\t+|\||[ ]{2,}")
_RULE = re.compile(r"^[ \t\f\ufeff]*(?:-{3,}|={3,}|_{3,}|\*{3,})[ \t\r]*$")
_DATE_HEAD = re.compile(
    r"^(?:#{1,6}\s*)?(?:\*\*)?(?:(?:date|encounter|visit|(?:admit|admission|discharge|surgery|procedure) date|date of (?:service|visit|encounter|admission|note|surgery|procedure|operation|consultation)|service date|dos|note|seen|progress note|office visit|"
    r"clinic note|admission|admitted|encounter date|visit date|note date|follow-?up(?: visit)?|consultation|telephone call|\w+ (?:visit|note))\b[\s:,#\u2013-]*(?:on|of|dated|date)?[\s:,\u2013-]*)*(?:\*\*)?\s*$",
    re.IGNORECASE,
)
_SPECIALTY = re.compile(
    r"^[ \t\f\ufeff]*(?:\*\*)?(?:doctor[ _]?specialty|specialty|department|service|clinic|provider specialty)(?:\*\*)?[ \t]*:[ \t]*(?P<name>[^\n]{2,60}?)[ \t.]*$",
    re.IGNORECASE | re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Section:
    """A stretch of a note under one heading, in one encounter."""

    start: int
    end: int
    document_type: Doc
    date: str
    date_start: int
    date_end: int
    specialty: str
    mixed: bool = False


def document_type(heading: str) -> Doc | None:
    """Return the kind of document a heading announces, or None where no rule knows it.

    >>> [document_type(head) for head in ("ALLERGY", "Current Meds", "FAM/SOCHX", "Zebra")]
    [<DocumentType.ALLERGY_LIST: 'AllergyList'>, <DocumentType.MEDICATION_LIST: 'MedicationList'>, \
<DocumentType.FAMILY_HISTORY: 'FamilyHistory'>, None]
    """
    for kind, words in _KNOWN:
        if words.search(heading.strip()):
            return kind
    return None


def sections(text: str) -> Iterator[Section]:
    """Yield the sections of a note in order; encounters begin at lines that hold a date alone."""
    date, date_at, specialty = "", (0, 0), ""
    kind, start, mixed = Doc.NOTE, 0, False
    specialties = _specialties(text)
    at = 0
    lines = [line.rstrip("\r") for line in text.split("\n")]
    begins = [len(line) + 1 for line in text.split("\n")]
    for number, line in enumerate(lines):
        here, at = at, at + begins[number]
        found = _date_line(line)
        heading: tuple[Doc, int, bool] | None = None
        if found is None:
            following = lines[number + 1] if number + 1 < len(lines) else ""
            heading = _heading(line, following)
            if heading is None:
                continue
        if text[start:here].strip():
            yield Section(start, here, kind, date, *date_at, specialty, mixed)
        if found is not None:
            date, date_at = found[0], (here + found[1], here + found[2])
            kind, start, mixed = Doc.NOTE, at, False
            specialty = _specialty_of(text, at, specialties)
        elif heading is not None:
            kind, start, mixed = heading[0], here + heading[1], heading[2]
            if not date:
                specialty = _specialty_of(text, 0, specialties)
    if text[start:].strip():
        yield Section(start, len(text), kind, date, *date_at, specialty, mixed)


def _specialties(text: str) -> dict[int, str]:
    return {found.start(): found["name"].strip(" *") for found in _SPECIALTY.finditer(text)}


def _specialty_of(text: str, at: int, places: dict[int, str]) -> str:
    """Return the specialty that stands between here and the next encounter."""
    for place, name in places.items():
        if place >= at and not any(
            _date_line(line) for line in text[at:place].split("\n") if len(line) < 80
        ):
            return name
    return ""


def _date_line(line: str) -> tuple[str, int, int] | None:
    """Return date and place where a line says when an encounter was, and nothing else."""
    if len(line) > 120:
        return None
    found = DATE.search(line)
    if found is None or not (day := iso(found)):
        return None
    if re.search(r"\b(?:birth|dob|born)\b", line, re.IGNORECASE):
        return None
    rest = line[found.end() :].strip(" \t\r*#:,.-\u2013")
    timed = re.fullmatch(
        r"(?:at )?(?:\d{1,2}:\d{2}(?::\d{2})?\s*(?:am|pm)?)?|[A-Z][\w .'/&-]{0,60}",
        rest,
        re.IGNORECASE,
    )
    if _DATE_HEAD.match(line[: found.start()]) and timed:
        return day, found.start(), found.end()
    return None


def _heading(line: str, following: str) -> tuple[Doc, int, bool] | None:
    """Return kind, where the text begins and whether two kinds are meant, for a heading."""
    if table := _table_of(line):
        return table, len(line) + 1, False
    marked = _MARKED.match(line)
    if marked:
        title = marked["hash"] or marked["bold"] or marked["equal"]
        if ":" in title and not title.rstrip().endswith(":"):
            head = title.split(":", 1)[0]
            if document_type(head):
                return document_type(head) or Doc.NOTE, line.index(":") + 1, _mixed(head)
        return document_type(title) or Doc.NOTE, len(line) + 1, _mixed(title)
    inline = _INLINE.match(line)
    if inline:
        head = inline["head"]
        kind = document_type(head)
        if kind is not None and len(head.split()) <= 6 and not _SENTENCE.search(head):
            return kind, inline.start("rest"), _mixed(head)
        if head.isupper() and not inline["rest"].strip():
            return Doc.NOTE, len(line) + 1, False
        return None
    alone = _ALONE.match(line)
    if alone:
        head = alone["head"]
        kind = document_type(head)
        short = len(head.split()) <= 5
        if (
            kind is not None
            and short
            and (head.isupper() or head.istitle() or _RULE.match(following) or _only_heading(head))
        ):
            return kind, len(line) + 1, _mixed(head)
        if head.isupper() and len(head) > 3 and _RULE.match(following):
            return Doc.NOTE, len(line) + 1, False
    return None


def _table_of(line: str) -> Doc | None:
    """Return what a line of column heads announces: "Allergen | Reaction | Severity"."""
    cells = [cell.strip(" *_:") for cell in _CELLS.split(line) if cell.strip(" *_:")]
    if len(cells) < 2 or not all(_COLUMN.fullmatch(cell) for cell in cells):
        return None
    words = " ".join(cells).lower()
    if "allerg" in words or ("reaction" in words and ("substance" in words or "agent" in words)):
        return Doc.ALLERGY_LIST
    return document_type(cells[0])


def _only_heading(head: str) -> bool:
    """Tell whether all words of a line belong to headings: "History of present illness"."""
    words = r"(?:current|active|known|home|past|present|medical|surgical|family|social|history|of|illness|and|drug|list|review|systems|physical|exam(?:ination)?|chief|complaint|assessment|plan|allerg(?:y|ies)|medications?|problems?|immunizations?|vital|signs|the|results?|laboratory|data|procedures?|discharge|instructions)"
    return re.fullmatch(rf"{words}(?:[ /&]+{words})*", head.strip(), re.IGNORECASE) is not None


def _mixed(head: str) -> bool:
    low = head.lower()
    return ("fam" in low) + ("soc" in low) + ("medical" in low and "family" not in low) > 1
