"""Spend the calls of a name audit; a look is taken wherever a verdict may be due."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np

from pytest_mlgates.calls.ask import Steps
from pytest_mlgates.core import Explained, Look, Measurement, Unmeasurable
from pytest_mlgates.gates.name_invariance.audit import Array, Audit, Trial
from pytest_mlgates.gates.name_invariance.counterexample import find_smaller
from pytest_mlgates.gates.name_invariance.details import MAX_TRIALS
from pytest_mlgates.gates.name_invariance.plan import Plan
from pytest_mlgates.gates.name_invariance.record import (
    Progress,
    group_contrasts,
    measurement,
    widest_pair,
)
from pytest_mlgates.gates.name_invariance.scores import scorer
from pytest_mlgates.gates.name_invariance.table import read_names
from pytest_mlgates.gates.name_invariance.templates import read_templates
from pytest_mlgates.stats.equivalence import log_e_above

__all__ = ["AuditRun"]

#: differences taken at a time in a trial
_BATCH = 16
#: calls set aside for what comes besides the blocks: warm-up, rechecks, confirmation
_ASIDE = 60


class AuditRun:
    """One audit, from the first call to the last measurement."""

    def __init__(self, plan: Plan, score: object, templates: object, names: object) -> None:
        self.plan = plan
        self.names = read_names(names, plan.names_per_group)
        count = len(self.names)
        aside = 3 * count + _ASIDE
        if count + aside > plan.max_calls:
            raise Unmeasurable(
                f"max_calls is {plan.max_calls}, and {count} names may take {count + aside} calls on"
                " one template: raise max_calls, or give fewer names"
            )
        texts, doubles, unread = read_templates(templates, plan.placeholder, plan.max_calls)
        subject = scorer(score, plan.score_range, plan.timeout_s, plan.concurrency)
        rng = np.random.default_rng(abs(plan.seed))
        self.audit = Audit(
            subject, self.names, list(texts), list(texts.values()), plan.placeholder, rng
        )
        self.progress = Progress(count * len(texts) + aside, doubles, unread)
        #: how many templates can be scored with the calls there are
        self.covered = min(len(texts), (plan.max_calls - aside) // count)

    # --- the course of an audit

    def looks(self) -> Generator[Look, object, None]:
        """Yield measurements of all seen so far, and what must be awaited."""
        audit = self.audit
        order = audit.rng.permutation(len(audit.templates))[: self.covered]
        yield from audit.warm_up()
        for turn, template in enumerate(map(int, order), start=1):
            if turn > 1 and self._left() < 2 * len(self.names):
                break  # trials of a noisy scorer took the calls
            yield from self._first_block(template, turn)
            if audit.exact is not None or _is_power_of_two(turn):
                yield self._look()
        if not audit.noisy:
            yield from audit.recheck(self._sample())
        if audit.noisy:
            yield from self._repeat()
            return
        if audit.frozen:
            yield from self._try_pairs()
        self.progress.at_look = True
        yield self._look()

    def _look(self) -> Explained:
        return Explained(measurement(self.audit, self.plan, self.progress), self._explain)

    def _explain(self) -> Steps[Measurement]:
        """Return the same measurement, with the counter-example made small."""
        audit, plan = self.audit, self.plan
        found = yield from find_smaller(audit, plan)
        record = None if found is None else found.record
        findings = (widest_pair(audit),) if found is None else found.findings
        return measurement(audit, plan, self.progress, record, findings)

    def _first_block(self, template: int, turn: int) -> Steps[None]:
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
        if (audit.noisy or audit.frozen) and turn <= 8 and _is_power_of_two(turn):
            yield from self._try_pairs()

    def _steady(self, template: int, row: Array, turn: int) -> Steps[bool]:
        """Tell whether the scorer repeats itself; confirm the widest gap where it matters."""
        audit = self.audit
        if audit.noisy or audit.frozen:
            return True
        if turn == 1:
            # a few names once more: noise is best known from the start
            some = audit.rng.choice(len(row), size=min(5, len(row)), replace=False)
            if not (yield from audit.same(template, list(map(int, some)), row)):
                return False
        if np.ptp(row) >= self.plan.confirm_gap:
            return (yield from audit.confirm(template, row))
        return True

    def _sample(self) -> list[tuple[int, int]]:
        """Return each name on a template drawn at random."""
        drawn = self.audit.rng.choice(self.audit.scored, size=len(self.names))
        return list(zip(map(int, drawn), range(len(self.names)), strict=True))

    def _left(self) -> int:
        return self.plan.max_calls - self.audit.subject.calls

    def _repeat(self) -> Generator[Look, object, None]:
        """Repeat all blocks of a noisy scorer; look after 2, 4, 8 … rounds."""
        audit, progress, order = self.audit, self.progress, list(map(int, self.audit.scored))
        rounds = self._left() // (len(order) * len(self.names))
        most = min(self.plan.max_repeats, 1 + rounds)
        planned = [2**i for i in range(1, 40) if 2**i <= most] or [1]
        progress.looks = len(planned)
        for progress.look, wanted in enumerate(planned, start=1):
            missing = wanted - audit.repeats
            spent = missing * len(order) * len(self.names) > self._left()
            if not spent:  # else trials took what this look needed
                yield from audit.rounds(order, missing)
            yield from self._try_pairs()
            progress.at_look = True
            yield self._look()
            progress.at_look = False
            if spent or (wanted >= 4 and self._is_hopeless(most)):
                return

    def _is_hopeless(self, most: int) -> bool:
        """Tell whether ``most`` repeats can bring neither a PASS nor a FAIL."""
        needed = self.plan.repeats_needed(
            self.audit.noise_sd(), self.audit.size, self.progress.looks, self.audit.repeats
        )
        groups = group_contrasts(self.audit)
        return needed > most and not any(abs(g.estimate) > self.plan.group_gap for g in groups)

    # --- pairs under suspicion

    def _try_pairs(self) -> Steps[None]:
        """Put the widest pair over all templates, and the widest on one, on trial."""
        cells, scored = self.audit.cells(), self.audit.scored
        mean = cells.mean(axis=0)
        yield from self._try(int(mean.argmax()), int(mean.argmin()), None)
        if len(scored) > 1:
            row = int(np.ptp(cells, axis=1).argmax())
            high, low = int(cells[row].argmax()), int(cells[row].argmin())
            yield from self._try(high, low, int(scored[row]))

    def _try(self, high: int, low: int, template: int | None) -> Steps[None]:
        audit, plan = self.audit, self.plan
        most = max(64, 4 * plan.max_repeats)
        trial = audit.trial_of(high, low, template)
        if trial is None:
            if len(audit.trials) >= MAX_TRIALS:
                return
            trial = Trial(high, low, template)
            audit.trials.append(trial)
        while trial.n < most and self._left() >= 2 * _BATCH:
            yield from audit.extend(trial, _BATCH)
            evidence = log_e_above(trial.n, trial.total, trial.squares, plan.trial_gap)
            if evidence >= plan.trial_log_e or not _is_promising(trial, plan, most):
                return


def _is_promising(trial: Trial, plan: Plan, most: int) -> bool:
    """Tell whether a trial may reach its evidence with ``most`` pairs."""
    mean = trial.total / trial.n
    above = mean - plan.trial_gap
    if above <= 0:
        return False
    spread = max(trial.squares / trial.n - mean**2, 0.0) + above**2
    return 2 * spread * (plan.trial_log_e + 2) / above**2 <= 2 * most


def _is_power_of_two(number: int) -> bool:
    return number & (number - 1) == 0
