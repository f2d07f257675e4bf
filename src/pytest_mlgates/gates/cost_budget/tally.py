"""Add up charges: exact sums by day and group, and what must be said of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from decimal import Decimal

from pytest_mlgates.core.errors import Unmeasurable
from pytest_mlgates.core.words import plural
from pytest_mlgates.gates.cost_budget.details import Terms
from pytest_mlgates.gates.cost_budget.faults import FAULTY, ODD, why
from pytest_mlgates.gates.cost_budget.groups import Group
from pytest_mlgates.gates.cost_budget.ids import spellings
from pytest_mlgates.gates.cost_budget.layouts import layout
from pytest_mlgates.gates.cost_budget.ledger import Ledger
from pytest_mlgates.gates.cost_budget.shown import shown
from pytest_mlgates.gates.cost_budget.tags import read_tags
from pytest_mlgates.gates.cost_budget.view import FEE, FLOW, charge
from pytest_mlgates.reading.tables import Table

__all__ = ["ZERO", "Names", "Sums", "Tally", "Unread", "exact", "tag_names"]

ZERO = Decimal(0)
_DEEP = Decimal(1).scaleb(-40)
#: lines that a message shows
_SHOWN = 3
#: two files overlap where so many of the lines of one are in the other with another cost
_OVERLAP = 0.5


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


@dataclass(frozen=True, slots=True)
class Unread:
    """Lines whose cost is known and what they are for is not."""

    why: str
    lines: int
    cost: Decimal
    credits: Decimal


@dataclass(frozen=True, slots=True)
class Names:
    """What an inventory calls resources: those that idle, all that it knows, and namespaces."""

    priced: Set[str] = frozenset()
    known: Set[str] = frozenset()
    namespaces: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Tally:
    """All that the charges come to, by group and day."""

    terms: Terms
    ledger: Ledger
    source: str = ""
    cost_column: str = ""
    formats: set[str] = field(default_factory=set)
    lacking: set[str] = field(default_factory=set)
    lines: int = 0
    in_scope: int = 0
    moved: int = 0
    days: dict[tuple[str, int], Sums] = field(default_factory=dict)
    labels: dict[tuple[str, int], Decimal] = field(default_factory=dict)
    covered: set[int] = field(default_factory=set)
    short_end: int = 0
    long_end: int = 0
    last_start: int = 0
    negative: tuple[int, Decimal] = (0, ZERO)
    unread: list[Unread] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @classmethod
    def of(
        cls,
        tables: Iterable[Table],
        terms: Terms,
        wanted: frozenset[str],
        folder: str,
        names: Names,
    ) -> Tally:
        """Read charges and add them up; Unmeasurable where they can't be, as they are."""
        by, label, scope = _groups(terms)
        groups = list(dict.fromkeys(g for g in (by, *(g for g, _ in scope)) if g))
        if names.namespaces and Group("namespace") in groups:
            wanted |= {"res"}
        found = cls(terms, Ledger([*groups, *([label] if label else [])], wanted, folder))
        try:
            for table in tables:
                found._add(table, has_inventory=bool(names.namespaces))
            found._settle(by, label, scope, names)
            found.check()
            found._add_up()
        except BaseException:
            found.ledger.close()
            raise
        return found

    def _add(self, table: Table, *, has_inventory: bool) -> None:
        seen = layout(table.header, self.terms.cost)
        self.formats.add(seen.name)
        self.cost_column = seen.names["cost"]
        if seen.amortised:
            self.cost_column += ", savings plans and reservations amortised"
        self.lacking |= {seen.names[role] for role in ("category", "end") if role not in seen.at}
        self.ledger.add(table, seen, self.terms.decimal, has_inventory=has_inventory)

    def _settle(
        self,
        by: Group | None,
        label: Group | None,
        scope: Sequence[tuple[Group, str]],
        names: Names,
    ) -> None:
        """Make ``charge``, the lines as they are counted."""
        ledger = self.ledger
        ledger.settle(self.terms.decimal)
        if "res" in ledger.wanted and "res" in ledger.columns:
            _name_resources(ledger, names)
        joined = frozenset(
            name
            for (name,) in ledger.ask("SELECT table_name FROM duckdb_tables()")
            if name != "line" and ledger.ask(f"SELECT 1 FROM {name} LIMIT 1")
        )
        view = charge(ledger.groups, by, label or by, scope, joined, ledger.columns)
        ledger.ask(f"CREATE VIEW own AS {view}")
        # what is asked of all lines needs no tags, unless the scope does
        if not any(group.tagged for group, _ in scope):
            view = charge(
                ledger.groups, None, None, scope, joined - {"tag", "resource"}, ledger.columns
            )
        ledger.ask(f"CREATE VIEW bare AS {view}")
        portions = ""
        if any(origin.layout.split for origin in ledger.origins):
            self.notes += [note for note in (_split(ledger),) if note]
            portions = "UNION ALL BY NAME SELECT * FROM portion"
        ledger.ask(f"CREATE VIEW charge AS SELECT * FROM own {portions}")

    def check(self) -> None:
        """Raise :class:`Unmeasurable` where lines can't be added up as they are."""
        ask, currency = self.ledger.ask, self.terms.currency
        seen = ask(
            f"""SELECT count(*), count(*) FILTER ({ODD}), max(e) FILTER (reaches AND short),
                max(e) FILTER (reaches AND NOT short), max(s) FILTER (reaches),
                count(*) FILTER (scoped), count(*) FILTER (scoped AND currency <> ?)
                FROM bare""",
            [currency, currency],
        )
        [(self.lines, odd, short, long, last, self.in_scope, foreign)] = seen
        if odd:
            self._refuse_unfit()
        self.short_end, self.long_end, self.last_start = short or 0, long or 0, last or 0
        days = ask("SELECT DISTINCT day0 FROM bare WHERE reaches AND short")
        self.covered = {day for (day,) in days}
        if len({name.partition(" ")[0] for name in self.formats}) > 1:
            kinds = " and ".join(sorted(self.formats))
            raise Unmeasurable(f"the charges are in {kinds}: does each charge appear twice?")
        if foreign:
            self._refuse_currencies()

    def _refuse_currencies(self) -> None:
        """Raise where charges in the scope are in another currency; a code in small is the same."""
        currency = self.terms.currency
        units = dict(
            self.ledger.ask(
                "SELECT upper(trim(currency)), count(*) FROM bare WHERE scoped GROUP BY ALL"
            )
        )
        if set(units) == {currency}:
            return
        seen = ", ".join(
            f"{unit} ({plural(n, 'line')})" for unit, n in sorted({currency: 0, **units}.items())
        )
        raise Unmeasurable(
            f"charges are in {seen}, the budget is in {currency}: currencies are"
            " never mixed, give the charges of each a gate of its own"
        )

    def _refuse_unfit(self) -> None:
        """Raise where lines can't be read, and say what is wrong with the first of them."""
        currency = [self.terms.currency]
        [(unfit,)] = self.ledger.ask(f"SELECT count(*) FILTER ({FAULTY}) FROM bare", currency)
        if not unfit:
            return
        raws = ", ".join(
            f"{self.ledger.column(name)} AS {name}" for name in ("cost_raw", "s_raw", "e_raw")
        )
        rows = self.ledger.ask(
            f"""SELECT id, file, cost IS NULL, cost_raw, currency, s IS NULL, s_raw, e IS NULL,
                e_raw, e < s, version_raw, width
                FROM (SELECT o.*, {raws} FROM own o JOIN line l
                      ON l.rowid = o.id) WHERE {FAULTY} ORDER BY id LIMIT {_SHOWN}""",
            [self.terms.currency],
        )
        told = []
        for at, file, *rest in rows:
            origin = self.ledger.origins[file]
            told.append(f"{origin.place(at)}: {why(rest, origin, self.terms)}")
        more = unfit - len(told)
        raise Unmeasurable(
            f"{unfit:,} of {plural(self.lines, 'line')} can't be read, so nothing was added up:"
            f" {'; '.join(told)}{f'; and {more:,} more' if more else ''}"
        )

    def _add_up(self) -> None:
        """Add up what is in the scope, and what can't be told of lines whose cost is known."""
        # a portion of a line is no line of its own
        rows = self.ledger.ask(
            f"""SELECT grp, label, day, sum_of, opaque OR kind IS NULL AS unread, kind_raw,
                       cost < 0 AS below, used, {self.sum()}, count(h),
                       count(*) FILTER (moved AND h IS NOT NULL)
                FROM charge WHERE scoped GROUP BY ALL"""
        )
        unread: dict[str, Unread] = {}
        count, negative = 0, ZERO
        for group, label, day, which, lost, word, below, used, cost, rest, lines, moved in rows:
            amount = exact(cost, rest)
            if lost:
                why = _why_unread(word)
                known = unread.get(why, Unread(why, 0, ZERO, ZERO))
                less = known.credits + (amount if below else ZERO)
                unread[why] = Unread(why, known.lines + lines, known.cost + amount, less)
                continue
            if below and used and which != FLOW:
                count, negative = count + lines, negative + amount
            sums = self.days.setdefault((group, day), Sums())
            if which == FLOW:
                sums.flow += amount
            elif which == FEE:
                sums.fees += amount
            else:
                sums.credits += amount
            sums.lines += lines
            self.moved += moved
            if amount:
                self.labels[label, day] = self.labels.get((label, day), ZERO) + amount
        self.negative = count, negative
        self.unread = sorted(unread.values(), key=lambda each: -abs(each.cost))

    def sum(self, what: str = "") -> str:
        """Return what adds up costs: two columns, for :func:`exact`."""
        return f"sum(cost) {what}, {f'sum(rest) {what}' if self.ledger.deep else '0'}"

    def twice(self) -> tuple[int, str, str]:
        """Return how many lines are equal to one before, and where the first is, and was."""
        ask = self.ledger.ask
        counted = "scoped AND h IS NOT NULL AND (cost <> 0 OR rest <> 0)"
        [(count,)] = ask(f"SELECT count(h) - count(DISTINCT h) FROM bare WHERE {counted}")
        if not count:
            return 0, "", ""
        [(again, file, first, first_file)] = ask(
            f"""SELECT id, file, first, first_file FROM (
                SELECT id, file, first_value(id) OVER w AS first, first_value(file) OVER w AS
                first_file FROM own WHERE {counted} WINDOW w AS (PARTITION BY h ORDER BY id))
                WHERE id <> first ORDER BY id LIMIT 1"""
        )
        origins = self.ledger.origins
        return count, origins[file].place(again), origins[first_file].place(first)

    def overlap(self) -> tuple[str, str, int, Decimal] | None:
        """Return two files that are of one time with other costs, how many lines, and their cost."""
        if "keys" not in self.ledger.wanted or len(self.ledger.origins) < 2:
            return None
        pairs = self.ledger.ask(
            f"""WITH item AS (SELECT k, file, count(*) AS n, sum(cost) AS c FROM own
                              WHERE scoped AND k IS NOT NULL AND cost <> 0 GROUP BY ALL),
                     whole AS (SELECT file, count(*) AS keys, sum(n) AS lines FROM item GROUP BY ALL),
                     several AS (SELECT k FROM item GROUP BY k HAVING count(*) > 1),
                     shared AS (SELECT * FROM item SEMI JOIN several USING (k)),
                     twins AS (SELECT a.file AS one, b.file AS two, count(*) AS n, sum(b.c) AS c
                              FROM shared a JOIN shared b ON a.k = b.k AND a.file < b.file GROUP BY ALL)
                SELECT one, two, n, c FROM twins
                JOIN whole x ON x.file = one JOIN whole y ON y.file = two
                WHERE n >= {_OVERLAP} * least(x.keys, y.keys)
                  AND x.keys >= 0.9 * x.lines AND y.keys >= 0.9 * y.lines
                ORDER BY n DESC LIMIT 1"""
        )
        if not pairs:
            return None
        [(one, two, lines, cost)] = pairs
        names = [self.ledger.origins[file].table.name for file in (one, two)]
        return names[0], names[1], lines, cost


