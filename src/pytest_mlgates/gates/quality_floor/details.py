"""What a run of ``quality_floor`` records: for all inputs, and for each slice, what a metric needs."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_mlgates.core.details import Count, Share
from pytest_mlgates.core.observations import Histogram

__all__ = ["Bin", "Pairs", "QualityRow", "Seen"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """How often a positive scores above a negative, ties half: the area under the ROC curve."""

    above: Share
    positives: Count
    negatives: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """Inputs whose scores lie close together: their mean score, and how many are positive."""

    n: Count
    positives: Count
    score: Share

    def __post_init__(self) -> None:
        if not self.n or self.positives > self.n:
            raise ValueError(f"{self.positives} of {self.n} inputs are positive")


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityRow:
    """All inputs (no name), or those of a slice; one of the three says what the metric comes to.

    ``drop`` holds how much better the baseline was at each observation, from -1 to 1, moved into
    [0, 1]; ``constant`` is what the best answer that never changes would reach. ``others`` holds, for
    recall and specificity, how often inputs with the other label got the answer that they ask for:
    whoever reads nothing gives it to both alike. 0.2 did not record it.
    """

    name: str
    inputs: Count
    values: Histogram | None = None
    pairs: Pairs | None = None
    bins: tuple[Bin, ...] | None = None
    drop: Histogram | None = None
    constant: Share | None = None
    others: Histogram | None = None

    def __post_init__(self) -> None:
        if sum(part is not None for part in (self.values, self.pairs, self.bins)) != 1:
            raise ValueError(f"the row {self.name!r} must hold one of values, pairs and bins")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Everything that was asked; ``answers`` counts different answers, 2 standing for more."""

    metric: str
    whole: QualityRow
    slices: tuple[QualityRow, ...]
    unnamed: Count
    repeated: Count
    answers: Count
    units: bool
    calls: Count
    #: whether the baseline is the subject itself
    same: bool = False
    findings: tuple[str, ...] = ()
