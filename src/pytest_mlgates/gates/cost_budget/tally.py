"""Add up charges, a line at a time: exact sums by day and group, and what must be said of them."""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np

from pytest_mlgates.core.errors import Unmeasurable
from pytest_mlgates.core.words import plural
from pytest_mlgates.gates.cost_budget.details import Terms
from pytest_mlgates.gates.cost_budget.groups import grouper, matcher
from pytest_mlgates.gates.cost_budget.layouts import Layout, layout
from pytest_mlgates.gates.cost_budget.lines import Line, read_lines
from pytest_mlgates.gates.cost_budget.money import Fault
from pytest_mlgates.gates.cost_budget.periods import DAY
from pytest_mlgates.reading.tables import Table, missing

__all__ = ["ZERO", "Charge", "Sums", "Tally"]

ZERO = Decimal(0)
#: a charge period up to this long is a day's; one longer is a fee, or a bill by the month
_SHORT = 25 * 3600
MAX_CACHED = 200_000
_ACROSS = re.compile(
    r"DataTransfer-(Regional|xAZ)|regional data transfer"
    r"|\b(inter|cross|x)[-_ ]?(az|zone|availability[-_ ]?zone)s?\b|\b(inter|cross)zone"
    r"|between (the )?(availability )?(zones|azs)\b|between [\w ]*availability zones",
    re.IGNORECASE,
)
_IN_INVENTORY = {"compute", "storage", "amazonec2"}


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
class Sums:
    """The money of a group on a day: what flows day by day, what comes once, what is given back."""

    flow: Decimal = ZERO
    fees: Decimal = ZERO
    credits: Decimal = ZERO
    lines: int = 0

    @property
    def billed(self) -> Decimal:
        """All of it."""
        return self.flow + self.fees + self.credits


