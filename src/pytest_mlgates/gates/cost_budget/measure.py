"""Write down what a bill says for a ``CostBudget``: periods, forecasts, waste, and what to say."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from pytest_mlgates.core import Measurement, Unmeasurable
from pytest_mlgates.gates.cost_budget.inventory import Inventory, read_inventory
from pytest_mlgates.gates.cost_budget.judge import ends
from pytest_mlgates.gates.cost_budget.money import exactly, said, text
from pytest_mlgates.gates.cost_budget.opencost import allocations, is_response
from pytest_mlgates.gates.cost_budget.outlook import Bill, first_judged, outlook
from pytest_mlgates.gates.cost_budget.periods import DAY, Period, iso, period_of
from pytest_mlgates.gates.cost_budget.shown import counted, shown
from pytest_mlgates.gates.cost_budget.tally import ZERO, Tally
from pytest_mlgates.gates.cost_budget.waste import ACROSS, Piece, Waste, find_waste
from pytest_mlgates.reading.tables import Table, load_json, tables

__all__ = ["COUNTS", "account"]

#: fields of the policy that a measurement depends on
COUNTS = (
    "currency", "cost", "period", "since", "complete_until", "settle_days", "by", "scope",
    "idle_hours", "min_utilization", "unattached_days", "cross_zone_floor", "duplicates", "decimal",
)  # fmt: skip

_HOW = (
    "charges must be a DataFrame, records, or the path of a .csv, .parquet, .json or .jsonl file or"
    " of a folder of them, with FOCUS 1.x columns, or those of AWS CUR, or OpenCost allocations"
)
_MOST_GROUPS = 200
_MOST_PIECES = 50
_MOST_LINES = 10
_MOST_OF_RULE = 4


def account(gate: Any, charges: Any, inventory: Any) -> Measurement:
    """Measure charges for a ``CostBudget``.

    Raises :class:`Unmeasurable` where they can't be added up as they are.
    """
    stock = Inventory()
    if inventory is not None:
        stock = read_inventory(inventory, min_utilization=gate.min_utilization)
    tally = Tally(
        policy=gate,
        priced=stock.priced(),
        known=stock.known,
        namespaces=stock.namespaces,
        waste=gate.max_waste is not None,
        waste_from=first_judged(gate),
    )
    with exactly():
        for table in _tables(charges, gate.currency, tally):
            tally.add(table)
        tally.check()
        notes = _duplicates(tally, gate)
        return _written(gate, tally, stock, inventory is not None, notes)


def _tables(charges: Any, currency: str, tally: Tally) -> Iterator[Table]:
    if isinstance(charges, (str, os.PathLike)) and Path(charges).suffix.lower() == ".json":
        loaded = load_json(Path(charges))
        charges = loaded if is_response(loaded) else charges
    if is_response(charges):
        tally.source = "OpenCost"
        charges = allocations(charges, currency)
    yield from tables(charges, _HOW)


def _duplicates(tally: Tally, gate: Any) -> list[str]:
    count, again, first = tally.twice()
    if not count:
        return []
    said_ = (
        f"{count:,} of {counted(tally.lines, 'line')} say the same as one before: {again}"
        f" is {first} again"
    )
    if gate.duplicates == "refuse":
        raise Unmeasurable(
            f"{said_}: was an export joined to itself? Where equal lines are real, set"
            " duplicates: count"
        )
    return [f"{said_}: each was counted"]


def _written(
    gate: Any, tally: Tally, stock: Inventory, has_inventory: bool, notes: list[str]
) -> Measurement:
    details: dict[str, Any] = {
        "calls": 0,
        "measured_with": {name: value for name, value in gate.policy().items() if name in COUNTS},
        "format": tally.source or " and ".join(sorted(tally.formats)) or "no charges",
        "lines": {"read": tally.lines, "in_scope": tally.in_scope, "moved": tally.moved},
    }
    bill = Bill.of(tally, gate)
    judged = [period for period in bill.periods if bill.is_judged(period)]
    count = sum(bill.lines.get(period, 0) for period in judged)
    if not judged or not count:
        details["findings"] = notes + bill.notes()
        return Measurement(value=0.0, unit=gate.currency, n=0, details=details)
    entries = outlook(bill, judged)
    totals = {period: bill.total(period) for period in judged}
    worst = max(entries, key=lambda e: e["cost_"])
    details |= {
        "through": iso(bill.reach),
        "totals": [
            {
                "period": str(period),
                "billed": text(totals[period]),
                "credits": text(bill.credits.get(period, ZERO)),
                "gaps": bill.gaps(period),
                "complete": bill.is_complete(period),
            }
            for period in judged
        ],
    }
    lines: list[str] = []
    waste, wasted = Waste(), None
    if gate.max_waste is not None:
        waste = find_waste(
            tally,
            stock,
            kind=gate.period,
            begin=max(bill.first_day or 0, first_judged(gate)) * DAY,
            through=bill.reach,
            idle_hours=gate.idle_hours,
            unattached_days=gate.unattached_days,
            cross_zone_floor=gate.cross_zone_floor,
        )
        details["waste"], wasted = _waste(tally, stock, waste, judged)
        details["waste"]["inventory"] = has_inventory
        details["waste"]["complete"] = bill.is_complete(wasted)
        lines += _waste_lines(details["waste"], waste, stock, tally, wasted, gate.currency)
    details["shares"] = _shares(tally, waste, worst["period_"], gate)
    shown_entries = sorted(entries, key=lambda e: -e["cost_"])
    # what runs on needs its forecast, however small it is
    kept = [e for i, e in enumerate(shown_entries) if i < _MOST_GROUPS or not e["complete"]]
    details["entries"] = [
        {key: value for key, value in entry.items() if not key.endswith("_")} for entry in kept
    ]
    over = _cost_lines(gate, shown_entries) if gate.max_cost is not None else []
    details["findings"] = over + lines + notes + bill.notes()
    interval = None
    if gate.max_cost is not None and worst["forecast"] is not None:
        interval = ends(worst, entries, gate.alpha, gate.beta)
    value = worst["cost_"]
    if gate.max_cost is None:
        value = Decimal(details["waste"]["cost"])
    return Measurement(
        value=float(value), unit=gate.currency, n=count, interval=interval, details=details
    )


def _waste(
    tally: Tally, stock: Inventory, waste: Waste, judged: list[Period]
) -> tuple[dict[str, Any], Period]:
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
        rules[rule] = {
            "resources": len(own),
            "cost": text(sum((piece.cost[worst] for piece in own), ZERO)),
            "unpriced": len(waste.unpriced.get(rule, ())),
        }
    unknown = sum(tally.unknown.values(), ZERO)
    whole = tally.known_cost + unknown
    return {
        "period": str(worst),
        "cost": text(totals[worst]),
        "rules": rules,
        "top": [_piece(piece, worst) for piece in here[:_MOST_PIECES]],
        "unpriced": sum(map(len, waste.unpriced.values())),
        "unjudged": len(stock.unjudged),
        "kinds": dict(stock.kinds),
        "gpu_pods": stock.gpu_pods,
        "joined": len(tally.found),
        "unknown_resources": len(tally.unknown),
        "unknown_cost": text(unknown),
        "known_share": float(tally.known_cost / whole) if whole > 0 else None,
    }, worst


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
    record: Mapping[str, Any],
    waste: Waste,
    stock: Inventory,
    tally: Tally,
    period: Period,
    currency: str,
) -> list[str]:
    lines = []
    rules = sorted(record["rules"].items(), key=lambda item: -Decimal(item[1]["cost"]))
    for rule, found in rules:
        here = [piece for piece in waste.pieces if piece.rule == rule and piece.cost.get(period)]
        if not here:
            continue
        here.sort(key=lambda piece: -piece.cost[period])
        all_of_it = said(Decimal(found["cost"]), currency)
        lines.append(f"{_RULES[rule]} in {period}: {all_of_it}, {len(here):,} in all")
        lines += [piece.line(period, currency) for piece in here[:_MOST_OF_RULE]]
        if len(here) > _MOST_OF_RULE:
            rest = sum((piece.cost[period] for piece in here[_MOST_OF_RULE:]), ZERO)
            more = len(here) - _MOST_OF_RULE
            lines.append(f"and {more:,} more of that, {said(rest, currency)} together")
    for names in waste.unpriced.values():
        lines.append(f"no charge names {counted(len(names), 'resource')} of no use: {names[0]}")
    if stock.unjudged:
        lines.append(
            f"{counted(len(stock.unjudged), 'resource')} could not be judged: {stock.unjudged[0]}"
        )
    if tally.unknown:
        name, cost = max(tally.unknown.items(), key=lambda item: item[1])
        lines.append(
            f"not in the inventory: {counted(len(tally.unknown), 'resource')} with charges of"
            f" {said(sum(tally.unknown.values(), ZERO), currency)}, most of it {shown(name)},"
            f" {said(cost, currency)}"
        )
    return lines


def _cost_lines(gate: Any, entries: list[dict[str, Any]]) -> list[str]:
    limit = Decimal(repr(gate.max_cost))
    over = [entry for entry in entries if entry["cost_"] > limit]
    lines = [
        f"{entry['label_']}: {said(entry['cost_'], gate.currency)},"
        f" {said(entry['cost_'] - limit, gate.currency)} over the budget"
        for entry in over[:_MOST_LINES]
    ]
    if len(over) > _MOST_LINES:
        lines.append(f"and {len(over) - _MOST_LINES:,} more over the budget")
    return lines


def _shares(tally: Tally, waste: Waste, period: Period, gate: Any) -> list[dict[str, Any]]:
    """Return what the worst period's cost is made of, the waste apart from what was of use."""
    parts: dict[str, Decimal] = {}
    for (label, day), cost in tally.labels.items():
        if period_of(day, gate.period) == period:
            parts[label] = parts.get(label, ZERO) + cost
    wasted: dict[str, Decimal] = {}
    for piece in waste.pieces:
        for (label, when), cost in piece.labels.items():
            if when == period:
                parts[label] = parts.get(label, ZERO) - cost
                wasted[piece.rule] = wasted.get(piece.rule, ZERO) + cost
    what = gate.by.partition(":")[2] or gate.by or "service"
    named = [
        {"name": shown(label) or f"no {what}", "cost": text(cost), "waste": False}
        for label, cost in parts.items()
        if cost > 0
    ]
    named += [{"name": _RULES[rule], "cost": text(c), "waste": True} for rule, c in wasted.items()]
    named.sort(key=lambda part: -Decimal(str(part["cost"])))
    return named[:_MOST_PIECES]
