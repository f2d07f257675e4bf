"""What a run of ``recall_retention`` records: per row, what the index lost of the exact answers."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_mlgates.core.details import Count, Share
from pytest_mlgates.core.observations import Histogram

__all__ = ["BANDS", "Doubts", "LossRow", "Seen", "Sizes"]

#: how popular an item is: each band holds a third of what is asked for
BANDS = ("head", "middle", "tail")


@dataclass(frozen=True, slots=True, kw_only=True)
class LossRow:
    """All queries (no name), a slice of them, or the items of a band, over all queries.

    ``lost`` holds, per query, the share of the exact answers that the index did not give; ``drop``
    how much more of the next events exact search found, from -1 to 1, moved into [0, 1];
    ``found`` is the mean share of the next events that exact search found.
    """

    name: str
    queries: Count
    lost: Histogram
    drop: Histogram | None = None
    found: Share | None = None

    def __post_init__(self) -> None:
        if (self.drop is None) != (self.found is None):
            raise ValueError(f"the row {self.name!r} must hold both of drop and found, or neither")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Bytes of the index, and of what it stands for."""

    index: Count
    exact: Count

    def __post_init__(self) -> None:
        if not self.exact:
            raise ValueError("what the index is compared with has no byte")

    @property
    def ratio(self) -> float:
        """The part that is left."""
        return self.index / self.exact


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubts:
    """Why the yardstick may be none.

    ``same``: ``search`` is the exact search, or a copy; ``identical``: it answered each query as
    exact search did, in its order; ``constant``: exact search answers all queries alike;
    ``random``: the queries are independent random numbers.
    """

    same: bool
    identical: bool
    constant: bool
    random: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Everything that was asked. A label is an item that really came next."""

    k: Count
    whole: LossRow
    slices: tuple[LossRow, ...]
    doubts: Doubts
    unlabelled: Count
    unnamed: Count
    repeated: Count
    calls: Count
    sizes: Sizes | None = None
    findings: tuple[str, ...] = ()
