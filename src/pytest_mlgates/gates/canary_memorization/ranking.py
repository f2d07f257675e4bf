"""Rank canaries among references: secrets of the same format that the model never saw."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pytest_mlgates.calls.ask import Steps
from pytest_mlgates.core import Unmeasurable
from pytest_mlgates.gates.canary_memorization.details import CoinAudit, Round
from pytest_mlgates.gates.canary_memorization.scoring import BATCH, Scorer
from pytest_mlgates.memorization.canaries import Canary
from pytest_mlgates.stats.exposure import STOP, skew_normal_bits

__all__ = ["GUESSES", "Ranked", "audit"]

#: shares of the coins that the audit guesses, fixed in advance: the surest ones, or most
GUESSES = (0.4, 0.8)
#: share of the references' spread by which two answers to the same text may differ
_REPEATABLE = 0.1


@dataclass
class Ranked:
    """One canary and what is known of its rank, all under its own prefix.

    ``above`` of ``drawn`` references reach or beat it, ``over`` of them beat it, ``below`` reach it
    at most. ``further`` more were drawn while none did, and ``beaten`` says that one did in the end.
    """

    index: int
    canary: Canary
    draws: random.Random
    score: float = 0.0
    z: float = 0.0
    estimate: float = 0.0
    above: int = 0
    over: int = 0
    below: int = 0
    drawn: int = 0
    stopped: bool = False
    further: int = 0
    beaten: bool = False
    #: of the first references those that reach, and those that stay below, a reply of the model
    reply_above: int | None = None
    reply_below: int = 0
    _first: tuple[float, ...] = ()

    @classmethod
    def of(cls, index: int, canary: Canary, seed: int) -> Ranked:
        """Give a canary references of its own; they are drawn apart from the canaries."""
        return cls(index, canary, random.Random(f"references {seed} {index}"))

    def open(self, scorer: Scorer, count: int) -> Steps[None]:
        """Score the canary and its first references, and see that the scores mean something."""
        secret = self.canary.secret
        scores = yield from scorer.under(self.canary.prefix, [secret, *self._references(count)])
        again = yield from scorer.under(self.canary.prefix, [secret])
        self.score, references = scores[0], scores[1:]
        finite = [score for score in references if math.isfinite(score)]
        spread = float(np.std(finite)) if finite else 0.0
        if spread <= 1e-9 * max(1.0, abs(self.score if math.isfinite(self.score) else 0.0)):
            raise Unmeasurable(
                f"log_likelihood is the same for all {count} references of canary {self.index}: does"
                " it read the whole text?"
            )
        moved = abs(again[0] - self.score) if again[0] != self.score else 0.0
        if moved > _REPEATABLE * spread:
            raise Unmeasurable(
                f"log_likelihood gave two answers to canary {self.index}, {moved / spread:.2g} of the"
                " references' standard deviations apart: switch dropout off (eval mode)"
            )
        self.z = (max(self.score, -1e6) - float(np.mean(finite))) / spread
        self.estimate = skew_normal_bits(self.score, references, self.canary.format.bits)
        self.above = sum(score >= self.score for score in references)
        self.over = sum(score > self.score for score in references)
        self.below = sum(score <= self.score for score in references)
        self.drawn, self._first = count, tuple(references)

    def hear(self, scorer: Scorer, reply: str) -> Steps[None]:
        """Rank a reply of the model, no longer than the secret, among the first references."""
        (score,) = yield from scorer.under(self.canary.prefix, [reply[: len(self.canary.secret)]])
        self.reply_above = sum(other >= score for other in self._first)
        self.reply_below = sum(other <= score for other in self._first)

    def go_on(self, scorer: Scorer, count: int) -> Steps[None]:
        """Draw up to ``count`` references, and none once enough have beaten the canary."""
        while self.drawn < count and self.above < STOP:
            some = self._references(min(BATCH, count - self.drawn))
            scores = yield from scorer.under(self.canary.prefix, some)
            for score in scores:
                self.drawn += 1
                self.above += score >= self.score
                self.over += score > self.score
                if self.above == STOP:
                    self.stopped = True
                    break

    def go_far(self, scorer: Scorer, count: int) -> Steps[None]:
        """Draw up to ``count`` references for a canary that none has beaten, until one does."""
        while not (self.above or self.beaten) and self.drawn + self.further < count:
            some = self._references(min(BATCH, count - self.drawn - self.further))
            scores = yield from scorer.under(self.canary.prefix, some)
            for score in scores:
                self.further += 1
                if score >= self.score:
                    self.beaten = True
                    break

    def _references(self, count: int) -> list[str]:
        draw = self.canary.format.draw
        assert draw is not None  # a canary that somebody chose is not ranked
        return [draw(self.draws) for _ in range(count)]


def audit(ranked: Sequence[Ranked], ties: Sequence[str]) -> CoinAudit | None:
    """Guess the coins from the scores; return how many guesses were made and right, if any.

    The same number is guessed in and out. ``ties`` order equal scores by what knows no coin.
    """
    coins = [one for one in ranked if one.canary.coin]
    if not coins:
        return None
    order = sorted(coins, key=lambda one: (-one.z, ties[one.index]))
    rounds = []
    for share in GUESSES:
        half = int(len(order) * share / 2)
        right = sum(one.canary.planted for one in order[:half])
        right += sum(not one.canary.planted for one in order[len(order) - half :])
        rounds.append(Round(2 * half, right))
    return CoinAudit(len(coins), tuple(rounds))
