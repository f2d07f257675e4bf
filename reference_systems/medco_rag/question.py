"""What a question asks: of whom, about what, in which form and time; no model, only words."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from reference_systems.medco_rag.dates import DATE, iso
from reference_systems.medco_rag.terms import bare, stem, terms, tokens
from reference_systems.medco_rag.words import stems

__all__ = ["Ask", "Form", "Time", "Topic", "parse"]


class Topic(StrEnum):
    """What a question is about."""

    ALLERGY = "allergy"
    MEDICATION = "medication"
    CONDITION = "condition"
    PROCEDURE = "procedure"
    IMMUNIZATION = "immunization"
    OBSERVATION = "observation"
    ENCOUNTER = "encounter"
    COMPLAINT = "complaint"
    PLAN = "plan"
    PERSON = "person"
    INTERACTION = "interaction"
    SUMMARY = "summary"
    OPEN = "open"


class Form(StrEnum):
    """In which form the answer is wanted."""

    LIST = "list"
    YES_NO = "yes or no"
    WHEN = "when"
    DOSE = "dose"
    FREQUENCY = "frequency"
    ROUTE = "route"
    REACTION = "reaction"
    REASON = "reason"
    WHO = "who"
    VALUE = "value"


class Time(StrEnum):
    """Of which time."""

    ANY = "any"
    NOW = "now"
    EVER = "ever"
    FIRST = "first"
    LAST = "last"


@dataclass(frozen=True, slots=True)
class Ask:
    """A question taken apart; ``target`` are the stems it is about, ``phrase`` as it was written."""

    text: str
    topic: Topic
    form: Form
    time: Time
    subject: str
    target: tuple[str, ...]
    phrase: str
    since: str = ""
    until: str = ""


_TOPICS: tuple[tuple[Topic, str], ...] = (
    (Topic.INTERACTION, r"\binteract"),
    (Topic.ALLERGY, r"\ballerg|intoleran|adverse (?:drug )?reaction|hypersensitiv"),
    (Topic.IMMUNIZATION, r"vaccin|immuni[sz]|\bshots?\b|\bjabs?\b"),
    (Topic.COMPLAINT, r"chief complaint|presenting complaint|complain|reason for (?:the )?(?:visit|encounter|admission)|why (?:did|was|is) .*\b(?:come|visit|seen|present|admitted|here)"),
    (Topic.SUMMARY, r"\bsummar|\boverview\b|\bbrief me\b"),
    (Topic.PERSON, r"\bhow old\b|\bage\b(?! of)|\bgender\b|\bsex\b(?!ual)|\bbirth ?(?:day|date)|\bdate of birth|\bdob\b|\bborn\b|\bmarital|\bmarried\b|\bdate of death|\bdie[ds]?\b(?= |\?)"),
    (Topic.MEDICATION, r"\bmedic(?:ation|ine)s?\b|\bmeds?\b|\bdrugs?\b|prescri|\b(?:taking|takes?|took|taken)\b|\bdos(?:e|es|age|ing)\b|\brefill|\bpills?\b|\btablets?\b|\bon (?:any |a )?(?!the\b|file|record|\d|average)[a-z]{4,}(?:in|ol|ide|ine|one|il|an|am|ate|en|pam|statin)\b|\bstrength\b|\bstart(?:ed)? (?:on|taking)\b|\bdiscontinu|\border(?:ed|s)?\b|\binhaler"),
    (Topic.PROCEDURE, r"\bprocedures?\b|surger|\bsurgical|\boperat(?:ion|ed)|\bunder(?:go|gone|went)\b|\bperformed\b|\bconducted\b|\bcarried out\b|\bdone\b"),
    (Topic.OBSERVATION, r"\blab(?:s|oratory)?\b|\bresults?\b|\blevels?\b|\breading|\bvitals?\b|\bmeasure(?:d|ment)|\bvalue\b|\ba1c\b|\bbmi\b|\bweigh|\bheight\b|\btall\b|\bheart rate\b|\btemperature\b"),
    (Topic.PLAN, r"\b(?:treatment |care |follow[- ]?up )?plans?\b|\brecommend|\bfollow[- ]?up\b|\bnext steps?\b"),
    (Topic.CONDITION, r"diagnos|\bconditions?\b|\bproblems?\b|\bdiseases?\b|\bdisorders?\b|\bsuffer|\bhistory of\b|\bmedical history\b|\billness|\bcomorbid|\bsymptoms?\b"),
    (Topic.ENCOUNTER, r"\b(?:encounters?|visits?|appointments?|seen|consultations?|admi(?:ssions?|tted))\b"),
)  # fmt: skip
_COMPILED = tuple((topic, re.compile(words, re.IGNORECASE)) for topic, words in _TOPICS)
_FORMS: tuple[tuple[Form, str], ...] = (
    (Form.REACTION, r"\breactions?\b(?! to any)|\bhow (?:does|did) .* react|\bwhat happens\b"),
    (Form.DOSE, r"\b(?:what|which|how)\b[^?]*\b(?:dos(?:e|es|age)|strength)\b(?! inhaler)|\bdos(?:e|age) of\b|^\W*dos(?:e|age)\b|\bhow much\b|\bhow many (?:mg|milligrams|mcg|micrograms|units)\b"),
    (Form.FREQUENCY, r"\bhow often\b|\bfrequency\b|\bhow frequently\b|\bhow many times (?:a|per) day\b"),
    (Form.ROUTE, r"\broute\b|\bhow is .* (?:taken|given|administered)\b|\bform\b"),
    (Form.WHEN, r"^\W*when\b|\bwhen (?:was|were|did|is|has)\b|\b(?:what|which|on what|on which) (?:date|day|year)\b|\bdates? (?:of|when|did|was|on which)\b|\bsince when\b|\bhow long (?:ago|has|have)\b|\bdate of\b"),
    (Form.REASON, r"^\W*why\b|\breason for\b|\bindication\b|\bwhat (?:is|was) .* (?:for|prescribed for|treating)\s*\?*$|\bfor what\b"),
    (Form.WHO, r"^\W*who\b|\bwhich (?:doctor|physician|clinician|provider)\b|\bwhat (?:doctor|physician|provider)\b"),
    (Form.YES_NO, r"^\W*(?:is|are|was|were|does|do|did|has|have|had|can|could|any(?: known| history| record| evidence)?|isn't|hasn't|doesn't)\b|\bis there (?:any|a)\b|\bwhether\b|\bis (?:he|she|the patient)\b.*\?$|\b(?:yes or no)\b"),
)  # fmt: skip
_FORMED = tuple((form, re.compile(words, re.IGNORECASE)) for form, words in _FORMS)
_WH = re.compile(r"^\W*(?:what|which|who|where|how|list|name|show|give|tell)\b", re.IGNORECASE)
_KIN = re.compile(
    r"\b(?:mother|father|mom|dad|brother|sister|son|daughter|aunt|uncle|cousin|grandmother|grandfather|grandparent|siblings?|parents?|husband|wife|spouse)s?\b",
    re.IGNORECASE,
)
_FAMILY = re.compile(
    r"\bfamily (?:medical )?(?:history|hx)\b|\bfamily members?\b|\bruns? in the family\b|\bin (?:the|his|her|their) family\b|\brelatives?\b|\bhereditary\b",
    re.IGNORECASE,
)
_NOW = re.compile(
    r"\b(?:current(?:ly)?|now|at present|presently|active(?:ly)?|still|today|these days|ongoing|at the moment|is (?:the patient|he|she) (?:on|taking))\b",
    re.IGNORECASE,
)
_EVER = re.compile(
    r"\b(?:ever|history of|previous(?:ly)?|past|prior|all|in the past|formerly|so far|over time)\b",
    re.IGNORECASE,
)
_FIRST = re.compile(
    r"\b(?:first|initial(?:ly)?|earliest|begin|began|start(?:ed)?|onset|originally)\b|\bsince when\b|\bhow long\b",
    re.IGNORECASE,
)
_LAST = re.compile(r"\b(?:last|latest|most recent(?:ly)?|newest|recent)\b", re.IGNORECASE)
#: words that carry no content of their own; what is left is what a question is about
_EMPTY = stems("empty")
_KIN_WORDS = stems("kin")
_RANGE = re.compile(
    r"\b(?P<how>since|after|from|before|until|up to|prior to|in|during|on|dated|of|between)\s+(?:the year\s+)?(?P<year>(?:19|20)\d{2})\b(?![-/])(?:\s+(?:and|to|until)\s+(?P<year2>(?:19|20)\d{2})\b)?",
    re.IGNORECASE,
)


def parse(text: str, names: Collection[str] = ()) -> Ask:
    """Take a question apart; ``names`` are stems of the patient's own names.

    >>> ask = parse("Is the patient allergic to penicillin?")
    >>> ask.topic.value, ask.form.value, ask.target
    ('allergy', 'yes or no', ('penicillin',))
    >>> parse("When was lisinopril first prescribed?").time.value
    'first'
    """
    plain = " ".join(text.split())
    rest, since, until = _dates(plain)
    subject = "patient"
    if kin := _KIN.search(rest):
        subject = stem(kin.group())
        subject = {
            "mom": "mother",
            "dad": "father",
            "parent": "family",
            "sibling": "family",
            "grandparent": "family",
        }.get(subject, subject)
    elif _FAMILY.search(rest):
        subject = "family"
    form = next((form for form, words in _FORMED if words.search(rest)), Form.LIST)
    topic = next((topic for topic, words in _COMPILED if words.search(rest)), Topic.OPEN)
    if (
        form is Form.YES_NO
        and _WH.match(rest)
        and not re.search(r"\bwhether\b|yes or no", rest, re.IGNORECASE)
    ):
        form = Form.LIST
    if form is Form.REACTION:
        topic = Topic.ALLERGY
    target, phrase = _target(rest, names, since or until)
    if topic is Topic.ENCOUNTER and target:
        topic = Topic.OPEN
    if topic is Topic.PERSON and target and not set(target) <= _PERSONAL:
        topic = Topic.OPEN
    return Ask(plain, topic, form, _time(rest), subject, target, phrase, since, until)


_PERSONAL = stems("personal")


def _time(text: str) -> Time:
    if (
        re.match(r"^\W*(?:was|were|did|had|has \S.* been|have \S.* been)\b", text, re.IGNORECASE)
        and not _FIRST.search(text)
        and not _LAST.search(text)
    ):
        return Time.EVER
    if re.search(
        r"\b(?:last|most recently) (?:done|performed|prescribed|ordered|given|seen|taken|checked|measured|had)\b",
        text,
        re.IGNORECASE,
    ):
        return (
            Time.LAST
        )  # "initial patient assessment last done": the name holds a "first" of its own
    for time, words in (
        (Time.FIRST, _FIRST),
        (Time.LAST, _LAST),
        (Time.NOW, _NOW),
        (Time.EVER, _EVER),
    ):
        if words.search(text):
            return time
    return Time.ANY


def _target(text: str, names: Collection[str], _dated: str) -> tuple[tuple[str, ...], str]:
    """Return the stems that carry what is asked about, and the stretch of the question they span."""
    clean = bare(text)
    kept = [
        (word, start, end)
        for word, start, end in tokens(clean)
        if word not in _EMPTY and word not in _KIN_WORDS and word not in names
    ]
    if not any(word[0].isalpha() for word, _, _ in kept):
        return (), ""
    phrase = clean[kept[0][1] : kept[-1][2]]
    mapped = [
        word
        for word in terms(phrase)
        if word not in _EMPTY and word not in _KIN_WORDS and word not in names
    ]
    return tuple(dict.fromkeys(mapped)), phrase


def _dates(text: str) -> tuple[str, str, str]:
    """Return the question without its dates, and the days it limits itself to."""
    found = [(match, iso(match)) for match in DATE.finditer(text)]
    found = [(match, day) for match, day in found if day]
    if found:
        since, until = found[0][1], found[-1][1]
        lead = text[: found[0][0].start()].rstrip().lower()
        if len(found) == 1:
            if re.search(r"\b(?:since|after|from)$", lead):
                until = ""
            elif re.search(r"\b(?:before|until|till|by|up to|prior to)$", lead):
                since = ""
        rest = DATE.sub(" ", text)
        return (
            rest,
            min(since, until) if since and until else since,
            max(since, until) if since and until else until,
        )
    year = _RANGE.search(text)
    if year is None:
        return text, "", ""
    first, last = year["year"], year["year2"] or year["year"]
    how = year["how"].lower()
    rest = text[: year.start()] + text[year.end() :]
    if how in ("since", "from") and not year["year2"]:
        return rest, f"{first}-01-01", ""
    if how == "after":
        return rest, f"{int(first) + 1}-01-01", ""
    if how in ("before", "prior to"):
        return rest, "", f"{int(first) - 1}-12-31"
    if how in ("until", "up to"):
        return rest, "", f"{first}-12-31"
    return rest, f"{first}-01-01", f"{last}-12-31"
