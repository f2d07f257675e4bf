"""What a run of ``impact_ratio`` records: the table that Local Law 144 asks to publish, and counts.

A rate and a ratio stand in the table since that is how it is published; both are checked against
the counts whenever it is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pytest_mlgates.core.details import Count, Share
from pytest_mlgates.stats.two_rates import Counts

__all__ = ["MAX_CATEGORIES", "AttributeTable", "CategoryRow", "Labelled", "Seen", "ratio_of"]

#: categories of one attribute, or of one intersection
MAX_CATEGORIES = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """Selections among those whom the label calls right to select, and among the others."""

    right: Count
    right_selected: Count
    wrong: Count
    wrong_selected: Count

    def __post_init__(self) -> None:
        if self.right_selected > self.right or self.wrong_selected > self.wrong:
            raise ValueError("more are selected than there are of a label")


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryRow:
    """One row of the table; ``ratio`` is to the most selected category, none where it is left out."""

    category: str
    n: Count
    selected: Count
    rate: Share
    ratio: Share | None
    left_out: bool = False
    labelled: Labelled | None = None

    def __post_init__(self) -> None:
        if not self.n or self.selected > self.n:
            raise ValueError(f"{self.category!r} has {self.selected} selected of {self.n}")
        if abs(self.rate - self.selected / self.n) > 1e-9:
            raise ValueError(f"the rate of {self.category!r} is not {self.selected} of {self.n}")
        of = self.labelled
        if of is not None and (of.right + of.wrong, of.right_selected + of.wrong_selected) != (
            self.n,
            self.selected,
        ):
            raise ValueError(f"the labels of {self.category!r} do not add up")

    @property
    def counts(self) -> Counts:
        """How many are selected."""
        return Counts(self.selected, self.n)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeTable:
    """The categories of an attribute or of an intersection; ``unknown`` applicants are in none."""

    attribute: str
    unknown: Count
    categories: tuple[CategoryRow, ...]

    def __post_init__(self) -> None:
        if len(self.categories) > MAX_CATEGORIES:
            raise ValueError(f"{self.attribute!r} has more than {MAX_CATEGORIES} categories")
        if len({row.category for row in self.categories}) < len(self.categories):
            raise ValueError(f"a category of {self.attribute!r} appears twice")
        best = max((row.rate for row in self.compared), default=0.0)
        for row in self.categories:
            wanted = None if row.left_out else ratio_of(row.rate, best)
            same = row.ratio == wanted or (
                row.ratio is not None and wanted is not None and abs(row.ratio - wanted) <= 1e-9
            )
            if not same:
                raise ValueError(f"the ratio of {row.category!r} is not {wanted}")

    @property
    def compared(self) -> Sequence[CategoryRow]:
        """The categories that are not left out."""
        return [row for row in self.categories if not row.left_out]

    @property
    def n(self) -> int:
        """All applicants, known or not."""
        return self.unknown + sum(row.n for row in self.categories)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """All tables; ``basis`` tells what "selected" stands for, ``median`` is that of the scores."""

    basis: str
    selected: Count
    tables: tuple[AttributeTable, ...]
    median: float | None = None
    repeated: Count = 0
    reason_left_out: str = ""
    findings: tuple[str, ...] = ()

    @property
    def lowest(self) -> float:
        """The lowest ratio of all tables; 0 where there is none."""
        ratios = [
            row.ratio for table in self.tables for row in table.compared if row.ratio is not None
        ]
        return min(ratios, default=0.0)


def ratio_of(rate: float, best: float) -> float | None:
    """Return the impact ratio; none where nobody is selected in any category.

    >>> ratio_of(0.2, 0.4), ratio_of(0.0, 0.0)
    (0.5, None)
    """
    return min(1.0, rate / best) if best > 0 else None
