"""The verdict on counts by slice. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

from pytest_mlgates.core.records import BrokenLimit, Headline, Outcome, Verdict
from pytest_mlgates.core.words import percent, plural
from pytest_mlgates.gates.shadow_divergence.details import OVERALL, Row, Seen
from pytest_mlgates.stats.ebh import ebh
from pytest_mlgates.stats.eprocess import log_sign_e
from pytest_mlgates.stats.rate import fewest_clean, lower, more_needed, upper

__all__ = ["Limits", "deciding", "direction", "headline", "judge", "leaving", "scope"]

#: unnamed slices that are counted one by one
MAX_ALIKE = 10**6


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The rate that no slice may be above, and the chances of saying so wrongly.

    ``q`` is the expected share of wrongly named slices among those named; ``required`` slices must
    occur; those rarer than ``min_share`` are not waited for; with ``discover`` slices are searched.
    """

    max_rate: float
    alpha: float
    beta: float
    q: float
    required: tuple[str, ...]
    min_share: float
    discover: bool

    @property
    def level(self) -> float:
        """The chance of a FAIL where every slice meets the limit."""
        return min(self.alpha, self.q)

    def bounds(self, row: Row) -> tuple[float, float]:
        """Return what a slice's rate is above, as for a FAIL, and below, as for a PASS."""
        low = lower(row.divergent, row.n, self.level * row.weight)
        return low, upper(row.divergent, row.n, self.beta)

    def is_below(self, row: Row) -> bool:
        """Tell whether a slice has shown that it is below the limit."""
        return row.log_e_below(self.max_rate) >= -log(self.beta)


def leaving(seen: Seen, limits: Limits) -> tuple[bool, list[Row]]:
    """Return whether the shadow fails, and the slices that it leaves the control in, surest first.

    It fails where e-BH at ``alpha`` rejects any: where every slice meets the limit that has a
    chance of at most alpha, at any look. The slices are named at ``q``.
    """
    every: list[Row] = []
    evidence: list[float] = []
    for row in (seen.overall, *seen.rows):
        alike = min(row.count, MAX_ALIKE)
        every += [row] * alike
        evidence += [row.log_e_above(limits.max_rate)] * alike
    weights = [row.weight for row in every]
    fails = bool(ebh(evidence, limits.level, weights))
    return fails, [every[at] for at in ebh(evidence, limits.q, weights)]


def deciding(seen: Seen, limits: Limits) -> Row:
    """Return the slice that the verdict hangs on: that of a FAIL, or the one farthest from a PASS."""
    fails, named = leaving(seen, limits)
    if fails:
        return next((row for row in named if row.name != OVERALL), named[0])
    rows, limit = _needed(seen), limits.max_rate
    if undecided := [row for row in rows if not limits.is_below(row)]:
        return max(undecided, key=lambda row: (row.rate > limit, -row.log_e_below(limit)))
    return max(rows, key=lambda row: row.rate)


def _needed(seen: Seen) -> list[Row]:
    """Return what a PASS waits for: all inputs together too, where not all slices are waited for."""
    needed = [row for row in seen.rows if row.needed]
    if not seen.rows or len(needed) < sum(1 for row in seen.rows if not row.found):
        needed.append(seen.overall)
    return needed


def headline(seen: Seen, limits: Limits) -> Headline:
    """Return the number that the policy is about, as the details give it."""
    row = deciding(seen, limits)
    low, high = limits.bounds(row)
    interval = min(low, row.rate), max(high, row.rate)
    return Headline(value=row.rate, unit="of inputs", n=seen.inputs_run, interval=interval)


def judge(seen: Seen, limits: Limits) -> Verdict:
    """FAIL where a slice is over the limit, PASS where each that counts has shown it is below."""
    fails, named = leaving(seen, limits)
    if fails:
        return Verdict(
            Outcome.FAIL,
            _reason_to_fail(seen, limits, named),
            tuple(
                BrokenLimit("max_rate", row.rate, "" if row.name == OVERALL else row.name)
                for row in named
            ),
            _undecided(seen, limits, named),
        )
    if doubt := _reason_inconclusive(seen, limits):
        also = ""
        if named:
            also = f"; {_where(named[0], seen)} stands out (rate {percent(named[0].rate)})"
        return Verdict(Outcome.INCONCLUSIVE, doubt + also)
    return Verdict(Outcome.PASS, _why_pass(seen, limits))


def _undecided(seen: Seen, limits: Limits, named: Sequence[Row]) -> str:
    """Return which slices that a PASS waits for are neither over the limit nor below it."""
    open_ = [row for row in _needed(seen) if not limits.is_below(row) and row not in named]
    if not open_:
        return ""
    return (
        f"{_distance(open_[0], seen, limits)}{f'; and {len(open_) - 1} more' if open_[1:] else ''}"
    )


