"""Read charges line by line; what does not fit is named, and never added up in silence."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from pytest_mlgates.gates.cost_budget.details import Terms
from pytest_mlgates.gates.cost_budget.layouts import CATEGORIES, Category, Layout
from pytest_mlgates.gates.cost_budget.money import Fault, money
from pytest_mlgates.gates.cost_budget.periods import DAY, instant
from pytest_mlgates.reading.tables import Table, missing

__all__ = ["Line", "read_lines"]

MAX_CACHED = 200_000
_CURRENCY = re.compile(r"[A-Z]{3}")


class Line(NamedTuple):
    """A charge: its cost in a currency, over a time in seconds since 1970.

    ``day`` is that of the bill it stands on; ``moved`` where that is later than what it is about.
    ``flows`` tells what comes day by day from what comes once.
    """

    number: int
    row: Sequence[object]
    cost: Decimal
    currency: str
    start: int
    end: int
    kind: Category
    flows: bool
    day: int
    moved: bool


def read_lines(  # noqa: C901  (the checks of a line, one after the other)
    table: Table, seen: Layout, terms: Terms, unfit: Callable[[int, Fault], object]
) -> Iterator[Line]:
    """Yield the lines of a table; ``unfit`` is told of those that can't be read."""
    at, width = seen.at, len(table.header)
    c_cost, c_currency, c_start = at["cost"], at["currency"], at["start"]
    c_end, c_billing, c_category = at.get("end"), at.get("billing_start"), at.get("category")
    c_class, c_often, c_version = at.get("class"), at.get("frequency"), at.get("version")
    times: dict[object, int] = {}
    kinds: dict[str, Category] = {}
    usage, currency, mark = CATEGORIES["Usage"], terms.currency, terms.decimal
    for number, row in table.rows:
        try:
            if len(row) != width:
                raise Fault(f"it has {len(row)} columns, the header has {width}")
            try:
                cost = money(row[c_cost], mark)
            except Fault as fault:
                raise Fault(f"its {seen.names['cost']} {fault}") from None
            unit = row[c_currency]
            if unit != currency:
                unit = _currency(unit, currency, seen.names["currency"])
            start = _instant_of(row[c_start], times, seen.names["start"])
            if c_end is None:
                end = start - start % DAY + DAY
            else:
                end = _instant_of(row[c_end], times, seen.names["end"])
            if end < start:
                raise Fault("its charge period ends before it starts")
            if c_version is not None and not _is_known(row[c_version]):
                raise Fault(f"its {seen.names['version']} is not one of 1.0 to 1.3")
            kind = usage if c_category is None else _category(row[c_category], kinds, seen)
            correction = c_class is not None and row[c_class] == "Correction"
            if cost < 0 and not (kind.negative or correction):
                raise Fault(f"a negative {kind.name} that is neither a correction nor a credit")
        except Fault as fault:
            unfit(number, fault)
            continue
        flows = kind.flows
        if not flows and c_often is not None and kind.name == "Purchase":
            flows = row[c_often] == "Recurring"
        day, moved = start // DAY, False
        if c_billing is not None and not missing(row[c_billing]):
            billed = _time_or_zero(row[c_billing], times) // DAY
            if billed > day:
                day, moved = billed, True
        flows = flows and not moved and not (correction and cost < 0)
        yield Line(number, row, cost, unit, start, end, kind, flows, day, moved)


def _category(word: Any, known: dict[str, Category], seen: Layout) -> Category:
    if isinstance(word, str) and word in known:
        return known[word]
    found = seen.category(word)
    if found is None:
        raise Fault(f"its {seen.names['category']} is of no known kind")
    known[word] = found
    return found


def _instant_of(value: object, known: dict[object, int], column: str) -> int:
    try:
        found = known.get(value)
    except TypeError:
        raise Fault(f"its {column} is not a time as in 2026-11-07T00:00:00Z") from None
    if found is None:
        try:
            found = instant(value)
        except Fault as fault:
            raise Fault(f"its {column} {fault}") from None
        if len(known) > MAX_CACHED:
            known.clear()
        known[value] = found
    return found


def _is_known(version: object) -> bool:
    """Tell whether a version of FOCUS is one that is read here.

    >>> _is_known("1.2"), _is_known("v1.0-r2"), _is_known("9.9")
    (True, True, False)
    """
    return missing(version) or re.match(r"v?1\.[0-3](\D|$)", str(version).strip()) is not None


def _time_or_zero(value: object, known: dict[object, int]) -> int:
    try:
        return _instant_of(value, known, "")
    except Fault:
        return 0


def _currency(unit: object, wanted: str, column: str) -> str:
    """Return the currency of a line; what is not a code is a sign of shifted columns."""
    if missing(unit):
        raise Fault(f"its {column} is empty")
    code = str(unit).strip().upper()
    if code != wanted and not _CURRENCY.fullmatch(code):
        raise Fault(f"its {column} is not a currency code: are its values shifted by a column?")
    return code
