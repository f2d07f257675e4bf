"""Whether a sentence says that something is so, and of whom: negation, family, doubt.

In the manner of NegEx and ConText (Chapman et al., J Biomed Inform 2001;34:301; Harkema et al.,
2009;42:839): cues open a scope that ends at a conjunction, a new subject or a verb that affirms.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from reference_systems.medco_rag.model import Polarity

__all__ = ["Context", "context_of", "narrowed"]

#: looks like a denial and is none
_PSEUDO = re.compile(
    r"\b(?:no (?:increase|decrease|change|significant change|interval change|further|doubt|improvement|relief|longer than)"
    r"|not (?:only|just|certain|sure|necessarily|drain|well|fully|always|currently controlled|controlled)"
    r"|without (?:difficulty|problem|incident|improvement|relief)|gram[- ]negative|no stranger to|not to mention|cannot rule out"
    r"|can ?not be (?:ruled out|excluded)|not (?:been )?ruled out|no known (?:cause|reason)"
    r"|not at goal|not (?:relieved|improved|helped|responding|responsive|tolerat\w+|recall|remember|know)|cannot exclude|unable to exclude)\b",
    re.IGNORECASE,
)
_BEFORE = re.compile(
    r"\b(?:no|denie[sd]|deny|denying|without|not|never|negative (?:for|history)|absence of|absent"
    r"|free (?:of|from)|neg\.? for|rules out|w/o|neither|nor|none|non|unremarkable for|rule[sd] out(?: for)?|fails? to reveal"
    r"|does(?:n['\u2019]t| not)|did(?:n['\u2019]t| not)|has(?:n['\u2019]t)|have(?:n['\u2019]t)|is(?:n['\u2019]t)|was(?:n['\u2019]t)"
    r"|declin(?:es|ed|ing)|(?:stop|discontinue)(?!\s+(?:smok|drink|using|tobacco|alcohol))|refuse[sd]|lacks|resolved without|discontinued|stopped|(?<![-\w])off(?! and on| label)|no longer)\b|(?<!\w)\(-\)",
    re.IGNORECASE,
)
_AFTER = re.compile(
    r"^[^,;.]{0,25}?(?:[:\u2013-]\s*(?:none|nil|no|absent|never|negative|neg|denie[sd])"
    # "Rash: none known" denies the rash; "Depression: denies SI" denies something else
    r"(?:\s+(?:any|known|current(?:ly)?|reported|recorded|noted|found|seen|history|hx|use|evidence|symptoms?|complaints?|at this time|today|now|by \w+|smok\w+|x ?\d+))*\s*(?=[.,;)\n]|$)"
    r"|\b(?:is|are|was|were|has been|have been)\s+(?:all\s+)?(?:ruled out|absent|negative|denied|excluded|held|on hold|stopped|discontinued|d/c['\u2019]?d|not an? (?:true )?allergy|not (?:present|seen|found|noted|reported|detected|identified|appreciated))"
    r"|\s+(?:discontinued|stopped|d/c['\u2019]?d|ruled out|denied|neg(?:ative)?(?=\s*(?:[.,;)]|x ?\d|$))|absent|unlikely|not (?:present|seen|found|noted|reported|detected|identified|appreciated))"
    r"|\s+r/o['\u2019]?d\b|\s*\((?:-|neg|negative|denied|none|absent|ruled out)\))",
    re.IGNORECASE,
)
#: a sign before a word: "-SOB, +cough"; where it may be a bullet or a dash, only beside a plus
_MINUS = re.compile(r"(?:[,;(/]\s*|[^\s:][ \t]+)-(?=[A-Za-z]|$)[^,;.:+\n]*$")
_LOOSE_MINUS = re.compile(r"(?:^|[,;:])\s*-\s*(?=[A-Za-z]|$)[^,;.:+\n]*$")
_PLUS = re.compile(r"(?:^|[,;:(/]\s*|\s)\+(?=[A-Za-z]|$)|(?:^|[,;:]\s*)\+\s*(?=[A-Za-z]|$)|\(\+\)")
#: whatever was denied before, these leave open
_SURELY_OPEN = re.compile(
    r"\b(?:can ?not|can['\u2019]?t|unable to|not) (?:be )?(?:exclude|rule out|ruled out|excluded)\b|\br/o\b(?!['\u2019]?d)|\?",
    re.IGNORECASE,
)
#: what will be done only on a condition: "will start escitalopram if …"
_WILL = re.compile(r"\b(?:will|would|may|might|could|plan(?:s|ning)? to)\b[^.;]*$", re.IGNORECASE)
_IF = re.compile(r"[^.;]{0,60}?\b(?:if|unless|in case)\b", re.IGNORECASE)
_UNKNOWN = re.compile(
    r"\b(?:unsure|not sure|unclear|uncertain|unknown|(?:not|n['\u2019]t) (?:know|recall|remember))\s+(?:if|whether)(?:(?!\bbut\b)[^;.])*$",
    re.IGNORECASE,
)
#: where the reach of a cue ends
_STOP = re.compile(
    r"\b(?:but|however|except|although|though|aside from|apart from|other than|yet|still|which|who"
    r"|presents? with|presented with|presenting with|pos(?:itive)?\.? for|complains? of|reports?|endorses|admits|notes?"
    r"|has(?! (?:no|not|never|any|ever|had any))|have(?! (?:no|not|never|any|ever|had any))|had(?! (?:no|not|never|any|ever))|is(?! (?:no|not))|takes|started|continues?|secondary to|due to|because|since|2/2|s/t|d/t|now (?:has|on|takes|taking|with)"
    r"|diagnosed with|significant for|with (?:a )?(?:known |past )?history of|remarkable for|does have|and (?:has|is|was|takes|reports|does))\b|(?<=,)\s+(?:mild|slight|some|trace|minimal|occasional|stable|known)\b(?![^.;]*\bor\b)|[;.]|\n\s*\n|\s-\s"
    r"|\((?:disorder|finding|situation|procedure|substance|organism|regime/therapy)\)?",
    re.IGNORECASE,
)
#: why something was stopped is no part of what was stopped
_STOPPED_FOR = re.compile(
    r"\b(?:stop(?:ped|s)?|discontinued?|d/c['\u2019]?d|held|off of|no longer on)\b[^.;]*?\b(?:for|after|given)\b",
    re.IGNORECASE,
)
#: "never had", "does not have": the verb is denied, and ends nothing
_AUXILIARY = re.compile(
    r"(?:\b(?:never|not|to|no longer)|n['\u2019]t)\s+(?:\w+ly\s+)?$|\bneither\b(?:(?!\bbut\b)[^.;])*\bnor\s+(?:\w+\s+){1,2}$",
    re.IGNORECASE,
)
_OPEN = re.compile(
    r"\b(?:if|should (?:he|she|they|the patient|you|any)|in case|risk (?:of|for|factors? for)|at risk|to rule out|r/o|rule out|possible|possibly|probable"
    r"|probably|suspect(?:ed|s)?|suspicious for|concern(?:ing|ed)? (?:for|about)|worried about|may (?:have|be|represent)|might (?:have|be)|could (?:have|be|represent)"
    r"|differential|versus|vs|question of|questionable|screening for|screen for|prevent(?:ion|ing)?|monitor(?:ing)? for|watch for"
    r"|(?:return|go|come back|rtc|present)\s+(?:to\s+(?:the\s+|an?\s+|our\s+|your\s+)?(?:ed|er|emergency(?: room| department)?|hospital|clinic|office|urgent care)\s+)?(?:for|if|with)"
    r"|seek (?:medical )?(?:care|help|attention)(?: for| if| with)?|(?:advis|instruct|educat|warn)ed\b(?=[^.;]*\b(?:of|on|about|re|regarding|if|for)\b)|presum\w+|working diagnosis|(?:prophylaxis|ppx) (?:against|for|of)"
    r"|(?:vaccinat|immuni[sz])\w+ (?:against|for)|ddx|d/dx|doubt(?:ful|s)?|suspicion|likely|unable to (?:exclude|rule out|recall)|cannot exclude|can['\u2019]?t (?:exclude|rule out)|not exclude|does(?: not|n['\u2019]t) (?:recall|remember|know)|evaluate for|test(?:ed|ing)? for|counsel(?:l?ed|ing)?(?: on| about)?|education (?:on|about|regarding)|consider(?:ing)?|unclear|uncertain|avoid(?:ing)?"
    r"|cannot rule out|can ?not be (?:ruled out|excluded)|not (?:been )?ruled out|unsure|not (?:sure|certain)|pending|(?:recommend|advis|counsel|decid)\w* against|precautions (?:for|regarding|about|given))\b|\?",
    re.IGNORECASE,
)
_KIN = (
    r"mother|father|mom|mum|dad|brothers?|sisters?|sons?|daughters?|aunts?|uncles?|cousins?|niece|nephew"
    r"|(?:great[- ])?grand(?:mother|father|parents?|son|daughter)s?|siblings?|parents?|twin|half-(?:brother|sister)"
    r"|husband|wife|spouse|partner|roommate|girlfriend|boyfriend|children|child(?=['\u2019]s)|relatives?|family(?: members?)?"
)
_FAMILY = re.compile(rf"\b(?:(?P<side>maternal|paternal)\s+)?(?P<kin>{_KIN})\b", re.IGNORECASE)
#: relatives who are there, or who speak; what is said is then of the patient
_BYSTANDER_BEFORE = re.compile(
    r"\b(?:with|by|from|per|to|lives? near|according to|told|cares? for|caring for|sees|visits?|and)\s+(?:(?:his|her|their|the|a|an|patient['\u2019]s|whose)\s+)?(?:\w+\s+)?$",
    re.IGNORECASE,
)
_WITH_ONLY = re.compile(
    r"\b(?:lives?|living|here|accompanied|brought|came|presents?|presented|stays?|resides?|together|along|spoke|discussed|seen|arrived)\b[^.;]{0,30}\b(?:with|by)\s+(?:(?:his|her|their|the|a)\s+)?(?:\w+\s+){0,2}$"
    r"|\b(?:per|according to|history (?:from|by|per)|as per|reported by|told (?:his|her|their)|informed by)\s+(?:(?:his|her|their|the|patient['\u2019]s)\s+)?$",
    re.IGNORECASE,
)
_SPEAKS = re.compile(
    r"^\s*(?:\([^)]*\)\s*)?,?\s*(?:who\s+)?(?:reports?|reported|states?|stated|says|said|notes?|noted|notices?|noticed|mentions?|mentioned|believes|thinks|worries|is (?:worried|concerned)|called|brings?|brought|helps?|adds|confirm(?:s|ed)|den(?:ies|ied)|gives?)\b",
    re.IGNORECASE,
)
#: what is said of the patient and a relative is said of the patient
_BOTH = re.compile(
    r"\b(?:(?:the )?(?:patient|pt)|he|she)\s+(?:and|or|nor)\s+(?:his|her|their)\s+$", re.IGNORECASE
)
_PATIENT = re.compile(
    r"\b(?:(?:the |this )?(?:patient|pt)(?!['\u2019]s (?:"
    + _KIN
    + r"))|he|she|they|i|himself|herself|mr|mrs|ms)\b",
    re.IGNORECASE,
)
#: a clause after one about the family that begins with the patient, or with a verb that has no subject
_PATIENT_AGAIN = re.compile(
    r"(?:[;.]\s*|\bbut\s+)(?:(?:the |this )?(?:patient|pt)\b(?!['\u2019]s (?:"
    + _KIN
    + r"))|he\b|she\b|(?:has|had|reports?|endorses|denies|takes|p/w|c/o)\b)"
    r"|\b(?:shx?|social|psh\w*|surgical|pmh\w*|past medical|ros|hpi|meds?|medications?|allergies|exam|a/p|assessment|plan)\b[^:.;]{0,20}:",
    re.IGNORECASE,
)
_FAMILY_SECTION = re.compile(r"\b(?:family (?:medical )?history|fhx?|family hx)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Context:
    """What a sentence says of something it mentions; ``subject`` is "patient" or a relative."""

    polarity: Polarity
    subject: str = "patient"


#: what may stand between a denial and what it denies without narrowing it
_BROAD = re.compile(
    r"(?:\b(?:no|not|any|or|and|nor|of|for|to|the|a|an|his|her|their|denie[sd]|denying|without|never|had|has|have|having|known|significant|acute|recent|current|prior|previous|past|new|further|active"
    r"|overt|obvious|frank|gross|other|such|evidence|history|hx|h/o|pmhx?|signs?|s/s|sx|symptoms?|complaints?|negative|positive|absence|free|with|is|are|was|were|be|been|experienced|experiencing|reports?|reported|endorses|taking|take|does|do|did"
    r"|neither|diagnos\w+|develop\w*|underlying|documented|ever|also|currently|longer|on|in|from|by|stop(?:ped)?|discontinued|associated|specific|definite|recurrent|further)|[,;:/(\u2022-]|^)\s*$",
    re.IGNORECASE,
)


def narrowed(told: Context, sentence: str, start: int) -> Context:
    """Return what a denial says of a word that stands behind a narrower one.

    "Negative for rheumatic fever" does not deny a fever; what it says of one is open.

    >>> denied = Context(Polarity.NEGATED)
    >>> narrowed(denied, "Negative for rheumatic fever.", 23).polarity.value
    'open'
    >>> narrowed(denied, "Denies any fever.", 11).polarity.value
    'negated'
    """
    if told.polarity is not Polarity.NEGATED or _BROAD.search(sentence[:start]):
        return told
    return Context(Polarity.OPEN, told.subject)


def context_of(
    sentence: str, start: int, end: int, *, family: bool = False, mixed: bool = False
) -> Context:
    """Return what a sentence says of the words from ``start`` to ``end``.

    ``family``: the sentence stands under a heading about relatives; ``mixed``: the heading is
    about relatives and the patient alike.

    >>> def told(sentence, words):
    ...     at = sentence.index(words)
    ...     found = context_of(sentence, at, at + len(words))
    ...     return found.polarity.value, found.subject
    >>> told("Denies fever, chills or chest pain but has a cough.", "chest pain")
    ('negated', 'patient')
    >>> told("Denies fever, chills or chest pain but has a cough.", "cough")
    ('affirmed', 'patient')
    >>> told("Her mother has diabetes; she does not.", "diabetes")
    ('affirmed', 'mother')
    >>> told("He lives with his mother and has asthma.", "asthma")
    ('affirmed', 'patient')
    """
    subject = _subject(sentence, start, end, family=family, mixed=mixed)
    before, after = sentence[:start], sentence[end:]
    reach = _reach(before, relative=subject != "patient")
    hidden = _PSEUDO.sub(lambda found: "_" * len(found.group()), sentence)
    ahead = hidden[reach:start]
    if _SURELY_OPEN.search(sentence[reach:start]) or _UNKNOWN.search(before):
        return Context(Polarity.OPEN, subject)
    if _WILL.search(before) and _IF.match(after):
        return Context(Polarity.OPEN, subject)
    if _signed_off(before, sentence):
        return Context(Polarity.NEGATED, subject)
    if _BEFORE.search(ahead) or _AFTER.match(after) or _trailing_none(after):
        doubt = _OPEN.search(sentence[reach:start])
        if doubt is None or _BEFORE.search(ahead[: doubt.start()]) is None:
            if doubt is None:
                return Context(Polarity.NEGATED, subject)
            return Context(Polarity.OPEN, subject)
        return Context(Polarity.NEGATED, subject)
    if _OPEN.search(sentence[reach:start]) or re.match(
        r"\s*(?:\?|(?:screening|prophylaxis|ppx|precautions?|risk|vaccin\w+|immuni[sz]ation)\b|(?:is |was )?(?:suspected|possible|not ruled out|unlikely|vs\b|versus\b|cannot be (?:ruled out|excluded)))",
        after,
        re.IGNORECASE,
    ):
        return Context(Polarity.OPEN, subject)
    return Context(Polarity.AFFIRMED, subject)


def _signed_off(before: str, sentence: str) -> bool:
    """Tell whether a minus stands before a word, as in a review of systems."""
    if _MINUS.search(before):
        return True
    return _PLUS.search(sentence) is not None and _LOOSE_MINUS.search(before) is not None


def _reach(before: str, *, relative: bool) -> int:
    """Return where the stretch before a mention begins that can still speak of it."""
    at = 0
    for found in _STOP.finditer(before):
        if not _AUXILIARY.search(before[: found.start()]):
            at = found.end()
    for ends in (_PLUS, _STOPPED_FOR):
        for found in ends.finditer(before, at):
            at = found.end()
    if not relative:
        for found in _PATIENT.finditer(before, at):
            lead = before[at : found.start()]
            if re.search(r"[,;.]\s*(?:and\s+)?$|\band\s*$", lead):
                at = found.start()
    return at


def _trailing_none(after: str) -> bool:
    return (
        re.match(r"\s*[:=]?\s*(?:none|no|negative|nil)\s*[.;,\n]", after + "\n", re.IGNORECASE)
        is not None
    )


def _subject(sentence: str, start: int, end: int, *, family: bool, mixed: bool) -> str:
    """Return of whom the words are said."""
    before = sentence[:start]
    clause = (
        max(
            before.rfind(";"),
            before.rfind(". "),
            before.rfind(" but "),
            before.rfind(" whereas "),
            before.rfind(" while "),
        )
        + 1
    )
    kin = ""
    kin_at = -1
    for found in _FAMILY.finditer(sentence, clause, start):
        lead, rest = sentence[clause : found.start()], sentence[found.end() : start]
        if _WITH_ONLY.search(lead) or _SPEAKS.match(rest) or _BOTH.search(lead):
            continue
        kin, kin_at = found["kin"].lower(), found.start()
    if kin:
        between = sentence[kin_at:start]
        patient = [f for f in _PATIENT.finditer(between) if not _pronoun_of_kin(between, f, kin)]
        if not patient:
            return "family" if kin.startswith("family") else kin
        return "patient"
    tail = re.match(
        rf"[^.;]{{0,40}}?\b(?:in|of|on) (?:(?:his|her|their|the|a|one|both|several|patient['\u2019]s)\s+)*(?:(?:maternal|paternal)\s+)?(?P<kin>{_KIN})\b"
        rf"|\s*[,(:\u2013-]?\s*\(?(?:(?:maternal|paternal)\s+)?(?P<kin2>{_KIN})\)?(?:\s*[,.;)]|$)",
        sentence[end:],
        re.IGNORECASE,
    )
    if tail and not re.search(r"\b(?:concern|fear|worr|care)\w*\b", tail.group(), re.IGNORECASE):
        return (tail["kin"] or tail["kin2"]).lower()
    section = _FAMILY_SECTION.search(before)
    if section and not _PATIENT_AGAIN.search(before, section.end()):
        return "family"
    if family and not re.search(r"\b(?:patient|pt)\b(?!['\u2019]s)", before, re.IGNORECASE):
        return "family"
    if mixed and re.search(
        r"\bruns? in\b|\bin the family\b|\bhereditary\b", sentence, re.IGNORECASE
    ):
        return "family"
    return "patient"


def _pronoun_of_kin(between: str, found: re.Match[str], kin: str) -> bool:
    """Tell whether he, she or they is the relative named just before."""
    word = found.group().lower()
    male = (
        re.search(r"father|dad|brother|son|uncle|nephew|husband|boyfriend|grandfather", kin)
        is not None
    )
    female = (
        re.search(r"mother|mom|mum|sister|daughter|aunt|niece|wife|girlfriend", kin) is not None
    )
    near = re.search(
        r"\bwho\s*$|\bwhen\s*$|\bbefore\s*$|\bthat\s*$|\bbecause\s*$|\bafter\s*$",
        between[: found.start()],
        re.IGNORECASE,
    )
    if word == "he":
        return male and near is not None
    if word == "she":
        return female and near is not None
    return word == "they" and near is not None
