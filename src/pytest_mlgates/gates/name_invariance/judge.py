"""What recorded details say under a policy. Pure: details and numbers in, a verdict out."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pytest_mlgates.core.errors import Unfit
from pytest_mlgates.core.records import BrokenLimit, Headline, Outcome, Verdict
from pytest_mlgates.core.words import plural
from pytest_mlgates.gates.name_invariance.details import MAX_TRIALS, Details, Group
from pytest_mlgates.stats.equivalence import differs_p, equivalent_p, half_width, log_e_above

__all__ = ["Limits", "headline", "judge"]

#: the part of a limit from which on it counts as reached: 0.51 - 0.5 is not below 0.01
_REACHED = 1 - 1e-4


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The numbers of a policy that a verdict rests on; ``max_repeats`` and ``max_calls`` for words."""

    max_gap: float
    max_group_gap: float
    alpha: float
    beta: float
    max_repeats: int
    max_calls: int

    @property
    def reached(self) -> float:
        """The gap from which on ``max_gap`` counts as reached."""
        return self.max_gap * _REACHED

    @property
    def trial_level(self) -> float:
        """What one trial may spend of alpha: half of it goes to single names."""
        return self.alpha / (2 * MAX_TRIALS)

    def group_level(self, details: Details) -> float:
        """What one group may spend of alpha at one look; all of it where names have no error."""
        share = 1.0 if details.mode == "deterministic" else 0.5
        return self.alpha * share / (len(details.groups) * details.looks)

    def pass_level(self, details: Details) -> float:
        """What one look may spend of beta."""
        return self.beta / details.looks


def headline(details: Details) -> Headline:
    """Return the number that the policy is about, as the details give it."""
    if details.widest is None:
        raise Unfit("details.widest: is missing")
    low, high = details.lower, details.upper
    interval = None if low is None or high is None else (low, high)
    n = sum(row.names for row in details.groups)
    return Headline(value=details.widest, unit="score", n=n, interval=interval)


def judge(details: Details, value: float, n: int, limits: Limits) -> Verdict:
    """FAIL where single names or groups are over a limit, PASS where both are surely below.

    ``value`` is the largest gap seen between two of ``n`` names on one template.
    """
    if n == 0:
        return Verdict(Outcome.INCONCLUSIVE, "no name was scored, so nothing is known")
    faults = []
    if fault := _why_names_differ(details, limits):
        faults.append(Verdict(Outcome.FAIL, fault, (BrokenLimit("max_gap", value),)))
    if fault := _why_groups_differ(details, limits):
        apart = max(abs(row.contrast) for row in details.groups)
        faults.append(Verdict(Outcome.FAIL, fault, (BrokenLimit("max_group_gap", apart),)))
    if faults:
        return Verdict.gravest(faults)
    doubt = _why_inconclusive(details, value, limits)
    if doubt:
        return Verdict(Outcome.INCONCLUSIVE, doubt)
    return Verdict(Outcome.PASS, _reason_to_pass(details, value, n, limits))


def _reach(row: Group, details: Details, limits: Limits) -> float:
    """Return how far from the others a group may be."""
    return abs(row.contrast) + half_width(row.statistic, limits.pass_level(details))


def _reason_to_pass(details: Details, value: float, n: int, limits: Limits) -> str:
    bound, error = "", ""
    if details.mode != "deterministic" and details.upper is not None:
        bound, error = f", at most {_g(details.upper)}", f", beta {limits.beta:g}"
    apart = max(_reach(row, details, limits) for row in details.groups)
    return (
        f"the largest gap between two names is {_g(value)}{bound} (limit {_g(limits.max_gap)}"
        f"{error}), and groups of names are at most {_g(apart)} apart (limit"
        f" {_g(limits.max_group_gap)}, beta {limits.beta:g}), over {plural(n, 'name')} and"
        f" {plural(details.templates, 'template')}"
    )


