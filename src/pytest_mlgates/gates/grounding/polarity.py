"""Whether a text affirms or denies a word, and of whom: the patient, or a relative."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from functools import lru_cache

__all__ = ["KIN", "Stance", "stances"]

#: whether a word is denied, and the relative it is said of or nothing
Stance = tuple[bool, str]

#: cues whose reach runs over commas and "or", and those that reach to the next comma
_WIDE = frozenset(
    {
        "no",
        "denies",
        "denied",
        "deny",
        "denying",
        "without",
        "negative for",
        "never had",
        "nor",
        "neither",
        "free of",
        "absence of",
        "no evidence of",
        "no history of",
    }
)
_NEAR = frozenset(
    {
        "not",
        "never",
        "cannot",
        "stopped",
        "discontinued",
        "stop",
        "discontinue",
        "isn't",
        "doesn't",
        "don't",
        "wasn't",
        "hasn't",
        "refuted",
        "no longer",
        "not-done",
    }
)
_CUE = re.compile(
    r"(?<![\w-])(no evidence of|no history of|negative for|never had|free of|absence of|no longer|not-done|denies|denied|denying|deny|without"
    r"|neither|nor|never|cannot|stopped|discontinued|stop|discontinue|refuted|isn't|doesn't|don't|wasn't|hasn't|not|no)(?![\w-])"
)
_NO_DENIAL = re.compile(
    r"(?<!\w)(?:no (?:change|increase|decrease|improvement|doubt|further|relief)|not (?:only|just|sure|certain|well|fully|always|controlled)|without (?:difficulty|relief|improvement)|cannot rule out|gram[- ]negative)(?!\w)"
)
_AFTER = re.compile(
    r"^[\w\s()/-]{0,30}?(?:(?:is|are|was|were|has been|have been)\s+(?:ruled out|absent|negative|denied|excluded|not (?:present|seen|found))|:\s*(?:none|no|negative|denied|absent|never|nil)\b|\s(?:ruled out|not (?:present|seen|found)))"
)
#: where the reach of any cue ends
_END = re.compile(
    r"[;{}\"\u201c\u201d]|[.!?](?=\s|$)|\n(?=\s*(?:[-*\u2022\"{\[]|\n|\d+[.)]))|(?<!\w)(?:but|however|except|although|though|which|yet)(?!\w)"
    r"|\((?:disorder|finding|situation|procedure|substance|organism)\)?"
)
_VERB = re.compile(
    r"(?<!\w)(?:has|have|had|reports?|endorses|presents? with|presenting with|complains? of|positive for|takes|started|continues?|diagnosed with)(?!\w)"
)
KIN = frozenset({
    "mother", "father", "mom", "dad", "brother", "sister", "son", "daughter", "aunt", "uncle", "cousin", "grandmother", "grandfather",
    "grandparent", "sibling", "parent", "niece", "nephew", "husband", "wife", "spouse", "family",
})  # fmt: skip
_KIN = re.compile(r"(?<!\w)(" + "|".join(sorted(KIN, key=len, reverse=True)) + r")(?:s|'s)?(?!\w)")
_BESIDE = re.compile(
    r"\b(?:with|by|per|from|to|according to)\s+(?:(?:his|her|their|the|a)\s+)?(?:\w+\s+)?$"
)
_HIMSELF = re.compile(r"(?<!\w)(?:patient|he|she|they|himself|herself|pt)(?!\w)(?!'s)")
_IN_KIN = re.compile(
    r"^[^.;]{0,30}?\b(?:in|of) (?:(?:his|her|their|the|a|both)\s+)*(?:maternal |paternal )?("
    + "|".join(sorted(KIN))
    + r")s?\b"
)


def stances(text: str, places: Iterable[int]) -> dict[int, Stance]:
    """Return how a text, in lower case, takes the words at some places.

    >>> text = "denies fever or cough; mother has asthma"
    >>> stances(text, [text.index(word) for word in ("fever", "cough", "asthma")]).values()
    dict_values([(True, ''), (True, ''), (False, 'mother')])
    """
    ends = _sentence_ends(text)
    found = {}
    for place in places:
        at = bisect_right(ends, place)
        start = ends[at - 1] if at else 0
        end = ends[at] if at < len(ends) else len(text)
        found[place] = _stance(text[start:end], place - start)
    return found


@lru_cache(maxsize=512)
def _sentence_ends(text: str) -> tuple[int, ...]:
    return tuple(found.end() for found in _END.finditer(text))


def _stance(clause: str, at: int) -> Stance:
    before, after = clause[:at], clause[at:]
    return _denied(before, after), _relative_named(before, after)


def _denied(before: str, after: str) -> bool:
    hidden = _NO_DENIAL.sub(lambda found: "_" * len(found.group()), before)
    cues = list(_CUE.finditer(hidden))
    if cues:
        cue = cues[-1]
        between = hidden[cue.end() :]
        if cue[1] in _NEAR:
            if "," not in between and len(between.split()) <= 8 and _VERB.search(between) is None:
                return True
            if re.fullmatch(r"\s*(?:have|had|has|take|taking|allergic to)\b[^,]*", between):
                return True
        elif _VERB.search(between) is None or (
            cue[1] in ("never", "neither") and re.match(r"\s*(?:have|had|has)\b", between)
        ):
            return True
    return _AFTER.match(after) is not None


def _relative_named(before: str, after: str) -> str:
    kin = ""
    for found in _KIN.finditer(before):
        lead = before[: found.start()]
        beside = _BESIDE.search(lead) is not None
        speaks = re.match(
            r"\s+(?:reports?|states?|says|notes?|brought|den(?:ies|ied))\b", before[found.end() :]
        )
        if not beside and not speaks:
            kin = found[1]
            if _HIMSELF.search(before[found.end() :]):
                kin = ""
    if not kin and (behind := _IN_KIN.match(after)):
        kin = behind[1]
    return kin
