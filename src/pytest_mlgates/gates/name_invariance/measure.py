"""Spend the calls of a name audit; a look is taken wherever a verdict may be due."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace

import numpy as np

from pytest_mlgates.calls.ask import Steps
from pytest_mlgates.core import Explained, Look, Measurement, Unmeasurable
from pytest_mlgates.gates.name_invariance.audit import Array, Audit, Trial
from pytest_mlgates.gates.name_invariance.counterexample import find_smaller
from pytest_mlgates.gates.name_invariance.details import MAX_TRIALS, needed_log_e
from pytest_mlgates.gates.name_invariance.plan import Plan
from pytest_mlgates.gates.name_invariance.record import (
    Progress,
    measurement,
    tried,
    widest_pair,
)
from pytest_mlgates.gates.name_invariance.scores import scorer
from pytest_mlgates.gates.name_invariance.table import read_names
from pytest_mlgates.gates.name_invariance.templates import read_templates

__all__ = ["AuditRun"]

#: differences taken at a time in a trial
_BATCH = 16
#: where names differ as much as groups do, more calls of the same names do not tell
_BY_CHANCE = 1e-3
#: calls set aside for what comes besides the blocks: warm-up, rechecks, confirmation
_ASIDE = 60


class AuditRun:
    """One audit, from the first call to the last measurement."""

    def __init__(self, plan: Plan, score: object, templates: object, names: object) -> None:
        self.plan = plan
        grouped = plan.group_gap is not None
        self.names = read_names(names, plan.names_per_group, grouped=grouped)
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
            subject,
            self.names,
            list(texts),
            list(texts.values()),
            plan.placeholder,
            rng,
            plan.confirm_gap,
        )
        if len(self.audit.groups.members) < 2:  # a plain list, or one group where none is wanted
            self.plan = replace(plan, group_gap=None)
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
        if audit.frozen:
            yield from self._try_pairs()
            self.progress.at_look = True
            yield self._look()
            return
        yield from self._repeat()

    def _look(self) -> Explained:
        now = replace(self.progress)  # an explanation may be asked for later
        seen = measurement(self.audit, self.plan, now)
        return Explained(seen, lambda: self._explain(now))

    def _explain(self, progress: Progress) -> Steps[Measurement]:
        """Return the same measurement, with the counter-example made small."""
        audit, plan = self.audit, self.plan
        found = yield from find_smaller(audit, plan)
        record = None if found is None else found.record
        findings = (widest_pair(audit),) if found is None else found.findings
        return measurement(audit, plan, progress, record, findings)

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
        """Repeat all blocks until a PASS may be due; on and on where the scorer is noisy."""
        audit, progress, order = self.audit, self.progress, list(map(int, self.audit.scored))
        first = self._rounds_needed()
        progress.calls_needed += (first - 1) * len(order) * len(self.names)
        wanted = 1
        while wanted <= (most := self._most_rounds()):
            planned = self.plan.looks(first, most)
            progress.looks = len(planned)
            if wanted > audit.repeats:
                if (wanted - audit.repeats) * len(order) * len(self.names) > self._left():
                    break  # trials took what this look needed
                yield from audit.rounds(order, wanted - audit.repeats)
            elif not audit.noisy:
                # one answer to each name once more: noise is best known from the start
                yield from audit.recheck(self._sample())
            if audit.noisy:
                yield from self._try_pairs()
            if audit.noisy or wanted >= first or wanted == most:
                progress.at_look = True
                progress.look = sum(rounds <= wanted for rounds in planned) or 1
                yield self._look()
                progress.at_look = False
            known = wanted >= 4 if audit.noisy else wanted >= first
            if wanted == most or (known and self._is_hopeless(most)):
                return
            after = next((rounds for rounds in planned if rounds > wanted), most)
            wanted = min(2 * wanted, after) if wanted < first else after
        progress.at_look = True
        yield self._look()

    def _rounds_needed(self) -> int:
        """Return the number of rounds at which a PASS may be due."""
        audit, plan = self.audit, self.plan
        fewest = audit.groups.fewest  # a group of one name is none
        grouped = plan.group_gap is not None and fewest > 1
        return plan.rounds_needed(len(audit.scored), fewest if grouped else None)

    def _most_rounds(self) -> int:
        """Return how many rounds there can be: ``max_repeats`` is for noisy scorers only."""
        audit = self.audit
        most = audit.repeats + self._left() // (len(audit.scored) * len(self.names))
        return min(self.plan.max_repeats, most) if audit.noisy else most

    def _is_hopeless(self, most: int) -> bool:
        """Tell whether ``most`` repeats can bring neither a PASS nor a FAIL."""
        audit, plan = self.audit, self.plan
        if not audit.noisy:
            return not self._may_tell_groups()
        needed = plan.repeats_needed(
            audit.noise_sd(), audit.size, self.progress.looks, audit.repeats
        )
        often_off = float(audit.off.mean()) / audit.repeats > plan.gap_share / 2
        if needed <= most or not often_off:
            return False
        if plan.group_gap is None or not audit.groups.fewest:
            return True
        means = audit.cells().mean(axis=0)
        gaps = [means[own].mean() for own in audit.groups.members.values()]
        calls = audit.groups.fewest * len(audit.scored) * audit.repeats
        by_chance = 2 * audit.noise_sd() * (2 / calls) ** 0.5
        return bool(np.ptp(gaps) <= plan.group_gap + by_chance)

    def _may_tell_groups(self) -> bool:
        """Tell whether more rounds of the same scores can tell groups to be alike, or apart."""
        limit, groups = self.plan.group_gap, self.audit.groups
        if limit is None or groups.fewest < 2:
            return False
        means = self.audit.cells().mean(axis=0)
        gaps = groups.gaps(means, limit, self.plan.bound(self.audit.width))
        apart = [gap.p_by_name(limit) for gap in gaps if abs(gap.gap) >= limit]
        return not apart or min(apart) < _BY_CHANCE

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
            seen = tried(audit, trial)
            width = plan.bound(audit.width)
            evidence = max(seen.log_e_typical(), seen.log_e_mean(plan.trial_gap, width))
            if evidence >= needed_log_e(plan.trial_level) or not _is_promising(trial, plan, most):
                return


def _is_promising(trial: Trial, plan: Plan, most: int) -> bool:
    """Tell whether a trial may reach its evidence with ``most`` pairs."""
    mean = trial.total / trial.n
    above = mean - plan.trial_gap
    spread = max(trial.squares / trial.n - mean**2, 0.0) + above**2
    log_e = needed_log_e(plan.trial_level) + 2
    by_mean = above > 0 and 2 * spread * log_e / above**2 <= 2 * most
    lead = trial.over / trial.n - 0.5
    return by_mean or (lead > 0 and log_e / (2 * lead**2) <= 2 * most)


def _is_power_of_two(number: int) -> bool:
    return number & (number - 1) == 0
