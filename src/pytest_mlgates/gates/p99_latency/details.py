"""What a run of ``p99_latency`` records, as far as verdicts and pictures read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from pytest_mlgates.core.details import Count, Share
from pytest_mlgates.core.fields import Limit

__all__ = [
    "AtQuantile",
    "Counts",
    "Cpu",
    "Histogram",
    "Inputs",
    "Relative",
    "Seen",
    "Slowest",
    "Tally",
]

#: the logarithm of a ratio of two tails that no measurement gives
_LARGEST_LOG = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many of ``n`` observations exceed a limit, and their design effect.

    ``stretches`` is in how many separate places of the run they came, ``longest`` how many came in
    the fullest of these, ``spread`` the least share of them in any fifth of the run but one;
    evidence of versions that did not count these has None.
    """

    over: Count
    n: Count
    deff: Annotated[float, Limit(ge=1)]
    stretches: Count | None = None
    longest: Count | None = None
    spread: Share | None = None

    def __post_init__(self) -> None:
        if self.over > self.n:
            raise ValueError(f"{self.over} of {self.n} calls are over the limit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What calls are independent in: their inputs.

    ``distinct`` inputs differ by value. ``first`` counts the first calls of inputs that were over
    the limit, those of a cold start left out. Of inputs that were called again, the first call took
    longer than the next one in ``slower`` cases and less long in ``quicker`` ones, by enough to
    matter for the limit; ``first_ms`` and ``later_ms`` are medians of the two.
    """

    distinct: Count
    first: Tally
    slower: Count = 0
    quicker: Count = 0
    first_ms: float | None = None
    later_ms: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cpu:
    """CPU time of a call in ms: its mean over ``blocks`` stretches of the run, and the error."""

    ms: Annotated[float, Limit(ge=0)]
    error_ms: Annotated[float, Limit(ge=0)]
    blocks: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """The counts of one look.

    ``raw``: every call by the clock. ``undisturbed``: by the clock, in blocks left alone. ``own``:
    what calls took by themselves. ``screened``: what remains over the limit when all that others
    can have taken is subtracted. ``computed`` (for systems without counters) and ``beyond``: what
    no noise explains. ``failed``: calls that raised, of all that were made. ``seconds`` is how long
    the run took, ``load`` the share of time in which the server of an open loop was busy,
    ``waited_s`` by how much calls that waited were over the limit, and ``budget_s`` how much of
    that others can have caused. ``served`` says whether what serves the subject is known.
    """

    n: Count
    limit_ms: float
    quantile: float
    counters: bool
    concurrent: bool
    undisturbed_share: Share
    late: Count
    raw: Tally
    undisturbed: Tally
    own: Tally
    screened: Tally
    computed: Tally
    beyond: Tally
    margin: float | None = None
    speed: float | None = None
    others_cores: float | None = None
    stolen_share: float | None = None
    descendants_share: float | None = None
    seconds: Annotated[float, Limit(ge=0)] | None = None
    load: Annotated[float, Limit(ge=0)] | None = None
    inputs: Inputs | None = None
    failed: Tally | None = None
    cpu: Cpu | None = None
    waited_s: Annotated[float, Limit(ge=0)] | None = None
    budget_s: Annotated[float, Limit(ge=0)] | None = None
    served: bool = False
    answers: str = ""

    def __post_init__(self) -> None:
        tallies = (
            self.raw, self.undisturbed, self.own, self.screened, self.computed, self.beyond,
        )  # fmt: skip
        if any(tally.n > self.n for tally in tallies):
            raise ValueError("more calls are counted than were made")
        if self.screened.over > self.own.over:
            raise ValueError("more calls are over the limit after screening than before")


@dataclass(frozen=True, slots=True, kw_only=True)
class Relative:
    """The paired comparison of one look: the ratio of the tails and the pairs that differ.

    Pairs that differ the same way close to each other count once; ``blocks`` is how many blocks the
    error was read from (None: in the evidence of versions that counted each pair).
    """

    log_ratio: Annotated[float, Limit(ge=-_LARGEST_LOG, le=_LARGEST_LOG)]
    error: Annotated[float, Limit(ge=0)]
    wins: Count
    losses: Count
    blocks: Count | None = None
    baseline_ms: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """Counts in log-scaled bins; bin i starts at ``from_ms[i]``."""

    from_ms: tuple[float, ...]
    counts: tuple[Count, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slowest:
    """Where the time of the slowest calls went, as shares of it."""

    calls: Count
    from_ms: float
    share_of_time: Mapping[str, float]
    stages: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class AtQuantile:
    """The latency at the quantile of the calls that ``value_of`` names, and its interval."""

    ms: float
    low_ms: float | None = None
    high_ms: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One look; ``workers`` stands alone where other workers share the machine.

    ``looks`` holds the calls over the limit by the clock at each look so far.
    """

    workers: Count | None = None
    counts: Counts | None = None
    value_of: str | None = None
    at_quantile: AtQuantile | None = None
    relative: Relative | None = None
    histogram: Histogram | None = None
    slowest: Slowest | None = None
    looks: tuple[Tally, ...] | None = None
