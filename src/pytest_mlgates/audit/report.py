"""What was read of a stretch, and how much was found there: counts that can be added up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Counts", "StretchReport", "most_counted"]

#: column, entity, whether it was confirmed -> finds
Counts = Counter[tuple[str, str, bool]]
#: columns of one stretch that are counted apart; JSON can have as many as it has values
_MAX_COLUMNS = 2_000


@dataclass(slots=True)
class StretchReport:
    """Records and finds of a stretch; ``error`` says why it, or the rest of it, was not read.

    ``records`` are those that were looked at, ``held`` those that are there (more where some were
    drawn). ``dirty`` have a confirmed find. ``doubtful`` counts records with an unconfirmed find
    by kind. ``emptied`` values have no text type and are null in the copy. ``draw`` is how many were to be drawn, -1 for all.
    """

    file: str
    size: int
    draw: int = -1
    records: int = 0
    held: int = 0
    blank: int = 0
    dirty: int = 0
    hits: int = 0
    emptied: int = 0
    counts: Counts = field(default_factory=Counter)
    doubtful: Counter[str] = field(default_factory=Counter)
    error: str = ""
    notes: list[str] = field(default_factory=list)

    def count(self, column: str, entity: str, *, sure: bool) -> None:
        """Count a find."""
        if (column, entity, sure) not in self.counts and len(self.counts) >= _MAX_COLUMNS:
            column = "(other columns)"
        self.counts[column, entity, sure] += 1

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON; nothing in it depends on when or where it was made."""
        found = [[*key, count] for key, count in sorted(self.counts.items())]
        plain = {name: getattr(self, name) for name in _PLAIN}
        return plain | {"counts": found, "doubtful": dict(sorted(self.doubtful.items()))}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> StretchReport:
        """Return the report that :meth:`to_json` wrote.

        >>> report = StretchReport("a.csv", 10, records=3)
        >>> report.count("card", "CREDIT_CARD", sure=True)
        >>> StretchReport.from_json(report.to_json()) == report
        True
        """
        report = cls(**{name: data[name] for name in _PLAIN})
        report.counts = Counter({(c, e, bool(s)): n for c, e, s, n in data["counts"]})
        report.doubtful = Counter(data["doubtful"])
        return report


_PLAIN = (
    "file",
    "size",
    "draw",
    "records",
    "held",
    "blank",
    "dirty",
    "hits",
    "emptied",
    "error",
    "notes",
)


def most_counted(counts: Mapping[str, int], most: int) -> Iterable[tuple[str, int]]:
    """Return the names with the largest counts, the largest first.

    >>> list(most_counted({"a": 1, "b": 3}, 1))
    [('b', 3)]
    """
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:most]
