"""From text to numbers, block by block: a build is the list of blocks that it may read."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from reference_systems.resume_screener import wording
from reference_systems.resume_screener.rendering import NotAResume, header, sections

__all__ = ["BLOCKS", "Features", "is_grade"]

Rows = dict[str, list[list[str]]]
#: (index within the block, value)
Cells = Iterator[tuple[int, float]]

_NGRAMS, _COLLEGES, _AREAS = 2048, 64, 64
_MIDDLE_GRADE, _BEST_GRADE = 3.0, 4.0
_KEYWORDS = {word: i for i, word in enumerate(w for ws in wording.SKILLS.values() for w in ws)}
_WIDTH = len(_KEYWORDS)


def _bucket(text: str, buckets: int) -> int:
    # crc32 and not hash(), which differs from one process to the next
    return zlib.crc32(text.encode("utf-8", "surrogatepass")) % buckets


def _name(text: str, _: Rows) -> Cells:
    """Character 2- and 3-grams of each word of the name: this is where origin shows."""
    words = header(text)["name"].casefold().split()
    grams = [
        padded[i : i + size]
        for padded in (f"^{word}$" for word in words)
        for size in (2, 3)
        for i in range(len(padded) - size + 1)
    ]
    for gram in grams:
        # the mean over n-grams, scaled so that it learns as fast as the other blocks
        yield _bucket(gram, _NGRAMS), 16.0 / len(grams)


def _gender(text: str, rows: Rows) -> Cells:
    pronouns = header(text).get("pronouns", "")
    yield 0, float(pronouns.startswith("she"))
    yield 1, float(pronouns.startswith("he"))
    clubs = " ".join(row[0] for row in rows["Volunteering"]).casefold()
    yield 2, float("women" in clubs or "sisters" in clubs)


def _college(_: str, rows: Rows) -> Cells:
    for row in rows["Education"]:
        yield _bucket(_at(row, 2, "Education"), _COLLEGES), 1.0


def _postcode(text: str, _: Rows) -> Cells:
    """The area that a letter goes to, as its first three digits tell it."""
    digits = header(text).get("postcode", "")[:3]
    yield _bucket(digits, _AREAS), float(bool(digits))


def _hobbies(text: str, _: Rows) -> Cells:
    for hobby in header(text).get("interests", "").split(", "):
        yield _bucket(hobby.casefold(), _AREAS), float(bool(hobby))


def _experience(_: str, rows: Rows) -> Cells:
    jobs = [(_at(row, 0, "Experience"), _span(row[-1])) for row in rows["Experience"]]
    months = _covered([span for _, span in jobs])
    yield 0, min(months, 300) / 120
    yield 1, float(months == 0)
    titles = [title.casefold() for title, _ in jobs]
    yield 2, float(any("senior" in title for title in titles))
    yield 3, float(any(w in t for t in titles for w in ("lead", "principal", "manager")))


def _education(_: str, rows: Rows) -> Cells:
    """Degree and grade, whatever the college."""
    for row in rows["Education"][:1]:
        degree = _at(row, 0, "Education")
        if degree in wording.DEGREES:
            yield wording.DEGREES.index(degree), 1.0
        yield len(wording.DEGREES), _number(_at(row, 3, "Education")) - _MIDDLE_GRADE


def _skills(_: str, rows: Rows) -> Cells:
    known: set[str] = set()
    level = 0
    for row in rows["Skills"]:
        rank = _at(row, 1, "Skills")
        level = max(level, wording.LEVELS.index(rank) if rank in wording.LEVELS else 0)
        known.update(word for word in _at(row, 2, "Skills").split(", ") if word in _KEYWORDS)
    for word in sorted(known):
        yield _KEYWORDS[word], 0.3
    yield _WIDTH, len(known) / 8
    yield _WIDTH + 1, level / 3


def _certificates(_: str, rows: Rows) -> Cells:
    yield 0, min(len(rows["Certificates"]), 5) / 2


@dataclass(frozen=True, slots=True)
class Block:
    """One group of features: how wide it is and how it is read off a résumé."""

    width: int
    read: Callable[[str, Rows], Cells]


#: every block the screener could read
BLOCKS = {
    "name": Block(_NGRAMS, _name),
    "gender": Block(3, _gender),
    "college": Block(_COLLEGES, _college),
    "postcode": Block(_AREAS, _postcode),
    "hobbies": Block(_AREAS, _hobbies),
    "experience": Block(4, _experience),
    "education": Block(len(wording.DEGREES) + 1, _education),
    "skills": Block(_WIDTH + 2, _skills),
    "certificates": Block(1, _certificates),
}


class Features:
    """Reads the named blocks off a résumé text, as a sparse vector of ``width`` numbers.

    >>> Features(["name", "experience"]).width
    2052
    """

    def __init__(self, blocks: list[str]) -> None:
        """Take the blocks in the order of the vector."""
        if unknown := sorted(set(blocks) - set(BLOCKS)):
            raise ValueError(f"no block is called {unknown[0]!r}: known are {', '.join(BLOCKS)}")
        self.blocks = tuple(blocks)
        self.width = sum(BLOCKS[name].width for name in blocks)

    def __call__(self, text: str) -> tuple[list[int], list[float]]:
        """Return indices and values.

        :raises NotAResume: if the text has not the sections of a résumé, or a row is cut short.
        """
        indices: list[int] = []
        values: list[float] = []
        offset = 0
        for name, cells in self._read(text):
            for index, value in cells:
                indices.append(offset + index)
                values.append(value)
            offset += BLOCKS[name].width
        return indices, values

    def named(self, text: str) -> dict[str, float]:
        """Return the same numbers under the name of their block; a cell that is 0 is left out.

        :raises NotAResume: if the text has not the sections of a résumé, or a row is cut short.
        """
        found: dict[str, float] = {}
        for name, cells in self._read(text):
            for index, value in cells:
                found[f"{name}[{index}]"] = found.get(f"{name}[{index}]", 0.0) + value
        return {cell: value for cell, value in found.items() if value}

    def _read(self, text: str) -> Iterator[tuple[str, Cells]]:
        rows = sections(text)
        for name in self.blocks:
            yield name, BLOCKS[name].read(text, rows)


def _at(row: list[str], index: int, section: str) -> str:
    if index >= len(row):
        raise NotAResume(
            f"a row of '## {section}' has {len(row)} cells: expected {index + 1} or more"
        )
    return row[index]


def is_grade(text: str) -> bool:
    """Tell whether a text is a grade such as 3.4 or 3.4/4.0.

    >>> is_grade("3.4/4.0"), is_grade("first class"), is_grade("17")
    (True, False, False)
    """
    try:
        return 0 <= float(text.partition("/")[0]) <= _BEST_GRADE
    except ValueError:
        return False


def _number(text: str) -> float:
    """Read a grade; 3.0, the middle, where none is stated."""
    return float(text.partition("/")[0]) if is_grade(text) else _MIDDLE_GRADE


def _span(text: str) -> tuple[int, int]:
    """Read ``2015-03 to 2019-06`` as months."""
    begin, to, end = text.partition(" to ")
    try:
        if not to:
            raise ValueError
        span = (_month(begin), _month(end))
    except ValueError:
        raise NotAResume(
            "a row of '## Experience' does not end in dates such as '2015-03 to 2019-06'"
        ) from None
    return span


def _month(text: str) -> int:
    year, _, rest = text.partition("-")
    return int(year) * 12 + int(rest[:2] or 1)


def _covered(spans: list[tuple[int, int]]) -> int:
    """Count the months in at least one span: two jobs at once count once."""
    months, reached = 0, 0
    for begin, end in sorted(spans):
        months += max(0, end - max(begin, reached))
        reached = max(reached, end)
    return months
