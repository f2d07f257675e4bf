"""JSON Resume documents of other people: their spellings put into the words that the screener knows.

What can't be read is left out with a note, and no note holds a word of the résumé.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from reference_systems.resume_screener import wording
from reference_systems.resume_screener.features import is_grade
from reference_systems.resume_screener.rendering import NotAResume

__all__ = ["SECTIONS", "degree_of", "known_skills", "level_of", "month_of", "tidy"]

Document = dict[str, Any]

#: sections of the schema that are read; one of the first three must be there
SECTIONS = (
    "work", "education", "skills", "certificates", "volunteer", "languages", "interests",
    "references",
)  # fmt: skip
_MONTHS = {m: n for n, m in enumerate(
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1)}  # fmt: skip
_NOW = ("present", "now", "current", "currently", "today", "ongoing", "to date", "date")
#: the order decides: "master" stands before "bachelor" where both are named
_DEGREE_WORDS = (
    ("Doctorate", r"ph\.?\s?d|doctor\w*|d\.?\s?phil|dr\b"),
    ("Master", r"master\w*|m\.?\s?sc?\b|m\.?\s?a\b|mba\b|m\.?\s?eng\b|m\.?\s?phil|diplom\b|magister"),
    ("Bachelor", r"bachelor\w*|b\.?\s?sc?\b|b\.?\s?a\b|b\.?\s?eng\b|b\.?\s?tech\b|undergraduate"),
    ("Associate", r"associate\w*|a\.?\s?a\b|a\.?\s?s\b|foundation degree|community college"),
    ("High school", r"high[\s-]?school|secondary|abitur|a-levels?|ged\b|baccalaur\w*"),
)  # fmt: skip
_LEVEL_WORDS = {
    "Expert": ("expert", "master", "guru", "10+", "native"),
    "Advanced": ("advanced", "proficient", "senior", "strong", "fluent", "professional"),
    "Intermediate": ("intermediate", "working", "competent", "good", "medium"),
    "Novice": ("novice", "beginner", "basic", "elementary", "familiar", "junior"),
}
_OTHER_WORDS = {
    "golang": "Go", "k8s": "Kubernetes", "postgres": "PostgreSQL", "amazon web services": "AWS",
    "google cloud": "GCP", "google cloud platform": "GCP", "cpp": "C++", "ts": "TypeScript",
    "apache spark": "Spark", "pyspark": "Spark", "apache kafka": "Kafka", "apache airflow": "Airflow",
    "microsoft azure": "Azure", "code reviews": "Code review", "unit testing": "Testing",
    "test automation": "Testing", "python3": "Python", "python 3": "Python", "mysql": "SQL",
    "monitoring": "Observability",
}  # fmt: skip
_KNOWN = {word.casefold(): word for words in wording.SKILLS.values() for word in words}
_KNOWN |= _OTHER_WORDS


def tidy(document: object, today: date | None = None) -> tuple[Document, list[str]]:
    """Return a document that :func:`rendering.render` takes, and notes on what was left out.

    :raises NotAResume: if it has none of the sections that are scored.
    """
    if not isinstance(document, Mapping):
        raise NotAResume("expected a JSON Resume document, an object with work, education, skills")
    if not any(document.get(section) for section in SECTIONS[:3]):
        raise NotAResume("none of work, education and skills is there or holds anything")
    notes: list[str] = []
    parts = {section: list(_entries(document, section, notes)) for section in SECTIONS}
    basics = document.get("basics")
    basics = basics if isinstance(basics, Mapping) else {}
    place = basics.get("location")
    meta = document.get("meta")
    modified = meta.get("lastModified") if isinstance(meta, Mapping) else None
    as_of = month_of(modified) or f"{today or date.today():%Y-%m}"
    result: Document = {
        "basics": {**basics, "location": place if isinstance(place, Mapping) else {}},
        "meta": {"lastModified": as_of},
        "work": [_job(entry, as_of, notes) for entry in parts["work"]],
        "education": sorted(
            (_study(entry, notes) for entry in parts["education"]), key=_rank, reverse=True
        ),
        "skills": list(_skills(parts["skills"])),
        **{section: parts[section] for section in SECTIONS[3:]},
    }
    if parts["skills"] and not any(
        known_skills(", ".join(s["keywords"])) for s in result["skills"]
    ):
        notes.append("none of the skills is one that the screener knows")
    return result, list(dict.fromkeys(notes))


def _entries(document: Mapping[str, Any], section: str, notes: list[str]) -> Iterator[Document]:
    held = document.get(section)
    if isinstance(held, (Mapping, str)):
        held = [held]
    if held is not None and not isinstance(held, (list, tuple)):
        notes.append(f"{section} is not a list and was left out")
        return
    key = {"volunteer": "organization", "languages": "language"}.get(section, "name")
    for entry in held or ():
        if isinstance(entry, str) and entry.strip():
            yield {key: entry}
        elif isinstance(entry, Mapping):
            yield {str(name): value for name, value in entry.items()}
        elif entry is not None:
            notes.append(f"an entry of {section} is neither a text nor an object and was left out")


def _first(entry: Document, *keys: str) -> str:
    return next((str(entry[key]) for key in keys if isinstance(entry.get(key), (str, int))), "")


def _job(entry: Document, as_of: str, notes: list[str]) -> Document:
    begin = month_of(_first(entry, "startDate", "start", "from"))
    said = _first(entry, "endDate", "end", "to")
    end = month_of(said)
    if end is None and (not said.strip() or said.strip().casefold() in _NOW):
        end = max(as_of, begin or as_of)
    if begin is None or end is None:
        notes.append("a job without dates that can be read counts no months")
        begin = end = begin or end or as_of
    if end < begin:
        notes.append("a job that ends before it begins counts no months")
        end = begin
    lines = entry.get("highlights")
    return {
        "position": _first(entry, "position", "title", "role", "jobTitle"),
        "name": _first(entry, "name", "company", "organization", "employer"),
        "startDate": begin,
        "endDate": end,
        "highlights": [str(line) for line in lines] if isinstance(lines, (list, tuple)) else [],
    }


def _study(entry: Document, notes: list[str]) -> Document:
    said = _first(entry, "studyType", "degree", "qualification", "name")
    degree = degree_of(said) or degree_of(_first(entry, "area"))
    if degree is None:
        notes.append("a degree that the screener does not know counts for nothing")
    grade = _grade(_first(entry, "score", "gpa", "grade") or str(entry.get("score") or ""))
    if grade.strip() and not is_grade(grade):
        notes.append("a grade that is none from 0 to 4 counts as one in the middle")
    return {
        "studyType": degree or said,
        "area": _first(entry, "area", "major", "field"),
        "institution": _first(entry, "institution", "school", "university", "college"),
        "score": grade,
    }


def _rank(study: Document) -> int:
    degree = study["studyType"]
    return wording.DEGREES.index(degree) if degree in wording.DEGREES else -1


def _grade(text: str) -> str:
    """Return a grade on the scale to 4; as it stands where its scale is not known."""
    found = re.fullmatch(r"\s*(\d+(?:[.,]\d+)?)\s*(?:/|of|out of)\s*(\d+(?:[.,]\d+)?)\s*", text)
    if found:
        got, most = (float(part.replace(",", ".")) for part in found.groups())
        if 0 <= got <= most and most > 0:
            return f"{4 * got / most:.2f}"
    percent = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*%\s*", text)
    return f"{min(4.0, float(percent[1]) / 25):.2f}" if percent else text


def _skills(entries: list[Document]) -> Iterator[Document]:
    for entry in entries:
        held = entry.get("keywords")
        words = [held] if isinstance(held, str) else held if isinstance(held, (list, tuple)) else []
        texts = [str(word) for word in words if isinstance(word, (str, int))]
        name = _first(entry, "name", "skill")
        yield {
            "name": name or "Skills",
            "level": level_of(_first(entry, "level", "proficiency")) or "",
            # a skill that is named instead of listed counts as well
            "keywords": list(dict.fromkeys(known_skills(", ".join([*texts, name])))) or texts,
        }


def known_skills(text: str) -> list[str]:
    """Return the skills of a list that the screener knows, as it spells them.

    >>> known_skills("python, K8s; C++ / Gardening")
    ['Python', 'Kubernetes', 'C++']
    """
    parts = re.split(r"[,;|/•·:()\n]|\s-\s|\band\b|&", text)
    found = (_KNOWN.get(" ".join(part.split()).casefold()) for part in parts)
    return [word for word in found if word is not None]


def level_of(text: str) -> str | None:
    """Return a level as the screener spells it, or None.

    >>> level_of("Master"), level_of("basic knowledge"), level_of("")
    ('Expert', 'Novice', None)
    """
    words = set(re.findall(r"[\w+]+", text.casefold()))
    return next((level for level, names in _LEVEL_WORDS.items() if words & set(names)), None)


def degree_of(text: str) -> str | None:
    """Return a degree as the screener spells it, or None.

    >>> degree_of("B.Sc. (Hons)"), degree_of("Master of Arts"), degree_of("Certificate")
    ('Bachelor', 'Master', None)
    """
    folded = text.casefold()
    for degree, pattern in _DEGREE_WORDS:
        if re.search(rf"(?<![\w.])(?:{pattern})", folded):
            return degree
    return None


def month_of(text: object) -> str | None:
    """Return a date as year and month, or None where it can't be read.

    >>> month_of("March 2015"), month_of("03/2015"), month_of("2015"), month_of("2015-03-31")
    ('2015-03', '2015-03', '2015-01', '2015-03')
    """
    if not isinstance(text, (str, int)):
        return None
    plain = str(text).strip().casefold()
    if found := re.match(r"((?:19|20)\d\d)(?:[-./](\d{1,2}))?(?!\d)", plain):
        year, month = found[1], int(found[2] or 1)
    elif found := re.match(r"(\d{1,2})[-./](?:\d{1,2}[-./])?((?:19|20)\d\d)(?!\d)", plain):
        year, month = found[2], int(found[1])
    elif (
        found := re.match(r"([a-zé]{3})[a-zé]*\.?,?\s+(?:\d{1,2},?\s+)?((?:19|20)\d\d)", plain)
    ) and (found[1] in _MONTHS):
        year, month = found[2], _MONTHS[found[1]]
    else:
        return None
    return f"{year}-{month:02d}" if 1 <= month <= 12 else None
