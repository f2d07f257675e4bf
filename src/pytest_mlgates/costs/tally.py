"""Add up charges, a line at a time: exact sums by day and group, and what must be said of them."""

from __future__ import annotations

import json
import re
from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np

from pytest_mlgates.core import Unmeasurable
from pytest_mlgates.costs.layouts import CATEGORIES, Category, Layout, layout
from pytest_mlgates.costs.money import Fault, money
from pytest_mlgates.costs.periods import DAY, instant
from pytest_mlgates.costs.shown import counted
from pytest_mlgates.tabular import Table, missing

__all__ = ["NAMESPACES", "Charge", "Sums", "Tally", "grouper"]

ZERO = Decimal(0)
#: a charge period up to this long is a day's; one longer is a fee, or a bill by the month
_SHORT = 25 * 3600
_LONGEST_CACHE = 200_000
_CURRENCY = re.compile(r"[A-Z]{3}")
#: tags that tell the namespace, without case and separators
NAMESPACES = {
    "namespace", "k8snamespace", "kubernetesnamespace", "kubenamespace", "kubernetesionamespace",
    "awseksnamespace", "eksnamespace", "k8snamespacename", "kubernetesionamespacename",
}  # fmt: skip
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

    policy: Any
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

    def add(self, table: Table) -> None:  # noqa: C901, PLR0915  (one loop: it runs a million times)
        """Add a table; :meth:`check` then says what was wrong with it."""
        policy = self.policy
        seen = layout(table.header, policy.cost)
        self.formats.add(seen.name)
        self._tables.append((len(self._hashes), table))
        at, width, texts = seen.at, len(table.header), seen.texts
        c_cost, c_currency, c_start = at["cost"], at["currency"], at["start"]
        c_end, c_billing = at.get("end"), at.get("billing_start")
        c_category, c_class, c_often = at.get("category"), at.get("class"), at.get("frequency")
        c_resource, c_kind = at.get("resource"), at.get("service_category")
        c_identity, c_version = at.get("identity"), at.get("version")
        if c_category is None:
            self.lacking.add(seen.names["category"])
        if c_end is None:
            self.lacking.add(seen.names["end"])
        group = grouper(policy.by, seen, self.namespaces)
        label = group
        if not policy.by and "service" in seen.at:
            label = grouper("service", seen, self.namespaces)
        wanted = [_matcher(rule, seen, self.namespaces) for rule in policy.scope]
        times: dict[Any, int] = {}
        categories: dict[Any, Category | None] = {}
        across: dict[Any, bool] = {}
        usage, currency, mark = CATEGORIES["Usage"], policy.currency, policy.decimal
        for number, row in table.rows:
            self.lines += 1
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
                start = _time(row[c_start], times, seen.names["start"])
                end = (
                    start - start % DAY + DAY
                    if c_end is None
                    else _time(row[c_end], times, seen.names["end"])
                )
                if end < start:
                    raise Fault("its charge period ends before it starts")
                if c_version is not None and not _is_known(row[c_version]):
                    raise Fault(f"its {seen.names['version']} is none of 1.0 to 1.3")
                kind = usage
                if c_category is not None:
                    word = row[c_category]
                    found = categories.get(word)
                    if found is None:
                        found = categories[word] = seen.category(word)
                    if found is None:
                        raise Fault(f"its {seen.names['category']} is of no known kind")
                    kind = found
                correction = c_class is not None and row[c_class] == "Correction"
                if cost < 0 and not (kind.negative or correction):
                    raise Fault(
                        f"it is a {kind.name} of less than nothing, and no correction or credit"
                    )
            except Fault as fault:
                self._unfit(table, number, fault)
                continue
            short = end - start <= _SHORT
            day = start // DAY
            if kind.flows:
                # how far the bill reaches, whatever is judged of it
                if short:
                    self.covered.add(day)
                    self.short_end = max(self.short_end, end)
                else:
                    self.long_end = max(self.long_end, end)
                self.last_start = max(self.last_start, start)
            if wanted and not all(match(row) for match in wanted):
                continue
            self.in_scope += 1
            if unit != currency:
                self.foreign[unit] = self.foreign.get(unit, 0) + 1
                continue
            flows = kind.flows or (
                c_often is not None and kind.name == "Purchase" and row[c_often] == "Recurring"
            )
            if c_billing is not None and not missing(row[c_billing]):
                # late usage and corrections belong to the bill that they stand on
                billed = _quietly(row[c_billing], times) // DAY
                if billed > day:
                    day, flows = billed, False
                    self.moved += 1
            key = (group(row), day)
            sums = self.days.get(key)
            if sums is None:
                sums = self.days[key] = Sums()
            sums.lines += 1
            if cost == 0:
                pass
            elif short and flows and not (correction and cost < 0):
                sums.flow += cost
            elif cost > 0:
                sums.fees += cost
            else:
                sums.credits += cost
            name = label(row)
            if cost:
                self.labels[name, day] = self.labels.get((name, day), ZERO) + cost
                self._remember(row, c_identity, start, end, number)
            if not self.waste or kind.name != "Usage" or day < self.waste_from:
                continue
            resource = row[c_resource] if c_resource is not None else None
            resource = "" if missing(resource) else str(resource)
            if cost and any(_tells(row[i], across) for i in texts):
                self.across.append(Charge(resource, start, end, day, cost, name))
                continue
            if not resource:
                continue
            if resource in self.priced:
                self.charges.setdefault(resource, []).append(
                    Charge(resource, start, end, day, cost, name)
                )
            if resource in self.known:
                self.found.add(resource)
                self.known_cost += cost
            elif c_kind is None or str(row[c_kind] or "compute").lower() in _IN_INVENTORY:
                self.unknown[resource] = self.unknown.get(resource, ZERO) + cost

    def check(self) -> None:
        """Raise :class:`Unmeasurable` where lines can't be added up as they are."""
        if self.unfit:
            more = self.unfit - len(self.why_unfit)
            rest = f"; and {more:,} more" if more else ""
            raise Unmeasurable(
                f"{self.unfit:,} of {counted(self.lines, 'line')} can't be read, so nothing was"
                f" added up: {'; '.join(self.why_unfit)}{rest}"
            )
        if len({name.partition(" ")[0] for name in self.formats}) > 1:
            kinds = " and ".join(sorted(self.formats))
            raise Unmeasurable(f"the charges are in {kinds}: are the same there twice?")
        if self.foreign:
            own = self.in_scope - sum(self.foreign.values())
            units = sorted({**self.foreign, self.policy.currency: own}.items())
            seen = ", ".join(f"{unit} ({counted(n, 'line')})" for unit, n in units)
            raise Unmeasurable(
                f"charges are in {seen}, the budget is in {self.policy.currency}: currencies are"
                " never mixed, give the charges of each a gate of its own"
            )

    def twice(self) -> list[tuple[str, str]]:
        """Return the places of lines that are equal to one before: (first, again)."""
        hashes = np.frombuffer(self._hashes, np.int64)
        order = np.argsort(hashes, kind="stable")
        same = np.flatnonzero(np.diff(hashes[order]) == 0)
        pairs = sorted((int(order[i + 1]), int(order[i])) for i in same)
        return [(self._place(first), self._place(again)) for again, first in pairs]

    def _place(self, index: int) -> str:
        table = next(table for start, table in reversed(self._tables) if start <= index)
        return table.place(self._numbers[index])

    def _remember(
        self, row: Sequence[Any], identity: int | None, start: int, end: int, number: int
    ) -> None:
        """Keep a hash of the line: by its id, where it has one, or by all that it says."""
        if identity is not None and row[identity]:
            self._hashes.append(hash((row[identity], start, end)))
        else:
            try:
                self._hashes.append(hash(tuple(row)))
            except TypeError:
                self._hashes.append(hash(repr(row)))
        self._numbers.append(number)

    def _unfit(self, table: Table, number: int, fault: Fault) -> None:
        self.unfit += 1
        if len(self.why_unfit) < 3:
            self.why_unfit.append(f"{table.place(number)}: {fault}")


