"""From counts to a verdict: pure, and valid at every look of the schedule."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.stats import t as student

from pytest_mlgates.core import BrokenLimit, Headline, Outcome, Verdict
from pytest_mlgates.core.errors import Unfit
from pytest_mlgates.core.words import percent, plural
from pytest_mlgates.gates.p99_latency.bounds import (
    clean_calls,
    fail_bound,
    first_calls_bound,
    floor_of,
    no_verdict_to_come,
    pass_bound,
    remembered,
)
from pytest_mlgates.gates.p99_latency.causes import cause
from pytest_mlgates.gates.p99_latency.details import Counts, Cpu, Relative, Seen, Tally
from pytest_mlgates.stats import binomial
from pytest_mlgates.stats.eprocess import log_sign_e
from pytest_mlgates.stats.means import mean_bounds
from pytest_mlgates.stats.sequential import Schedule

__all__ = ["Rules", "headline", "judge", "judge_relative"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What must hold beside the latency, and what a verdict may rest on."""

    plan: Schedule
    alpha: float
    beta: float
    longest_burst: int = 1
    min_seconds: float = 0.0
    max_error_rate: float | None = None
    max_cpu_ms: float | None = None
    collector: bool = True

    @property
    def spend_fail(self) -> float:
        """What one claim of one look may spend of alpha."""
        claims = 1 + (self.max_error_rate is not None) + (self.max_cpu_ms is not None)
        return self.plan.fail_error(self.alpha) / claims

    @property
    def spend_pass(self) -> float:
        """What a look that may PASS spends of beta."""
        return self.plan.pass_error(self.beta)


def headline(seen: Seen) -> Headline:
    """Return the number that the policy is about, as the details give it."""
    counts, at = seen.counts, seen.at_quantile
    if counts is None:
        return Headline(value=0.0, unit="ms", n=0)
    if at is None:
        raise Unfit("details.at_quantile: is missing")
    interval = None if at.low_ms is None or at.high_ms is None else (at.low_ms, at.high_ms)
    return Headline(value=at.ms, unit="ms", n=counts.n, interval=interval)


def judge(counts: Counts, value_ms: float, rules: Rules) -> Verdict:
    """Judge the counts of one look: FAIL where any limit is surely broken, PASS where all hold."""
    verdicts = [_latency(counts, value_ms, rules)]
    if rules.max_error_rate is not None:
        verdicts.append(_errors(counts.failed, rules.max_error_rate, counts, rules))
    if rules.max_cpu_ms is not None:
        verdicts.append(_cpu(counts.cpu, rules.max_cpu_ms, counts, rules))
    return Verdict.gravest(verdicts)


def _latency(counts: Counts, value_ms: float, rules: Rules) -> Verdict:
    """PASS on what was seen, FAIL on what noise can't explain."""
    plan, allowed = rules.plan, 1.0 - counts.quantile
    told = f"P{100 * counts.quantile:g} is {value_ms:.3g} ms over {_calls(counts)}, limit {counts.limit_ms:g} ms"
    if counts.n not in plan.looks:
        due = plan.after(counts.n)
        text = f"the next look is at {due}" if due else "there is no look at this number"
        return Verdict(Outcome.INCONCLUSIVE, f"{told}: no verdict between looks, {text}")
    late = counts.late > allowed * counts.n
    floor = floor_of(counts, rules.longest_burst)
    long_enough = counts.seconds is None or counts.seconds >= rules.min_seconds
    if counts.n in plan.pass_looks and not late and long_enough:
        worst = max(
            pass_bound(counts, rules.spend_pass, floor),
            first_calls_bound(counts, rules.spend_pass),
        )
        if worst < allowed:
            share = f"at most {percent(worst)} of calls exceed it ({percent(allowed)} may)"
            return Verdict(Outcome.PASS, f"{told}: {share}{_assumed(counts, rules)}")
    if not (late and counts.concurrent):
        least = fail_bound(counts, rules.spend_fail, plan, rules.longest_burst)
        if least is not None:
            share = f"at least {percent(least)} of calls exceed it ({percent(allowed)} may)"
            text = f"{told}: {share}, whatever else the machine did"
            return Verdict(Outcome.FAIL, text, (BrokenLimit("max_ms", value_ms),))
    why = cause(counts, plan, rules.spend_pass, floor, late=late, min_seconds=rules.min_seconds)
    if no_verdict_to_come(counts, plan, rules.spend_pass, floor) and counts.n < plan.looks[-1]:
        why += "; no later look could bring a verdict, so the run ended here"
    return Verdict(Outcome.INCONCLUSIVE, f"{told}: {why}")


def _calls(counts: Counts) -> str:
    """Return what was called: how often, and with how many inputs."""
    if counts.inputs is None:
        return f"{counts.n} calls"
    return f"{counts.n} calls of {plural(counts.inputs.distinct, 'input')}"


