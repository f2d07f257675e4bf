"""A JSON Resume document as text, and the text read back by its sections.

The screener gets text, as applicant portals hand it over. It must never mistake a word of the
name for a word of the résumé: someone is called Dean, Java or Skills. So the sections that count
come after every place where the renderer puts the name, in a fixed order, and ``sections`` reads
the last complete run of them. What stands before, a name that spans lines or imitates a section
included, can't reach them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["PLACEHOLDER", "SECTIONS", "NotAResume", "header", "render", "sections"]

PLACEHOLDER = "{NAME}"
#: in the order of the text; the last one is open-ended and holds nothing that is scored
SECTIONS = ("Experience", "Education", "Skills", "Certificates", "Volunteering", "Languages")
_HEADINGS = tuple(f"\n## {section}\n" for section in SECTIONS)


class NotAResume(ValueError):
    """A text that the screener can't read; the message holds nothing of the text."""


def render(document: Mapping[str, Any]) -> str:
    """Return a document as text; a line break or ``|`` in a field becomes a space."""
    basics = document.get("basics", {})
    place = basics.get("location", {})
    applied = document.get("meta", {}).get("lastModified", "")[:7]
    lines = [
        f"# {_flat(basics.get('name'))}",
        _flat(basics.get("label")),
        f'E-mail: "{_flat(basics.get("name"))}" <{_flat(basics.get("email"))}>',
        f"Phone: {_flat(basics.get('phone'))}",
        f"Location: {_flat(place.get('city'))}, {_flat(place.get('countryCode'))}",
        f"Postcode: {_flat(place.get('postalCode'))}",
        f"Pronouns: {_flat(basics.get('pronouns'))}",
        f"Interests: {', '.join(_flat(each.get('name')) for each in _all(document, 'interests'))}",
        "",
        "## Profile",
        _flat(basics.get("summary")),
        "",
        "## References",
        *(
            f"{_flat(each.get('reference'))} ({_flat(each.get('name'))})"
            for each in _all(document, "references")
        ),
    ]
    rows: dict[str, list[str]] = {section: [] for section in SECTIONS}
    for job in _all(document, "work"):
        # a job that goes on lasts until the application, or is too new to count
        until = job.get("endDate") or applied or job.get("startDate", "")
        rows["Experience"].append(_row(job, "position", "name", dates=until))
        rows["Experience"] += [f"- {_flat(line)}" for line in job.get("highlights", ())]
    for study in _all(document, "education"):
        rows["Education"].append(_row(study, "studyType", "area", "institution", "score"))
    for skill in _all(document, "skills"):
        keywords = ", ".join(map(_flat, skill.get("keywords", ())))
        rows["Skills"].append(f"{_row(skill, 'name', 'level')} | {keywords}")
    rows["Certificates"] = [_row(each, "name", "issuer") for each in _all(document, "certificates")]
    rows["Volunteering"] = [
        _row(each, "organization", "position") for each in _all(document, "volunteer")
    ]
    rows["Languages"] = [_row(each, "language", "fluency") for each in _all(document, "languages")]
    for section in SECTIONS:
        lines += ["", f"## {section}", *rows[section]]
    return "\n".join(lines) + "\n"


def header(text: str) -> dict[str, str]:
    r"""Return what the lines above the first section state: the name and the labelled lines.

    >>> header("# Mei Chen\nEngineer\nPronouns: she/her\n")
    {'name': 'Mei Chen', 'pronouns': 'she/her'}
    """
    first, *rest = text.split("\n## ", 1)[0].split("\n")
    found = {"name": first.removeprefix("# ").strip()}
    for line in rest:
        label, colon, value = line.partition(": ")
        if colon:
            found.setdefault(label.casefold(), value)
    return found


def sections(text: str) -> dict[str, list[list[str]]]:
    """Return the rows of each section, cut at ``|``; highlights and blank lines are left out.

    :raises NotAResume: if no complete run of sections is found.
    """
    if not isinstance(text, str):
        raise TypeError(f"score() takes the text of a résumé, got {type(text).__name__}")
    text = f"\n{text}\n".replace("\r\n", "\n")
    start = len(text)
    missing = SECTIONS[0]
    while (start := text.rfind(_HEADINGS[0], 0, start)) >= 0:
        bodies, missing = _run(text, start)
        if bodies:
            return {
                section: [
                    [cell.strip() for cell in line.split(" | ")]
                    for line in body.split("\n")
                    if line and not line.startswith("- ")
                ]
                for section, body in zip(SECTIONS, bodies, strict=True)
            }
    raise NotAResume(
        f"no section '## {missing}' in this text of {len(text) - 2} characters: expected the "
        f"sections {', '.join(SECTIONS)} in this order (see rendering.render)"
    )


def _run(text: str, start: int) -> tuple[list[str], str]:
    """Return the bodies of the sections from ``start``, or none and the first one missing."""
    bodies = []
    begin = start + len(_HEADINGS[0])
    for section, heading in zip(SECTIONS[1:], _HEADINGS[1:], strict=True):
        end = text.find(heading, begin - 1)
        if end < 0:
            return [], section
        bodies.append(text[begin:end])
        begin = end + len(heading)
    return [*bodies, text[begin:]], ""


def _all(document: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    return document.get(key) or []


def _row(entry: Mapping[str, Any], *keys: str, dates: str = "") -> str:
    cells = [_flat(entry.get(key)) for key in keys]
    if dates:
        cells.append(f"{_flat(entry.get('startDate'))} to {_flat(dates)}")
    return " | ".join(cells)


def _flat(value: object) -> str:
    return " ".join(str(value or "").replace("|", " ").split())
