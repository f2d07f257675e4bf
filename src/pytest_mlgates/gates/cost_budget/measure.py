"""Add up a bill: periods, forecasts, waste, and what to say."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from tempfile import TemporaryDirectory

from pytest_mlgates.core.details import plain
from pytest_mlgates.core.errors import Unmeasurable
from pytest_mlgates.core.records import Measurement
from pytest_mlgates.core.words import plural
from pytest_mlgates.gates.cost_budget.details import (
    Entry,
    Part,
    Rule,
    Seen,
    Terms,
    Total,
    Unread,
    Wasted,
)
from pytest_mlgates.gates.cost_budget.inventory import read_inventory
from pytest_mlgates.gates.cost_budget.judge import ends, headline
from pytest_mlgates.gates.cost_budget.money import exactly, format_money, text
from pytest_mlgates.gates.cost_budget.outlook import Bill, outlook
from pytest_mlgates.gates.cost_budget.periods import DAY, Period, iso, period_of
from pytest_mlgates.gates.cost_budget.plan import Plan
from pytest_mlgates.gates.cost_budget.priced import Priced, priced
from pytest_mlgates.gates.cost_budget.shown import shown
from pytest_mlgates.gates.cost_budget.sources import Charges
from pytest_mlgates.gates.cost_budget.tally import ZERO, Names, Tally, tag_names
from pytest_mlgates.gates.cost_budget.waste import ACROSS, Piece, Waste, find_waste
from pytest_mlgates.gates.cost_budget.windows import Inventory

__all__ = ["measure_bill"]

#: groups, parts, lines over the budget, and pieces of waste of one rule that are recorded
MAX_GROUPS, MAX_PARTS, MAX_LINES, MAX_PIECES, MAX_SERVICES = 200, 50, 10, 4, 10


def measure_bill(charges: object, inventory: object, plan: Plan) -> Measurement:
    """Add up charges and find what was wasted.

    Raises :class:`Unmeasurable` where they can't be added up as they are.
    """
    stock, terms = Inventory(), plan.terms
    if inventory is not None:
        stock = read_inventory(inventory, min_utilization=terms.min_utilization)
    with TemporaryDirectory(prefix="mlgates-bill-") as folder, exactly():
        source = Charges(charges, terms.currency)
        wanted = frozenset({"waste", "res"} if plan.waste else ())
        wanted |= {"keys"} if source.several else frozenset()
        names = Names(stock.priced(), stock.known, stock.namespaces)
        tally = Tally.of(source.tables(), terms, wanted, folder, names)
        try:
            tally.source = source.name
            notes = [*source.notes, *tally.notes, *_duplicates(tally, terms)]
            return _measurement(tally, stock, inventory is not None, notes, plan)
        finally:
            tally.ledger.close()


def _duplicates(tally: Tally, terms: Terms) -> list[str]:
    """Return what is to be said of charges that are there twice, or raise."""
    again_ = ""
    count, again, first = tally.twice()
    if count:
        again_ = (
            f"{count:,} of {plural(tally.lines, 'line')} say the same as one before: {again}"
            f" is {first} again: was an export joined to itself?"
        )
    elif (both := tally.overlap()) is not None:
        one, other, lines, cost = both
        again_ = (
            f"{one} and {other} are two exports of one time: {plural(lines, 'line')}"
            f" ({format_money(cost, terms.currency)} in {other}) are in both with other costs; give"
            " the later one alone"
        )
    if again_ and terms.duplicates == "refuse":
        raise Unmeasurable(f"{again_} Where equal lines are real, set duplicates: count")
    return [f"{again_}: each was counted"] if again_ else []


def _measurement(
    tally: Tally, stock: Inventory, has_inventory: bool, notes: list[str], plan: Plan
) -> Measurement:
    terms = plan.terms
    bill = Bill.of(tally, plan)
    judged = [period for period in bill.periods if bill.is_judged(period)]
    count = sum(bill.lines.get(period, 0) for period in judged)
    seen = Seen(
        measured_with=terms,
        cost_column=tally.cost_column,
        forecast="told",
        unread=tuple(
            Unread(why=u.why, lines=u.lines, cost=text(u.cost), credits=text(u.credits))
            for u in tally.unread
        ),
        format=tally.source or " and ".join(sorted(tally.formats)) or "no charges",
        lines={"read": tally.lines, "in_scope": tally.in_scope, "moved": tally.moved},
        findings=(*notes, *bill.notes()),
    )
    if not judged or not count:
        names = tag_names(tally.ledger)[:MAX_SERVICES]
        if names:
            seen = replace(seen, findings=(*seen.findings, f"tags there are: {', '.join(names)}"))
        return _headed(seen, 0, plan)
    entries = outlook(bill, judged)
    _, worst_period = max(entries, key=lambda pair: pair[0].cost)
    dearest = sorted((entry for entry, _ in entries), key=lambda entry: -entry.cost)
    waste, wasted, lines = Waste(), None, [*_cost_lines(dearest, plan), *_told(dearest, plan)]
    if plan.waste:
        waste, wasted, more = _find_waste(tally, stock, bill, judged, has_inventory)
        lines += more
    seen = replace(
        seen,
        through=iso(bill.reach),
        charges=count,
        totals=tuple(_period_total(bill, period) for period in judged),
        # what runs on needs its forecast, however small it is
        entries=tuple(e for i, e in enumerate(dearest) if i < MAX_GROUPS or not e.complete),
        waste=wasted,
        shares=tuple(_cost_parts(tally, waste, worst_period, terms)),
        findings=(*lines, *seen.findings),
    )
    return _headed(seen, count, plan)


def _headed(seen: Seen, n: int, plan: Plan) -> Measurement:
    made = headline(
        seen,
        n,
        plan.terms.currency,
        budget=plan.budget is not None,
        lower_error=plan.lower_error,
        upper_error=plan.upper_error,
    )
    return made.measurement(plain(seen))


def _period_total(bill: Bill, period: Period) -> Total:
    return Total(
        period=str(period),
        billed=text(bill.total(period)),
        credits=text(bill.credits.get(period, ZERO)),
        gaps=bill.gaps(period),
        complete=bill.is_complete(period),
    )


def _find_waste(
    tally: Tally, stock: Inventory, bill: Bill, judged: list[Period], has_inventory: bool
) -> tuple[Waste, Wasted, list[str]]:
    """Return what was wasted, its record for the period that wasted most, and lines on it."""
    plan = bill.plan
    known = priced(tally, plan.first_judged, zones=plan.terms.cross_zone_floor is not None)
    waste = find_waste(
        known,
        stock,
        kind=plan.terms.period,
        begin=max(bill.first_day or 0, plan.first_judged) * DAY,
        through=bill.reach,
        idle_hours=plan.terms.idle_hours,
        unattached_days=plan.terms.unattached_days,
        cross_zone_floor=plan.terms.cross_zone_floor,
    )
    wasted, period = _wasted_most(known, stock, waste, judged)
    wasted = replace(wasted, inventory=has_inventory, complete=bill.is_complete(period))
    return waste, wasted, _waste_lines(wasted, waste, stock, known, period, plan.terms.currency)


def _wasted_most(
    known: Priced, stock: Inventory, waste: Waste, judged: list[Period]
) -> tuple[Wasted, Period]:
    """Return the record of the waste in the period that wasted most, and that period."""
    totals = {
        period: sum((piece.cost.get(period, ZERO) for piece in waste.pieces), ZERO)
        for period in judged
    }
    worst = max(judged, key=lambda period: (totals[period], period))
    here = sorted(
        (piece for piece in waste.pieces if piece.cost.get(worst)),
        key=lambda piece: -piece.cost[worst],
    )
    rules = {}
    for rule in dict.fromkeys([*(p.rule for p in here), *waste.unpriced]):
        own = [piece for piece in here if piece.rule == rule]
        rules[rule] = Rule(
            resources=len(own),
            cost=text(sum((piece.cost[worst] for piece in own), ZERO)),
            unpriced=len(waste.unpriced.get(rule, ())),
        )
    unknown = sum(known.unknown.values(), ZERO)
    whole = known.known_cost + unknown
    services = sorted(known.services.items(), key=lambda item: -item[1])
    untold = max(
        (sum((c for d, c in known.untold.items() if p.start <= d < p.end), ZERO) for p in judged),
        default=ZERO,
    )
    wasted = Wasted(
        period=str(worst),
        cost=text(totals[worst]),
        rules=rules,
        top=[_piece(piece, worst) for piece in here[:MAX_PARTS]],
        unpriced=sum(map(len, waste.unpriced.values())),
        unjudged=len(stock.unjudged),
        kinds=dict(stock.kinds),
        gpu_pods=stock.gpu_pods,
        joined=len(known.found),
        unknown_resources=len(known.unknown),
        unknown_cost=text(unknown),
        known_share=float(known.known_cost / whole) if whole > 0 else None,
        inventory=False,
        complete=False,
        untold=text(untold),
        untold_lines=known.untold_lines,
        unknown_services=tuple(
            Part(name=shown(name) or "no service", cost=text(cost), waste=False)
            for name, cost in services[:MAX_SERVICES]
        ),
        sources=tuple(stock.sources),
        spelled=tuple(map(shown, (stock.example, known.example))) if known.example else (),
    )
    return wasted, worst


def _piece(piece: Piece, period: Period) -> dict[str, str]:
    return {
        "rule": piece.rule,
        "name": piece.name,
        "cost": text(piece.cost[period]),
        "why": piece.why,
    }


_RULES = {
    "idle_gpu_pods": "idle GPU pods",
    "unattached_volumes": "unattached volumes",
    ACROSS: "transfer between zones",
}


def _waste_lines(
    wasted: Wasted,
    waste: Waste,
    stock: Inventory,
    known: Priced,
    period: Period,
    currency: str,
) -> list[str]:
    lines = []
    rules = sorted(wasted.rules.items(), key=lambda item: -Decimal(item[1].cost))
    for rule, found in rules:
        here = [piece for piece in waste.pieces if piece.rule == rule and piece.cost.get(period)]
        if not here:
            continue
        here.sort(key=lambda piece: -piece.cost[period])
        all_of_it = format_money(Decimal(found.cost), currency)
        lines.append(f"{_RULES[rule]} in {period}: {all_of_it}, {len(here):,} in all")
        lines += [piece.line(period, currency) for piece in here[:MAX_PIECES]]
        if len(here) > MAX_PIECES:
            rest = sum((piece.cost[period] for piece in here[MAX_PIECES:]), ZERO)
            more = len(here) - MAX_PIECES
            lines.append(f"and {more:,} more of that, {format_money(rest, currency)} together")
    for names in waste.unpriced.values():
        idle = plural(len(names), "idle resource")
        lines.append(f"no charge names {idle}: {names[0]}")
    if stock.unjudged:
        lines.append(
            f"{plural(len(stock.unjudged), 'resource')} could not be judged: {stock.unjudged[0]}"
        )
    if known.unknown:
        name, cost = max(known.unknown.items(), key=lambda item: item[1])
        lines.append(
            f"not in the inventory: {plural(len(known.unknown), 'resource')} with charges of"
            f" {format_money(sum(known.unknown.values(), ZERO), currency)}, most of it {shown(name)},"
            f" {format_money(cost, currency)}"
        )
    return lines


def _cost_lines(entries: list[Entry], plan: Plan) -> list[str]:
    budget, currency = plan.budget, plan.terms.currency
    if budget is None:
        return []
    over = [entry for entry in entries if entry.cost > budget]
    lines = [
        f"{entry.label}: {format_money(entry.cost, currency)},"
        f" {format_money(entry.cost - budget, currency)} over the budget"
        for entry in over
    ]
    more = len(lines) - MAX_LINES
    return [*lines[:MAX_LINES], f"and {more:,} more over the budget"] if more > 0 else lines


def _told(entries: list[Entry], plan: Plan) -> list[str]:
    """Return where periods that run on are heading: told, and nothing is judged by it."""
    running = [entry for entry in entries if entry.forecast is not None]
    lines = []
    for entry in running[:MAX_LINES]:
        if entry.forecast is None:
            continue
        low, high = ends(entry.forecast, entries, plan.lower_error, plan.upper_error)
        least, most = (format_money(end, plan.terms.currency) for end in (low, high))
        lines.append(
            f"forecast, not judged: {entry.label} is heading for {least} to {most}, if days go on as"
            f" the last {entry.forecast.days} did"
        )
    return lines


def _cost_parts(tally: Tally, waste: Waste, period: Period, terms: Terms) -> list[Part]:
    """Return what the worst period's cost is made of, the waste apart from what was of use."""
    parts: dict[str, Decimal] = {}
    for (label, day), cost in tally.labels.items():
        if period_of(day, terms.period) == period:
            parts[label] = parts.get(label, ZERO) + cost
    wasted: dict[str, Decimal] = {}
    for piece in waste.pieces:
        for (label, when), cost in piece.labels.items():
            if when == period:
                parts[label] = parts.get(label, ZERO) - cost
                wasted[piece.rule] = wasted.get(piece.rule, ZERO) + cost
    what = terms.by.partition(":")[2] or terms.by or "service"
    named = [
        Part(name=shown(label) or f"no {what}", cost=text(cost), waste=False)
        for label, cost in parts.items()
        if cost > 0
    ]
    named += [Part(name=_RULES[rule], cost=text(c), waste=True) for rule, c in wasted.items()]
    named.sort(key=lambda part: -Decimal(part.cost))
    return named[:MAX_PARTS]
