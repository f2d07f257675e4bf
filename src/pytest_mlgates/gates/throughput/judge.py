"""From what was seen of a load to a verdict: pure."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from pytest_mlgates.core.errors import Unfit
from pytest_mlgates.core.records import BrokenLimit, Headline, Outcome, Verdict
from pytest_mlgates.core.words import percent
from pytest_mlgates.gates.throughput.details import Seen, Tally
from pytest_mlgates.stats import binomial
from pytest_mlgates.stats.means import mean_bounds

__all__ = ["LOOKS", "STRETCHES", "Limits", "headline", "judge"]

ALLOWED = 0.01
#: an early look may FAIL, the last may PASS too
LOOKS = 2
#: the generator lags where its 99 % lag is a tenth of the limit
LAG = 0.1
#: where it lagged, a FAIL needs more than bunched arrivals explain
_MOST = 0.25
_LEAST_BLOCKS = 8
#: in how many stretches a run falls at least where requests are compared over the longest ones
STRETCHES = 16
_WAYS_OUT = "use a quieter machine or real-time priority (`realtime: true`)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What must hold."""

    min_per_second: float
    max_p99_ms: float
    max_cpu_us: float | None
    alpha: float
    beta: float
    collector: bool = True


def headline(seen: Seen) -> Headline:
    """Return the number that the policy is about, as the details give it."""
    return Headline(value=seen.answered_per_s, unit="1/s", n=seen.raw.n if seen.raw else 0)


def judge(seen: Seen, n: int, value: float, limits: Limits) -> Verdict:
    """FAIL where any limit is surely broken, PASS where each is surely kept."""
    if seen.workers is not None:
        return Verdict(
            Outcome.INCONCLUSIVE,
            f"{seen.workers} workers share this machine, so no load was offered: run this test "
            "alone (`-n 0` or its own job), or set `shared_machine: true`",
        )
    if n == 0 or seen.offered == 0:
        return Verdict(Outcome.INCONCLUSIVE, "nothing was offered, so nothing is known")
    if n != seen.offered:
        raise Unfit(f"details.offered: {seen.offered} requests, the measurement is of {n}")
    if value != seen.answered_per_s:
        raise Unfit("details.answered_per_s: is not the value of the measurement")
    if seen.seconds <= 0:
        raise Unfit("details.seconds: is not above 0")
    if seen.limit_ms != limits.max_p99_ms:
        raise Unfit(
            f"details.limit_ms: requests were counted against {seen.limit_ms:g} ms, the policy "
            f"says {limits.max_p99_ms:g} ms: measure again"
        )
    claims = 1 + (limits.max_cpu_us is not None)
    verdicts = [_latency(seen, limits, limits.alpha / claims / LOOKS)]
    if limits.max_cpu_us is not None:
        verdicts.append(_cpu(seen, limits.max_cpu_us, limits.alpha / claims / LOOKS, limits.beta))
    return Verdict.gravest(verdicts)


def _latency(seen: Seen, limits: Limits, alpha: float) -> Verdict:
    raw, screened, failed = seen.raw, seen.screened, seen.failed
    if raw is None or screened is None or failed is None or seen.generator is None:
        raise Unfit("details: raw, screened, failed or generator is missing")
    if not (
        failed.over <= screened.over <= raw.over and raw.n == screened.n == failed.n == seen.offered
    ):
        raise Unfit("details: raw, screened and failed do not fit to each other and to offered")
    if raw.over != seen.offered - seen.in_time or failed.over != seen.wrong:
        raise Unfit("details: raw and failed do not fit to in_time and wrong")
    told = _told(seen, limits)
    most_lag = LAG * limits.max_p99_ms
    lagged = seen.generator.lag_p99_ms > most_lag
    client_slow = (seen.generator.client_p99_ms or 0.0) > most_lag
    unsure = lagged or client_slow
    if seen.generator.workers and unsure:
        return Verdict(Outcome.INCONCLUSIVE, f"{told}: {_workers_late(seen, most_lag)}")
    for tally, most in ((failed, ALLOWED), (screened, _MOST if unsure else ALLOWED)):
        least = binomial.lower(tally.over, tally.n, alpha / 2, _effect(tally))
        if least > most:
            return Verdict(
                Outcome.FAIL,
                f"{told}: at least {percent(least)} had no right answer within it "
                f"({percent(ALLOWED)} may), whatever else the machine did",
                _broken(seen, limits, wrong=tally is failed),
            )
    why = list(_open(seen, limits, raw, lagged=lagged, client_slow=client_slow))
    if why:
        return Verdict(Outcome.INCONCLUSIVE, f"{told}: {why[0]}")
    most = binomial.upper(raw.over, raw.n, limits.beta, raw.deff)
    pause = ALLOWED * seen.seconds / math.log(1 / limits.beta)
    return Verdict(
        Outcome.PASS,
        f"{told}: at most {percent(most)} had none within it ({percent(ALLOWED)} may); pauses of "
        f"more than {1e3 * pause:.0f} ms that come too seldom to be met in {seen.seconds:.0f} s "
        f"are not covered{'' if limits.collector else '; with the garbage collector off'}",
    )