def grouper(by: str, seen: Layout, namespaces: Mapping[str, str]) -> Callable[[Sequence[Any]], str]:
    """Return what tells the group of a row; ``""`` where it has none."""
    if not by:
        return lambda _: ""
    key, _, tag = by.partition(":")
    if key == "tag":
        return _tag(seen, lambda name: name == _bare(tag), by)
    if key == "namespace":
        return _namespace(seen, namespaces)
    role = {"category": "service_category"}.get(key, key)
    if role not in seen.at:
        raise Unmeasurable(f"the charges have no column {seen.names[role]}, and {by!r} is about it")
    at = seen.at[role]
    return lambda row: "" if missing(row[at]) else str(row[at])


def _matcher(
    rule: str, seen: Layout, namespaces: Mapping[str, str]
) -> Callable[[Sequence[Any]], bool]:
    by, _, value = rule.partition("=")
    group = grouper(by, seen, namespaces)
    return lambda row: group(row) == value


def _namespace(seen: Layout, namespaces: Mapping[str, str]) -> Callable[[Sequence[Any]], str]:
    column, resource = seen.at.get("namespace"), seen.at.get("resource")
    has_tags = "tags" in seen.at or seen.tag_columns
    tag = _tag(seen, NAMESPACES.__contains__, "namespace") if has_tags else None
    if column is None and tag is None and not namespaces:
        raise Unmeasurable(
            "no charge says its namespace: give a column x_Namespace, a tag 'namespace', or an"
            " inventory that knows it"
        )

    def of(row: Sequence[Any]) -> str:
        if column is not None and not missing(row[column]):
            return str(row[column])
        found = tag(row) if tag is not None else ""
        if found or resource is None or missing(row[resource]):
            return found
        return namespaces.get(str(row[resource]), "")

    return of


