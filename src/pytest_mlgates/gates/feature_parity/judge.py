"""What is decided on a comparison of training and serving. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pytest_mlgates.core.errors import Unfit
from pytest_mlgates.core.records import BrokenLimit, Headline, Outcome, Verdict
from pytest_mlgates.core.words import first, number, percent, plural
from pytest_mlgates.gates.feature_parity.bounds import mismatch_bounds
from pytest_mlgates.gates.feature_parity.details import Feature, Seen

__all__ = ["Limits", "headline", "judge"]

#: reasons that a verdict names
MAX_NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What must hold; ``staleness`` is None where values may be of any age."""

    rate: float
    staleness: float | None
    tolerance: float
    alpha: float
    beta: float


def headline(seen: Seen, lower_error: float, upper_error: float) -> Headline:
    """Return the number that the policy is about, as the details give it."""
    worst = max(seen.features, key=lambda feature: feature.rate)
    low, high = mismatch_bounds(worst, lower_error, upper_error)
    interval = min(low, worst.rate), max(high, worst.rate)
    return Headline(value=worst.rate, unit="of rows", n=worst.rows, interval=interval)


def judge(seen: Seen, n: int, limits: Limits) -> Verdict:
    """FAIL where a feature differs too often, leaks or is stale; PASS where none can."""
    if seen.tolerance != limits.tolerance:
        raise Unfit(
            f"details.tolerance: values were compared within {seen.tolerance:g}: compare again"
        )
    if any(feature.rows != n for feature in seen.features):
        raise Unfit(f"details.features: rows are not {n}")
    alpha = limits.alpha / len(seen.features)
    verdicts = [v for feature in seen.features for v in _judge_feature(feature, limits, alpha)]
    verdicts += _on_one_side(seen, limits)
    if verdicts:
        return Verdict.gravest(verdicts, MAX_NAMED)
    return Verdict(Outcome.PASS, _passed(seen, n, limits))


def _judge_feature(feature: Feature, limits: Limits, alpha: float) -> Iterator[Verdict]:
    head = f"{feature.name} differs in {feature.differ:,} of {plural(feature.rows, 'row')}"
    low, high = mismatch_bounds(feature, alpha, limits.beta)
    limit = f"limit {percent(limits.rate)}"
    broken = BrokenLimit("max_mismatch_rate", feature.rate, feature.name)
    if limits.rate == 0 and feature.differ:
        yield Verdict(Outcome.FAIL, f"{head} ({limit}; {_mismatch_kinds(feature)})", (broken,))
    elif limits.rate > 0 and low > limits.rate:
        told = f"{head}: at least {percent(low)} ({limit}; {_mismatch_kinds(feature)})"
        yield Verdict(Outcome.FAIL, told, (broken,))
    elif limits.rate > 0 and high > limits.rate:
        told = f"between {percent(low)} and {percent(high)} ({limit}), more entities would tell"
        yield Verdict(Outcome.INCONCLUSIVE, f"{head}: {told}")
    if feature.leaks:
        told = f"{feature.leaks:,} of {feature.timed:,} values became known after the event"
        # no limit of the policy is about it, so that no waiver of one covers it
        broken = BrokenLimit("", slice=feature.name)
        yield Verdict(Outcome.FAIL, f"{feature.name} leaks from the future: {told}", (broken,))
    if feature.empty == feature.rows:
        told = f"{feature.name} is null on both sides in all {plural(feature.rows, 'row')}"
        yield Verdict(Outcome.INCONCLUSIVE, f"{told}: nothing of it was compared")
    yield from _age(feature, limits)


def _mismatch_kinds(feature: Feature) -> str:
    return ", ".join(f"{kind} {n:,}" for kind, n in sorted(feature.kinds.items()))


def _age(feature: Feature, limits: Limits) -> Iterator[Verdict]:
    if limits.staleness is None:
        return
    words = f"limit {number(limits.staleness)} s"
    if feature.oldest_s is not None and feature.oldest_s > limits.staleness:
        told = f"a value of {feature.name} is {number(feature.oldest_s)} s old at its event"
        broken = BrokenLimit("max_staleness", feature.oldest_s, feature.name)
        yield Verdict(Outcome.FAIL, f"{told} ({words})", (broken,))
    elif feature.untimed or not feature.timed:
        yield Verdict(
            Outcome.INCONCLUSIVE,
            f"when {plural(feature.untimed, 'value')} of {feature.name} became known was not handed"
            f" in ({words}): give a column {feature.name}__ts on both sides, and event times",
        )


def _on_one_side(seen: Seen, limits: Limits) -> Iterator[Verdict]:  # noqa: ARG001
    for names, here, there in (
        (seen.only_offline, "offline", "online"),
        (seen.only_online, "online", "offline"),
    ):
        if names:
            yield Verdict(
                Outcome.INCONCLUSIVE,
                f"{', '.join(first(map(repr, names), MAX_NAMED))} is {here} and not {there}: rename it,"
                " or name the features that count in `features`",
            )


def _passed(seen: Seen, n: int, limits: Limits) -> str:
    worst = max(seen.features, key=lambda feature: feature.rate)
    high = max(mismatch_bounds(feature, limits.beta, limits.beta)[1] for feature in seen.features)
    text = (
        f"{plural(len(seen.features), 'feature')} over {plural(n, 'row')}: the worst, {worst.name},"
        f" differs in {worst.differ:,}; for entities like these at most {percent(high)} do"
        f" (limit {percent(limits.rate)})"
    )
    untimed = [feature.name for feature in seen.features if feature.untimed or not feature.timed]
    if not untimed:
        oldest = max(feature.oldest_s or 0.0 for feature in seen.features)
        return f"{text}; no value is from after its event, the oldest is {number(oldest)} s old"
    names = "any value" if len(untimed) == len(seen.features) else ", ".join(untimed[:MAX_NAMED])
    return f"{text}; when {names} became known was not handed in, so a leak into both sides is not seen"