def _broken(seen: Seen, limits: Limits, *, wrong: bool) -> tuple[BrokenLimit, ...]:
    """Return what broke where too many had no right answer in time; no latency tells of wrong ones."""
    late = BrokenLimit("max_p99_ms", None if wrong else seen.p99_ms)
    if seen.answered_per_s >= limits.min_per_second:
        return (late,)
    return late, BrokenLimit("min_per_second", seen.answered_per_s)


def _effect(tally: Tally) -> float:
    """Return the design effect; where it still grew, that of as few stretches as were looked at."""
    return max(tally.deff, tally.n / STRETCHES) if tally.growing else tally.deff


def _told(seen: Seen, limits: Limits) -> str:
    quantile = "no P99" if seen.p99_ms is None else f"P99 {seen.p99_ms:.3g} ms"
    lost = ""
    if seen.wrong or seen.unanswered:
        lost = f" ({seen.wrong} wrong, {seen.unanswered} without an answer)"
    return (
        f"{seen.answered_per_s:.0f} right answers a second of {seen.offered / seen.seconds:.0f} "
        f"offered, at least {limits.min_per_second:g} wanted, {quantile} from when each was due, "
        f"limit {limits.max_p99_ms:g} ms, over {seen.offered} requests{lost}"
    )


def _open(
    seen: Seen, limits: Limits, raw: Tally, *, lagged: bool, client_slow: bool
) -> Iterator[str]:
    """Yield what keeps a run from passing."""
    assert seen.generator is not None
    most = binomial.upper(raw.over, raw.n, limits.beta, raw.deff)
    offered = seen.begun / seen.seconds
    if lagged:
        yield (
            f"the load came late (P99 of its own lag {seen.generator.lag_p99_ms:.2g} ms, a tenth "
            f"of the limit may be): neither pass nor fail, {_WAYS_OUT}"
        )
    if offered < limits.min_per_second:
        yield (
            f"only {offered:.0f} a second were offered: the generator can't make this load here, "
            "neither pass nor fail"
        )
    if not seen.differ:
        yield (
            "every answer is the same, so nothing shows that the requests were read: give "
            "`check(input, answer)`, or answers that can be told apart"
        )
    if most >= ALLOWED:
        if client_slow and raw.over > ALLOWED * raw.n:
            yield (
                f"the load's own client is slow here (P99 {seen.generator.client_p99_ms:.3g} ms of a "
                "server that answers at once, a tenth of the limit may be), so late answers may be "
                f"its doing; neither pass nor fail, {_WAYS_OUT}"
            )
        yield _too_many(seen, raw)
    if raw.growing:
        yield (
            "slow requests come in clusters longer than this run can tell apart: raise `seconds`"
        )
    if not seen.last:
        yield "a PASS is not judged before the last look"


def _workers_late(seen: Seen, most_ms: float) -> str:
    """Name the worker that was latest by itself."""
    assert seen.generator is not None
    assert seen.generator.workers is not None
    each = [max(one.lag_p99_ms, one.alone_p99_ms) for one in seen.generator.workers]
    worst = each.index(max(each))
    one = seen.generator.workers[worst]
    return (
        f"worker {worst + 1} of {len(each)} was late by itself (P99 of its lag {one.lag_p99_ms:.2g} "
        f"ms, of a server that answers at once {one.alone_p99_ms:.2g} ms; a tenth of the limit, "
        f"{most_ms:.2g} ms, may be): neither pass nor fail, use more workers or quieter machines"
    )


def _too_many(seen: Seen, raw: Tally) -> str:
    if raw.over <= ALLOWED * raw.n:
        return (
            f"{percent(raw.over / raw.n)} were over the limit, too few independent stretches to "
            "be sure: raise `seconds`"
        )
    machine = seen.machine
    if not seen.counters or machine is None:
        return (
            "too many were over the limit, but nothing tells a slow subject from a busy machine: "
            "say what serves it (`served_by`), on Linux; neither pass nor fail"
        )
    return (
        f"the machine was too busy to tell: {percent(seen.share_disturbed)} of those over the "
        f"limit can be others' doing (they used {machine.others_cores:.2f} cores, the subject "
        f"waited {machine.subject_waits:.2f} s a second for one, the load "
        f"{machine.generator_waits:.2f}); neither pass nor fail, {_WAYS_OUT}"
    )


def _cpu(seen: Seen, limit: float, alpha: float, beta: float) -> Verdict:
    cpu = seen.cpu
    if cpu is None:
        return Verdict(
            Outcome.INCONCLUSIVE,
            "the CPU time of what serves it is not known: say `served_by`, on Linux",
        )
    told = f"{cpu.us:.3g} us of CPU a right answer, limit {limit:g} us"
    low, high = mean_bounds(
        cpu.us, cpu.error_us, cpu.blocks, alpha=alpha, beta=beta, least=_LEAST_BLOCKS
    )
    if low > limit and not cpu.upper_bound:
        text = f"{told}: at least {low:.3g} us"
        return Verdict(Outcome.FAIL, text, (BrokenLimit("max_cpu_us", cpu.us),))
    if high <= limit and seen.last:
        return Verdict(Outcome.PASS, f"{told}: at most {high:.3g} us")
    return Verdict(Outcome.INCONCLUSIVE, f"{told}: too near it to tell, or too few seconds")
