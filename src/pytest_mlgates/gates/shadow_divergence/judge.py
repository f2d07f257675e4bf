"""The verdict on counts by slice. Pure: it reads what was recorded, and the policy."""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING

from pytest_mlgates.core import Outcome, Verdict
from pytest_mlgates.gates.shadow_divergence.details import OVERALL, Row, Seen
from pytest_mlgates.stats.eprocess import log_sign_e
from pytest_mlgates.stats.rate import fewest_clean, lower, more_needed

if TYPE_CHECKING:
    from pytest_mlgates.gates.shadow_divergence.gate import ShadowDivergence

__all__ = ["deciding", "direction", "judge", "leaving", "share"]


def leaving(gate: ShadowDivergence, seen: Seen) -> tuple[bool, list[Row]]:
    """Return whether the shadow fails, and the slices that it leaves the control in.

    It fails where e-BH at ``alpha`` rejects any: where every slice meets the limit that has a
    chance of at most alpha, at any look. The slices are named at ``q``.
    """
    fails = bool(seen.leaving(gate.max_rate, min(gate.alpha, gate.q)))
    return fails, seen.leaving(gate.max_rate, gate.q)


def deciding(gate: ShadowDivergence, seen: Seen) -> Row:
    """Return the slice that the verdict hangs on: that of a FAIL, or the one farthest from a PASS."""
    fails, named = leaving(gate, seen)
    if fails:
        return next((row for row in named if row.name != OVERALL), named[0])
    rows = _needed(seen)
    short = _short(gate, rows)
    if short:
        return max(short, key=lambda row: (row.rate > gate.max_rate, -row.under(gate.max_rate)))
    return max(rows, key=lambda row: row.rate)


def _needed(seen: Seen) -> list[Row]:
    """Return what a PASS waits for: all inputs together too, where not all slices are waited for."""
    needed = [row for row in seen.slices if row.needed]
    if not seen.slices or len(needed) < sum(1 for row in seen.slices if not row.found):
        needed.append(seen.overall)
    return needed


def _short(gate: ShadowDivergence, rows: list[Row]) -> list[Row]:
    return [row for row in rows if row.under(gate.max_rate) < -log(gate.beta)]


def judge(gate: ShadowDivergence, seen: Seen) -> Verdict:
    """FAIL where a slice is surely over the limit, PASS where each that counts is surely below."""
    fails, named = leaving(gate, seen)
    if fails:
        return Verdict(Outcome.FAIL, _failed(gate, seen, named))
    if doubt := _doubt(gate, seen):
        also = ""
        if named:
            also = f"; {_where(named[0])} stands out (rate {share(named[0].rate)})"
        return Verdict(Outcome.INCONCLUSIVE, doubt + also)
    needed = [row for row in seen.slices if row.needed]
    judged = sum(row.count for row in needed)
    text = f"the shadow left the control in {share(seen.rate)} of {seen.overall.n} inputs"
    if judged:
        most = max(needed, key=lambda row: row.rate)
        text += (
            f"; in each of {judged} slice(s) the rate is surely below {share(gate.max_rate)}"
            f" (the highest is {share(most.rate)}, {_where(most)})"
        )
    else:
        text += f", surely below {share(gate.max_rate)}"
    if left := sum(row.count for row in seen.slices if not (row.needed or row.found)):
        text += f"; {left} slice(s) rarer than {share(gate.min_share)} are not judged"
    return Verdict(Outcome.PASS, text)


def _failed(gate: ShadowDivergence, seen: Seen, named: list[Row]) -> str:
    worst = deciding(gate, seen)
    least = lower(worst.divergent, worst.n, min(gate.alpha, gate.q) * worst.weight)
    text = (
        f"the shadow left the control {_where(worst)}: {worst.divergent} of {worst.n} inputs,"
        f" {share(worst.rate)}, surely more than {share(least)} (limit {share(gate.max_rate)})"
    )
    if others := [row for row in named if row not in (worst, seen.overall)]:
        text += f"; and in {len(others)} more slice(s), first {_where(others[0])}"
    if worst.name != OVERALL:
        text += f"; over all inputs {share(seen.rate)}"
    told = direction(worst.shadow_right, worst.control_right, gate.alpha)
    return f"{text}; {told}" if told else text


def _doubt(gate: ShadowDivergence, seen: Seen) -> str:
    """Say why there is no PASS, or nothing."""
    by_name = {row.name: row for row in seen.slices}
    for name in gate.wanted:
        if name not in by_name or not by_name[name].n:
            return f"the slice {name!r} did not occur in {seen.overall.n} inputs, and it must"
    if seen.blank:
        return "each answer of the control was empty, so nothing was compared"
    if short := _short(gate, _needed(seen)):
        others = sum(row.count for row in short) - 1
        also = f"; {others} more slice(s) are undecided" if others else ""
        return _missing(gate, deciding(gate, seen)) + also
    if not seen.ended and seen.order in ("given", "stream"):
        return (
            f"no slice is over {share(gate.max_rate)} in {seen.overall.n} inputs so far: inputs that"
            " come in an order of their own are all run before a PASS"
        )
    if not seen.ended and gate.discover:
        return "slices that nobody named are searched when all inputs were run"
    return ""


def _missing(gate: ShadowDivergence, row: Row) -> str:
    """Say how far a slice is from a PASS."""
    limit = share(gate.max_rate)
    head = f"{_where(row)} {row.divergent} of {row.n} inputs diverged ({share(row.rate)}, limit {limit})"
    if row.n > row.distinct and more_needed(row.divergent, row.n, gate.max_rate, gate.beta) == 0:
        return (
            f"{head}, but only {row.distinct} of them differ from each other and a PASS takes"
            f" {fewest_clean(gate.max_rate, gate.beta)} that do (repeats_count: true, where repeats"
            " are draws of their own)"
        )
    more = more_needed(row.distinct_divergent, row.distinct, gate.max_rate, gate.beta)
    if more is not None:
        return f"{head}: a PASS takes about {_inputs(row, more)}"
    level = min(gate.alpha, gate.q) * row.weight
    to_fail = more_needed(row.divergent, row.n, gate.max_rate, level, above=True)
    if to_fail is not None:
        return f"{head}: at that rate a FAIL takes about {_inputs(row, to_fail)}"
    return f"{head}: that is too close to the limit for either"


def _inputs(row: Row, more: int) -> str:
    if row.name == OVERALL:
        return f"{more} more"
    text = f"{more} more of this slice"
    if 0 < row.share < 1:
        text += f" ({round(more / row.share)} as inputs come: it is {share(row.share)} of them)"
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


def _where(row: Row) -> str:
    if row.name == OVERALL:
        return "over all inputs"
    return f"in the slice {row.name!r}" if row.name else "in a slice"


def share(rate: float) -> str:
    """Write a share.

    >>> share(0.02), share(0.1234), share(0.0)
    ('2 %', '12.3 %', '0 %')
    """
    return f"{100 * rate:.3g} %"
