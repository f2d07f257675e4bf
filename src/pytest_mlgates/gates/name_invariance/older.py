"""The group rule of the versions 0.1 and 0.2: each group against the mean of the others.

Their records are still replayed, and decide as they did. The rule took the effects of names for
about normal, and two groups that are each within the limit of the others can be twice as far apart
from one another: later records hold gaps between pairs of groups instead.
"""

from __future__ import annotations

from pytest_mlgates.gates.name_invariance.details import Details, Group
from pytest_mlgates.stats.equivalence import differs_p, equivalent_p, half_width

__all__ = ["reason_to_pass", "why_groups_differ", "why_inconclusive"]


def reason_to_pass(
    details: Details, value: float, max_gap: float, max_group_gap: float | None, over: str
) -> str:
    """Return what a PASS of an older record rests on."""
    apart = max(abs(row.statistic.estimate) for row in details.groups)
    return (
        f"the largest gap between two names is {value:.3g} (limit {max_gap:.3g}), and no group of"
        f" names is more than {apart:.3g} off the mean of the others (limit {max_group_gap}), {over}"
    )


def why_groups_differ(details: Details, limit: float, alpha: float) -> str:
    """Return which group is off the others, or an empty string."""
    share = 1.0 if details.mode == "deterministic" else 0.5
    level = alpha * share / (len(details.groups) * details.looks)
    for row in sorted(details.groups, key=lambda row: -abs(row.statistic.estimate)):
        if differs_p(row.statistic, limit) <= level:
            return (
                f"names of the group {row.group!r} score {row.statistic.estimate:.3g} off the mean of the"
                f" others (limit {limit:g}, alpha {alpha:g})"
            )
    return ""


def why_inconclusive(details: Details, limit: float | None, beta: float) -> str:
    """Return which group could be off the others, or an empty string."""
    if limit is None:
        return ""
    for row in details.groups:
        if row.se is None or equivalent_p(row.statistic, limit) > beta / details.looks:
            return (
                f"names of the group {row.group!r} score {row.statistic.estimate:.3g} off the others and it"
                f" could be {_reach(row, beta / details.looks):.3g} (limit {limit:g})"
            )
    return ""


def _reach(row: Group, level: float) -> float:
    """Return how far from the others a group may be."""
    return abs(row.statistic.estimate) + half_width(row.statistic, level)
