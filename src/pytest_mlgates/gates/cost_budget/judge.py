"""What the record of a bill means for its limits. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from decimal import Decimal

from pytest_mlgates.core.errors import Unfit
from pytest_mlgates.core.records import BrokenLimit, Headline, Outcome, Verdict
from pytest_mlgates.core.words import plural
from pytest_mlgates.gates.cost_budget.details import Ahead, Entry, Seen, Terms, Total, Wasted
from pytest_mlgates.gates.cost_budget.money import format_money, recorded

__all__ = ["Limits", "ends", "headline", "judge"]

#: reasons that a verdict gives
MAX_REASONS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What must hold, None where nothing must; and the errors of a forecast."""

    cost: Decimal | None
    waste: Decimal | None
    min_known: float
    alpha: float
    beta: float


def headline(
    seen: Seen, n: int, currency: str, *, budget: bool, lower_error: float, upper_error: float
) -> Headline:
    """Return the number that the policy is about, as the details give it.

    It is the cost, or the waste where no ``budget`` is set.
    """
    n = n if seen.charges is None else seen.charges
    if not n or not seen.entries:
        return Headline(value=0.0, unit=currency, n=n)
    worst, interval = max(seen.entries, key=lambda entry: entry.cost), None
    value = worst.cost
    if budget and worst.forecast is not None:
        interval = ends(worst.forecast, seen.entries, lower_error, upper_error)
    elif not budget and seen.waste is not None:
        value = recorded(seen.waste.cost)
    return Headline(value=float(value), unit=currency, n=n, interval=interval)


def judge(seen: Seen, n: int, terms: Terms, limits: Limits) -> Verdict:
    """FAIL where a limit is broken, PASS where each that is set holds."""
    for field in fields(Terms):
        if getattr(seen.measured_with, field.name) != getattr(terms, field.name):
            raise Unfit(
                f"details.measured_with.{field.name}: the charges were counted with another"
                f" {field.name} than the policy's: measure again"
            )
    if n == 0:
        return Verdict(
            Outcome.INCONCLUSIVE, "no charge is in the scope and the periods that are judged"
        )
    if seen.totals is None or not seen.entries:
        raise Unfit("details.entries: there is no period")
    verdicts = [
        *_bill(seen.totals, terms.currency),
        *_budget(seen.entries, seen.totals, terms.currency, limits),
        *_judge_waste(seen.waste, terms, limits),
    ]
    return Verdict.gravest(verdicts, MAX_REASONS)


def ends(ahead: Ahead, entries: Sequence[Entry], alpha: float, beta: float) -> tuple[float, float]:
    """Return bounds on what a period that runs on will cost: below one, above the other.

    All ``entries`` that run on share alpha.
    """
    running = sum(not entry.complete for entry in entries)
    floor = ahead.billed_ahead
    least = max(ahead.low(alpha / max(running, 1)), floor, 0.0)
    low = ahead.billed + least + ahead.credits
    high = ahead.billed + max(ahead.high(beta), floor) + ahead.fees
    return low, max(high, low)


def _bill(totals: Sequence[Total], currency: str) -> Iterator[Verdict]:
    """Yield what keeps a bill from passing, whatever it is held against."""
    for total in totals:
        billed, credits_ = recorded(total.billed), recorded(total.credits)
        if billed <= 0:
            yield Verdict(
                Outcome.INCONCLUSIVE,
                f"{total.period} comes to {format_money(billed, currency)} in all"
                f" (credits {format_money(credits_, currency)}): no budget is held by that",
            )
        if total.gaps:
            yield Verdict(
                Outcome.INCONCLUSIVE,
                f"{total.period} has no charge at all on {total.gaps} of its days: was a part left"
                " out? (where nothing ran, set complete_until)",
            )


