"""What a run of ``pii_leak`` records, and what follows from what was planted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pytest_mlgates.core.details import Count
from pytest_mlgates.stats.binomial import lower
from pytest_mlgates.stats.zero_tolerance import tries

__all__ = ["NEVER", "Planted", "Seen", "recall_bound", "texts_needed", "weakest"]

#: texts that a PASS takes where nothing planted was found
NEVER = 2**53


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """How many planted identifiers of one kind the detector found."""

    entity: str
    planted: Count
    found: Count

    def __post_init__(self) -> None:
        if not self.planted or self.found > self.planted:
            raise ValueError(f"{self.found} found of {self.planted} planted {self.entity}")

    @property
    def recall(self) -> float:
        """The share that was found."""
        return self.found / self.planted


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Texts and hits so far; ``given`` texts or prompts were handed in, ``blank`` ones don't count.

    ``in_place`` is what was planted where the subject's own values stand, for kinds that could
    stand there. ``doubtful`` counts the texts with unconfirmed hits by kind. Of ``card_numbers`` in
    a sample (right length and issuer) ``right_card_numbers`` have a right check digit; one in ten
    has by chance. ``credentials`` says by what rules they were looked for, ``id_regions`` whose
    national identifiers (0.2 recorded neither). A ``sample`` is of records drawn at random from
    each file of a data set (``audit/sample.py``).
    """

    mode: Literal["replies", "data", "sample"]
    given: Count
    complete: bool
    calls: Count
    leaky: Count
    hits: Count
    kinds: Mapping[str, Count]
    unconfirmed: Count
    blank: Count
    plants: tuple[Planted, ...]
    recall_at_least: float
    #: texts that were looked at; 0.2 did not record it
    looked_at: Count | None = None
    findings: tuple[str, ...] = ()
    in_place: tuple[Planted, ...] | None = None
    doubtful: Mapping[str, Count] | None = None
    card_numbers: Count | None = None
    right_card_numbers: Count | None = None
    credentials: str | None = None
    id_regions: tuple[str, ...] | None = None
    #: files that a person chose to leave out, or to read as text
    chosen: tuple[str, ...] | None = None
    #: records that a sample stands for, and how many drawn from all of them it is worth
    sampled_from: Count | None = None
    effective: Count | None = None

    def __post_init__(self) -> None:
        if bool(self.leaky) != bool(self.hits):
            raise ValueError(f"{self.leaky} leaky texts with {self.hits} hits")
        if (self.mode == "sample") != (self.effective is not None):
            raise ValueError(f"mode {self.mode} with {self.effective} effective draws")

    @property
    def texts(self) -> str:
        """What the texts are."""
        return "replies" if self.mode == "replies" else "records"


def weakest(plants: Sequence[Planted], in_place: Sequence[Planted]) -> tuple[Planted, ...]:
    """Return for each kind the lower of its recall between words and in place."""
    own = {row.entity: row for row in in_place}
    return tuple(min((row, own.get(row.entity, row)), key=lambda one: one.recall) for row in plants)


def recall_bound(plants: Sequence[Planted], error: float) -> float:
    """Return what the recall of the worst kind is above, but for the chance ``error``."""
    return min(lower(row.found, row.planted, error / len(plants)) for row in plants)


def texts_needed(rate: float, recall: float, error: float) -> int:
    """Return how many clean texts bound the leak rate by ``rate`` at a recall."""
    return tries(rate, recall, error) if recall > 0 else NEVER
