"""What is decided on a metric and its bounds. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pytest_mlgates.core.errors import Unfit
from pytest_mlgates.core.observations import Histogram, mean_bounds
from pytest_mlgates.core.records import BrokenLimit, Headline, Outcome, Verdict
from pytest_mlgates.core.words import plural
from pytest_mlgates.gates.quality_floor.details import QualityRow, Seen
from pytest_mlgates.gates.quality_floor.metrics import (
    OF_ONE_LABEL,
    count_of,
    metric_bounds,
    value_of,
)

__all__ = ["Limits", "headline", "judge"]

#: rows that a verdict names
MAX_NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What must hold of a metric, None where nothing must."""

    metric: str
    floor: float | None
    ceiling: float | None
    drop: float | None
    slices: tuple[str, ...]
    alpha: float
    beta: float


def headline(seen: Seen, metric: str, lower_error: float, upper_error: float) -> Headline:
    """Return the number that the policy is about, as the details give it."""
    whole = seen.whole
    value, (low, high) = (
        value_of(metric, whole),
        metric_bounds(metric, whole, lower_error, upper_error),
    )
    interval = (min(low, value), max(high, value)) if whole.inputs else None
    return Headline(value=value, unit=metric, n=whole.inputs, interval=interval)


def judge(seen: Seen, n: int, limits: Limits) -> Verdict:
    """FAIL where a row breaks a limit, PASS where each row keeps all that are set."""
    if seen.metric != limits.metric:
        raise Unfit(
            f"details.metric: {seen.metric} was measured, not {limits.metric}: measure again"
        )
    if n == 0:
        return Verdict(
            Outcome.INCONCLUSIVE, f"no input tells of {limits.metric}, so nothing is known"
        )
    rows = (seen.whole, *seen.slices)
    claims = len(rows) * sum(x is not None for x in (limits.floor, limits.ceiling, limits.drop))
    verdicts = [v for row in rows for v in _judge_row(row, limits, limits.alpha / claims)]
    verdicts += _unjudgeable(seen, limits)
    worst = Verdict.gravest(verdicts, MAX_NAMED)
    if worst.outcome != Outcome.PASS:
        return worst
    also = f", and so does each of {plural(len(seen.slices), 'slice')}" if seen.slices else ""
    # with a score of one's own one answer may be the right one, such as "arrived"
    same = ", the same answer to every input" if seen.answers < 2 else ""
    return Verdict(Outcome.PASS, f"{verdicts[0].reason}{same}{also}")


def _judge_row(row: QualityRow, limits: Limits, alpha: float) -> Iterator[Verdict]:
    n = count_of(row)
    where = f"of the slice {row.name!r} " if row.name else ""
    head = f"{limits.metric} {where}is {value_of(limits.metric, row):.4g} over {n} observations"
    if n == 0:
        yield Verdict(
            Outcome.INCONCLUSIVE, f"no input {where}tells of {limits.metric}: nothing is known"
        )
        return
    if limits.floor is not None:
        yield _judge_floor(row, head, limits, alpha)
    if limits.ceiling is not None:
        low, high = metric_bounds(limits.metric, row, alpha, limits.beta)
        over = BrokenLimit("max_value", value_of(limits.metric, row), row.name)
        yield _between(head, low, high, limits.ceiling, over)
    if limits.drop is not None:
        if row.drop is None:
            raise Unfit("details.drop: is missing")
        yield _judge_drop(row.drop, limits, alpha, row.name)


