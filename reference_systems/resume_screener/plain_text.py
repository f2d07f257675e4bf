"""Résumés as people write them: headings of many kinds, in any order, read into a document.

The name stands in the first line, which is never a heading. A text in the form of
:mod:`rendering` is not read here: its sections are told apart from any name for certain.
"""

from __future__ import annotations

import re
from typing import Any

from reference_systems.resume_screener.foreign import degree_of, known_skills, level_of
from reference_systems.resume_screener.rendering import NotAResume

__all__ = ["document_of"]

_HEADINGS = {
    "work": ("experience", "work experience", "professional experience", "employment",
             "employment history", "work history", "career history", "career", "relevant experience",
             "professional background"),
    "education": ("education", "academic background", "education and training", "studies",
                  "academic qualifications", "qualifications"),
    "skills": ("skills", "technical skills", "key skills", "core skills", "core competencies",
               "technologies", "expertise", "competencies", "skills and tools", "tools"),
    "certificates": ("certificates", "certifications", "licenses", "licences and certifications",
                     "licenses and certifications", "certification"),
    "volunteer": ("volunteering", "volunteer experience", "volunteer work", "volunteer",
                  "community service"),
    "languages": ("languages",),
    "interests": ("interests", "hobbies", "hobbies and interests", "interests and hobbies"),
    "": ("summary", "profile", "objective", "about", "about me", "references", "projects",
         "publications", "awards", "contact", "personal details", "career objective", "honors",
         "personal information", "achievements"),
}  # fmt: skip
_SECTION = {words: section for section, known in _HEADINGS.items() for words in known}
_DATE = (
    r"(?:[A-Za-z]{3,9}\.?,?\s+)?(?:19|20)\d\d(?:[-./]\d{1,2}(?:[-./]\d{1,2})?)?"
    r"|\d{1,2}[-./](?:19|20)\d\d"
)
_SPAN = re.compile(
    rf"\(?\s*({_DATE})\s*(?:\u2013|\u2014|-|to|until|till|through)\s*"
    rf"({_DATE}|present|now|current|currently|today|ongoing)\s*\)?",
    re.IGNORECASE,
)
_GRADE = re.compile(
    r"(?:gpa|grade|score|average)\D{0,4}(\d(?:[.,]\d+)?(?:\s*/\s*\d+(?:\.\d+)?)?)", re.IGNORECASE
)
_SCHOOL = re.compile(
    r"[^,|;\u2013\u2014()]*\b(?:university|college|institute|school|academy)\b[^,|;\u2013\u2014()]*",
    re.IGNORECASE,
)
_MAX_LINES = 20_000


def document_of(text: str) -> dict[str, Any]:
    """Return a JSON Resume document of what a text says.

    :raises NotAResume: if no heading of experience, education or skills is found.
    """
    lines = [line.rstrip() for line in text.splitlines()[:_MAX_LINES] if line.strip()]
    bodies: dict[str, list[str]] = {section: [] for section in _HEADINGS}
    here = ""
    for line in lines[1:]:
        heading, rest = _heading(line)
        if heading is None:
            bodies[here].append(line.strip())
        else:
            here = heading
            bodies[here] += [rest] if rest else []
    if not any(bodies[section] for section in ("work", "education", "skills")):
        raise NotAResume(
            f"no heading such as Experience, Education or Skills in this text of {len(text)}"
            " characters"
        )
    return {
        "basics": {"name": lines[0].lstrip("# ").strip(), **_labelled(bodies[""])},
        "work": _jobs(bodies["work"]),
        "education": _studies(bodies["education"]),
        "skills": [_skill(line) for line in bodies["skills"]],
        "certificates": [{"name": _bare(line)} for line in bodies["certificates"]],
        "volunteer": [{"organization": _bare(line)} for line in bodies["volunteer"]],
        "languages": [{"language": _bare(line)} for line in bodies["languages"]],
        "interests": [
            {"name": part.strip()}
            for line in bodies["interests"]
            for part in _bare(line).split(",")
        ],
    }


def _heading(line: str) -> tuple[str | None, str]:
    """Return the section that a line opens, or None, and what stands in it after a colon."""
    label, colon, rest = line.strip().partition(":")
    words = " ".join(re.sub(r"[^\w\s]", " ", label.replace("&", " and ")).split()).casefold()
    if words not in _SECTION:
        return None, ""
    return _SECTION[words], rest.strip() if colon else ""


def _labelled(lines: list[str]) -> dict[str, Any]:
    found = {}
    for line in lines:
        label, colon, value = line.partition(":")
        if colon and label.strip().casefold() in ("pronouns", "gender", "sex"):
            found["pronouns"] = value.strip()
    return found


def _bare(line: str) -> str:
    return line.strip().lstrip("-*•·▪\u2013 ").strip()


def _jobs(lines: list[str]) -> list[dict[str, Any]]:
    """Return a job for each span of dates; its title stands beside it, or in the line before."""
    jobs: list[dict[str, Any]] = []
    before = ""
    for line in lines:
        if span := _SPAN.search(line):
            title = _bare(line[: span.start()] + " " + line[span.end() :]).strip(" ,|\u2013\u2014-")
            jobs.append({"position": title or before, "startDate": span[1], "endDate": span[2]})
        before = _bare(line)
    return jobs


def _studies(lines: list[str]) -> list[dict[str, Any]]:
    """Return a study for each line with a degree; grade and school may stand in the next ones."""
    studies: list[dict[str, Any]] = []
    for line in lines:
        if (degree := degree_of(_bare(line))) is not None:
            studies.append({"studyType": degree})
        if not studies:
            studies.append({"studyType": ""})
        if grade := _GRADE.search(line):
            studies[-1].setdefault("score", grade[1].replace(" ", ""))
        if school := _SCHOOL.search(line):
            studies[-1].setdefault("institution", school[0].strip())
    return [study for study in studies if study["studyType"] or len(study) > 1]


def _skill(line: str) -> dict[str, Any]:
    label, colon, rest = _bare(line).partition(":")
    words = rest if colon else label
    level = level_of(line)
    return {"name": label if colon else "", "level": level or "", "keywords": known_skills(words)}
