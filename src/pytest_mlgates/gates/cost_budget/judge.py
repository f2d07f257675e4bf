"""What the record of a bill means for its limits. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from decimal import Decimal

from pytest_mlgates.core.errors import Unfit
from pytest_mlgates.core.records import BrokenLimit, Headline, Outcome, Verdict
from pytest_mlgates.core.words import first, plural
from pytest_mlgates.gates.cost_budget.details import (
    Ahead,
    Entry,
    Left,
    Seen,
    Terms,
    Total,
    Unread,
    Wasted,
)
from pytest_mlgates.gates.cost_budget.money import format_money, recorded

__all__ = ["Limits", "ends", "headline", "judge"]

#: reasons that a verdict gives
MAX_REASONS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What must hold, None where nothing must; and the errors of a forecast."""

    cost: Decimal | None
    waste: Decimal | None
    daily_cap: Decimal | None
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
        nothing = "no charge is in the scope and the periods that are judged"
        unread = [verdict.reason for verdict in _bill((), seen.unread, terms.currency)]
        return Verdict(Outcome.INCONCLUSIVE, "; ".join([nothing, *first(unread, MAX_REASONS)]))
    if seen.totals is None or not seen.entries:
        raise Unfit("details.entries: there is no period")
    verdicts = [
        *_bill(seen.totals, seen.unread, terms.currency),
        *_budget(seen, terms.currency, limits),
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


def _bill(totals: Sequence[Total], unread: Sequence[Unread], currency: str) -> Iterator[Verdict]:
    """Yield what keeps a bill from passing, whatever it is held against."""
    for each in unread:
        yield Verdict(
            Outcome.INCONCLUSIVE,
            f"{plural(each.lines, 'line')} of {format_money(recorded(each.cost), currency)} were"
            f" added to nothing: {each.why}",
        )
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


def _budget(seen: Seen, currency: str, limits: Limits) -> Iterator[Verdict]:
    """Hold each group of each period against the budget."""
    if limits.cost is None:
        return
    budget, entries = limits.cost, seen.entries or ()
    limit = f"budget {format_money(budget, currency)}"
    # what could not be read may be a credit
    given = sum((recorded(each.credits) for each in seen.unread), Decimal(0))
    over = [entry for entry in entries if entry.cost + given > budget]
    within = [entry for entry in entries if entry.complete and entry.cost <= budget]
    for entry in entries:
        if entry.complete or entry.cost > budget:
            continue
        if seen.forecast == "judged":
            yield _forecast(entry, entries, currency, limits)
        else:
            yield _arithmetic(entry, budget, currency, limits.daily_cap)
    if over:
        worst = max(over, key=lambda entry: (entry.cost, entry.label))
        so_far = "" if worst.complete else " so far"
        more = f" (and {len(over) - 1} more are over)" if len(over) > 1 else ""
        cost = format_money(worst.cost, currency)
        text = f"{worst.label} cost {cost}{so_far} ({limit}){more}"
        yield Verdict(Outcome.FAIL, text, tuple(map(_broken, over)))
    elif within:
        worst = max(within, key=lambda entry: (entry.cost, entry.label))
        given_back = sum((recorded(total.credits) for total in seen.totals or ()), Decimal(0))
        after = ""
        if given_back < 0:
            after = f", after credits of {format_money(-given_back, currency)}"
        cost = format_money(worst.cost, currency)
        yield Verdict(Outcome.PASS, f"{worst.label} cost {cost}{after} ({limit})")


def _broken(entry: Entry) -> BrokenLimit:
    return BrokenLimit("max_cost", float(entry.cost), entry.label)


def _arithmetic(entry: Entry, budget: Decimal, currency: str, cap: Decimal | None) -> Verdict:
    """Judge a period that runs on: PASS where what may still come, as declared, fits in."""
    left = entry.left
    if left is None:
        raise Unfit("details.entries: a period that runs on does not say what is left of it")
    cost, limit = format_money(entry.cost, currency), f"budget {format_money(budget, currency)}"
    days = plural(left.days, "day")
    head = f"{entry.label} has cost {cost} so far ({limit}), {days} left"
    if cap is None:
        least = max(budget - recorded(left.billed), Decimal(0)) / left.days
        return Verdict(
            Outcome.INCONCLUSIVE,
            f"{head}: what they may cost is not declared (daily_cap, a quota that holds, of"
            f" {format_money(least, currency)} or less would do, fees apart)",
        )
    most = recorded(left.most)
    if most > cap:
        text = f"{head}: a day cost {format_money(most, currency)}, so that daily_cap does not hold"
        return Verdict(Outcome.INCONCLUSIVE, text)
    if left.fees is None:
        return Verdict(Outcome.INCONCLUSIVE, f"{head}: {entry.lacks or _NO_FEES}")
    return _sum(head, left, budget, currency, cap)


_NO_FEES = "fees that are still to come are not known: give the charges of the period before, too"


def _sum(head: str, left: Left, budget: Decimal, currency: str, cap: Decimal) -> Verdict:
    fees = recorded(left.fees or "0.00")
    end = recorded(left.billed) + fees + cap * left.days
    at_most = f"{format_money(cap, currency)} a day and {format_money(fees, currency)} of fees"
    if end <= budget:
        text = f"{head}: with at most {at_most} it ends at {format_money(end, currency)} or below"
        return Verdict(Outcome.PASS, text)
    text = f"{head}: with {at_most} it could come to {format_money(end, currency)}"
    return Verdict(Outcome.INCONCLUSIVE, text)


def _forecast(entry: Entry, entries: Sequence[Entry], currency: str, limits: Limits) -> Verdict:
    """Judge a period that runs on as version 0.1 did, for its records."""
    budget = limits.cost or Decimal(0)
    cost = format_money(entry.cost, currency)
    if entry.forecast is None:
        limit = f"budget {format_money(budget, currency)}"
        text = f"{entry.label} has cost {cost} so far ({limit}) and runs on: {entry.lacks}"
        return Verdict(Outcome.INCONCLUSIVE, text)
    low, high = ends(entry.forecast, entries, limits.alpha, limits.beta)
    head = f"{entry.label} has cost {cost}"
    return _outlook(head, low, high, budget, currency, _broken(entry))


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
    untold = recorded(wasted.untold)
    if terms.cross_zone_floor is not None and cost + untold > limits.waste:
        lacks.append(
            f"{format_money(untold, terms.currency)} of charges say nothing that tells transfer"
            " between zones (export ChargeDescription, SkuMeter or the usage type; null for"
            " cross_zone_floor leaves the rule out)"
        )
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
        if kind not in wasted.kinds:
            yield f"the inventory has no {kind} (if there are none, set the rule's field to null)"
    if not wasted.joined:
        spelled = ""
        if len(wasted.spelled) == 2:
            ours, theirs = wasted.spelled
            spelled = f": it says {ours!r}, and they {theirs!r}"
        yield f"no resource of the inventory is in the charges{spelled}"
        return
    if wasted.unpriced:
        yield f"no charge names {plural(wasted.unpriced, 'idle resource')}, and that is not zero"
    if wasted.unjudged:
        yield f"{plural(wasted.unjudged, 'resource')} could not be judged"
    # where there was nothing to know, none was known
    share = wasted.known_share or 0.0
    if share < min_known:
        dearest = wasted.unknown_services[:1]
        most = f", most of the rest is {dearest[0].name}" if dearest else ""
        yield (
            f"the inventory knows {share:.0%} of what compute, storage and managed ML cost{most}"
            f" (min_known {min_known:.0%})"
        )
