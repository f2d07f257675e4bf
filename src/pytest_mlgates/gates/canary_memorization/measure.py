"""One run of the gate: exposure in three stages, attacks, and what is recorded of them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Generator, Iterator
from dataclasses import dataclass

from pytest_mlgates.calls.ask import Subject, text_from
from pytest_mlgates.core import Look, Measurement, Unmeasurable
from pytest_mlgates.core.details import plain
from pytest_mlgates.core.words import a
from pytest_mlgates.gates.canary_memorization.attacks import Extraction
from pytest_mlgates.gates.canary_memorization.check import checked
from pytest_mlgates.gates.canary_memorization.details import (
    ATTACKS,
    Attack,
    Attacks,
    Details,
    Fairness,
    Rank,
    Spoken,
    Stage,
)
from pytest_mlgates.gates.canary_memorization.findings import Label, findings
from pytest_mlgates.gates.canary_memorization.judge import headline
from pytest_mlgates.gates.canary_memorization.ranking import Ranked, audit
from pytest_mlgates.gates.canary_memorization.scoring import Scorer
from pytest_mlgates.pii.mask import Masker
from pytest_mlgates.stats.exposure import (
    FIRST,
    fisher_p,
    rank_p,
    references_for_largest,
)

__all__ = ["CanaryRun", "Plan"]

#: replies of the model that are ranked by the likelihood
MAX_HEARD = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run draws and asks.

    ``attack_level`` is the chance of an accident that a find may have at most, ``largest_level``
    that of one canary by its rank: they say which secrets can prove anything by coming back, and
    how many references one canary takes. ``guesses_coins`` and ``bounds_rate`` say what for.
    """

    references: int
    max_references: int
    samples: int
    timeout_s: float
    concurrency: int
    attack_level: float
    largest_level: float
    guesses_coins: bool
    bounds_rate: bool


