"""From counts to a verdict: pure, and valid at every look of the schedule."""

from __future__ import annotations

import math

from scipy.stats import t as student

from pytest_mlgates.core import BrokenLimit, Headline, Outcome, Verdict
from pytest_mlgates.core.errors import Unfit
from pytest_mlgates.core.words import percent
from pytest_mlgates.gates.p99_latency.details import Counts, Relative, Seen, Tally
from pytest_mlgates.stats import binomial
from pytest_mlgates.stats.eprocess import log_sign_e
from pytest_mlgates.stats.sequential import Schedule

__all__ = ["NEEDED_SHARE", "headline", "judge", "judge_relative"]

NEEDED_SHARE = 0.5
#: an early look may only reject a subject most of whose calls are over the limit
_EARLY = 0.9
_MOST = 0.5
_WAYS_OUT = (
    "use a quieter machine, real-time priority (`realtime: true`), or the paired comparison "
    "(`max_regression` and a baseline)"
)


def headline(seen: Seen) -> Headline:
    """Return the number that the policy is about, as the details give it."""
    counts, at = seen.counts, seen.at_quantile
    if counts is None:
        return Headline(value=0.0, unit="ms", n=0)
    if at is None:
        raise Unfit("details.at_quantile: is missing")
    interval = None if at.low_ms is None or at.high_ms is None else (at.low_ms, at.high_ms)
    return Headline(value=at.ms, unit="ms", n=counts.n, interval=interval)


def judge(counts: Counts, value_ms: float, plan: Schedule, alpha: float, beta: float) -> Verdict:
    """Judge the counts of one look: PASS on what was seen, FAIL on what noise can't explain."""
    allowed = 1.0 - counts.quantile
    what = f"P{100 * counts.quantile:g}"
    told = f"{what} is {value_ms:.3g} ms over {counts.n} calls, limit {counts.limit_ms:g} ms"
    if counts.n not in plan.looks:
        due = plan.after(counts.n)
        text = f"the next look is at {due}" if due else "there is no look at this number"
        return Verdict(Outcome.INCONCLUSIVE, f"{told}: no verdict between looks, {text}")
    late = counts.late > allowed * counts.n
    spend = plan.pass_error(beta)
    if counts.n in plan.pass_looks and not late:
        worst = _pass_bound(counts, spend)
        if worst < allowed:
            share = f"at most {percent(worst)} of calls exceed it ({percent(allowed)} may)"
            return Verdict(Outcome.PASS, f"{told}: {share}")
    if not (late and counts.concurrent):
        early = counts.n == plan.early
        least = _fail_bound(counts, plan.fail_error(alpha), early, allowed)
        if least is not None:
            share = f"at least {percent(least)} of calls exceed it ({percent(allowed)} may)"
            text = f"{told}: {share}, whatever else the machine did"
            return Verdict(Outcome.FAIL, text, (BrokenLimit("max_ms", value_ms),))
    return Verdict(Outcome.INCONCLUSIVE, f"{told}: {_cause(counts, plan, spend, late, allowed)}")


def judge_relative(
    seen: Relative, most: float, n: int, plan: Schedule, *, alpha: float, beta: float
) -> Verdict:
    """Judge the paired comparison of one look: sign e-value and two one-sided bounds."""
    ratio = math.exp(seen.log_ratio)
    told = f"the tail is {ratio:.3f} times the baseline's over {n} pairs, limit {1 + most:g}"
    if n not in plan.looks or n == plan.early:
        return Verdict(Outcome.INCONCLUSIVE, f"{told}: no verdict at this number of pairs")
    margin = math.log1p(most)
    spend = plan.fail_error(alpha)
    freedom = max(1, n // plan.block - 1)  # the error is that of block means
    lower = seen.log_ratio + float(student.ppf(spend, freedom)) * seen.error
    if log_sign_e(seen.wins, seen.losses) >= -math.log(spend) and lower > margin:
        text = f"{told}: at least {math.exp(lower):.3f} times"
        slower = math.exp(seen.log_ratio) - 1
        return Verdict(Outcome.FAIL, text, (BrokenLimit("max_regression", slower),))
    if n in plan.pass_looks:
        upper = seen.log_ratio - float(student.ppf(plan.pass_error(beta), freedom)) * seen.error
        if upper < margin:
            return Verdict(Outcome.PASS, f"{told}: at most {math.exp(upper):.3f} times")
    return Verdict(Outcome.INCONCLUSIVE, f"{told}: too near the limit to tell")


def _pass_bound(counts: Counts, error: float) -> float:
    """Return an upper bound on the share over the limit, or 1 where no PASS may be earned."""
    clock = _upper_share(counts.raw, error)
    if not counts.counters:
        return clock
    if counts.undisturbed_share >= NEEDED_SHARE and counts.undisturbed.n:
        clock = min(clock, _upper_share(counts.undisturbed, error))
    # noise only adds: what passes by the clock on every call needs no undisturbed blocks
    return max(clock, _upper_share(counts.own, error))


def _fail_bound(counts: Counts, error: float, early: bool, allowed: float) -> float | None:
    """Return a lower bound on the share over the limit where it proves a FAIL, or None."""
    # without counters the clock can't tell a slow subject from a busy machine: only CPU time can
    known = counts.screened if counts.counters else counts.computed
    claims = [(known, _EARLY if early else allowed), (counts.beyond, _MOST)]
    for tally, most in claims:
        least = _lower_share(tally, error / len(claims))
        if least > most:
            return least
    return None


def _cause(counts: Counts, plan: Schedule, error: float, late: bool, allowed: float) -> str:
    """Return why there is no verdict, and the way out."""
    if late:
        return (
            f"{counts.late} calls started more than 1 ms late though the subject was free, so the "
            f"load was not the one asked for; neither pass nor fail: {_WAYS_OUT}"
        )
    looks_slow = _lower_share(counts.raw, error) > allowed
    if not counts.counters and looks_slow:
        return (
            "too many calls exceed it, but this system has no counters that tell a slow subject "
            "from a busy machine; neither pass nor fail: measure on Linux, or use the paired "
            "comparison (`max_regression` and a baseline)"
        )
    busy = counts.counters and (
        counts.undisturbed_share < NEEDED_SHARE
        or (_upper_share(counts.raw, error) >= allowed > _upper_share(counts.own, error))
        or (looks_slow and counts.n > (plan.early or 0))
    )
    if busy:
        return (
            f"the machine was too busy to tell (others used {counts.others_cores or 0:.2f} cores, the "
            f"host withheld {counts.stolen_share or 0:.2f}, {100 * counts.undisturbed_share:.0f} % of "
            f"blocks were undisturbed and {100 * NEEDED_SHARE:.0f} % are needed); this is neither "
            f"a pass nor a fail: {_WAYS_OUT}"
        )
    if not plan.pass_looks:
        return f"a PASS needs at least {plan.floor} calls: raise max_calls to that"
    if (due := plan.after(counts.n)) is not None:
        return f"not yet clear, the next look is at {due} calls"
    return "too near the limit to tell with this many calls: raise max_calls"


def _upper_share(tally: Tally, error: float) -> float:
    return binomial.upper(tally.over, tally.n, error, tally.deff)


def _lower_share(tally: Tally, error: float) -> float:
    return binomial.lower(tally.over, tally.n, error, tally.deff)
