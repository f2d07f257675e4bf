"""Write down what a name audit showed: all that the verdict and a later report read."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pytest_mlgates.core import Measurement
from pytest_mlgates.core.details import plain
from pytest_mlgates.gates.name_invariance.audit import Array, Audit, Trial
from pytest_mlgates.gates.name_invariance.details import (
    Counterexample,
    Details,
    ExactGap,
    Gap,
    Group,
    Mode,
    Pair,
    Tried,
)
from pytest_mlgates.gates.name_invariance.judge import headline
from pytest_mlgates.gates.name_invariance.plan import Plan
from pytest_mlgates.stats.equivalence import upper_gap

__all__ = ["Progress", "measurement", "tried", "widest_pair"]

#: templates whose widest pair is recorded
_MAX_PAIRS = 3


@dataclass(slots=True)
class Progress:
    """Where an audit stands: at which of how many planned looks, and what it was given.

    ``unread`` says that there are more templates than could be read.
    """

    calls_needed: int
    doubles: int
    unread: bool
    looks: int = 1
    look: int = 1
    at_look: bool = False


def widest_pair(audit: Audit) -> str:
    """Return a line about the pair of names that lie furthest apart."""
    pair = _widest(audit, audit.cells())[0]
    (high, low), (a, b) = pair.names, pair.scores
    return f"widest pair seen: {high} {a:g}, {low} {b:g} on template {pair.template}"


def measurement(
    audit: Audit,
    plan: Plan,
    progress: Progress,
    counterexample: Counterexample | None = None,
    findings: Sequence[str] = (),
) -> Measurement:
    """Return what was seen so far."""
    cells, noise_sd, scored = audit.cells(), audit.noise_sd(), len(audit.scored)
    means = {n.text: _six_digits(m) for n, m in zip(audit.names, cells.mean(axis=0), strict=True)}
    trials = tuple(_bounded(tried(audit, trial), audit, plan) for trial in audit.trials)
    value = float(np.ptp(cells, axis=1).max())
    interval = _interval(audit, plan, progress.looks, value, trials)
    details = Details(
        mode=_mode(audit),
        complete=progress.at_look and scored == len(audit.templates) and not progress.unread,
        look=progress.look,
        looks=progress.looks,
        calls=audit.subject.calls,
        calls_needed=progress.calls_needed,
        repeats=audit.repeats,
        repeats_needed=plan.repeats_needed(noise_sd, audit.size, progress.looks, audit.repeats),
        noise_sd=_six_digits(noise_sd),
        templates=scored,
        templates_given=f"{len(audit.templates)}{' or more' if progress.unread else ''}",
        duplicate_templates=progress.doubles,
        upper=None if interval is None else interval[1],
        widest=value,
        lower=None if interval is None else interval[0],
        groups=_groups(audit, plan, means),
        name_means=means,
        worst_pairs=_widest(audit, cells),
        exact=_exact_pair(audit),
        trials=trials,
        counterexample=counterexample,
        findings=tuple(findings),
        gaps=_gaps(audit, plan, cells),
        pairs=0 if plan.group_gap is None else len(audit.groups.pairs),
        off=(int(audit.off[audit.scored].max()), int(audit.counts.max())),
        calls_a_name=int(audit.counts.sum()),
        span=audit.span,
    )
    return headline(details).measurement(plain(details))


def _mode(audit: Audit) -> Mode:
    return "noisy" if audit.noisy else "frozen" if audit.frozen else "deterministic"


def _interval(
    audit: Audit, plan: Plan, looks: int, value: float, trials: Sequence[Tried]
) -> tuple[float, float] | None:
    """Return an interval for the largest gap, None where there is no upper bound."""
    if audit.exact is not None:
        return audit.exact.gap, max(audit.exact.gap, value)
    if _mode(audit) == "deterministic":
        return value, value
    level = plan.upper_level / looks
    upper = upper_gap(audit.cells(), audit.variances(), audit.repeats, audit.free, level)
    upper = max(min(upper, plan.width), value)
    lower = max([0.0, *(trial.lower for trial in trials)])
    return None if math.isinf(upper) else (min(lower, upper), upper)


def _groups(audit: Audit, plan: Plan, means: dict[str, float]) -> tuple[Group, ...]:
    if plan.group_gap is None:
        return ()
    found = []
    for group, members in audit.groups.members.items():
        own = [means[name.text] for name in audit.names if name.group == group]
        mean = _six_digits(float(np.mean(own)))
        found.append(Group(group=group, names=len(members), mean=mean))
    return tuple(found)


def _gaps(audit: Audit, plan: Plan, cells: Array) -> tuple[Gap, ...]:
    if plan.group_gap is None:
        return ()
    return audit.groups.gaps(cells.mean(axis=0), plan.group_gap, plan.bound(audit.width))


def _widest(audit: Audit, cells: Array) -> tuple[Pair, ...]:
    """Return the widest pair of each of the worst templates."""
    gaps = np.ptp(cells, axis=1)
    pairs = []
    for row in np.argsort(-gaps, kind="stable")[:_MAX_PAIRS]:
        high, low = int(cells[row].argmax()), int(cells[row].argmin())
        template = int(audit.scored[row])
        pair = Pair(
            names=audit.pair(high, low),
            scores=(_six_digits(cells[row][high]), _six_digits(cells[row][low])),
            gap=_six_digits(gaps[row]),
            template=audit.indices[template],
            digest=audit.digest(template),
        )
        pairs.append(pair)
    return tuple(pairs)


def _exact_pair(audit: Audit) -> ExactGap | None:
    exact = audit.exact
    if exact is None:
        return None
    first, second = exact.scores
    return ExactGap(
        names=audit.pair(exact.high, exact.low),
        template=audit.indices[exact.template],
        scores=(_six_digits(first), _six_digits(second)),
        gap=exact.gap,
        repeats=exact.repeats,
    )


def tried(audit: Audit, trial: Trial) -> Tried:
    """Return the record of a trial, without a bound."""
    return Tried(
        names=audit.pair(trial.high, trial.low),
        template=None if trial.template is None else audit.indices[trial.template],
        n=trial.n,
        sum=trial.total,
        sum_sq=trial.squares,
        lower=0.0,
        least=trial.least if trial.n else 0.0,
        most=trial.most if trial.n else 0.0,
        over=trial.over,
    )


def _bounded(seen: Tried, audit: Audit, plan: Plan) -> Tried:
    width = plan.bound(audit.width)
    if not (seen.n and width):
        return seen
    return replace(seen, lower=max(0.0, seen.sums.mean_above(-width, plan.trial_level / 2)))


def _six_digits(number: float) -> float:
    return float(f"{float(number):.6g}")