def exact(cost: Decimal | None, rest: int | None) -> Decimal:
    """Return an amount of the engine's two parts: up to 18 decimals, and units of 1e-40."""
    whole = cost or ZERO
    return whole + int(rest) * _DEEP if rest else whole


def _groups(terms: Terms) -> tuple[Group | None, Group | None, list[tuple[Group, str]]]:
    scope = []
    for rule in terms.scope:
        key, _, value = rule.partition("=")
        scope.append((Group(key), value))
    by = Group(terms.by) if terms.by else None
    return by, None if by else Group("service", optional=True), scope


def _name_resources(ledger: Ledger, names: Names) -> None:
    """Make a table of resources: by which name the inventory has each, and its namespace."""
    ledger.ask(
        "CREATE TABLE resource (raw VARCHAR, priced VARCHAR, known VARCHAR, namespace VARCHAR)"
    )

    def rows() -> Iterator[tuple[str, str | None, str | None, str | None]]:
        for (raw,) in ledger.ask("SELECT DISTINCT res FROM line WHERE res IS NOT NULL"):
            own = spellings(raw)
            priced = next((name for name in own if name in names.priced), None)
            known = next((name for name in own if name in names.known), None)
            space = next((names.namespaces[n] for n in own if n in names.namespaces), None)
            yield raw, priced, known, space

    ledger.put("resource", rows())


