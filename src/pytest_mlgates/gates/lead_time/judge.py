"""What is decided on the steps of an onboarding. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pytest_mlgates.core.errors import Unfit
from pytest_mlgates.core.records import BrokenLimit, Headline, Outcome, Verdict
from pytest_mlgates.core.words import first, number, plural
from pytest_mlgates.gates.lead_time.details import Seen
from pytest_mlgates.gates.lead_time.served import answers_to

__all__ = ["Limits", "headline", "judge"]

MAX_NAMED = 5
#: what no limit of the policy is about: no waiver of one covers it
_NO_LIMIT = BrokenLimit("")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What must hold; ``handoffs`` is None where they do not count."""

    minutes: float
    handoffs: int | None
    features: tuple[str, ...]


def headline(seen: Seen) -> Headline:
    """Return the number that the policy is about, as the details give it."""
    return Headline(value=seen.elapsed_s / 60, unit="min", n=len(seen.steps))


def judge(seen: Seen, value: float, limits: Limits) -> Verdict:
    """FAIL where it took too long, too many people or did not serve; PASS where all was run and does."""
    if abs(value - seen.elapsed_s / 60) > 1e-9 * max(1.0, value):
        raise Unfit(f"value: {value:g} min, and the steps take {seen.elapsed_s / 60:g}")
    if not seen.steps:
        return Verdict(Outcome.INCONCLUSIVE, "there was no step, so nothing is known")
    verdicts = [*_broken(seen, limits), *_not_known(seen, limits), *_not_served(seen, limits)]
    if verdicts:
        return Verdict.gravest(verdicts, MAX_NAMED)
    return Verdict(
        Outcome.PASS, f"{_limits_met(seen, limits)}: {_with_verb(seen.served)} served after it"
    )


def _limits_met(seen: Seen, limits: Limits) -> str:
    whose = "measured here" if seen.clock == "gate" else "as the log says, not measured here"
    time = f"{plural(len(seen.steps), 'step')} in {number(seen.elapsed_s / 60)} min, {whose}"
    allowed = "" if limits.handoffs is None else f" (limit {limits.handoffs})"
    people = f"{plural(seen.handoffs, 'hand-off')}{allowed}"
    return f"{time} (limit {number(limits.minutes)} min), {people}"


def _broken(seen: Seen, limits: Limits) -> Iterator[Verdict]:
    minutes, broken = seen.elapsed_s / 60, []
    if minutes > limits.minutes:
        broken.append(BrokenLimit("max_minutes", minutes))
    if limits.handoffs is not None and seen.handoffs > limits.handoffs:
        broken.append(BrokenLimit("max_handoffs", seen.handoffs))
    if broken:
        yield Verdict(Outcome.FAIL, _limits_met(seen, limits), tuple(broken))
    if (step := seen.failed) is not None:
        told = f"the step {step.name!r} ended with status {step.exit_status}"
        yield Verdict(Outcome.FAIL, told, (_NO_LIMIT,))


def _not_known(seen: Seen, limits: Limits) -> Iterator[Verdict]:
    if lacking := [step.name for step in seen.steps if not step.was_run]:
        told = f"nothing says that {_with_verb(lacking)} run: no start, end or exit status"
        yield Verdict(Outcome.INCONCLUSIVE, told)
    elif seen.elapsed_s == 0:
        yield Verdict(Outcome.INCONCLUSIVE, "no time passed between the first step and the last")
    unknown = [step.name for step in seen.steps if not step.by and not step.handoff]
    if limits.handoffs is not None and seen.clock == "log" and unknown:
        told = (
            f"who did {_with_verb(unknown, verb='')} is not recorded, so hand-offs can't be counted"
        )
        yield Verdict(Outcome.INCONCLUSIVE, told)


def _not_served(seen: Seen, limits: Limits) -> Iterator[Verdict]:
    # what was run here is known to serve nothing; of a log only that it does not say so
    known = seen.clock == "gate" or seen.probed
    outcome = Outcome.FAIL if known else Outcome.INCONCLUSIVE
    lacking = [name for name in limits.features if not answers_to(name, seen.served)]
    if not seen.served:
        told = "the last step serves no feature: it must give values by name"
        yield Verdict(outcome, told, (_NO_LIMIT,) if known else ())
    elif lacking:
        broken = tuple(BrokenLimit("features", slice=name) for name in lacking) if known else ()
        yield Verdict(outcome, f"{_with_verb(lacking)} not served after the last step", broken)
    elif not limits.features and seen.null:
        told = (
            f"{_with_verb(seen.null)} null after the last step: name those that count in `features`"
        )
        yield Verdict(Outcome.INCONCLUSIVE, told)
    wanted = limits.features or seen.served
    if wanted and all(answers_to(name, seen.before) for name in wanted):
        told = f"{_with_verb(wanted, verb='')} served before the first step: nothing was onboarded"
        yield Verdict(Outcome.INCONCLUSIVE, told)


def _with_verb(names: Sequence[str], verb: str = "is") -> str:
    """Return names with their verb.

    >>> _with_verb(["age"]), _with_verb(["age", "tenure"]), _with_verb(["age"], verb="")
    ('age is', 'age, tenure are', 'age')
    """
    text = ", ".join(first(list(names), MAX_NAMED))
    many = {"is": "are"}.get(verb, verb)
    return f"{text} {many if len(names) > 1 else verb}".strip()