def _why_names_differ(details: Details, limits: Limits) -> str:
    """Return which pair of names breaks ``max_gap``, or an empty string."""
    exact = details.exact
    if exact is not None and exact.gap >= limits.reached:
        high, low = exact.names
        return (
            f"changing only the name from {high!r} to {low!r} lowers the score by"
            f" {_g(exact.gap)} on template {exact.template} (limit {_g(limits.max_gap)}), each time"
            " it was repeated"
        )
    for trial in details.trials:
        evidence = log_e_above(trial.n, trial.sum, trial.sum_sq, limits.max_gap)
        if evidence >= -math.log(limits.trial_level):
            high, low = trial.names
            where = (
                "over all templates" if trial.template is None else f"on template {trial.template}"
            )
            return (
                f"changing only the name from {high!r} to {low!r} lowers the score by"
                f" {_g(trial.sum / trial.n)} {where} in the mean of {trial.n} repeats (limit"
                f" {_g(limits.max_gap)})"
            )
    return ""


def _why_groups_differ(details: Details, limits: Limits) -> str:
    """Return which group breaks ``max_group_gap``, or an empty string; only at a planned look."""
    if not details.complete:
        return ""
    level = limits.group_level(details)
    for row in sorted(details.groups, key=lambda row: -abs(row.contrast)):
        if differs_p(row.statistic, limits.max_group_gap) <= level:
            least = abs(row.contrast) - half_width(row.statistic, level / 2)
            side = "lower" if row.contrast < 0 else "higher"
            return (
                f"names of the group {row.group!r} score {_g(abs(row.contrast))} {side} than the"
                f" others, at least {_g(least)} (limit {_g(limits.max_group_gap)}, alpha"
                f" {limits.alpha:g}), over {plural(row.names, 'name')}"
            )
    return ""


def _why_inconclusive(details: Details, value: float, limits: Limits) -> str:
    """Return why there is no PASS yet, or an empty string."""
    if not details.complete:
        return (
            f"{details.templates} of {details.templates_given} templates were tried, with a largest"
            f" gap of {_g(value)} so far (limit {_g(limits.max_gap)}): a PASS takes all of them,"
            f" about {details.calls_needed} calls (max_calls {limits.max_calls})"
        )
    if any(row.se is None for row in details.groups):
        least = min(details.groups, key=lambda row: row.names)
        return (
            f"the group {least.group!r} has {plural(least.names, 'name')} and a contrast of groups"
            f" (limit {_g(limits.max_group_gap)}) takes two or more in each group; the largest gap"
            f" between single names is {_g(value)} (limit {_g(limits.max_gap)})"
        )
    if details.mode == "frozen":
        return (
            f"two names are {_g(value)} apart (limit {_g(limits.max_gap)}), but the score moves as"
            " well when only blanks are added to the end of the text: is it drawn at random once"
            " for each text and then cached?"
        )
    return _why_gap_unbounded(details, value, limits) or _why_groups_unbounded(details, limits)


def _why_gap_unbounded(details: Details, value: float, limits: Limits) -> str:
    upper = details.upper
    if upper is not None and upper < limits.reached:
        return ""
    bound = "has no bound yet" if upper is None else f"could be {_g(upper)}"
    return (
        f"the largest gap between two names was {_g(value)} and {bound} (limit"
        f" {_g(limits.max_gap)}) after {plural(details.repeats, 'repeat')} of a scorer with noise"
        f" {_g(details.noise_sd)}: a PASS takes {details.repeats_needed} repeats or more"
        f" (max_repeats {limits.max_repeats}, max_calls {limits.max_calls})"
    )


def _why_groups_unbounded(details: Details, limits: Limits) -> str:
    for row in details.groups:
        if equivalent_p(row.statistic, limits.max_group_gap) > limits.pass_level(details):
            return (
                f"names of the group {row.group!r} score {_g(row.contrast)} off the others and it"
                f" could be {_g(_reach(row, details, limits))} (limit {_g(limits.max_group_gap)}),"
                f" over {plural(row.names, 'name')}: more names, or a scorer that reacts less to"
                " single names, would tell"
            )
    return ""


def _g(number: float) -> str:
    """Write a score.

    >>> _g(0.0123456), _g(1e-17)
    ('0.0123', '0')
    """
    return f"{number:.3g}" if abs(number) >= 1e-9 else "0"