def _split(ledger: Ledger) -> str:
    """Move what containers have of their instance from its lines to theirs; return what is to tell.

    A container's line costs nothing itself; what it has is taken from a line of the instance in
    the same hour (where none is named, the dearest one), so that nothing counts twice and the sum
    of all stays what was invoiced.
    """
    ledger.ask(
        """CREATE TABLE portion AS
        WITH child AS (SELECT * FROM own WHERE split <> 0 AND cost = 0),
        instance AS (SELECT * FROM own WHERE cost > 0 AND used),
        whole AS (SELECT * FROM instance
                  QUALIFY row_number() OVER (PARTITION BY res, s ORDER BY cost DESC, id) = 1),
        dearest AS (SELECT * FROM instance
                    QUALIFY row_number() OVER (PARTITION BY s ORDER BY cost DESC, id) = 1),
        pair AS (SELECT c.id AS child, w.id AS parent, c.split AS part
                 FROM child c JOIN whole w ON w.res = c.parent AND w.s = c.s
                 UNION ALL
                 SELECT c.id, d.id, c.split FROM child c JOIN dearest d ON d.s = c.s
                 WHERE c.parent IS NULL)
        SELECT o.* REPLACE (p.part AS cost, NULL AS h, NULL AS k)
        FROM pair p JOIN own o ON o.id = p.child
        UNION ALL BY NAME
        SELECT o.* REPLACE (-p.part AS cost, NULL AS h, NULL AS k)
        FROM pair p JOIN own o ON o.id = p.parent"""
    )
    [(children, placed)] = ledger.ask(
        "SELECT (SELECT count(*) FROM own WHERE split <> 0 AND cost = 0), count(*) // 2 FROM portion"
    )
    left = children - placed
    return (
        f"{plural(left, 'line')} of split cost name an instance that is not in the charges"
        if left
        else ""
    )


def tag_names(ledger: Ledger) -> list[str]:
    """Return the names of a few tags, for a person who looks for the right one."""
    if "tags" not in ledger.columns:
        return []
    rows = ledger.ask("SELECT DISTINCT tags FROM line WHERE tags IS NOT NULL LIMIT 20")
    return sorted({shown(key) for (cell,) in rows for key in read_tags(cell) or ()})


def _why_unread(word: str | None) -> str:
    if word is None:
        return "their tags can't be read"
    if not word.strip():
        return "they say no category"
    return f"their category {shown(word)!r} is of no known kind (write it as Usage, Purchase, Tax, Credit or Adjustment)"
