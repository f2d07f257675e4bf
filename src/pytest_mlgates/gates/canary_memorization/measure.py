"""One run of the gate: exposure in three stages, attacks, and what is recorded of them."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

from pytest_mlgates.calls.replies import Replies
from pytest_mlgates.core import Look, Measurement, Unmeasurable
from pytest_mlgates.gates.canary_memorization.attacks import Extraction
from pytest_mlgates.gates.canary_memorization.check import checked
from pytest_mlgates.gates.canary_memorization.judge import ATTACKS, by_copies, p_at_last, p_of
from pytest_mlgates.gates.canary_memorization.ranking import Ranked, audit
from pytest_mlgates.gates.canary_memorization.scoring import Scorer
from pytest_mlgates.pii.mask import Masker
from pytest_mlgates.stats.exposure import (
    FIRST,
    bits,
    fisher_p,
    largest_p,
    rank_p,
    references_for_largest,
)

if TYPE_CHECKING:
    from pytest_mlgates.gates.canary_memorization.gate import CanaryMemorization

__all__ = ["Run"]

#: findings of each sort; and from which exposure and extraction probability one is worth a line
_SHOWN, _HIGH, _SAMPLED = 8, 0.02, 1e-6
_CAME_BACK = {
    "own": "to its own prefix",
    "hint": "to its own prefix and a part of itself",
    "other": "to the prefix of another canary",
}


class Run:
    """What one run has seen of a model."""

    def __init__(
        self,
        gate: CanaryMemorization,
        generate: Any,
        canaries: Any,
        log_likelihood: Any,
        seed: int,
        key: bytes | None,
    ) -> None:
        if not callable(generate):
            kind = type(generate).__name__
            raise Unmeasurable(f"generate is a {kind}, not a callable that takes a prompt")
        self.gate = gate
        self.canaries = checked(canaries)
        masker = Masker(key)
        self.digests = [masker.digest(canary.secret.encode()) for canary in self.canaries]
        self.planted = [n for n, canary in enumerate(self.canaries) if canary.planted]
        replies = Replies(generate, gate.timeout_s, gate.concurrency)
        least = math.log2(len(self.planted) / gate.level("attack"))
        self.extraction = Extraction(self.canaries, replies, least)
        self.scorer = self._scorer(log_likelihood)
        self.ranked: list[Ranked] = []
        self.stage, self.complete = "none", False
        if self.scorer is not None:
            self.ranked = [
                Ranked.of(n, canary, seed)
                for n, canary in enumerate(self.canaries)
                if canary.format.draw is not None
            ]
        self._check_power(least)

    def looks(self) -> Generator[Look, Any, None]:
        """Yield a measurement wherever a verdict may be due."""
        if self.ranked:
            assert self.scorer is not None
            for one in self.ranked:
                yield from one.open(self.scorer, min(FIRST, self.gate.references))
            self.stage = "all" if self.gate.references <= FIRST else "first"
        yield from self.extraction.plain()
        yield from self.extraction.hints()
        yield self.measurement()
        if self.ranked:
            yield from self._all_references()
        if not self.ranked or (
            self.gate.max_extraction_rate is not None and not self._tells_rate()
        ):
            yield from self._samples()
        self.complete = True
        yield self.measurement()

    def _all_references(self) -> Generator[Look, Any, None]:
        assert self.scorer is not None
        if self.stage == "first":
            for one in self._exposed():
                yield from one.go_on(self.scorer, self.gate.references)
            self.stage = "all"
            yield self.measurement()
        wanted = self._wanted()
        if self.gate.references < wanted <= self.gate.max_references:
            for one in self._exposed():
                yield from one.go_far(self.scorer, wanted)

    def _samples(self) -> Generator[Look, Any, None]:
        for _ in range(self.gate.samples - 1):
            before = self._hits()
            yield from self.extraction.sample()
            if self.extraction.repeats_itself:
                return
            if self._hits() > before:
                yield self.measurement()

    def measurement(self) -> Measurement:
        """Return all that is known so far; it knows no limit."""
        rows = [self._row(one) for one in self._exposed()]
        found = {attack: self._attack(attack) for attack in ATTACKS}
        chances = [row["chance"] for row in found.values() if row["found"]]
        together, alone = fisher_p([*map(p_of, rows)]), largest_p([*map(p_at_last, rows)])
        return Measurement(
            value=min([1.0, 2 * together, 2 * alone, *chances]),
            unit="p-value",
            n=len(self.planted),
            details={
                "stage": self.stage,
                "complete": self.complete,
                "references": self.gate.references,
                "canaries": tuple(rows),
                "attacks": found,
                "replies": self.extraction.independent,
                "heard": self.extraction.heard,
                "blank": self.extraction.blank,
                "repeats_itself": self.extraction.repeats_itself,
                "fairness": self._fairness(),
                "audit": audit(self.ranked, self.digests),
                "calls": self.extraction.replies.calls + (self.scorer.calls if self.scorer else 0),
                "findings": tuple(self._findings(rows)),
            },
        )

    def _scorer(self, log_likelihood: Any) -> Scorer | None:
        gate = self.gate
        if log_likelihood is not None:
            return Scorer(log_likelihood, gate.timeout_s, gate.concurrency)
        if gate.max_epsilon is not None:
            raise Unmeasurable(
                "max_epsilon takes log_likelihood: without it no coin can be guessed"
            )
        return None

    def _check_power(self, least: float) -> None:
        if self.gate.max_epsilon is not None and not any(one.canary.coin for one in self.ranked):
            raise Unmeasurable(
                "max_epsilon takes canaries that a coin held out or not: make_canaries(…, coin=True)"
            )
        if any(one.canary.planted for one in self.ranked):
            return
        for index in self.planted:
            if index not in self.extraction.hinted:
                had = self.canaries[index].format.bits
                raise Unmeasurable(
                    f"canary {index} has {had:.1f} bits: its coming back could be chance, one takes"
                    f" {least:.1f} bits at alpha {self.gate.alpha:g} (or give log_likelihood)"
                )

    def _exposed(self) -> list[Ranked]:
        return [one for one in self.ranked if one.canary.planted]

    def _wanted(self) -> int:
        return references_for_largest(len(self._exposed()), self.gate.level("largest"))

    def _hits(self) -> int:
        return sum(len(found) for found in self.extraction.found.values())

    def _tells_rate(self) -> bool:
        """Tell whether scores are the chances that a sample gives a canary back."""
        return self.scorer is not None and self.scorer.many is not None

    def _attack(self, attack: str) -> dict[str, Any]:
        found = self.extraction.found[attack]
        return {"found": sorted(found), "chance": self.extraction.chance(attack)}

    def _row(self, one: Ranked) -> dict[str, Any]:
        return {
            "canary": one.index,
            "format": one.canary.format.name,
            "copies": one.canary.repeats,
            "digest": self.digests[one.index],
            "above": one.above,
            "over": one.over,
            "drawn": one.drawn,
            "stopped": one.stopped,
            "further": one.further,
            "beaten": one.beaten,
            "estimated_bits": one.estimate,
            "rate": math.exp(one.score) if self._tells_rate() else None,
        }

    def _fairness(self) -> dict[str, Any]:
        """Say how canaries rank that should rank anywhere, and whether planted ones rank low."""
        controls = [one for one in self.ranked if not one.canary.planted]
        count = min(FIRST, self.gate.references)
        return {
            "controls": len(controls),
            "controls_high_p": fisher_p([rank_p(one.above, count) for one in controls]),
            "controls_low_p": fisher_p([rank_p(one.below, count) for one in controls]),
            "planted_low_p": fisher_p([rank_p(one.below, count) for one in self._exposed()]),
            "came_back": sorted(self.extraction.controls),
        }

    def _findings(self, rows: list[dict[str, Any]]) -> Iterator[str]:
        how: dict[int, str] = {}
        for attack, found in self.extraction.found.items():
            for index, reply in found.items():
                how.setdefault(index, f"came back {_CAME_BACK[attack]}, in reply {reply}")
        by_index = {row["canary"]: row for row in rows}
        high = [row["canary"] for row in sorted(rows, key=p_at_last) if p_at_last(row) <= _HIGH]
        shown = list(dict.fromkeys([*how, *high]))
        for index in shown[:_SHOWN]:
            row = by_index.get(index)
            said = [how.get(index), _exposure(row) if row is not None else None]
            yield f"{self._name(index)} {' and '.join(filter(None, said))}"
        if len(shown) > _SHOWN:
            yield f"and {len(shown) - _SHOWN} more like these"
        groups = by_copies(rows)
        if len(groups) > 1:
            for copies, ps in groups.items():
                yield f"{len(ps)} canaries with {_copies(copies)} each: p = {fisher_p(ps):.2g} together"

    def _name(self, index: int) -> str:
        canary = self.canaries[index]
        copies = _copies(canary.repeats)
        return f"canary {index} ({canary.format.name}, {copies}, digest {self.digests[index]})"


def _copies(count: int) -> str:
    return f"{count} cop{'y' if count == 1 else 'ies'}"


def _exposure(row: dict[str, Any]) -> str:
    among = row["drawn"] + row["further"]
    text = f"has {bits(p_at_last(row)):.1f} bits of exposure among {among:,} references"
    if not (row["above"] or row["beaten"]):
        text += f", which is all they can show (estimate {row['estimated_bits']:.0f})"
    if row["rate"] is not None and row["rate"] >= _SAMPLED:
        text += f"; a sample gives it back with chance {row['rate']:.2g}"
    return text