def _bare(name: str) -> str:
    """Return the name of a tag without case, separators and whose it is."""
    return re.sub(r"[\W_]", "", re.sub(r"^(user|aws)[:_]", "", name)).lower()


def _tag(seen: Layout, matches: Callable[[str], bool], by: str) -> Callable[[Sequence[Any]], str]:
    columns = [at for name, at in seen.tag_columns.items() if matches(_bare(name))]
    at = seen.at.get("tags")
    if at is None and not seen.tag_columns:
        raise Unmeasurable(
            f"the charges have no column {seen.names['tags']}, and {by!r} is about it"
        )
    cache: dict[str, str] = {}

    def of(row: Sequence[Any]) -> str:
        for column in columns:
            if not missing(row[column]):
                return str(row[column])
        if at is None:
            return ""
        cell = row[at]
        if not isinstance(cell, str):
            return _find(cell, matches)
        known = cache.get(cell)
        if known is None:
            if len(cache) > _LONGEST_CACHE:
                cache.clear()
            known = cache[cell] = _find(_parsed(cell), matches)
        return known

    return of


def _parsed(cell: str) -> Any:
    if not cell.strip():
        return None
    try:
        return json.loads(cell)
    except (ValueError, RecursionError):
        return None


def _find(tags: Any, matches: Callable[[str], bool]) -> str:
    """Return the value of the first tag that matches; tags are a mapping or pairs (Parquet)."""
    pairs: Any = list(tags.items()) if isinstance(tags, Mapping) else tags
    if not isinstance(pairs, (list, tuple)):
        return ""
    for pair in pairs:
        if isinstance(pair, (list, tuple)) and len(pair) == 2 and matches(_bare(str(pair[0]))):
            return "" if missing(pair[1]) else str(pair[1])
    return ""


def _time(value: Any, known: dict[Any, int], column: str) -> int:
    try:
        found = known.get(value)
    except TypeError:
        raise Fault(f"its {column} is no time as in 2026-11-07T00:00:00Z") from None
    if found is None:
        try:
            found = instant(value)
        except Fault as fault:
            raise Fault(f"its {column} {fault}") from None
        if len(known) > _LONGEST_CACHE:
            known.clear()
        known[value] = found
    return found


def _is_known(version: Any) -> bool:
    """Tell whether a version of FOCUS is one that is read here.

    >>> _is_known("1.2"), _is_known("v1.0-r2"), _is_known("9.9")
    (True, True, False)
    """
    return missing(version) or re.match(r"v?1\.[0-3](\D|$)", str(version).strip()) is not None


def _quietly(value: Any, known: dict[Any, int]) -> int:
    try:
        return _time(value, known, "")
    except Fault:
        return 0


def _currency(unit: Any, wanted: str, column: str) -> str:
    """Return the currency of a line; what is no code is a sign of shifted columns."""
    if missing(unit):
        raise Fault(f"its {column} is empty")
    code = str(unit).strip().upper()
    if code != wanted and not _CURRENCY.fullmatch(code):
        raise Fault(f"its {column} is no currency code: are its values shifted by a column?")
    return code


def _tells(text: Any, known: dict[Any, bool]) -> bool:
    """Tell whether a text is about transfer between zones."""
    if not text or not isinstance(text, str):
        return False
    found = known.get(text)
    if found is None:
        if len(known) > _LONGEST_CACHE:
            known.clear()
        found = known[text] = _ACROSS.search(text) is not None
    return found