def _judge_floor(row: QualityRow, head: str, limits: Limits, alpha: float) -> Verdict:
    assert limits.floor is not None
    low, _ = metric_bounds(limits.metric, row, limits.beta, limits.beta)
    _, high = metric_bounds(limits.metric, row, limits.beta, alpha)
    limit = f"floor {limits.floor:g}"
    if high < limits.floor:
        broken = BrokenLimit("min_value", value_of(limits.metric, row), row.name)
        return Verdict(Outcome.FAIL, f"{head}: at most {high:.4g} ({limit})", (broken,))
    if low < limits.floor:
        text = f"{head}: between {low:.4g} and {high:.4g} ({limit}), more inputs would tell"
        return Verdict(Outcome.INCONCLUSIVE, text)
    # a slice may well be all of one label: of the whole, that is a floor which is none
    constant = None if row.name else row.constant
    if constant is not None and constant >= limits.floor and low <= constant:
        return Verdict(
            Outcome.INCONCLUSIVE,
            f"{head}: at least {low:.4g}, but one and the same answer to all reaches"
            f" {constant:.4g} ({limit}): raise the floor above that, or measure what matters",
        )
    return Verdict(Outcome.PASS, f"{head}: at least {low:.4g} ({limit})")


def _judge_drop(drop: Histogram, limits: Limits, alpha: float, name: str) -> Verdict:
    """Judge how much worse than the baseline, input by input."""
    assert limits.drop is not None
    low, high = (2 * end - 1 for end in mean_bounds(drop, alpha, limits.beta))
    fell = 2 * drop.mean - 1
    where = f"of the slice {name!r} " if name else ""
    head = f"{limits.metric} {where}fell by {fell:.4g} from the baseline's over {drop.n} pairs"
    return _between(head, low, high, limits.drop, BrokenLimit("max_drop", fell, name))


def _between(head: str, low: float, high: float, limit: float, broken: BrokenLimit) -> Verdict:
    words = f"limit {limit:g}"
    if low > limit:
        return Verdict(Outcome.FAIL, f"{head}: at least {low:.4g} ({words})", (broken,))
    if high <= limit:
        return Verdict(Outcome.PASS, f"{head}: at most {high:.4g} ({words})")
    text = f"{head}: between {low:.4g} and {high:.4g} ({words}), more inputs would tell"
    return Verdict(Outcome.INCONCLUSIVE, text)


def _unjudgeable(seen: Seen, limits: Limits) -> Iterator[Verdict]:
    """Yield what keeps a run from passing, whatever the numbers are."""
    if seen.answers < 2 and limits.metric != "score":
        yield Verdict(
            Outcome.INCONCLUSIVE, "the subject gave the same answer to every input: it is constant"
        )
    if seen.same:
        yield Verdict(Outcome.INCONCLUSIVE, "the baseline is the subject: nothing is compared")
    if text := _reads_nothing(seen.whole, limits):
        yield Verdict(Outcome.INCONCLUSIVE, text)
    if seen.whole.bins is not None and len(seen.whole.bins) == 1:
        text = "all scores lie within a tenth: they tell no input from another, however right on average"
        yield Verdict(Outcome.INCONCLUSIVE, text)
    if gone := sorted(set(limits.slices) - {row.name for row in seen.slices}):
        yield Verdict(Outcome.INCONCLUSIVE, f"no input is of the slice {', '.join(gone)}")
    if seen.unnamed:
        yield Verdict(Outcome.INCONCLUSIVE, f"{plural(seen.unnamed, 'input')} belong to no slice")


def _reads_nothing(row: QualityRow, limits: Limits) -> str:
    """Say why one answer to all, or one drawn by lot, could reach as much; empty where it could not."""
    if row.others is None or not count_of(row):
        return ""
    answer = OF_ONE_LABEL[limits.metric]
    if not row.others.n:
        return (
            f"no input has the other label, so that {answer} to everything would reach 1: add some"
        )
    low, _ = metric_bounds(limits.metric, row, limits.beta, limits.beta)
    _, high = mean_bounds(row.others, limits.beta, limits.beta)
    if low > high:
        return ""
    return (
        f"{answer} is also said to {row.others.mean:.4g} of the {row.others.n} others, at most"
        f" {high:.4g}: whoever reads nothing reaches as much ({limits.metric} at least {low:.4g})"
    )
