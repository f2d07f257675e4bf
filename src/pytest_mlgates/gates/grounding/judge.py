"""What is decided on claims without support, answers given and refusals. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pytest_mlgates.core.errors import Unfit
from pytest_mlgates.core.records import BrokenLimit, Headline, Outcome, Verdict
from pytest_mlgates.gates.grounding.details import Seen
from pytest_mlgates.stats.binomial import lower, upper

__all__ = ["Limits", "headline", "judge"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What must hold; a floor of 0 asks for nothing."""

    unsupported: float
    answered: float
    refused: float
    alpha: float
    beta: float


def headline(seen: Seen, lower_error: float, upper_error: float) -> Headline:
    """Return the number that the policy is about, as the details give it."""
    bad, answers, interval = seen.unsupported, seen.answers, None
    if answers:
        least = lower(bad, answers, lower_error)
        interval = least, upper(bad + seen.unclear, answers, upper_error)
    value = bad / answers if answers else 0.0
    return Headline(value=value, unit="share of answers", n=seen.questions, interval=interval)


def judge(seen: Seen, n: int, limits: Limits) -> Verdict:
    """FAIL where a limit is surely broken, PASS where each surely holds."""
    if n != seen.questions:
        raise Unfit(f"details.questions: {seen.questions} of {n} questions")
    if seen.questions == 0:
        return Verdict(Outcome.INCONCLUSIVE, "no question was asked, so nothing is known")
    verdicts = list(_limits(seen, limits))
    return Verdict.gravest(verdicts)


def _limits(seen: Seen, limits: Limits) -> Iterator[Verdict]:
    alpha = limits.alpha / 3
    yield _unsupported(seen, limits, alpha)
    if limits.answered:
        yield _judge_share(
            seen.answered, seen.answerable, limits.answered, "answerable", "answered",
            "silence would pass", alpha, limits.beta,
        )  # fmt: skip
    if limits.refused:
        yield _judge_share(
            seen.refused, seen.unanswerable, limits.refused, "unanswerable", "refused",
            "answering everything would pass", alpha, limits.beta,
        )  # fmt: skip


def _unsupported(seen: Seen, limits: Limits, alpha: float) -> Verdict:
    limit = f"limit {limits.unsupported:g}"
    if seen.answers == 0:
        return Verdict(Outcome.INCONCLUSIVE, "no answer made a claim, so none could be checked")
    why = ", ".join(f"{n} {reason}" for reason, n in sorted(seen.reasons.items()))
    head = f"{seen.unsupported} of {seen.answers} answers hold a claim without support"
    if seen.unclear:
        head += f", {seen.unclear} one that could not be confirmed"
    head += f" ({why})" if why else ""
    low = lower(seen.unsupported, seen.answers, alpha)
    high = upper(seen.unsupported + seen.unclear, seen.answers, limits.beta)
    if low > limits.unsupported:
        broken = BrokenLimit("max_unsupported_rate", seen.unsupported / seen.answers)
        return Verdict(Outcome.FAIL, f"{head}: a rate of at least {low:.3g} ({limit})", (broken,))
    if high > limits.unsupported:
        return Verdict(
            Outcome.INCONCLUSIVE, f"{head}: a rate between {low:.3g} and {high:.3g} ({limit})"
        )
    return Verdict(Outcome.PASS, f"{head}: a rate of at most {high:.3g} ({limit})")


def _judge_share(
    part: int, whole: int, floor: float, kind: str, done: str, otherwise: str, alpha: float, beta: float
) -> Verdict:  # fmt: skip
    if whole == 0:
        return Verdict(Outcome.INCONCLUSIVE, f"no question is known to be {kind}: {otherwise}")
    head = f"{part} of {whole} {kind} questions were {done}"
    low, high = lower(part, whole, beta), upper(part, whole, alpha)
    if high < floor:
        broken = BrokenLimit(f"min_{done}", part / whole)
        return Verdict(Outcome.FAIL, f"{head}: at most {high:.3g} (floor {floor:g})", (broken,))
    if low < floor:
        return Verdict(
            Outcome.INCONCLUSIVE,
            f"{head}: between {low:.3g} and {high:.3g} (floor {floor:g}), more questions would tell",
        )
    return Verdict(Outcome.PASS, f"{head}: at least {low:.3g} (floor {floor:g})")
