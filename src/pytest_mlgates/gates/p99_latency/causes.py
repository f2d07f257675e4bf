"""Why there is no verdict, in words, and the way out."""

from __future__ import annotations

from pytest_mlgates.core.words import percent, plural
from pytest_mlgates.gates.p99_latency.bounds import (
    NEEDED_SHARE,
    clean_calls,
    fewest,
    first_calls_bound,
    remembered,
    upper_share,
)
from pytest_mlgates.gates.p99_latency.details import Counts
from pytest_mlgates.stats import binomial
from pytest_mlgates.stats.sequential import Schedule

__all__ = ["cause"]

#: above this load a PASS takes more calls because of it
_SOON_FULL = 0.3
_NEITHER = "this is neither a pass nor a fail"
_WAYS_OUT = (
    "use a quieter machine, real-time priority (`realtime: true`), or the paired comparison "
    "(`max_regression` and a baseline)"
)


def cause(
    counts: Counts,
    plan: Schedule,
    error: float,
    floor: float,
    *,
    late: bool,
    min_seconds: float,
) -> str:
    """Return why there is no verdict, and the way out."""
    allowed = 1.0 - counts.quantile
    if late:
        return (
            f"{counts.late} calls started more than 1 ms late though the subject was free, so the "
            f"load was not the one asked for; neither pass nor fail: {_WAYS_OUT}"
        )
    looks_slow = binomial.lower(counts.raw.over, counts.raw.n, error, counts.raw.deff) > allowed
    if not counts.counters and looks_slow:
        return (
            "too many calls exceed it, but this system has no counters that tell a slow subject "
            "from a busy machine; neither pass nor fail: measure on Linux, or use the paired "
            "comparison (`max_regression` and a baseline)"
        )
    if text := _busy(counts, error, allowed, looks_slow and counts.n not in plan.early):
        return text
    if remembered(counts) and first_calls_bound(counts, error) >= allowed:
        return _memory(counts, error, allowed)
    if not plan.pass_looks:
        return f"a PASS needs at least {plan.floor} calls: raise max_calls to that"
    return _open(counts, plan, error, floor, min_seconds)


def _open(counts: Counts, plan: Schedule, error: float, floor: float, min_seconds: float) -> str:
    """Say what is missing where nothing is wrong with the machine."""
    allowed, due = 1.0 - counts.quantile, plan.after(counts.n)
    seen = counts.screened
    few = seen.stretches is not None and 0 < seen.stretches < 3
    surely = binomial.lower(seen.over, seen.n, error, 1.0) > allowed
    if few and surely and counts.n not in plan.early:
        return (
            f"all {plural(seen.over, 'slow call')} came in "
            f"{plural(seen.stretches or 0, 'stretch', 'stretches')} of the run: a FAIL takes three "
            "separate ones, a PASS more calls without: raise max_calls"
        )
    if not fewest(plan, error, floor, allowed):
        needed = clean_calls(allowed, error, floor)
        if counts.load is not None and counts.load > _SOON_FULL:
            return (
                f"the server was busy {percent(counts.load)} of the time, and so near saturation "
                f"waits hang together for long: a PASS takes about {needed:,} calls (max_calls is "
                f"{plan.looks[-1]:,}), or a lower rate"
            )
        return (
            f"a PASS that holds for {floor:g} slow calls together takes about {needed:,} calls "
            f"(max_calls is {plan.looks[-1]:,}): raise max_calls, or lower longest_burst"
        )
    if due is not None:
        return f"not yet clear, the next look is at {due} calls"
    if counts.seconds is not None and counts.seconds < min_seconds:
        return (
            f"the calls took {counts.seconds:.3g} s, a PASS takes {min_seconds:g} s of them "
            "(min_seconds): raise max_calls"
        )
    return "too near the limit to tell with this many calls: raise max_calls"


def _busy(counts: Counts, error: float, allowed: float, looks_slow: bool) -> str:
    """Say what others on the machine did, where that keeps a verdict from being made."""
    if not counts.counters:
        return ""
    by_clock, by_itself = upper_share(counts.raw, error), upper_share(counts.own, error)
    used = (
        f"others used {counts.others_cores or 0:.2f} cores, the host withheld "
        f"{counts.stolen_share or 0:.2f}"
    )
    if counts.undisturbed_share < NEEDED_SHARE and by_clock >= allowed:
        return (
            f"the machine was too busy to tell ({used}, {100 * counts.undisturbed_share:.0f} % of "
            f"blocks were undisturbed and {100 * NEEDED_SHARE:.0f} % are needed); {_NEITHER}: "
            f"{_WAYS_OUT}"
        )
    if by_clock >= allowed > by_itself:
        return (
            f"the machine was too busy to tell ({used}): calls are over the limit by the clock and "
            f"not by what they took themselves; {_NEITHER}: {_WAYS_OUT}"
        )
    if not looks_slow:
        return ""
    if counts.waited_s and counts.budget_s is not None:
        who = "" if counts.served else ", or say what serves it (`served_by`: pid, port, cgroup)"
        return (
            f"calls waited and were {counts.waited_s:.3g} s over the limit together, of which "
            f"others on the machine can have caused {min(counts.waited_s, counts.budget_s):.3g} s "
            f"({used}); {_NEITHER}: {_WAYS_OUT}{who}"
        )
    margin = counts.margin or 1.0
    return (
        f"calls are over the limit, but not surely by more than the {percent(margin - 1)} that "
        "the speed of this machine is unsure by: run `mlgates doctor --calibrate` while it is "
        f"quiet; {_NEITHER}"
    )


def _memory(counts: Counts, error: float, allowed: float) -> str:
    seen = counts.inputs
    assert seen is not None
    needed = clean_calls(allowed, error)
    return (
        f"answers are remembered: the first call of an input takes {seen.first_ms or 0:.3g} ms, the "
        f"next {seen.later_ms or 0:.3g} ms (medians; {seen.first.over} of {seen.first.n} first calls "
        f"were over the limit). Give at least {needed} different inputs, as many as are called, or "
        "turn the memory off"
    )
