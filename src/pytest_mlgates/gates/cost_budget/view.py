"""``charge``: the lines of a bill as they are counted, as a query over what was read."""

from __future__ import annotations

from collections.abc import Sequence, Set

from pytest_mlgates.gates.cost_budget.groups import Group
from pytest_mlgates.gates.cost_budget.kinds import CATEGORIES, KINDS
from pytest_mlgates.gates.cost_budget.periods import DAY
from pytest_mlgates.gates.cost_budget.sql import TYPES

__all__ = ["CREDIT", "FEE", "FLOW", "SHORT", "charge"]

#: a charge period up to this long is a day's; one longer is a fee, or a bill by the month
SHORT = 25 * 3600
#: what flows day by day, what comes once, what is given back
FLOW, FEE, CREDIT = range(3)
#: as many of the first kinds flow, and are usage
_FLOWING = sum(kind.flows for kind in KINDS)
_USED = sum(kind.name == "Usage" for kind in KINDS)
_KEPT = ("res", "about", "sort", "service", "split", "parent", "version_raw", "width", "k")
_PURCHASE = KINDS.index(CATEGORIES["Purchase"])
_USAGE = KINDS.index(CATEGORIES["Usage"])


def charge(
    groups: Sequence[Group],
    by: Group | None,
    label: Group | None,
    scope: Sequence[tuple[Group, str]],
    joined: frozenset[str],
    columns: Set[str],
) -> str:
    """Return the query. ``joined`` are the tables of values that are not empty.

    ``columns`` are those that the lines have; what no source needed is NULL.

    ``opaque`` marks a line whose group or scope can't be told since its tags can't be read.
    """

    def there(name: str) -> str:
        return f"l.{name}" if name in columns else f"NULL::{TYPES[name]}"

    values = {group: _value(i, group, joined) for i, group in enumerate(groups)}
    opaque = {group: _is_opaque(i, group, joined) for i, group in enumerate(groups)}
    cost = "coalesce(l.cost, am.v)" if "amount" in joined else "l.cost"
    rest = "coalesce(am.rest, 0)" if "amount" in joined else "0"
    s, e, b = (f"coalesce({there(n)}, {n}m.v)" if f"{n}_at" in joined else there(n) for n in "seb")
    sure = " AND ".join(f"{values[g]} = {_text(v)}" for g, v in scope) or "true"
    maybe = " AND ".join(f"({values[g]} = {_text(v)} OR {opaque[g]})" for g, v in scope) or "true"
    told = [opaque[g] for g, _ in scope] + ([opaque[by]] if by else [])
    joins = [
        f"LEFT JOIN {table} {alias} ON l.{column} = {alias}.raw"
        for table, alias, column in (
            ("amount", "am", "cost_raw"), ("s_at", "sm", "s_raw"), ("e_at", "em", "e_raw"),
            ("b_at", "bm", "b_raw"), ("tag", "tg", "tags"), ("resource", "rs", "res"),
        )
        if table in joined
    ]  # fmt: skip
    return f"""
    SELECT *, CASE WHEN short AND flows AND NOT moved AND NOT (correction AND cost < 0)
                        AND NOT (kind = {_USAGE} AND cost < 0)
                   THEN {FLOW} WHEN cost > 0 THEN {FEE} ELSE {CREDIT} END AS sum_of
    FROM (
      SELECT l.rowid AS id, l.file, {cost} AS cost, {rest} AS rest, l.currency,
        {s} AS s, {e} AS e, {s} // {DAY} AS day0,
        greatest({s} // {DAY}, coalesce({b} // {DAY}, 0)) AS day,
        coalesce({b} // {DAY}, 0) > {s} // {DAY} AS moved,
        {e} - {s} <= {SHORT} AS short, l.kind, {there("kind_raw")} AS kind_raw,
        coalesce({there("correction")}, false) AS correction,
        l.kind < {_FLOWING} OR (l.kind = {_PURCHASE} AND {there("recurring")}) AS flows,
        coalesce(l.kind < {_FLOWING}, false) AS reaches,
        coalesce(l.kind < {_USED}, false) AS used,
        {values[by] if by else "''"} AS grp, {values[label] if label else "''"} AS label,
        {maybe} AS scoped, NOT ({sure}) OR {" OR ".join(told) or "false"} AS opaque,
        {", ".join(f"{there(name)} AS {name}" for name in _KEPT)}, l.h
      FROM line l {" ".join(joins)}
    )"""  # fmt: skip


def _value(i: int, group: Group, joined: frozenset[str]) -> str:
    own = f"l.g{i}"
    if not group.tagged:
        return own
    if "tag" in joined:
        own = f"CASE WHEN {own} <> '' THEN {own} ELSE coalesce(tg.v{i}, '') END"
    if group.by == "namespace" and "resource" in joined:
        own = f"coalesce(nullif({own}, ''), rs.namespace, '')"
    return f"({own})"


def _is_opaque(i: int, group: Group, joined: frozenset[str]) -> str:
    if not group.tagged or "tag" not in joined:
        return "false"
    return f"({_value(i, group, joined)} = '' AND NOT coalesce(tg.ok, true))"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
