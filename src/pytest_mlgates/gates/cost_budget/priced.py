"""What charges say of the resources of an inventory, and of transfer between zones."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from pytest_mlgates.gates.cost_budget.kinds import is_in_inventory
from pytest_mlgates.gates.cost_budget.shown import shown
from pytest_mlgates.gates.cost_budget.tally import ZERO, Tally, exact
from pytest_mlgates.gates.cost_budget.zones import is_zone_transfer

__all__ = ["Charge", "Priced", "priced"]


@dataclass(frozen=True, slots=True)
class Charge:
    """What the waste rules need of a line."""

    resource: str
    start: int
    end: int
    day: int
    cost: Decimal
    label: str


@dataclass(slots=True)
class Priced:
    """Charges of idle resources by name, transfer between zones, and what nobody knows of.

    ``untold`` is by day what no text says anything of: it may be transfer.
    """

    charges: dict[str, list[Charge]] = field(default_factory=dict)
    across: list[Charge] = field(default_factory=list)
    found: set[str] = field(default_factory=set)
    known_cost: Decimal = ZERO
    unknown: dict[str, Decimal] = field(default_factory=dict)
    services: dict[str, Decimal] = field(default_factory=dict)
    untold: dict[int, Decimal] = field(default_factory=dict)
    untold_lines: int = 0
    example: str = ""


def priced(tally: Tally, since: int, *, zones: bool) -> Priced:
    """Return what the charges of usage from a day on say."""
    found, ledger = Priced(), tally.ledger
    ledger.ask("CREATE TABLE across (raw VARCHAR)")
    if zones and "about" in ledger.columns:
        texts = ledger.ask("SELECT DISTINCT about FROM line WHERE about <> ''")
        ledger.put("across", ((text,) for (text,) in texts if is_zone_transfer(text)))
    ledger.ask(
        f"""CREATE VIEW usage AS SELECT c.*, r.priced, r.known,
            c.cost <> 0 AND a.raw IS NOT NULL AS moves
            FROM charge c LEFT JOIN resource r ON c.res = r.raw LEFT JOIN across a ON c.about = a.raw
            WHERE scoped AND NOT opaque AND used AND day >= {since:d}"""
    )
    rest = "rest" if ledger.deep else "0"
    rows = ledger.ask(
        f"SELECT priced, s, e, day, label, cost, {rest} FROM usage"
        " WHERE priced IS NOT NULL AND NOT moves"
    )
    for name, start, end, day, label, cost, deep in rows:
        charge = Charge(name, start, end, day, exact(cost, deep), label)
        found.charges.setdefault(name, []).append(charge)
    rows = ledger.ask(
        f"SELECT coalesce(res, ''), day, label, {tally.sum()} FROM usage WHERE moves GROUP BY ALL"
    )
    for name, day, label, cost, deep in rows:
        found.across.append(Charge(name, 0, 0, day, exact(cost, deep), label))
    _add_known(found, tally)
    if zones:
        rows = ledger.ask(
            f"""SELECT day, {tally.sum()}, count(*) FROM usage
                WHERE coalesce(about, '') = '' AND cost > 0 GROUP BY ALL"""
        )
        for day, cost, deep, lines in rows:
            found.untold[day] = exact(cost, deep)
            found.untold_lines += lines
    return found


def _add_known(found: Priced, tally: Tally) -> None:
    rows = tally.ledger.ask(
        f"""SELECT known, res, coalesce(sort, ''), coalesce(service, ''), {tally.sum()}
            FROM usage WHERE NOT moves GROUP BY ALL ORDER BY sum(cost) DESC"""
    )
    for known, resource, category, service, cost, deep in rows:
        amount = exact(cost, deep)
        if known is not None:
            found.found.add(known)
            found.known_cost += amount
        elif is_in_inventory(category) and amount:
            name = resource or f"{shown(service or category) or 'a service'} (no resource)"
            found.example = found.example or (resource or "")
            found.unknown[name] = found.unknown.get(name, ZERO) + amount
            what = service or category
            found.services[what] = found.services.get(what, ZERO) + amount
