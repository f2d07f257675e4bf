"""One masker for all that enters evidence: names of slices, stages, files and jobs, findings, claims.

What the detector finds, sure or not, and what only a record has to fear: kinds that no checksum
vouches for, and parts of a secret that was cut. Here a false alarm costs a word in a report, and a
miss costs somebody's data, so that the patterns are wide. A word alone, such as a password without
a digit, can't be told from a name of a slice.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache

from pytest_mlgates.core.canonical import Json
from pytest_mlgates.pii.find import Detector

__all__ = ["KINDS", "Redactor"]

_STREETS = "street|st|avenue|ave|road|rd|terrace|lane|ln|drive|dr|boulevard|blvd|court|ct|way|place|pl|square|sq|close"
_HEX = r"(?:0x)?[0-9a-f]{2}"
#: kinds beside the detector's, the gravest first; a group, where there is one, is what is masked
_PATTERNS = {
    "CREDENTIALS": r"(?<=://)[^\s/@:]*:[^\s/@]+(?=@)",
    "TOKEN": r"\beyJ[\w\-]{6,}(?:\.[\w\-]*){0,2}|\b(?:AKIA|ASIA|AROA)[A-Z0-9]{8,}"
    r"|\b(?:gh[oprsu]|github_pat|glpat|xox[abeoprs]|sk|pk|rk|npm|pypi|hf)[_\-][\w\-]{10,}",
    "PASSWORD": r"(?i:\b(?:password|passwd|passphrase|pwd|secret|token|api[_\-]?key)\b\s*[:=]\s*)(\S+)",
    "MAC_ADDRESS": rf"(?i)\b{_HEX}(?:[:\-]{_HEX}){{5}}\b",
    "COORDINATES": r"-?\d{1,3}\.\d{4,}\s*[,;/]\s*-?\d{1,3}\.\d{4,}",
    "STREET_ADDRESS": rf"(?i:\b\d{{1,5}}[a-z]?\s+(?:[a-z.'\-]+\s+){{1,4}}(?:{_STREETS})\b\.?)"
    r"|(?i:\b[a-zäöüß.\-]{2,}(?:stra(?:ß|ss)e|str\.|platz|weg|gasse|allee)\s+\d{1,4}[a-z]?\b)",
    "RECORD_NUMBER": r"(?i:\b(?:mrn|nhs|ssn|nino|passport|patient|insurance|licen[cs]e|account|member)"
    r"(?:\s*(?:no|nr|number|id)\b)?\.?[\s:#=]*)((?=[A-Z0-9\-]*\d)[A-Z0-9][A-Z0-9\-]{3,})"
    r"|\b\d{3}[ \-]\d{3}[ \-]\d{4}\b|\b[A-Z]{1,3}\d{1,4}[A-Z]\d{1,4}[A-Z]?\d{1,4}\b",
    "VEHICLE": r"\b(?=[A-HJ-NPR-Z0-9]*\d[A-HJ-NPR-Z0-9]*\d)(?=[A-HJ-NPR-Z0-9]*[A-HJ-NPR-Z])[A-HJ-NPR-Z0-9]{17}\b",
    "BIRTH_DATE": r"\b(?:19\d\d|200\d)[\-/.](?:0?[1-9]|1[0-2])[\-/.](?:0?[1-9]|[12]\d|3[01])\b"
    r"|\b(?:0?[1-9]|[12]\d|3[01])[\-/.](?:0?[1-9]|[12]\d|3[01])[\-/.](?:19\d\d|200\d)\b",
    # what the detector weighs against words beside it ("Job 219-09-9994") is masked here by its form alone
    "EMAIL_ADDRESS": r"[\w.+\-]+@[\w\-]+(?:\.[\w\-]+)+",
    "US_SSN": r"(?<![\w\-])\d{3}[ \-]\d{2}[ \-]\d{4}(?![\w\-])",
    "IBAN_CODE": r"\b[A-Z]{2}\d{2}(?:[ \-]?[A-Z0-9]{4}){3,7}(?:[ \-]?[A-Z0-9]{1,4})?\b",
    "IP_ADDRESS": r"(?<![\w.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\w.]*\d)",
    "NUMBER": r"(?<![\w.,])\d(?:[ \-]?\d){11,}(?![\w.,])",
    "SECRET": r"(?<![\w.\-])(?=[\w\-]*[a-z])(?=[\w\-]*[A-Z])(?=[\w\-]*\d)[\w\-+!$%]{14,}+",
    "PERSON": r"\b[A-Z][a-zà-ÿ']{1,}(?:[ \-][A-Z]\.?)?[ \-][A-Z][a-zà-ÿ']{2,}(?:-[A-Z][a-zà-ÿ]+)?\b",
}
_COMPILED = {kind: re.compile(pattern) for kind, pattern in _PATTERNS.items()}
KINDS = frozenset(_PATTERNS)

#: capitalised beside another such word, these make no person
_NO_NAME = frozenset(
    [
        "Act",
        "Ai",
        "Amazon",
        "American",
        "Analysis",
        "Api",
        "Article",
        "Aws",
        "Azure",
        "Bay",
        "Bill",
        "Board",
        "Case",
        "Center",
        "City",
        "Class",
        "Cloud",
        "Code",
        "Command",
        "Commission",
        "Compute",
        "Data",
        "Day",
        "Deployment",
        "Directive",
        "Engine",
        "English",
        "European",
        "Feature",
        "Federal",
        "Framework",
        "Function",
        "Functions",
        "Gate",
        "Gates",
        "Google",
        "Health",
        "High",
        "International",
        "Issue",
        "Item",
        "Job",
        "Kubernetes",
        "Language",
        "Large",
        "Law",
        "Lite",
        "Local",
        "Low",
        "Machine",
        "Management",
        "Mean",
        "Medium",
        "Microsoft",
        "Model",
        "Name",
        "National",
        "Network",
        "New",
        "No",
        "Node",
        "North",
        "Part",
        "Pod",
        "Policy",
        "Privacy",
        "Public",
        "Quality",
        "Question",
        "Queue",
        "Rating",
        "Red",
        "Region",
        "Regulation",
        "Report",
        "Risk",
        "Rule",
        "Run",
        "Safety",
        "San",
        "Section",
        "Security",
        "Sensor",
        "Server",
        "Service",
        "Services",
        "Set",
        "Small",
        "South",
        "Southern",
        "Standard",
        "State",
        "Storage",
        "Store",
        "System",
        "Table",
        "Task",
        "Team",
        "Test",
        "The",
        "This",
        "Traffic",
        "Type",
        "Union",
        "United",
        "User",
        "Valley",
        "Version",
        "Virtual",
        "West",
        "Western",
        "World",
        "York",
        "Zone",
    ]
)
#: a digest, or a number with a point or few digits: never anybody's
_PLAIN = re.compile(
    r"(?:sha256:)?[0-9a-f]{8}(?:[0-9a-f]{8})*|[+\-]?\d{0,8}|[+\-]?[\d,]*\.\d+(?:e[+\-]?\d+)?"
)


class Redactor:
    """Masks texts of one piece of evidence: the same value has the same mask in all of them.

    ``shown`` are kinds that the evidence is about, such as the addresses of an egress gate. Other
    values of a kind are ``numbered``, so that two slices stay two.

    >>> Redactor().text("card 4111 1111 1111 1111 of jo@example.org, then al@example.org")
    'card <CREDIT_CARD> of <EMAIL_ADDRESS>, then <EMAIL_ADDRESS 2>'
    """

    def __init__(self, shown: Collection[str] = (), *, numbered: bool = True) -> None:
        self._shown = frozenset(shown)
        self._numbered = numbered
        self._masks: dict[tuple[str, str], str] = {}
        self._counts: dict[str, int] = {}

    def text(self, text: str) -> str:
        """Return a text with all that identifies a person, or opens a door, masked."""
        return self.texts([text])[text]

    def texts(self, texts: Iterable[str]) -> dict[str, str]:
        """Return each text with its masked form; they are looked through together."""
        every = list(dict.fromkeys(texts))
        looked = [text for text in every if not _PLAIN.fullmatch(text)]
        found = _detector().find_all(looked)
        masked = {text: text for text in every}
        for text, spans in zip(looked, found, strict=True):
            cuts = [(s.start, s.end, s.entity) for s in spans if s.entity not in self._shown]
            masked[text] = self._masked(text, [*cuts, *self._more(text)])
        return masked

    def tree(self, value: Json, keep: Collection[str] = ()) -> Json:
        """Return JSON with every text in it masked, keys too, but for those to ``keep``."""
        masks = {**self.texts(_texts(value)), **{text: text for text in keep}}
        return _rebuilt(value, masks)

    def _more(self, text: str) -> Iterator[tuple[int, int, str]]:
        for kind, pattern in _COMPILED.items():
            if kind in self._shown:
                continue
            at = 0
            while match := pattern.search(text, at):
                at = max(match.end(), at + 1)
                if kind == "PERSON" and _NO_NAME.intersection(match[0].replace("-", " ").split()):
                    # "Job Ann Smith": the name may begin at the next word
                    at = match.start() + re.match(r"\w+", match[0]).end()  # type: ignore[union-attr]
                    continue
                group = 1 if match.re.groups and match[1] is not None else 0
                yield (*match.span(group), kind)

    def _masked(self, text: str, cuts: list[tuple[int, int, str]]) -> str:
        parts, at = [], 0
        for start, end, kind in sorted(cuts, key=lambda cut: (cut[0], -cut[1])):
            if end <= at:
                continue
            parts += [text[at:start], self._mask(kind, text[max(at, start) : end])]
            at = end
        return "".join([*parts, text[at:]])

    def _mask(self, kind: str, value: str) -> str:
        if (kind, value) not in self._masks:
            count = self._counts[kind] = self._counts.get(kind, 0) + 1
            self._masks[kind, value] = (
                f"<{kind} {count}>" if count > 1 and self._numbered else f"<{kind}>"
            )
        return self._masks[kind, value]


@cache
def _detector() -> Detector:
    return Detector()


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield key
            yield from _texts(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item)


def _rebuilt(value: Json, masks: Mapping[str, str]) -> Json:
    if isinstance(value, str):
        return masks[value]
    if isinstance(value, Mapping):
        return {masks[key]: _rebuilt(item, masks) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return tuple(_rebuilt(item, masks) for item in value)
    return value
