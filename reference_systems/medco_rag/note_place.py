"""Where a section of a note stands, and how its entries are cut."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from reference_systems.medco_rag.context import Context, context_of
from reference_systems.medco_rag.model import Fact, Kind, Span, State
from reference_systems.medco_rag.sections import Section
from reference_systems.medco_rag.sentences import items, sentences

__all__ = ["NOTHING", "Place", "comma_parts", "fact_at", "pieces", "told_of"]

NOTHING = re.compile(
    r"^(?:none|nil|n/?a|no|negative|denies|denied|nothing|unremarkable|noncontributory|non-contributory)\b(?:\s+(?:known|reported|recorded|significant|at this time|currently|listed|noted|taken))*\s*\.?$",
    re.IGNORECASE,
)
_NO_CONTENT = re.compile(
    r"^(?:otherwise,? )?(?:as (?:noted|above|listed|documented)|reviewed(?: and (?:noted|updated|unchanged))?|see (?:above|chart|list|hpi)|unchanged|unknown|not sure)\b[^,;]{0,40}$",
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


def fact_at(
    place: Place, kind: Kind, name: str, first: int, last: int, state: State, **more: object
) -> Fact:
    """Return a fact of a section, dated by its encounter."""
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


def pieces(place: Place) -> Iterator[tuple[int, int]]:
    """Yield list entries, and within an entry its sentences."""
    for start, end in items(place.text, place.section.start, place.section.end):
        for first, last in sentences(place.text, start, end):
            said = place.text[first:last]
            if re.search(r"[^\W\d_]{2}", said) and not _NO_CONTENT.search(said):
                yield first, last


def comma_parts(text: str) -> Iterator[tuple[int, int]]:
    """Yield the entries of "a, b (c, d) and e", commas inside brackets aside."""
    depth = start = 0
    at = 0
    while at < len(text):
        mark = text[at]
        depth += mark in "([" or -(mark in ")]" and depth > 0)
        joint = (
            re.match(
                r",?\s+as well as\s+|,\s+(?:and\s+|or\s+)?|\s+and\s+|\s+or\s+|\s*;\s*", text[at:]
            )
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


def told_of(said: str) -> Context:
    """Return what an entry says as a whole: by the cues before its last words."""
    whole = said.rstrip(" .;,:")
    return context_of(whole, len(whole), len(whole))
