"""Spend the calls of a name audit, and write down what they showed.

The plan knows the limits only to tell where a look closer is worth its calls; the verdict is
made from the measurement alone.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterable, Mapping
from typing import Any

import numpy as np
from scipy import stats

from pytest_mlgates.calls.scores import Asker
from pytest_mlgates.core import Look, Measurement, Outcome, Unmeasurable
from pytest_mlgates.gates.name_invariance.audit import Audit, Steps, Trial, read_templates
from pytest_mlgates.gates.name_invariance.counterexample import Counterexample, find_smaller
from pytest_mlgates.gates.name_invariance.record import MOST_TRIALS, group_contrasts, measurement
from pytest_mlgates.gates.name_invariance.table import read_names
from pytest_mlgates.stats.equivalence import log_e_above

__all__ = ["MOST_TRIALS", "REACHED", "Plan"]

#: the part of a limit from which on it counts as reached: 0.51 - 0.5 is not below 0.01
REACHED = 1 - 1e-4
#: differences taken at a time in a trial
_BATCH = 16
#: calls set aside for what comes besides the blocks: warm-up, rechecks, confirmation
_ASIDE = 60


class Plan:
    """One audit, from the first call to the last measurement."""

    def __init__(
        self,
        gate: Any,  # the NameInvariance; gates import this module, not the other way
        score: Any,
        templates: Iterable[str],
        names: Mapping[str, Iterable[str]] | Any,
        seed: int,
    ) -> None:
        self.gate = gate
        self.names = read_names(names, gate.names_per_group)
        aside = 3 * len(self.names) + _ASIDE
        if len(self.names) + aside > gate.max_calls:
            raise Unmeasurable(
                f"max_calls is {gate.max_calls}, and {len(self.names)} names may take"
                f" {len(self.names) + aside} calls on one template: raise max_calls, or give"
                " fewer names"
            )
        texts, self.doubles, self.unread = read_templates(
            templates, gate.placeholder, gate.max_calls
        )
        self.indices = list(texts.values())
        self.seed = seed
        self.asker = Asker(score, gate.timeout_s, gate.score_range, gate.concurrency)
        rng = np.random.default_rng(abs(seed))
        self.audit = Audit(self.asker, self.names, list(texts), gate.placeholder, rng)
        self.reach = gate.max_gap * REACHED
        self.looks_planned = 1
        self.look = 1
        self.at_look = False
        self.counterexample: Counterexample | None = None
        self.failed = False
        self.calls_needed = len(self.names) * len(texts) + aside
        self.covered = min(len(texts), (gate.max_calls - aside) // len(self.names))

    # --- the course of an audit

    def looks(self) -> Generator[Look, Any, None]:
        """Yield measurements of all seen so far, and what must be awaited."""
        audit = self.audit
        order = audit.rng.permutation(len(audit.templates))[: self.covered]
        yield from audit.warm_up()
        for turn, template in enumerate(map(int, order), start=1):
            if turn > 1 and self._left() < 2 * len(self.names):
                break  # trials of a noisy scorer took the calls
            yield from self._first_block(template, turn)
            if audit.exact is not None or turn & (turn - 1) == 0:
                yield (yield from self._seen())
        if not audit.noisy:
            yield from audit.recheck(self._sample())
        if audit.noisy:
            yield from self._repeat()
            return
        if audit.frozen:
            yield from self._try_pairs()
        self.at_look = True
        yield (yield from self._seen())

    def _first_block(self, template: int, turn: int) -> Steps:
        """Score a template for the first time; look closer where a gap shows."""
        audit = self.audit
        row = yield from audit.block(template)
        steady = yield from self._steady(template, row, turn)
        if not steady and not audit.rescored:
            # it may have warmed up, or been reloaded, in the midst of the block
            audit.rescored = True
            row = yield from audit.block(template)
            steady = yield from self._steady(template, row, turn)
        audit.noisy |= not steady
        audit.add(template, row)
        if (audit.noisy or audit.frozen) and turn & (turn - 1) == 0 and turn <= 8:
            yield from self._try_pairs()

    def _steady(self, template: int, row: Any, turn: int) -> Generator[Any, Any, bool]:
        """Tell whether the scorer repeats itself; confirm the widest gap where it matters."""
        audit = self.audit
        if audit.noisy or audit.frozen:
            return True
        if turn == 1:
            # a few names once more: noise is best known from the start
            some = audit.rng.choice(len(row), size=min(5, len(row)), replace=False)
            if not (yield from audit.same(template, some, row)):
                return False
        if np.ptp(row) >= self.reach:
            return bool((yield from audit.confirm(template, row)))
        return True

    def _sample(self) -> list[tuple[int, int]]:
        """Return each name on a template drawn at random."""
        drawn = self.audit.rng.choice(self.audit.seen, size=len(self.names))
        return list(zip(map(int, drawn), range(len(self.names)), strict=True))

    def _left(self) -> int:
        return int(self.gate.max_calls) - self.asker.calls

    def _repeat(self) -> Steps:
        """Repeat all blocks of a noisy scorer; look after 2, 4, 8 … rounds."""
        audit, order = self.audit, [int(template) for template in self.audit.seen]
        rounds = self._left() // (len(order) * len(self.names))
        most = min(self.gate.max_repeats, 1 + rounds)
        planned = [2**i for i in range(1, 40) if 2**i <= most] or [1]
        self.looks_planned = len(planned)
        for self.look, wanted in enumerate(planned, start=1):
            missing = wanted - audit.repeats
            spent = missing * len(order) * len(self.names) > self._left()
            if not spent:  # else trials took what this look needed
                yield from audit.rounds(order, missing)
            yield from self._try_pairs()
            self.at_look = True
            yield (yield from self._seen())
            self.at_look = False
            if spent:
                return
            if wanted >= 4 and self.repeats_needed() > most and not self._suspicious():
                return

    def _suspicious(self) -> bool:
        """Tell whether more calls may end in a FAIL."""
        table = group_contrasts(self)
        return bool(any(abs(row.estimate) > self.gate.max_group_gap for row in table))

    def repeats_needed(self) -> int:
        """Return about how many repeats a PASS takes, if all names score the same in truth."""
        sd, cells = self.audit.noise_sd(), len(self.names) * max(len(self.audit.seen), 1)
        looks = max(self.looks_planned, 1)
        reach = math.sqrt(2) * stats.norm.isf(self.gate.beta / looks) + 2 * math.sqrt(
            2 * math.log(cells)
        )
        wanted = math.ceil((reach * sd / self.gate.max_gap) ** 2)
        return max(2 * self.audit.repeats, int(wanted))

    # --- pairs under suspicion

    def _try_pairs(self) -> Steps:
        """Put the widest pair over all templates, and the widest on one, on trial."""
        cells, seen = self.audit.cells(), self.audit.seen
        mean = cells.mean(axis=0)
        yield from self._try(int(mean.argmax()), int(mean.argmin()), None)
        if len(seen) > 1:
            row = int(np.ptp(cells, axis=1).argmax())
            high, low = int(cells[row].argmax()), int(cells[row].argmin())
            yield from self._try(high, low, int(seen[row]))

    def _try(self, high: int, low: int, template: int | None) -> Steps:
        audit, most = self.audit, max(64, 4 * self.gate.max_repeats)
        known = [t for t in audit.trials if (t.high, t.low, t.template) == (high, low, template)]
        if not known and len(audit.trials) >= MOST_TRIALS:
            return
        trial = known[0] if known else Trial(high, low, template)
        if not known:
            audit.trials.append(trial)
        while trial.n < most and self._left() >= 2 * _BATCH:
            yield from audit.extend(trial, _BATCH)
            evidence = log_e_above(trial.n, trial.total, trial.squares, self.gate.max_gap)
            wanted = math.log(2 * MOST_TRIALS / self.gate.alpha)
            if evidence >= wanted or not _promising(trial, self.gate.max_gap, wanted, most):
                return

    # --- what was seen

    def _seen(self) -> Generator[Any, Any, Measurement]:
        """Return the measurement; on a FAIL, with the counter-example made small."""
        found = measurement(self)
        if self.gate.decide(found).outcome == Outcome.FAIL and not self.counterexample:
            self.counterexample = yield from find_smaller(self)
            self.failed = True
            found = measurement(self)
        return found


def _promising(trial: Trial, limit: float, wanted: float, most: int) -> bool:
    """Tell whether a trial may reach its evidence with ``most`` pairs."""
    above = trial.total / trial.n - limit
    if above <= 0:
        return False
    spread = max(trial.squares / trial.n - (trial.total / trial.n) ** 2, 0.0) + above**2
    return 2 * spread * (wanted + 2) / above**2 <= 2 * most
