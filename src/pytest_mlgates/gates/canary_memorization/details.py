"""What a run records of canaries: their ranks, what came back, and what the comparison rests on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from pytest_mlgates.core.details import Count, Share
from pytest_mlgates.stats.exposure import rank_p

__all__ = [
    "ATTACKS",
    "Attack",
    "Attacks",
    "CoinAudit",
    "Details",
    "Fairness",
    "Rank",
    "Round",
    "Spoken",
    "Stage",
    "by_copies",
]

#: how a canary comes back: to its own prefix, to that and a part of itself, to another prompt
ATTACKS = ("own", "hint", "other")
#: how far ranking got: no canary was ranked, the first references, all that were planned
Stage = Literal["none", "first", "all"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rank:
    """The rank of one planted canary among references.

    ``above`` of ``drawn`` references reach or beat it, ``over`` of them beat it; ``stopped`` says
    that none was drawn once enough had. ``further`` more were drawn while none had, and ``beaten``
    says that the last of those did. ``rate`` is the chance that a sample gives the canary back.
    """

    canary: Count
    format: str
    copies: Count
    digest: str
    above: Count
    over: Count
    drawn: Count
    stopped: bool
    further: Count
    beaten: bool
    estimated_bits: float
    rate: Share | None

    def __post_init__(self) -> None:
        if not self.over <= self.above <= self.drawn:
            raise ValueError("expected over <= above <= drawn")
        if not self.drawn or (self.stopped and not self.above):
            raise ValueError("a rank takes references, and one that beat the canary to stop at")
        if self.further and self.above:
            raise ValueError("references were drawn further, but some had beaten the canary")

    @property
    def p(self) -> float:
        """The p-value of the rank."""
        return rank_p(self.above, self.drawn, self.stopped)

    @property
    def p_ties_broken(self) -> float:
        """The p-value with ties for the canary: a PASS must not rest on scores that tie.

        Whatever finer scores would have shown lies between this and :attr:`p`.
        """
        return self.p if self.over == self.above else rank_p(self.over, self.drawn)

    @property
    def p_at_last(self) -> float:
        """The p-value with the references drawn further while none had beaten the canary."""
        if not self.further:
            return self.p
        return rank_p(1, self.among, stopped=True) if self.beaten else rank_p(0, self.among)

    @property
    def among(self) -> int:
        """How many references were drawn in all."""
        return self.drawn + self.further


@dataclass(frozen=True, slots=True)
class Attack:
    """The canaries that one way of asking brought back, and the chance of any by accident."""

    found: tuple[Count, ...]
    chance: Share


@dataclass(frozen=True, slots=True)
class Attacks:
    """What each of :data:`ATTACKS` brought back."""

    own: Attack
    hint: Attack
    other: Attack

    def each(self) -> tuple[Attack, ...]:
        """Return the attacks in the order of :data:`ATTACKS`."""
        return self.own, self.hint, self.other


@dataclass(frozen=True, slots=True)
class Fairness:
    """How canaries rank that should rank anywhere, and whether planted ones rank low.

    ``came_back`` names canaries that were never planted and came back all the same.
    """

    controls: Count
    controls_high_p: Share
    controls_low_p: Share
    planted_low_p: Share
    came_back: tuple[Count, ...]


@dataclass(frozen=True, slots=True)
class Spoken:
    """How likely the model's own replies are to the likelihood, beside the references.

    A model that says what is likeliest to it says what ranks high (``high_p`` small); the likelihood
    of another one may find its replies as good as random secrets, or worse (``low_p``).
    """

    replies: Count
    high_p: Share
    low_p: Share


@dataclass(frozen=True, slots=True)
class Round:
    """So many coins were guessed, and so many guesses were right."""

    guesses: Count
    right: Count


@dataclass(frozen=True, slots=True)
class CoinAudit:
    """Guesses about ``coins`` canaries that a coin held out or not."""

    coins: Count
    rounds: tuple[Round, ...]

    def __post_init__(self) -> None:
        if not self.rounds:
            raise ValueError("an audit takes at least one round of guesses")
        if any(not one.right <= one.guesses <= self.coins for one in self.rounds):
            raise ValueError("expected right <= guesses <= coins")


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """All that a verdict and a picture read; ``calls`` and ``findings`` are for people."""

    stage: Stage
    complete: bool
    references: Count
    canaries: tuple[Rank, ...]
    attacks: Attacks
    replies: Count
    heard: Count
    blank: Count
    repeats_itself: bool
    fairness: Fairness
    audit: CoinAudit | None
    calls: Count = 0
    #: canaries that were planted; 0.2 did not record it
    planted: Count | None = None
    findings: tuple[str, ...] = ()
    spoken: Spoken | None = None

    def __post_init__(self) -> None:
        if self.canaries and self.stage == "none":
            raise ValueError("canaries were ranked at the stage 'none'")


def by_copies(rows: Iterable[Rank]) -> dict[int, list[float]]:
    """Return the p-values by how often canaries were planted."""
    groups: dict[int, list[float]] = defaultdict(list)
    for row in rows:
        groups[row.copies].append(row.p)
    return dict(sorted(groups.items()))
