"""What a count of rows by slice records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pytest_mlgates.core.details import Count

__all__ = ["Seen", "SliceCount"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceCount:
    """A slice as it is named in a record, and how many rows, or distinct units, are in it."""

    slice: str
    rows: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The slices that must occur and the smallest of all; ``occur`` slices do, some not recorded.

    ``counted`` says what: rows, or the distinct values of ``unit``. Version 0.2.0 recorded neither,
    and let rows without a slice pass.
    """

    wanted: tuple[str, ...]
    slices: tuple[SliceCount, ...]
    occur: Count
    unnamed: Count
    counted: Literal["rows", "units"] | None = None
    unit: str | None = None
    #: rows, or units, that were counted; 0.2 did not record it
    rows: Count | None = None
    findings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        names = {row.slice for row in self.slices}
        if len(names) < len(self.slices):
            raise ValueError("a slice appears twice")
        if lacking := sorted(set(self.wanted) - names):
            raise ValueError(f"the slice {lacking[0]!r} must occur and was not counted")
        present = sum(row.rows > 0 for row in self.slices)
        if present > self.occur or (self.occur and not present):
            raise ValueError(f"{present} slices have rows, {self.occur} occur")

    @property
    def noun(self) -> str:
        """What is counted, in words."""
        if self.counted != "units":
            return "rows"
        return f"distinct values of {self.unit!r}" if self.unit else "distinct units"

    @property
    def smallest(self) -> SliceCount:
        """The slice with the fewest rows."""
        return min(self.slices, key=lambda row: row.rows)
