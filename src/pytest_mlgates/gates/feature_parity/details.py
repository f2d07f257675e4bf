"""What a comparison of training and serving records: for each feature how often, and how, they differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from pytest_mlgates.core.details import Count
from pytest_mlgates.core.fields import Limit

__all__ = ["KINDS", "Feature", "Seen"]

#: how a row can differ: it is not there, is there too often, lacks the feature, or holds another
#: null, type or value
KINDS = ("dropped", "duplicate", "missing", "null", "type", "value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """One feature over all rows.

    ``spread`` holds (rows that differ, rows, entities): so many entities have so many rows, of which
    so many differ. ``leaks`` are values that became known after the event, ``untimed`` values of
    which the time is not known, ``oldest_s`` the age of the oldest value at its event; of both
    sides together.
    """

    name: str
    rows: Count
    differ: Count
    kinds: Mapping[str, Count]
    spread: tuple[tuple[Count, Count, Count], ...]
    empty: Count
    leaks: Count
    timed: Count
    untimed: Count
    oldest_s: Annotated[float, Limit(ge=0)] | None = None

    def __post_init__(self) -> None:
        if unknown := set(self.kinds) - set(KINDS):
            raise ValueError(f"{min(unknown)!r} is not a way to differ")
        if sum(self.kinds.values()) != self.differ or self.differ > self.rows:
            raise ValueError(
                f"{self.differ} of {self.rows} rows differ, the kinds add up otherwise"
            )
        rows = sum(rows * times for _, rows, times in self.spread)
        differ = sum(wrong * times for wrong, _, times in self.spread)
        if (rows, differ) != (self.rows, self.differ):
            raise ValueError(f"the rows by entity add up to {differ} of {rows}")
        if any(wrong > rows for wrong, rows, _ in self.spread) or self.empty > self.rows:
            raise ValueError("more rows differ, or are empty, than there are")
        if self.leaks > self.timed:
            raise ValueError(f"{self.leaks} of {self.timed} timed values leak")

    @property
    def rate(self) -> float:
        """The share of rows that differ."""
        return self.differ / self.rows if self.rows else 0.0

    @property
    def entities(self) -> int:
        """How many entities there are."""
        return sum(times for _, _, times in self.spread)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Everything that was compared; ``only_offline`` and ``only_online`` are columns of one side."""

    features: tuple[Feature, ...]
    only_offline: tuple[str, ...]
    only_online: tuple[str, ...]
    event_times: bool
    tolerance: float
    findings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.features:
            raise ValueError("no feature was compared")
        if len({feature.rows for feature in self.features}) > 1:
            raise ValueError("features have different numbers of rows")
