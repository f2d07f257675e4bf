"""What a name audit records: gaps between single names, contrasts of groups, trials of pairs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pytest_mlgates.core.details import Count
from pytest_mlgates.core.fields import Limit
from pytest_mlgates.stats.equivalence import Contrast

__all__ = ["MAX_TRIALS", "Counterexample", "Details", "ExactGap", "Group", "Mode", "Pair", "Tried"]

#: pairs that may be put on trial; the error of single names is split over them beforehand
MAX_TRIALS = 32

Positive = Annotated[float, Limit(ge=0)]
#: whether the scorer repeats itself; ``frozen`` is noise that it draws once for each text
Mode = Literal["deterministic", "noisy", "frozen"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The mean of a group of names less that of the others; no ``se`` with too few names."""

    group: str
    contrast: float
    se: Positive | None
    df: Positive
    names: Count
    mean: float

    @property
    def statistic(self) -> Contrast:
        """The contrast as the tests take it."""
        return Contrast(self.group, self.contrast, self.se, self.df, self.names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """The widest pair of names on one template; ``digest`` tells templates apart."""

    names: tuple[str, str]
    scores: tuple[float, float]
    gap: float
    template: Count
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExactGap:
    """A gap that came back the same each of ``repeats`` times."""

    names: tuple[str, str]
    template: Count
    scores: tuple[float, float]
    gap: float
    repeats: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """Fresh differences of one pair: how many, their sum and sum of squares.

    No ``template`` where each comes from one drawn at random. ``lower`` is a bound on their mean.
    """

    names: tuple[str, str]
    template: Count | None
    n: Count
    sum: float
    sum_sq: Positive
    lower: Positive


@dataclass(frozen=True, slots=True, kw_only=True)
class Counterexample:
    """Two names on one template; what was made smaller of it, where that was possible."""

    names: tuple[str, str]
    template: Count
    digest: str
    scores: tuple[float, float] | None = None
    gap: float | None = None
    shrunk: str | None = None
    #: of the template's parts those left, and all
    parts: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """All that was seen at a look.

    ``complete`` says that a planned look was reached with every template; ``upper`` bounds the
    largest gap between two names, None where nothing does.
    """

    mode: Mode
    complete: bool
    look: Count
    looks: Annotated[int, Limit(ge=1)]
    calls: Count
    calls_needed: Count
    repeats: Count
    #: a record holds a number beyond 2**53 as text
    repeats_needed: Count | str
    noise_sd: Positive
    templates: Count
    templates_given: str
    duplicate_templates: Count
    upper: Positive | None
    #: the largest gap between two names on one template, and the lower end of its interval
    widest: Positive | None = None
    lower: Positive | None = None
    groups: tuple[Group, ...]
    name_means: Mapping[str, float]
    worst_pairs: tuple[Pair, ...]
    exact: ExactGap | None
    trials: tuple[Tried, ...]
    counterexample: Counterexample | None
    findings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(self.groups) < 2:
            raise ValueError(f"{len(self.groups)} group(s) of names, two are needed")
        if len(self.trials) > MAX_TRIALS:
            raise ValueError(f"{len(self.trials)} trials, at most {MAX_TRIALS} are planned for")
