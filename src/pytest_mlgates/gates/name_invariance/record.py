"""Write down what a name audit showed: all that the verdict and a later report read."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_mlgates.core import Measurement
from pytest_mlgates.stats.equivalence import Contrast, contrasts, lower_bound, upper_gap

if TYPE_CHECKING:
    from pytest_mlgates.gates.name_invariance.audit import Trial
    from pytest_mlgates.gates.name_invariance.measure import Plan

__all__ = ["MOST_TRIALS", "group_contrasts", "measurement"]

#: pairs that may be put on trial; the error of single names is split over them beforehand
MOST_TRIALS = 32


def group_contrasts(plan: Plan) -> tuple[Contrast, ...]:
    """Return each group against the others, one mean score per name."""
    means = plan.audit.cells().mean(axis=0)
    return contrasts(means, [n.group for n in plan.names], [n.share for n in plan.names])


def measurement(plan: Plan) -> Measurement:
    """Return what was seen so far."""
    audit = plan.audit
    cells = audit.cells()
    gaps = np.ptp(cells, axis=1)
    value, interval, trials = _gap(plan, cells, gaps)
    means = {n.text: _round(m) for n, m in zip(plan.names, cells.mean(axis=0), strict=True)}
    all_seen = len(audit.seen) == len(audit.templates) and not plan.unread
    worst = _worst(plan, cells, gaps)
    details: dict[str, Any] = {
        "mode": "noisy" if audit.noisy else "frozen" if audit.frozen else "deterministic",
        "complete": plan.at_look and all_seen,
        "look": plan.look,
        "looks": plan.looks_planned,
        "calls": plan.asker.calls,
        "calls_needed": plan.calls_needed,
        "repeats": audit.repeats,
        "repeats_needed": plan.repeats_needed(),
        "noise_sd": _round(audit.noise_sd()),
        "templates": len(audit.seen),
        "templates_given": f"{len(audit.templates)}{' or more' if plan.unread else ''}",
        "duplicate_templates": plan.doubles,
        "upper": None if interval is None else interval[1],
        "groups": [_group(plan, row, means) for row in group_contrasts(plan)],
        "name_means": means,
        "worst_pairs": worst,
        "exact": _exact(plan),
        "trials": trials,
        "counterexample": plan.counterexample.record if plan.counterexample else None,
        "findings": _findings(plan, worst[0]),
    }
    return Measurement(
        value=value, unit="score", n=len(plan.names), interval=interval, details=details
    )


def _gap(
    plan: Plan, cells: Any, gaps: Any
) -> tuple[float, tuple[float, float] | None, list[dict[str, Any]]]:
    """Return the largest gap, its interval (None where there is no upper bound), the trials."""
    audit = plan.audit
    value = float(gaps.max())
    trials = [_trial(plan, trial) for trial in audit.trials]
    if audit.exact is not None:
        return audit.exact.gap, (audit.exact.gap, max(audit.exact.gap, value)), trials
    if not (audit.noisy or audit.frozen):
        return value, (value, value), trials
    level = plan.gate.beta / plan.looks_planned
    upper = upper_gap(cells, audit.variances(), audit.repeats, level)
    if plan.gate.score_range is not None:
        upper = min(upper, plan.gate.score_range[1] - plan.gate.score_range[0])
    if math.isinf(upper):
        return value, None, trials
    lower = max([0.0, *(trial["lower"] for trial in trials)])
    return value, (min(lower, max(upper, value)), max(upper, value)), trials


def _group(plan: Plan, row: Contrast, means: dict[str, float]) -> dict[str, Any]:
    own = [means[n.text] for n in plan.names if n.group == row.group]
    return {
        "group": row.group,
        "contrast": row.estimate,
        "se": row.se,
        "df": row.df,
        "names": row.names,
        "mean": _round(float(np.mean(own))),
    }


def _worst(plan: Plan, cells: Any, gaps: Any) -> list[dict[str, Any]]:
    """Return the widest pair of each of the three worst templates."""
    pairs = []
    for row in np.argsort(-gaps, kind="stable")[:3]:
        high, low = int(cells[row].argmax()), int(cells[row].argmin())
        template = int(plan.audit.seen[row])
        pairs.append(
            {
                "names": [plan.names[high].text, plan.names[low].text],
                "scores": [_round(cells[row][high]), _round(cells[row][low])],
                "gap": _round(gaps[row]),
                "template": plan.indices[template],
                "digest": plan.audit.digest(template),
            }
        )
    return pairs


def _exact(plan: Plan) -> dict[str, Any] | None:
    exact = plan.audit.exact
    if exact is None:
        return None
    return {
        "names": [plan.names[exact.high].text, plan.names[exact.low].text],
        "template": plan.indices[exact.template],
        "scores": [_round(score) for score in exact.scores],
        "gap": exact.gap,
        "repeats": exact.repeats,
    }


def _trial(plan: Plan, trial: Trial) -> dict[str, Any]:
    level = plan.gate.alpha / (2 * MOST_TRIALS)
    return {
        "names": [plan.names[trial.high].text, plan.names[trial.low].text],
        "template": None if trial.template is None else plan.indices[trial.template],
        "n": trial.n,
        "sum": trial.total,
        "sum_sq": trial.squares,
        "lower": max(lower_bound(trial.n, trial.total, trial.squares, level), 0.0),
    }


def _findings(plan: Plan, worst: dict[str, Any]) -> list[str]:
    if plan.counterexample is not None:
        return plan.counterexample.findings
    if not plan.failed:
        return []
    (high, low), (a, b) = worst["names"], worst["scores"]
    return [f"widest pair seen: {high} {a:g}, {low} {b:g} on template {worst['template']}"]


def _round(number: Any) -> float:
    return float(f"{float(number):.6g}")