def _why_pass(seen: Seen, limits: Limits) -> str:
    limit = percent(limits.max_rate)
    needed = [row for row in seen.rows if row.needed]
    text = f"the shadow left the control in {percent(seen.rate)} of {seen.inputs_run} inputs"
    if judged := sum(row.count for row in needed):
        most = max(needed, key=lambda row: row.rate)
        each = "in the slice" if judged == 1 else f"in each of {judged} slices"
        text += (
            f"; {each} the rate is below {limit} (beta {limits.beta:g}; the highest is"
            f" {percent(most.rate)}, {_where(most, seen)})"
        )
    else:
        text += f", below {limit} (beta {limits.beta:g})"
    if left := sum(row.count for row in seen.rows if not (row.needed or row.found)):
        rarer = percent(limits.min_share)
        text += f"; {plural(left, 'slice')} rarer than {rarer} {_are(left)} not judged"
    return text


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _reason_to_fail(seen: Seen, limits: Limits, named: Sequence[Row]) -> str:
    worst = deciding(seen, limits)
    least, _ = limits.bounds(worst)
    text = (
        f"the shadow left the control {_where(worst, seen)}: {worst.divergent} of {worst.n} inputs,"
        f" {percent(worst.rate)}, at least {percent(least)} (limit {percent(limits.max_rate)},"
        f" alpha {limits.level:g})"
    )
    if others := [row for row in named if row not in (worst, seen.overall)]:
        text += f"; and in {plural(len(others), 'more slice')}, first {_where(others[0], seen)}"
    if worst.name != OVERALL:
        text += f"; {scope(seen)} {percent(seen.rate)}"
    labels = direction(worst.shadow_right, worst.control_right, limits.alpha)
    return f"{text}; {labels}" if labels else text


def _reason_inconclusive(seen: Seen, limits: Limits) -> str:
    """Return why there is no PASS, or an empty text."""
    by_name = {row.name: row for row in seen.rows}
    for name in limits.required:
        if name not in by_name or not by_name[name].n:
            return f"the slice {name!r} did not occur in {seen.inputs_run} inputs, and it must"
    if seen.blank:
        return "each answer of the control was empty, so nothing was compared"
    if undecided := [row for row in _needed(seen) if not limits.is_below(row)]:
        others = sum(row.count for row in undecided) - 1
        more = f"; {plural(others, 'more slice')} {_are(others)} undecided" if others else ""
        return _distance(deciding(seen, limits), seen, limits) + more
    if not seen.ended and seen.order in ("given", "stream"):
        return (
            f"no slice is over {percent(limits.max_rate)} in {seen.inputs_run} inputs so far: inputs"
            " that come in an order of their own are all run before a PASS"
        )
    if not seen.ended and limits.discover:
        return "slices that nobody named are searched when all inputs were run"
    return ""


def _distance(row: Row, seen: Seen, limits: Limits) -> str:
    """Say how far a slice is from a PASS."""
    limit, beta = limits.max_rate, limits.beta
    head = (
        f"{_where(row, seen)} {row.divergent} of {row.n} inputs diverged ({percent(row.rate)}, limit"
        f" {percent(limit)})"
    )
    if row.n > row.distinct and more_needed(row.divergent, row.n, limit, beta) == 0:
        return (
            f"{head}, but only {row.distinct} of them differ from each other and a PASS takes"
            f" {fewest_clean(limit, beta)} that do (repeats_count: true, where repeats are draws of"
            " their own)"
        )
    more = more_needed(row.distinct_divergent, row.distinct, limit, beta)
    if more is not None:
        return f"{head}: a PASS takes about {_inputs(row, more)}"
    level = limits.level * row.weight
    to_fail = more_needed(row.divergent, row.n, limit, level, above=True)
    if to_fail is not None:
        return f"{head}: at that rate a FAIL takes about {_inputs(row, to_fail)}"
    return f"{head}: that is too close to the limit for either"


def _inputs(row: Row, more: int) -> str:
    if row.name == OVERALL:
        return f"{more} more"
    text = f"{more} more of this slice"
    if 0 < row.share < 1:
        text += f" ({round(more / row.share)} as inputs come: it is {percent(row.share)} of them)"
    return text


def direction(shadow_right: int, control_right: int, error: float) -> str:
    """Say which of the two the labels confirm where they differ, or nothing without labels.

    >>> direction(30, 2, 1e-4)
    'where they differ the labels confirm the shadow 30 times and the control 2 times: the shadow is the better one'
    """
    if not shadow_right + control_right:
        return ""
    text = (
        f"where they differ the labels confirm the shadow {shadow_right} times and the control"
        f" {control_right} times"
    )
    if log_sign_e(shadow_right, control_right) >= -log(error):
        return f"{text}: the shadow is the better one"
    if log_sign_e(control_right, shadow_right) >= -log(error):
        return f"{text}: the shadow is the worse one"
    return f"{text}: which one is better is open"


def _where(row: Row, seen: Seen) -> str:
    if row.name == OVERALL:
        return scope(seen)
    where = f"in the slice {row.name!r}" if row.name else "in a slice"
    return where if not _is_cut_short(seen) else f"{where} of {scope(seen)[5:]}"


def scope(seen: Seen) -> str:
    """Return what a rate is about: all inputs, or those that came first in an order of their own."""
    return f"over the first {seen.inputs_run} inputs" if _is_cut_short(seen) else "over all inputs"


def _is_cut_short(seen: Seen) -> bool:
    return seen.order in ("given", "stream") and not seen.ended