@dataclass(slots=True)
class Tally:
    """All that one pass over the charges leaves.

    ``priced`` are the resources whose charges are kept, ``known`` those of the inventory.
    """

    terms: Terms
    priced: set[str] = field(default_factory=set)
    known: set[str] = field(default_factory=set)
    namespaces: Mapping[str, str] = field(default_factory=dict)
    waste: bool = False
    waste_from: int = 0

    source: str = ""
    formats: set[str] = field(default_factory=set)
    lines: int = 0
    in_scope: int = 0
    days: dict[tuple[str, int], Sums] = field(default_factory=dict)
    labels: dict[tuple[str, int], Decimal] = field(default_factory=dict)
    covered: set[int] = field(default_factory=set)
    short_end: int = 0
    long_end: int = 0
    last_start: int = 0
    moved: int = 0
    foreign: dict[str, int] = field(default_factory=dict)
    charges: dict[str, list[Charge]] = field(default_factory=dict)
    across: list[Charge] = field(default_factory=list)
    found: set[str] = field(default_factory=set)
    unknown: dict[str, Decimal] = field(default_factory=dict)
    known_cost: Decimal = ZERO
    unfit: int = 0
    why_unfit: list[str] = field(default_factory=list)
    lacking: set[str] = field(default_factory=set)
    _hashes: array[int] = field(default_factory=lambda: array("q"))
    _numbers: array[int] = field(default_factory=lambda: array("q"))
    _tables: list[tuple[int, Table]] = field(default_factory=list)

    def add(self, table: Table) -> None:
        """Add a table; :meth:`check` then says what was wrong with it."""
        terms = self.terms
        seen = layout(table.header, terms.cost)
        self.formats.add(seen.name)
        self._tables.append((len(self._hashes), table))
        self.lacking |= {seen.names[role] for role in ("category", "end") if role not in seen.at}
        group = grouper(terms.by, seen, self.namespaces)
        label = group
        if not terms.by and "service" in seen.at:
            label = grouper("service", seen, self.namespaces)
        rules = [matcher(rule, seen, self.namespaces) for rule in terms.scope]
        across: dict[object, bool] = {}
        for line in read_lines(table, seen, terms, self._note_unfit(table)):
            self.lines += 1
            short = line.end - line.start <= _SHORT
            if line.kind.flows:
                self._reach(line, short=short)
            row, cost = line.row, line.cost
            if rules and not all(matches(row) for matches in rules):
                continue
            self.in_scope += 1
            if line.currency != terms.currency:
                self.foreign[line.currency] = self.foreign.get(line.currency, 0) + 1
                continue
            self.moved += line.moved
            key = (group(row), line.day)
            sums = self.days.get(key)
            if sums is None:
                sums = self.days[key] = Sums()
            sums.lines += 1
            name = label(row)
            if cost:
                if short and line.flows:
                    sums.flow += cost
                elif cost > 0:
                    sums.fees += cost
                else:
                    sums.credits += cost
                part = (name, line.day)
                self.labels[part] = self.labels.get(part, ZERO) + cost
                self._remember(line, seen.at.get("identity"))
            if self.waste and line.kind.name == "Usage" and line.day >= self.waste_from:
                self._keep_for_waste(line, seen, name, across)

    def _reach(self, line: Line, *, short: bool) -> None:
        """Note how far the bill reaches, whatever is judged of it."""
        if short:
            self.covered.add(line.start // DAY)
            self.short_end = max(self.short_end, line.end)
        else:
            self.long_end = max(self.long_end, line.end)
        self.last_start = max(self.last_start, line.start)

    def _keep_for_waste(
        self, line: Line, seen: Layout, name: str, across: dict[object, bool]
    ) -> None:
        """Keep what the waste rules need of a charge."""
        row, at = line.row, seen.at.get("resource")
        resource = "" if at is None or missing(row[at]) else str(row[at])
        charge = Charge(resource, line.start, line.end, line.day, line.cost, name)
        if line.cost and any(_mentions_zone_transfer(row[i], across) for i in seen.texts):
            self.across.append(charge)
            return
        if resource in self.priced:
            self.charges.setdefault(resource, []).append(charge)
        if resource in self.known:
            self.found.add(resource)
            self.known_cost += line.cost
        elif resource and _in_inventory(row, seen.at.get("service_category")):
            self.unknown[resource] = self.unknown.get(resource, ZERO) + line.cost

    def check(self) -> None:
        """Raise :class:`Unmeasurable` where lines can't be added up as they are."""
        if self.unfit:
            more = self.unfit - len(self.why_unfit)
            rest = f"; and {more:,} more" if more else ""
            raise Unmeasurable(
                f"{self.unfit:,} of {plural(self.lines, 'line')} can't be read, so nothing was"
                f" added up: {'; '.join(self.why_unfit)}{rest}"
            )
        if len({name.partition(" ")[0] for name in self.formats}) > 1:
            kinds = " and ".join(sorted(self.formats))
            raise Unmeasurable(f"the charges are in {kinds}: does each charge appear twice?")
        if self.foreign:
            own = self.in_scope - sum(self.foreign.values())
            units = sorted({**self.foreign, self.terms.currency: own}.items())
            seen = ", ".join(f"{unit} ({plural(n, 'line')})" for unit, n in units)
            raise Unmeasurable(
                f"charges are in {seen}, the budget is in {self.terms.currency}: currencies are"
                " never mixed, give the charges of each a gate of its own"
            )

    def twice(self) -> tuple[int, str, str]:
        """Return how many lines are equal to one before, and where the first is, and was."""
        hashes = np.frombuffer(self._hashes, np.int64)
        order = np.argsort(hashes, kind="stable")
        same = np.flatnonzero(np.diff(hashes[order]) == 0)
        if not same.size:
            return 0, "", ""
        first = same[np.argmin(order[same + 1])]
        return same.size, self._place(int(order[first + 1])), self._place(int(order[first]))

    def _place(self, index: int) -> str:
        table = next(table for start, table in reversed(self._tables) if start <= index)
        return table.place(self._numbers[index])

    def _remember(self, line: Line, identity: int | None) -> None:
        """Keep a hash of the line: by its id, where it has one, or by all that it says."""
        row = line.row
        if identity is not None and row[identity]:
            self._hashes.append(hash((row[identity], line.start, line.end)))
        else:
            try:
                self._hashes.append(hash(tuple(row)))
            except TypeError:
                self._hashes.append(hash(repr(row)))
        self._numbers.append(line.number)

    def _note_unfit(self, table: Table) -> Callable[[int, Fault], None]:
        def note(number: int, fault: Fault) -> None:
            self.lines += 1
            self.unfit += 1
            if len(self.why_unfit) < 3:
                self.why_unfit.append(f"{table.place(number)}: {fault}")

        return note


def _in_inventory(row: Sequence[object], category: int | None) -> bool:
    """Tell whether a charge is for something that an inventory should know of."""
    if category is None or missing(row[category]):
        return True
    return str(row[category]).lower() in _IN_INVENTORY


def _mentions_zone_transfer(text: object, known: dict[object, bool]) -> bool:
    """Tell whether a text is about transfer between zones."""
    if not text or not isinstance(text, str):
        return False
    found = known.get(text)
    if found is None:
        if len(known) > MAX_CACHED:
            known.clear()
        found = known[text] = _ACROSS.search(text) is not None
    return found
