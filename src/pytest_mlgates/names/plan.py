"""Spend the calls of a name audit, and write down what they showed.

The plan knows the limits only to tell where a look closer is worth its calls; the verdict is
made from the measurement alone.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from pytest_mlgates.core import Look, Measurement, Outcome, Unmeasurable
from pytest_mlgates.names.asking import Asker
from pytest_mlgates.names.audit import Audit, Steps, Trial, read_templates
from pytest_mlgates.names.counterexample import Counterexample, find_smaller
from pytest_mlgates.names.table import read_names
from pytest_mlgates.stats.equivalence import contrasts, log_e_above, lower_bound, upper_gap

if TYPE_CHECKING:
    from pytest_mlgates.gates.name_invariance import NameInvariance

__all__ = ["MOST_TRIALS", "Plan"]

#: pairs that may be put on trial; the error of single names is split over them beforehand
MOST_TRIALS = 16
#: differences taken at a time in a trial
_BATCH = 16
#: calls set aside for what comes besides the blocks: warm-up, rechecks, confirmation
_ASIDE = 60


class Plan:
    """One audit, from the first call to the last measurement."""

    def __init__(
        self,
        gate: NameInvariance,
        score: Any,
        templates: Iterable[str],
        names: Mapping[str, Iterable[str]] | Any,
        seed: int,
    ) -> None:
        self.gate = gate
        self.names = read_names(names, gate.names_per_group)
        if len(self.names) * 2 + _ASIDE > gate.max_calls:
            raise Unmeasurable(
                f"max_calls is {gate.max_calls}, and {len(self.names)} names take"
                f" {len(self.names) * 2 + _ASIDE} calls on one template: raise max_calls, or give"
                " fewer names"
            )
        texts, self.doubles, self.unread = read_templates(
            templates, gate.placeholder, gate.max_calls
        )
        self.indices = list(texts.values())
        self.seed = seed
        self.asker = Asker(score, gate.timeout_s, gate.score_range, gate.concurrency)
        rng = np.random.default_rng(seed)
        self.audit = Audit(self.asker, self.names, list(texts), gate.placeholder, rng)
        self.looks_planned = 1
        self.look = 1
        self.at_look = False
        self.counterexample: Counterexample | None = None
        fits = (gate.max_calls - _ASIDE - len(self.names)) // len(self.names)
        self.covered = min(len(texts), fits)

    # --- the course of an audit

    def looks(self) -> Generator[Look, Any, None]:
        """Yield measurements of all seen so far, and what must be awaited."""
        audit = self.audit
        order = audit.rng.permutation(len(audit.templates))[: self.covered]
        yield from audit.warm_up()
        for turn, template in enumerate(map(int, order), start=1):
            yield from self._first_block(template, turn)
            if audit.exact is not None or turn & (turn - 1) == 0:
                yield (yield from self._seen())
        if not audit.noisy:
            yield from audit.recheck(self._sample(order))
        if audit.noisy:
            yield from self._repeat(order)
            return
        if audit.frozen:
            yield from self._try_pairs()
        self.at_look = True
        yield (yield from self._seen())

    def _first_block(self, template: int, turn: int) -> Steps:
        """Score a template for the first time; look closer where a gap shows."""
        audit = self.audit
        row = yield from audit.block(template)
        if turn == 1:
            # a few names once more: noise is best known from the start
            some = audit.rng.choice(len(row), size=min(5, len(row)), replace=False)
            again = yield from self.asker.ask([audit.text(template, int(i)) for i in some])
            audit.note(row[some], again)
        if not (audit.noisy or audit.frozen) and np.ptp(row) >= self.gate.max_gap * (1 - 1e-9):
            yield from audit.confirm(template, row)
            if audit.noisy and not audit.rescored:
                # it may have warmed up, or been reloaded, in the midst of the block
                audit.rescored, audit.noisy = True, False
                row = yield from audit.block(template)
                if np.ptp(row) >= self.gate.max_gap * (1 - 1e-9):
                    yield from audit.confirm(template, row)
        audit.add(template, row)
        if (audit.noisy or audit.frozen) and turn & (turn - 1) == 0 and turn <= 8:  # noqa: PLR2004
            yield from self._try_pairs()

    def _sample(self, order: Any) -> list[tuple[int, int]]:
        """Return each name on a template drawn at random."""
        drawn = self.audit.rng.choice(order, size=len(self.names))
        return list(zip(map(int, drawn), range(len(self.names)), strict=True))

    def _repeat(self, order: Any) -> Steps:
        """Repeat all blocks of a noisy scorer; look after 2, 4, 8 … rounds."""
        audit = self.audit
        rounds = (self.gate.max_calls - self.asker.calls) // (len(order) * len(self.names))
        most = min(self.gate.max_repeats, 1 + rounds)
        planned = [2**i for i in range(1, 40) if 2**i <= most] or [1]
        self.looks_planned = len(planned)
        for self.look, wanted in enumerate(planned, start=1):
            while audit.repeats < wanted:
                for template in map(int, audit.rng.permutation(order)):
                    audit.add(template, (yield from audit.block(template)))
            yield from self._try_pairs()
            self.at_look = True
            yield (yield from self._seen())
            self.at_look = False
            if wanted >= 4 and self.repeats_needed() > most and not self._suspicious():  # noqa: PLR2004
                return

    def _suspicious(self) -> bool:
        """Tell whether more calls may end in a FAIL."""
        table = self._contrasts()
        return any(abs(row.estimate) > self.gate.max_group_gap for row in table)

    def repeats_needed(self) -> int:
        """Return about how many repeats a PASS takes, if all names score the same in truth."""
        sd, cells = self.audit.noise_sd(), len(self.names) * max(len(self.audit.seen), 1)
        looks = max(self.looks_planned, 1)
        reach = math.sqrt(2) * stats.norm.isf(self.gate.beta / looks) + 2 * math.sqrt(
            2 * math.log(cells)
        )
        return max(2, math.ceil((reach * sd / self.gate.max_gap) ** 2))

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
        while trial.n < most and self.asker.calls + 2 * _BATCH <= self.gate.max_calls:
            yield from audit.extend(trial, _BATCH)
            evidence = log_e_above(trial.n, trial.total, trial.squares, self.gate.max_gap)
            wanted = math.log(2 * MOST_TRIALS / self.gate.alpha)
            if evidence >= wanted or not _promising(trial, self.gate.max_gap, wanted, most):
                return

    # --- what was seen

    def _seen(self) -> Generator[Any, Any, Measurement]:
        """Return the measurement; on a FAIL, with the counter-example made small."""
        measurement = self._measurement()
        if self.gate.decide(measurement).outcome == Outcome.FAIL and not self.counterexample:
            self.counterexample = yield from find_smaller(self)
            measurement = self._measurement()
        return measurement

    def _contrasts(self) -> Any:
        means = self.audit.cells().mean(axis=0)
        return contrasts(means, [n.group for n in self.names], [n.share for n in self.names])

    def _measurement(self) -> Measurement:
        audit, names = self.audit, self.names
        cells, seen = audit.cells(), audit.seen
        exact = not (audit.noisy or audit.frozen)
        gaps = np.ptp(cells, axis=1)
        value = float(gaps.max())
        level = self.gate.beta / self.looks_planned
        upper: float | None = value
        if not exact:
            upper = upper_gap(cells, audit.variances(), audit.repeats, level)
            if self.gate.score_range is not None:
                upper = min(upper, self.gate.score_range[1] - self.gate.score_range[0])
            upper = None if math.isinf(upper) else max(upper, value)
        trials = [self._trial(trial) for trial in audit.trials]
        lower = value if exact else max([0.0, *(trial["lower"] for trial in trials)])
        if audit.exact is not None:
            value = lower = audit.exact.gap
            upper = max(value, upper or 0.0)
        means = cells.mean(axis=0)
        complete = self.at_look and len(seen) == len(audit.templates) and not self.unread
        details = {
            "mode": "noisy" if audit.noisy else "frozen" if audit.frozen else "deterministic",
            "complete": complete,
            "look": self.look,
            "looks": self.looks_planned,
            "calls": self.asker.calls,
            "calls_needed": len(names) * (len(audit.templates) + 1) + _ASIDE,
            "repeats": audit.repeats,
            "repeats_needed": self.repeats_needed(),
            "noise_sd": _round(audit.noise_sd()),
            "templates": len(seen),
            "templates_given": f"{len(audit.templates)}{' or more' if self.unread else ''}",
            "duplicate_templates": self.doubles,
            "upper": upper,
            "groups": [
                {
                    "group": row.group,
                    "contrast": row.estimate,
                    "se": row.se,
                    "df": row.df,
                    "names": row.names,
                    "mean": _round(self._group_mean(means, row.group)),
                }
                for row in self._contrasts()
            ],
            "name_means": {n.text: _round(float(m)) for n, m in zip(names, means, strict=True)},
            "worst_pairs": self._worst(cells, gaps),
            "exact": self._exact(),
            "trials": trials,
            "counterexample": self.counterexample.record if self.counterexample else None,
            "findings": self.counterexample.findings if self.counterexample else [],
        }
        interval = None if upper is None else (min(lower, upper), upper)
        return Measurement(
            value=value, unit="score", n=len(names), interval=interval, details=details
        )

    def _group_mean(self, means: Any, group: str) -> float:
        return float(np.mean([m for m, n in zip(means, self.names, strict=True) if n.group == group]))

    def _worst(self, cells: Any, gaps: Any) -> list[dict[str, Any]]:
        """Return the widest pair of each of the three worst templates."""
        pairs = []
        for row in np.argsort(-gaps, kind="stable")[:3]:
            high, low = int(cells[row].argmax()), int(cells[row].argmin())
            template = int(self.audit.seen[row])
            pairs.append(
                {
                    "names": [self.names[high].text, self.names[low].text],
                    "scores": [_round(float(cells[row][high])), _round(float(cells[row][low]))],
                    "gap": _round(float(gaps[row])),
                    "template": self.indices[template],
                    "digest": self.audit.digest(template),
                }
            )
        return pairs

    def _exact(self) -> dict[str, Any] | None:
        exact = self.audit.exact
        if exact is None:
            return None
        return {
            "names": [self.names[exact.high].text, self.names[exact.low].text],
            "template": self.indices[exact.template],
            "scores": [_round(score) for score in exact.scores],
            "gap": exact.gap,
            "repeats": exact.repeats,
        }

    def _trial(self, trial: Trial) -> dict[str, Any]:
        level = self.gate.alpha / (2 * MOST_TRIALS)
        lower = lower_bound(trial.n, trial.total, trial.squares, level)
        return {
            "names": [self.names[trial.high].text, self.names[trial.low].text],
            "template": None if trial.template is None else self.indices[trial.template],
            "n": trial.n,
            "sum": trial.total,
            "sum_sq": trial.squares,
            "lower": max(lower, 0.0),
        }


def _promising(trial: Trial, limit: float, wanted: float, most: int) -> bool:
    """Tell whether a trial may reach its evidence with ``most`` pairs."""
    above = trial.total / trial.n - limit
    if above <= 0:
        return False
    spread = max(trial.squares / trial.n - (trial.total / trial.n) ** 2, 0.0) + above**2
    return 2 * spread * (wanted + 2) / above**2 <= 2 * most


def _round(number: float) -> float:
    return float(f"{number:.6g}")
