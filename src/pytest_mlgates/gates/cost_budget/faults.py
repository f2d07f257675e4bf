"""What keeps a line from being added up, in words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from pytest_mlgates.gates.cost_budget.details import Terms
from pytest_mlgates.gates.cost_budget.ledger import Origin
from pytest_mlgates.gates.cost_budget.money import Fault, money
from pytest_mlgates.gates.cost_budget.periods import instant
from pytest_mlgates.reading.tables import missing

__all__ = ["FAULTY", "ODD", "why"]

#: quick to ask of all lines: true of every faulty one, and of a currency in small letters
ODD = """cost IS NULL OR s IS NULL OR e IS NULL OR e < s OR currency IS DISTINCT FROM ?
 OR version_raw IS NOT NULL OR width IS NOT NULL"""
#: of a line; its parameter is the currency of the policy
FAULTY = """(cost IS NULL OR s IS NULL OR e IS NULL OR e < s OR currency IS NULL
 OR (currency <> ? AND NOT regexp_full_match(upper(trim(currency)), '[A-Z]{3}'))
 OR version_raw IS NOT NULL OR width IS NOT NULL)"""
_CURRENCY = re.compile(r"[A-Z]{3}")


def why(row: Sequence[Any], origin: Origin, terms: Terms) -> str:
    """Return what is wrong with a line: the first of its faults, and nothing that it holds."""
    no_cost, cost, currency, no_start, start, no_end, end, backwards, version, width = row
    names = origin.layout.names
    if width is not None:
        return f"it has {width} columns, the header has {len(origin.table.header)}"
    if no_cost:
        return f"its {names['cost']} {_of_money(cost, terms.decimal)}"
    if missing(currency):
        return f"its {names['currency']} is empty"
    if not _CURRENCY.fullmatch(str(currency).strip().upper()):
        return (
            f"its {names['currency']} is not a currency code: are its values shifted by a column?"
        )
    for unknown, raw, role in ((no_start, start, "start"), (no_end, end, "end")):
        if unknown:
            return f"its {names[role]} {_of_time(raw)}"
    if backwards:
        return "its charge period ends before it starts"
    if version is not None:
        return f"its {names['version']} is not one of 1.0 to 1.3"
    return "it can't be read"


def _of_money(raw: str, mark: str) -> str:
    try:
        money(raw, mark)
    except Fault as fault:
        return str(fault)
    return "is not a number"


def _of_time(raw: str) -> str:
    try:
        instant(raw)
    except Fault as fault:
        return f"{fault}{_like(raw)}"
    return "is not a time as in 2026-11-07T00:00:00Z"


def _like(raw: str) -> str:
    """Say of a date how it is written, in place of what it is: its day may be first or second."""
    if re.fullmatch(r"[0-9]{1,4}[/.-][0-9]{1,2}[/.-][0-9]{1,4}.*", raw.strip()):
        return f", it is written as {re.sub(r'[0-9]', '9', raw.strip()[:20])}: export ISO 8601"
    if re.fullmatch(r"[0-9]{10,13}", raw.strip()):
        return ", it is a number of seconds or milliseconds: export ISO 8601"
    return ""
