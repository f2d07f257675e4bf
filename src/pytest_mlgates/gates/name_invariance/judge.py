"""What recorded details say under a policy. Pure: details and numbers in, a verdict out."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pytest_mlgates.core.errors import Unfit
from pytest_mlgates.core.records import BrokenLimit, Headline, Outcome, Verdict
from pytest_mlgates.core.words import plural
from pytest_mlgates.gates.name_invariance import older
from pytest_mlgates.gates.name_invariance.details import (
    MAX_TRIALS,
    Details,
    Tried,
    needed_log_e,
)
from pytest_mlgates.stats.binomial import upper as share_below
from pytest_mlgates.stats.zero_tolerance import bound, tries

__all__ = ["Limits", "headline", "judge"]

#: the part of a limit from which on it counts as reached: 0.51 - 0.5 is not below 0.01
_REACHED = 1 - 1e-4


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The numbers of a policy that a verdict rests on; ``max_repeats`` and ``max_calls`` for words.

    ``max_group_gap`` is None where groups are not compared; ``width`` is that of the declared
    range of scores, None where none is.
    """

    max_gap: float
    max_group_gap: float | None
    max_gap_share: float
    width: float | None
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

    def group_level(self, pairs: int) -> float:
        """What one side of one pair of groups may spend of alpha, at whatever look."""
        return self.alpha / (4 * pairs)

    def pass_level(self, details: Details) -> float:
        """What one look may spend of beta, where a bound does not hold at every look."""
        return self.beta / details.looks

    def range_of(self, details: Details) -> float:
        """Return the largest difference there can be, as declared or else as seen."""
        if self.width is not None:
            return self.width
        low, high = details.span or (0.0, 0.0)
        return max(high - low, 0.0)


def headline(details: Details) -> Headline:
    """Return the number that the policy is about, as the details give it."""
    if details.widest is None:
        raise Unfit("details.widest: is missing")
    low, high = details.lower, details.upper
    interval = None if low is None or high is None else (low, high)
    n = len(details.name_means)  # a plain list has no groups
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
        seen = [gap.gap for gap in details.gaps or ()]  # an older record has contrasts
        seen = seen or [row.contrast or 0.0 for row in details.groups]
        apart = max(map(abs, seen), default=0.0)
        faults.append(Verdict(Outcome.FAIL, fault, (BrokenLimit("max_group_gap", apart),)))
    if faults:
        return Verdict.gravest(faults)
    doubt = _why_inconclusive(details, value, limits)
    if doubt:
        return Verdict(Outcome.INCONCLUSIVE, doubt)
    return Verdict(Outcome.PASS, _reason_to_pass(details, value, n, limits))


def _reason_to_pass(details: Details, value: float, n: int, limits: Limits) -> str:
    over = f"over {plural(n, 'name')} and {plural(details.templates, 'template')}"
    if details.gaps is None:
        return older.reason_to_pass(details, value, limits.max_gap, limits.max_group_gap, over)
    mean, error = "", ""
    if details.mode != "deterministic" and _is_mean_bounded(details, limits):
        mean, error = f", at most {_g(details.upper or 0.0)}", f", beta {limits.beta:g}"
    shows = _shows_in(details, limits)
    text = (
        f"the largest gap between two names is {_g(value)}{mean} (limit {_g(limits.max_gap)}{error});"
        f" none shows in more than 1 of {shows:.3g} calls of a name"
    )
    width = limits.range_of(details)
    if details.gaps and limits.max_group_gap is not None:
        apart = max(gap.at_most(width, limits.beta) for gap in details.gaps)
        whom = "of names like these" if _tells_population(details, limits) else "of these names"
        text += (
            f"; any two groups {whom} are at most {_g(min(apart, width))} apart (limit"
            f" {_g(limits.max_group_gap)}, beta {limits.beta:g})"
        )
    if limits.width is None and details.span is not None:
        low, high = details.span
        text += f"; scores outside those seen, {_g(low)} to {_g(high)}, are in no bound"
    return f"{text}, {over}"


def _shows_in(details: Details, limits: Limits) -> float:
    """Return r: a gap that shows in more than 1 of r calls of a name would have been seen."""
    if details.mode == "deterministic":
        return 1 / bound(details.calls_a_name, 1.0, limits.beta)
    return 1 / limits.max_gap_share


def _is_mean_bounded(details: Details, limits: Limits) -> bool:
    return details.upper is not None and details.upper < limits.reached


def _is_seldom_off(details: Details, limits: Limits) -> bool:
    """Tell whether no name is off the middle in more than the share of its calls that may be."""
    off, of = details.off
    return of > 0 and share_below(off, of, limits.pass_level(details)) <= limits.max_gap_share


def _tells_population(details: Details, limits: Limits) -> bool:
    """Tell whether the names are so many that they stand for others drawn like them."""
    if limits.width is None or limits.max_group_gap is None or not details.gaps:
        return False
    needed = -math.log(limits.beta)
    found = (
        gap.log_e_within(limits.max_group_gap, limits.width, by_name=True) for gap in details.gaps
    )
    return details.pairs == len(details.gaps) and all(log_e >= needed for log_e in found)


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
    return next(filter(None, (_why_pair_differs(t, details, limits) for t in details.trials)), "")


