"""What was paid for and of no use to anybody, each piece with its cost in the charges."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from pytest_mlgates.gates.cost_budget.money import exactly, format_money
from pytest_mlgates.gates.cost_budget.periods import DAY, Period, period_of
from pytest_mlgates.gates.cost_budget.priced import Charge, Priced
from pytest_mlgates.gates.cost_budget.shown import shown
from pytest_mlgates.gates.cost_budget.tally import ZERO
from pytest_mlgates.gates.cost_budget.windows import IDLE, UNATTACHED, Inventory, Window

__all__ = ["ACROSS", "Piece", "Waste", "find_waste"]

ACROSS = "cross_zone_transfer"
_HOUR = 3600
_FINEST = Decimal("1e-10")


@dataclass(slots=True)
class Piece:
    """A resource that was of no use for a while: what that cost in each period, and why."""

    rule: str
    name: str
    why: str
    cost: dict[Period, Decimal] = field(default_factory=dict)
    labels: dict[tuple[str, Period], Decimal] = field(default_factory=dict)

    def add(self, charge: Charge, cost: Decimal, period: Period) -> None:
        """Add what part of a charge was wasted."""
        self.cost[period] = self.cost.get(period, ZERO) + cost
        key = charge.label, period
        self.labels[key] = self.labels.get(key, ZERO) + cost

    def line(self, period: Period, currency: str) -> str:
        """Return what a person reads of it."""
        return f"{self.name}: {format_money(self.cost[period], currency)}: {self.why}"


@dataclass(slots=True)
class Waste:
    """All pieces, and the resources of no use that no charge names."""

    pieces: list[Piece] = field(default_factory=list)
    unpriced: dict[str, list[str]] = field(default_factory=dict)


def find_waste(
    known: Priced,
    inventory: Inventory,
    *,
    kind: str,
    begin: int,
    through: int,
    idle_hours: float | None,
    unattached_days: float | None,
    cross_zone_floor: float | None,
) -> Waste:
    """Price what idled between two instants: where the charges begin, and up to where they reach."""
    least = {
        IDLE: None if idle_hours is None else idle_hours * _HOUR,
        UNATTACHED: None if unattached_days is None else unattached_days * DAY,
    }
    found = Waste()
    with exactly():
        for window in inventory.windows:
            long_enough = least[window.rule]
            end = window.until(through)
            if long_enough is None or end - window.start < long_enough:
                continue
            if end <= max(window.start, begin):
                continue  # it is not about what is judged
            piece = _price(window, known, kind, through)
            if piece is None:
                found.unpriced.setdefault(window.rule, []).append(_wasted_names(window))
            else:
                found.pieces.append(piece)
        if cross_zone_floor is not None:
            found.pieces += _across(known.across, kind, Decimal(repr(cross_zone_floor)))
    return found


def _price(window: Window, known: Priced, kind: str, through: int) -> Piece | None:
    """Return what a window cost, or None where no charge names its resource in that time."""
    own = [charge for name in window.resources for charge in known.charges.get(name, ())]
    charges, numerator, denominator = own, 1, 1
    if not own:
        on = ((window.node, window.share), (window.pool, window.pool_share))
        node, share = next(((n, s) for n, s in on if n in known.charges), ("", None))
        if share is None:
            return None
        charges, (numerator, denominator) = known.charges[node], share.as_integer_ratio()
    end = window.until(through)
    hours = (end - window.start) / _HOUR
    gpus = f"{window.gpus:g} GPU{'s' if window.gpus != 1 else ''} " if window.gpus else ""
    long = f"{hours:,.1f} h" if gpus or hours < 48 else f"{hours / 24:,.1f} days"
    what = f"{gpus}idle for {long}" if gpus else f"for {long}"
    why = f"{what}, {window.why}" if gpus else f"{window.why}, {what}"
    piece, whole = Piece(window.rule, _wasted_names(window), why), True
    for charge in charges:
        length = charge.end - charge.start
        overlap = min(charge.end, end) - max(charge.start, window.start)
        if length <= 0:  # a charge for an instant
            overlap = length = int(window.start <= charge.start < end)
        if overlap <= 0:
            continue
        part = charge.cost
        if (overlap, numerator) != (length, denominator):
            part, whole = part * overlap * numerator / (length * denominator), False
        piece.add(charge, part, period_of(charge.day, kind))
    if not piece.cost:
        return None
    if not whole:  # thirds of a charge have no last digit
        piece.cost = {key: cost.quantize(_FINEST) for key, cost in piece.cost.items()}
        piece.labels = {key: cost.quantize(_FINEST) for key, cost in piece.labels.items()}
    return piece


def _wasted_names(window: Window) -> str:
    return f"{'pod' if window.rule == IDLE else 'volume'} {shown(window.name)}"


def _across(charges: Iterable[Charge], kind: str, floor: Decimal) -> list[Piece]:
    """Return the transfer between zones, of resources that cost more by it than ``floor``."""
    pieces: dict[str, Piece] = {}
    for charge in charges:
        name = f"resource {shown(charge.resource)}" if charge.resource else "no resource"
        piece = pieces.setdefault(charge.resource, Piece(ACROSS, name, "transfer between zones"))
        piece.add(charge, charge.cost, period_of(charge.day, kind))
    for piece in pieces.values():
        piece.cost = {period: cost for period, cost in piece.cost.items() if cost > floor}
        piece.labels = {key: cost for key, cost in piece.labels.items() if key[1] in piece.cost}
    return [piece for piece in pieces.values() if piece.cost]