def _assumed(counts: Counts, rules: Rules) -> str:
    """Return what a PASS rests on that nobody measured."""
    if counts.raw.stretches is None or counts.inputs is None or counts.seconds is None:
        return ""  # evidence of a version that said nothing of it
    burst = max(rules.longest_burst, counts.raw.longest or 1)
    words = (
        f", if no more than {plural(burst, 'slow call')} "
        f"{'comes' if burst == 1 else 'come'} together (longest_burst); what comes "
        f"more rarely than once in {counts.seconds:.3g} s was not met"
    )
    enough = clean_calls(1.0 - counts.quantile, rules.beta)
    if counts.inputs.distinct < enough:
        words += f"; it holds for these inputs, a claim about others takes {enough}"
    if remembered(counts):
        words += "; answers are remembered, first calls were judged by themselves"
    if not rules.collector:
        words += "; with the garbage collector off (collector)"
    if counts.answers:
        words += f"; its answers ({counts.answers}) count as done when the call returns"
    return words


def _errors(failed: Tally | None, most: float, counts: Counts, rules: Rules) -> Verdict:
    """Judge how many calls raised."""
    if failed is None:
        return Verdict(Outcome.INCONCLUSIVE, "failed calls were not counted: measure again")
    told = f"{failed.over} of {plural(failed.n, 'call')} failed, {percent(most)} may"
    plan = rules.plan
    if counts.n in plan.looks:
        least = binomial.lower(failed.over, failed.n, rules.spend_fail, failed.deff)
        if least > most:
            text = f"{told}: surely more than {percent(least)}"
            rate = failed.over / failed.n
            return Verdict(Outcome.FAIL, text, (BrokenLimit("max_error_rate", rate),))
    if counts.n in plan.pass_looks:
        worst = binomial.upper(failed.over, failed.n, rules.spend_pass, failed.deff)
        if worst <= most:
            return Verdict(Outcome.PASS, f"{told}: at most {percent(worst)}")
    return Verdict(Outcome.INCONCLUSIVE, f"{told}: not yet clear")


def _cpu(cpu: Cpu | None, limit: float, counts: Counts, rules: Rules) -> Verdict:
    """Judge the CPU time of a call, which a busy machine hardly moves."""
    if cpu is None:
        return Verdict(
            Outcome.INCONCLUSIVE,
            "the CPU time of what serves it is not known yet: it takes some calls, and Linux where "
            "another process serves it (`served_by`)",
        )
    told = f"{cpu.ms:.3g} ms of CPU a call, limit {limit:g} ms"
    low, high = mean_bounds(
        cpu.ms, cpu.error_ms, cpu.blocks, alpha=rules.spend_fail, beta=rules.spend_pass
    )
    if low > limit and counts.n in rules.plan.looks and counts.n not in rules.plan.early:
        text = f"{told}: at least {low:.3g} ms"
        return Verdict(Outcome.FAIL, text, (BrokenLimit("max_cpu_ms", cpu.ms),))
    if high <= limit and counts.n in rules.plan.pass_looks:
        return Verdict(Outcome.PASS, f"{told}: at most {high:.3g} ms")
    return Verdict(Outcome.INCONCLUSIVE, f"{told}: too near it to tell, or too few calls")


def judge_relative(
    seen: Relative, most: float, n: int, plan: Schedule, *, alpha: float, beta: float
) -> Verdict:
    """Judge the paired comparison of one look: sign e-value and two one-sided bounds."""
    ratio = math.exp(seen.log_ratio)
    told = f"the tail is {ratio:.3f} times the baseline's over {n} pairs, limit {1 + most:g}"
    if n not in plan.looks or n in plan.early:
        return Verdict(Outcome.INCONCLUSIVE, f"{told}: no verdict at this number of pairs")
    margin = math.log1p(most)
    spend = plan.fail_error(alpha)
    # the error is that of block means
    freedom = max(1, (n // plan.block if seen.blocks is None else seen.blocks) - 1)
    lower = seen.log_ratio + float(student.ppf(spend, freedom)) * seen.error
    if log_sign_e(seen.wins, seen.losses) >= -math.log(spend) and lower > margin:
        text = f"{told}: at least {math.exp(lower):.3f} times"
        slower = math.exp(seen.log_ratio) - 1
        return Verdict(Outcome.FAIL, text, (BrokenLimit("max_regression", slower),))
    if n in plan.pass_looks:
        upper = seen.log_ratio - float(student.ppf(plan.pass_error(beta), freedom)) * seen.error
        if upper < margin:
            spells = (
                ""
                if seen.blocks is None
                else (f", if slow spells of either are much shorter than {n // 20} pairs")
            )
            return Verdict(Outcome.PASS, f"{told}: at most {math.exp(upper):.3f} times{spells}")
    return Verdict(Outcome.INCONCLUSIVE, f"{told}: too near the limit to tell")