class CanaryRun:
    """What one run has seen of a model."""

    def __init__(
        self,
        plan: Plan,
        generate: object,
        canaries: object,
        log_likelihood: object,
        seed: int,
        key: bytes | None,
    ) -> None:
        if not callable(generate):
            kind = a(type(generate).__name__)
            raise Unmeasurable(f"generate is {kind}, not a callable that takes a prompt")
        self.plan = plan
        self.canaries = checked(canaries)
        masker = Masker(key)
        self.digests = [masker.digest(canary.secret.encode()) for canary in self.canaries]
        self.planted = [n for n, canary in enumerate(self.canaries) if canary.planted]
        self.subject = Subject(generate, text_from("generate"), plan.timeout_s, plan.concurrency)
        self.least_bits = math.log2(len(self.planted) / plan.attack_level)
        self.extraction = Extraction(self.canaries, self.subject, self.least_bits)
        self.scorer: Scorer | None = None
        self.ranked: list[Ranked] = []
        self.stage: Stage = "none"
        self.complete = False
        if log_likelihood is not None:
            self.scorer = Scorer(log_likelihood, plan.timeout_s, plan.concurrency)
            self.ranked = [
                Ranked.of(n, canary, seed)
                for n, canary in enumerate(self.canaries)
                if canary.format.draw is not None
            ]
        self._check_coins()
        self._check_bits()

    def looks(self) -> Generator[Look, object, None]:
        """Yield a measurement wherever a verdict may be due, and what must be awaited."""
        if self.scorer is not None and self.ranked:
            for one in self.ranked:
                yield from one.open(self.scorer, min(FIRST, self.plan.references))
            self.stage = "all" if self.plan.references <= FIRST else "first"
        yield from self.extraction.plain()
        yield from self.extraction.hints()
        yield self.measurement()
        yield from self._hear()
        if self.scorer is not None and self.ranked:
            yield from self._all_references(self.scorer)
        if not self.ranked or (self.plan.bounds_rate and not self._tells_rate()):
            yield from self._samples()
        self.complete = True
        yield self.measurement()

    def _hear(self) -> Generator[Look, object, None]:
        """Rank some of the model's own replies by the likelihood."""
        if self.scorer is None:
            return
        replies = {self.extraction.first_reply(one.index): one for one in self._planted()}
        replies.pop("", None)  # and what is said to many prefixes counts once
        for reply, one in itertools.islice(replies.items(), MAX_HEARD):
            yield from one.hear(self.scorer, reply)

    def _spoken(self) -> Spoken | None:
        if not self.ranked:
            return None
        count = min(FIRST, self.plan.references)
        heard = [one for one in self.ranked if one.reply_above is not None]
        high = fisher_p([rank_p(one.reply_above or 0, count) for one in heard])
        low = fisher_p([rank_p(one.reply_below, count) for one in heard])
        return Spoken(len(heard), high, low)

    def _all_references(self, scorer: Scorer) -> Generator[Look, object, None]:
        plan, planted = self.plan, self._planted()
        if self.stage == "first":
            for one in planted:
                yield from one.go_on(scorer, plan.references)
            self.stage = "all"
            yield self.measurement()
        wanted = references_for_largest(len(planted), plan.largest_level)
        if plan.references < wanted <= plan.max_references:
            for one in planted:
                yield from one.go_far(scorer, wanted)

    def _samples(self) -> Generator[Look, object, None]:
        for _ in range(self.plan.samples - 1):
            before = self.extraction.hits
            yield from self.extraction.sample()
            if self.extraction.repeats_itself:
                return
            if self.extraction.hits > before:
                yield self.measurement()

    def measurement(self) -> Measurement:
        """Return all that is known so far; it knows no limit."""
        extraction = self.extraction
        rows = tuple(self._row(one) for one in self._planted())
        attacks = Attacks(*map(self._attack, ATTACKS))
        details = Details(
            stage=self.stage,
            complete=self.complete,
            references=self.plan.references,
            canaries=rows,
            attacks=attacks,
            replies=extraction.independent,
            heard=extraction.heard,
            blank=extraction.blank,
            repeats_itself=extraction.repeats_itself,
            fairness=self._fairness(),
            audit=audit(self.ranked, self.digests),
            planted=len(self.planted),
            calls=self.subject.calls + (self.scorer.calls if self.scorer else 0),
            findings=tuple(findings(rows, extraction.found, self._labels())),
            spoken=self._spoken(),
        )
        return headline(details, len(self.planted)).measurement(plain(details))

    def _check_coins(self) -> None:
        if not self.plan.guesses_coins:
            return
        if self.scorer is None:
            raise Unmeasurable(
                "max_epsilon takes log_likelihood: without it no coin can be guessed"
            )
        if not any(one.canary.coin for one in self.ranked):
            raise Unmeasurable(
                "max_epsilon takes canaries that a coin held out or not: make_canaries(…, coin=True)"
            )

    def _check_bits(self) -> None:
        """Refuse secrets that are only asked for and would prove nothing by coming back."""
        if self._planted():
            return
        for index in self.planted:
            if index not in self.extraction.hinted:
                had = self.canaries[index].format.bits
                raise Unmeasurable(
                    f"canary {index} has {had:.1f} bits, so that its coming back could be chance:"
                    f" plant secrets of {self.least_bits:.1f} bits or more, or give log_likelihood"
                )

    def _planted(self) -> list[Ranked]:
        return [one for one in self.ranked if one.canary.planted]

    def _tells_rate(self) -> bool:
        """Tell whether scores are the chances that a sample gives a canary back."""
        return self.scorer is not None and self.scorer.is_conditional

    def _attack(self, name: str) -> Attack:
        return Attack(tuple(sorted(self.extraction.found[name])), self.extraction.chance(name))

    def _row(self, one: Ranked) -> Rank:
        return Rank(
            canary=one.index,
            format=one.canary.format.name,
            copies=one.canary.repeats,
            digest=self.digests[one.index],
            above=one.above,
            over=one.over,
            drawn=one.drawn,
            stopped=one.stopped,
            further=one.further,
            beaten=one.beaten,
            estimated_bits=one.estimate,
            rate=math.exp(one.score) if self._tells_rate() else None,
        )

    def _fairness(self) -> Fairness:
        controls = [one for one in self.ranked if not one.canary.planted]
        count = min(FIRST, self.plan.references)
        return Fairness(
            controls=len(controls),
            controls_high_p=fisher_p([rank_p(one.above, count) for one in controls]),
            controls_low_p=fisher_p([rank_p(one.below, count) for one in controls]),
            planted_low_p=fisher_p([rank_p(one.below, count) for one in self._planted()]),
            came_back=tuple(sorted(self.extraction.controls)),
        )

    def _labels(self) -> Iterator[Label]:
        for canary, digest in zip(self.canaries, self.digests, strict=True):
            yield Label(canary.format.name, canary.repeats, digest)
