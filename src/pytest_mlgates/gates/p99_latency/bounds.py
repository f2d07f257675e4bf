"""Bounds on the share of calls over the limit: what a PASS and what a FAIL may rest on."""

from __future__ import annotations

import math

from pytest_mlgates.gates.p99_latency.details import Counts, Tally
from pytest_mlgates.stats import binomial
from pytest_mlgates.stats.eprocess import log_sign_e
from pytest_mlgates.stats.sequential import Schedule

__all__ = [
    "NEEDED_SHARE",
    "clean_calls",
    "fail_bound",
    "fewest",
    "first_calls_bound",
    "floor_of",
    "no_verdict_to_come",
    "pass_bound",
    "remembered",
    "upper_share",
]

NEEDED_SHARE = 0.5
#: an early look may only reject a subject most of whose calls are over the limit
_EARLY = 0.9
_MOST = 0.5
#: a FAIL rests on slow calls in so many separate places, or on a run that is slow throughout
_PLACES, _THROUGHOUT = 3, 0.1
#: the very first looks take this long at least: a stall at the start is not the subject
_AT_ONCE_S = 3.0
#: chance to take answers for remembered that are not
_MEMORY = 1e-3
#: before this many calls (of a schedule's first ten thousand) nothing is hopeless
_HOPE = 0.05


def upper_share(tally: Tally, error: float, floor: float = 1.0) -> float:
    """Return the upper bound on a share, with a design effect of at least ``floor``.

    More that were seen together than ``floor`` says are worth one, too.
    """
    deff = tally.deff
    if tally.stretches is not None:
        deff = max(deff, floor, tally.longest or 1)
    return binomial.upper(tally.over, tally.n, error, min(deff, max(1, tally.n)))


def floor_of(counts: Counts, longest_burst: int) -> float:
    """Return the least design effect that a PASS reckons with.

    Slow calls that come ``longest_burst`` together are worth one. Near saturation waits hang
    together over as many calls as grow with 1 / (1 - load)² (Whitt, Management Sci. 35, 1989).
    """
    if counts.load is None:
        return float(longest_burst)
    return max(float(longest_burst), 2.0 / (1.0 - min(counts.load, 0.999)) ** 2)


def clean_calls(allowed: float, error: float, floor: float = 1.0) -> int:
    """Return how many calls without a slow one a PASS takes at a design effect.

    >>> clean_calls(0.01, 1e-3), clean_calls(0.01, 1e-3, 200)
    (688, 137464)
    """
    return math.ceil(floor * math.log(error) / math.log1p(-allowed))


def fewest(plan: Schedule, error: float, floor: float, allowed: float) -> int:
    """Return the first look at which a run without a slow call may PASS; 0 where none may."""
    for n in plan.pass_looks:
        if binomial.upper(0, n, error, min(floor, n)) < allowed:
            return n
    return 0


def pass_bound(counts: Counts, error: float, floor: float) -> float:
    """Return an upper bound on the share over the limit, or 1 where no PASS may be earned."""
    clock = upper_share(counts.raw, error, floor)
    if not counts.counters:
        return clock
    if counts.undisturbed_share >= NEEDED_SHARE and counts.undisturbed.n:
        clock = min(clock, upper_share(counts.undisturbed, error, floor))
    # noise only adds: what passes by the clock on every call needs no undisturbed blocks
    return max(clock, upper_share(counts.own, error, floor))


def remembered(counts: Counts) -> bool:
    """Tell whether first calls of inputs are slower than later ones: answers are remembered."""
    seen = counts.inputs
    if seen is None or seen.later_ms is None:
        return False
    first, allowed = seen.first, 1.0 - counts.quantile
    if first.n >= 2 and first.over == first.n:
        return True
    if binomial.lower(first.over, first.n, _MEMORY) > allowed:
        return True
    return log_sign_e(seen.slower, seen.quicker) >= -math.log(_MEMORY)


def first_calls_bound(counts: Counts, error: float) -> float:
    """Return the bound on first calls alone where answers are remembered, else 0."""
    if counts.inputs is None or not remembered(counts):
        return 0.0
    return upper_share(counts.inputs.first, error)


def fail_bound(counts: Counts, error: float, plan: Schedule, longest_burst: int) -> float | None:
    """Return a lower bound on the share over the limit where it proves a FAIL, or None."""
    # without counters the clock can't tell a slow subject from a busy machine: only CPU time can
    known = counts.screened if counts.counters else counts.computed
    allowed = 1.0 - counts.quantile
    if counts.n in plan.early[:-1]:
        return _at_once(known, error, allowed, counts.seconds, longest_burst)
    early = counts.n in plan.early
    claims = [(known, _EARLY if early else allowed), (counts.beyond, _MOST)]
    for tally, most in claims:
        least = binomial.lower(tally.over, tally.n, error / len(claims), tally.deff)
        if least > most and _in_several_places(tally, allowed):
            return least
    return None


def _at_once(
    known: Tally, error: float, allowed: float, seconds: float | None, longest_burst: int
) -> float | None:
    """Return the bound of one of the very first looks: nearly every call was slow, for a while."""
    if known.over < _EARLY * known.n or (seconds is not None and seconds < _AT_ONCE_S):
        return None
    least = binomial.lower(known.over, known.n, error, max(known.deff, float(longest_burst)))
    return least if least > allowed else None


def _in_several_places(tally: Tally, allowed: float) -> bool:
    if tally.stretches is None or tally.spread is None:
        return True  # evidence of a version that did not count them
    throughout = tally.spread >= min(0.9, max(_THROUGHOUT, 2 * allowed))
    return tally.stretches >= _PLACES or throughout


def no_verdict_to_come(counts: Counts, plan: Schedule, error: float, floor: float) -> bool:
    """Tell whether no later look can bring a verdict, as far as that can be known.

    A PASS is out of reach even if no call to come is slow, and nothing of what was seen speaks for
    a FAIL: too many calls are over the limit by the clock and not for certain, or hardly any is.
    """
    last, allowed = plan.looks[-1], 1.0 - counts.quantile
    if not plan.pass_looks or counts.n < min(_HOPE * 20_000, last) or counts.n in plan.early:
        return False
    known = counts.screened if counts.counters else counts.computed
    if known.over > allowed * known.n or counts.beyond.over > _MOST * counts.beyond.n / 2:
        return False
    seen = counts.inputs
    if seen is not None and remembered(counts) and 2 * seen.distinct < counts.n:
        return True  # the inputs have begun again: no first call is left

    def best(tally: Tally) -> float:
        return binomial.upper(tally.over, max(last, tally.n), error, min(floor, last))

    clock = best(counts.raw)
    if counts.counters:
        clock = max(min(clock, best(counts.undisturbed)), best(counts.own))
    raw = counts.raw
    unsure = binomial.lower(raw.over, raw.n, error, raw.deff) > allowed
    clean = counts.n >= plan.floor and known.over <= allowed * known.n / 4
    return clock >= allowed and (unsure or clean)
