"""What a sheet is made of, and how it is written as Markdown. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from pytest_mlgates.writers.summary import safe_markdown

__all__ = ["DISCLAIMER", "Section", "Sheet", "Table", "as_markdown"]

DISCLAIMER = (
    "This sheet lists evidence of one run. It does not say that a law, a standard or a contract is "
    "met, and it is nobody's audit."
)
#: rows of one table that people read; the others are counted
MAX_ROWS = 200


@dataclasses.dataclass(frozen=True, slots=True)
class Table:
    """A heading and rows of texts; ``title`` stands above."""

    heading: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    title: str = ""

    @property
    def shown(self) -> tuple[tuple[str, ...], ...]:
        """The rows that a page has room for."""
        return self.rows[:MAX_ROWS]

    @property
    def left_out(self) -> str:
        """How many rows are in the report only, or nothing."""
        more = len(self.rows) - MAX_ROWS
        return f"and {more:,} more, in report.json" if more > 0 else ""


@dataclasses.dataclass(frozen=True, slots=True)
class Section:
    """A part of a sheet: what is asked there, what evidence says, and what only a person can say."""

    title: str
    asked: str = ""
    says: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    by_hand: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet about one system."""

    title: str
    sections: tuple[Section, ...]


def as_markdown(sheet: Sheet) -> str:
    r"""Return a sheet as Markdown; no text in it can become markup.

    >>> table = Table(("gate", "verdict"), (("a|b", "PASS"),))
    >>> print(as_markdown(Sheet("Sheet", (Section("Results", tables=(table,)),))).splitlines()[8])
    | a\|b | PASS |
    """
    return "\n".join(_lines(sheet)) + "\n"


def _lines(sheet: Sheet) -> Iterator[str]:
    yield from (f"# {safe_markdown(sheet.title)}", "", DISCLAIMER, "")
    for section in sheet.sections:
        yield from (f"## {safe_markdown(section.title)}", "")
        if section.asked:
            yield from (f"*{safe_markdown(section.asked)}*", "")
        for text in section.says:
            yield from (safe_markdown(text), "")
        for table in section.tables:
            yield from _table_lines(table)
        for text in section.by_hand:
            yield f"- [ ] {safe_markdown(text)}"
        if section.by_hand:
            yield ""


def _table_lines(table: Table) -> Iterator[str]:
    if table.title:
        yield from (f"**{safe_markdown(table.title)}**", "")
    yield f"| {' | '.join(map(safe_markdown, table.heading))} |"
    yield "|" + " --- |" * len(table.heading)
    for row in table.shown or (("none",) + ("",) * (len(table.heading) - 1),):
        yield f"| {' | '.join(map(safe_markdown, row))} |"
    yield ""
    if table.left_out:
        yield from (table.left_out, "")