def _why_pair_differs(trial: Tried, details: Details, limits: Limits) -> str:
    high, low = trial.names
    where = "over all templates" if trial.template is None else f"on template {trial.template}"
    head = f"changing only the name from {high!r} to {low!r} lowers the score by"
    needed = needed_log_e(limits.trial_level)
    if trial.over is None:
        needed = -math.log(limits.trial_level)  # an older record: one test
    if trial.log_e_mean(limits.max_gap, limits.range_of(details)) >= needed:
        return (
            f"{head} {_g(trial.sum / trial.n)} {where} in the mean of {trial.n} repeats (limit"
            f" {_g(limits.max_gap)})"
        )
    if trial.log_e_typical() >= needed:
        return (
            f"{head} {_g(limits.max_gap)} or more (the limit) {where} in {trial.over} of {trial.n}"
            f" repeats, by {_g(trial.sum / trial.n)} in the mean"
        )
    return ""


def _why_groups_differ(details: Details, limits: Limits) -> str:
    """Return which groups break ``max_group_gap``, or an empty string; only after whole rounds."""
    limit = limits.max_group_gap
    if not details.complete or limit is None:
        return ""
    if details.gaps is None:
        return older.why_groups_differ(details, limit, limits.alpha)
    width = limits.range_of(details)
    for gap in sorted(details.gaps, key=lambda gap: -abs(gap.gap)):
        level = limits.group_level(details.pairs)
        surely = gap.log_e_beyond(limit, width) >= -math.log(level)
        if surely and gap.p_by_name(limit) <= 2 * level:
            (first, second), (own, others) = gap.groups, gap.names
            side = "lower" if gap.gap < 0 else "higher"
            return (
                f"names of the group {first!r} score {_g(abs(gap.gap))} {side} than those of"
                f" {second!r}, at least {_g(gap.at_least(width, level))} (limit {_g(limit)}, alpha"
                f" {limits.alpha:g}), over {own} and {plural(others, 'name')}"
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
    if limits.max_group_gap is not None and any(row.names < 2 for row in details.groups):
        least = min(details.groups, key=lambda row: row.names)
        return (
            f"the group {least.group!r} has {plural(least.names, 'name')} and a gap between groups"
            f" (limit {_g(limits.max_group_gap)}) takes two or more in each; the largest gap between"
            f" single names is {_g(value)} (limit {_g(limits.max_gap)}): give a plain list of names,"
            " or max_group_gap: null, where single names are all that counts"
        )
    if details.mode == "frozen":
        return (
            f"two names are {_g(value)} apart (limit {_g(limits.max_gap)}), but the score moves as"
            " well when only blanks are added to the end of the text: is it drawn at random once"
            " for each text and then cached?"
        )
    if details.gaps is None:
        return older.why_inconclusive(details, limits.max_group_gap, limits.beta) or _why_unbounded(
            details, value, limits
        )
    return (
        _why_unbounded(details, value, limits)
        or _why_unseen(details, value, limits)
        or _why_groups_unbounded(details, limits)
    )


def _why_unbounded(details: Details, value: float, limits: Limits) -> str:
    if details.mode == "deterministic":
        return (
            ""
            if value < limits.reached
            else f"two names are {_g(value)} apart (limit {_g(limits.max_gap)}), not yet repeated"
        )
    if _is_mean_bounded(details, limits):
        return ""
    if details.gaps is not None and _is_seldom_off(details, limits):
        return ""
    bounded = "has no bound yet" if details.upper is None else f"could be {_g(details.upper)}"
    return (
        f"the largest gap between two names was {_g(value)} and {bounded} (limit"
        f" {_g(limits.max_gap)}) after {plural(details.repeats, 'repeat')} of a scorer with noise"
        f" {_g(details.noise_sd)}: a PASS takes {details.repeats_needed} repeats or more"
        f" (max_repeats {limits.max_repeats}, max_calls {limits.max_calls})"
    )


def _why_unseen(details: Details, value: float, limits: Limits) -> str:
    """Return that each name was called too seldom for a gap to show."""
    wanted = tries(limits.max_gap_share, 1.0, limits.beta)
    if details.calls_a_name >= wanted:
        return ""
    return (
        f"the largest gap between two names was {_g(value)} (limit {_g(limits.max_gap)}), but each"
        f" name was called {plural(details.calls_a_name, 'time')}: to see one that shows in 1 of"
        f" {1 / limits.max_gap_share:.3g} calls takes {wanted}, about {details.calls_needed} calls in"
        f" all (max_calls {limits.max_calls})"
    )


def _why_groups_unbounded(details: Details, limits: Limits) -> str:
    limit, width = limits.max_group_gap, limits.range_of(details)
    if limit is None:
        return ""
    for gap in details.gaps or ():
        if gap.log_e_within(limit, width) < -math.log(limits.beta):
            (first, second), apart = gap.groups, gap.at_most(width, limits.beta)
            if abs(gap.gap) >= limit:
                return (
                    f"names of the group {first!r} score {_g(gap.gap)} off those of {second!r} (limit"
                    f" {_g(limit)}), but names differ so much inside a group that it could be chance:"
                    " more names would tell"
                )
            scale = "those seen" if limits.width is None else "the score_range"
            return (
                f"names of the group {first!r} score {_g(gap.gap)} off those of {second!r} and it"
                f" could be {_g(apart)} (limit {_g(limit)}) after {gap.calls.n} differences in"
                f" {details.calls} calls: more calls (max_calls {limits.max_calls}, max_repeats"
                f" {limits.max_repeats}) or a wider max_group_gap would tell, as {scale} may hold"
                f" gaps of {_g(width)}"
            )
    return ""


def _g(number: float) -> str:
    """Write a score.

    >>> _g(0.0123456), _g(1e-17)
    ('0.0123', '0')
    """
    return f"{number:.3g}" if abs(number) >= 1e-9 else "0"