def _budget(
    entries: Sequence[Entry], totals: Sequence[Total], currency: str, limits: Limits
) -> Iterator[Verdict]:
    """Hold each group of each period against the budget."""
    if limits.cost is None:
        return
    budget = limits.cost
    limit = f"budget {format_money(budget, currency)}"
    over = [entry for entry in entries if entry.cost > budget]
    within = [entry for entry in entries if entry.complete and entry.cost <= budget]
    for entry in entries:
        if entry.complete or entry.cost > budget:
            continue
        cost = format_money(entry.cost, currency)
        if entry.forecast is None:
            text = f"{entry.label} has cost {cost} so far ({limit}) and runs on: {entry.lacks}"
            yield Verdict(Outcome.INCONCLUSIVE, text)
        else:
            low, high = ends(entry.forecast, entries, limits.alpha, limits.beta)
            head = f"{entry.label} has cost {cost}"
            yield _outlook(head, low, high, budget, currency, _broken(entry))
    if over:
        worst = max(over, key=lambda entry: (entry.cost, entry.label))
        so_far = "" if worst.complete else " so far"
        more = f" (and {len(over) - 1} more are over)" if len(over) > 1 else ""
        cost = format_money(worst.cost, currency)
        text = f"{worst.label} cost {cost}{so_far} ({limit}){more}"
        yield Verdict(Outcome.FAIL, text, tuple(map(_broken, over)))
    elif within:
        worst = max(within, key=lambda entry: (entry.cost, entry.label))
        given_back = sum((recorded(total.credits) for total in totals), Decimal(0))
        after = ""
        if given_back < 0:
            after = f", after credits of {format_money(-given_back, currency)}"
        cost = format_money(worst.cost, currency)
        yield Verdict(Outcome.PASS, f"{worst.label} cost {cost}{after} ({limit})")


def _broken(entry: Entry) -> BrokenLimit:
    return BrokenLimit("max_cost", float(entry.cost), entry.label)


def _outlook(
    head: str, low: float, high: float, budget: Decimal, currency: str, broken: BrokenLimit
) -> Verdict:
    """Judge where a period that runs on will end."""
    limit = f"budget {format_money(budget, currency)}"
    least, most = format_money(low, currency), format_money(high, currency)
    if low > budget:
        text = f"{head} and will end above {least} ({limit})"
        return Verdict(Outcome.FAIL, text, (replace(broken, value=low),))
    if high <= budget:
        return Verdict(Outcome.PASS, f"{head} and will end below {most} ({limit})")
    text = f"{head} and could end between {least} and {most} ({limit})"
    return Verdict(Outcome.INCONCLUSIVE, text)


def _judge_waste(wasted: Wasted | None, terms: Terms, limits: Limits) -> Iterator[Verdict]:
    if limits.waste is None:
        return
    if wasted is None:
        raise Unfit("details.waste: is missing")
    cost = recorded(wasted.cost)
    so_far = "" if wasted.complete else " so far"
    head = f"{format_money(cost, terms.currency)} of {wasted.period} were wasted{so_far}"
    head += f" (limit {format_money(limits.waste, terms.currency)})"
    if cost > limits.waste:
        yield Verdict(Outcome.FAIL, head, (BrokenLimit("max_waste", float(cost)),))
        return
    lacks = list(_unknown_waste(wasted, terms, limits.min_known))
    if lacks:
        yield Verdict(Outcome.INCONCLUSIVE, f"at least {head}, but {'; '.join(lacks)}")
    else:
        yield Verdict(Outcome.PASS, head)


def _unknown_waste(wasted: Wasted, terms: Terms, min_known: float) -> Iterator[str]:
    """Yield what could still be waste."""
    kinds = []
    kinds += ["pods"] if terms.idle_hours is not None else []
    kinds += ["volumes"] if terms.unattached_days is not None else []
    if not kinds:
        return
    if not wasted.inventory:
        yield "there is no inventory to find what idled"
        return
    for kind in kinds:
        if not wasted.kinds.get(kind, 0):
            yield f"the inventory has no {kind} (if there are none, set the rule's field to null)"
    if not wasted.joined:
        yield "no resource of the inventory is in the charges"
        return
    if wasted.unpriced:
        yield f"no charge names {plural(wasted.unpriced, 'idle resource')}, and that is not zero"
    if wasted.unjudged:
        yield f"{plural(wasted.unjudged, 'resource')} could not be judged"
    # where there was nothing to know, none was known
    share = wasted.known_share or 0.0
    if share < min_known:
        yield (
            f"the inventory knows {share:.0%} of what compute and storage cost"
            f" (min_known {min_known:.0%})"
        )
