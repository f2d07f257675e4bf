"""Charges in an engine of tables, exact: read once, checked, added up by day and group.

DuckDB adds; what it can't read at once (a cost as ``1,234.50``, tags, a time with an offset) is
read here, once for each such text. Nothing leaves the machine: the database is in memory, and
what does not fit there is in a folder that goes with it.
"""

from __future__ import annotations

import csv
import json
import os
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from pytest_mlgates.core.errors import Unmeasurable
from pytest_mlgates.core.words import install
from pytest_mlgates.gates.cost_budget.groups import Group, own_columns
from pytest_mlgates.gates.cost_budget.layouts import Layout
from pytest_mlgates.gates.cost_budget.money import Fault, exactly, money
from pytest_mlgates.gates.cost_budget.periods import instant
from pytest_mlgates.gates.cost_budget.sql import ALWAYS, READ, TYPES, Source, insert
from pytest_mlgates.gates.cost_budget.tags import read_tags
from pytest_mlgates.reading.tables import Plain, Table, missing, tables

__all__ = ["Ledger", "Origin", "connect"]

#: what the engine may hold in memory; the rest is on disk
_MEMORY = "240MB"
_THREADS = 1
#: below a unit of the 18th decimal
_DEEP = Decimal(10) ** 40


@dataclass(slots=True)
class Origin:
    """Where a table of charges came from: what a person is told of a line of it."""

    table: Table
    layout: Layout
    first: int
    lines: int = 0
    numbers: array[int] | None = None

    def place(self, at: int) -> str:
        """Return where its line stands that is the ``at``-th of all."""
        at -= self.first
        if self.numbers is not None:
            return self.table.place(self.numbers[at])
        if self.table.plain is None:
            return self.table.place(at + 1)
        again = tables(self.table.plain.path, "a table")  # closes its file when it goes
        rows = enumerate(next(again).rows)
        return self.table.place(next(number for i, (number, _) in rows if i == at))


class Ledger:
    """All lines of a bill, in a table ``line``, and ``charge``, the same as they are counted."""

    def __init__(self, groups: Sequence[Group], wanted: frozenset[str], folder: str) -> None:
        self.groups = tuple(groups)
        self.wanted = wanted | ({"tags"} if any(g.tagged for g in groups) else frozenset())
        self.origins: list[Origin] = []
        self.deep = False
        self._folder = Path(folder)
        self._db = connect(folder)
        self.columns = {*ALWAYS, *(f"g{i}" for i in range(len(self.groups)))}
        types = (f"{name} {TYPES.get(name, 'VARCHAR')}" for name in sorted(self.columns))
        self._db.execute(f"CREATE TABLE line ({', '.join(types)})")

    def close(self) -> None:
        """Let go of the memory."""
        self._db.close()

    def ask(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        with exactly():
            rows: list[tuple[Any, ...]] = self._db.execute(query, list(values)).fetchall()
        return rows

    def add(self, table: Table, seen: Layout, mark: str, *, has_inventory: bool) -> None:
        """Read a table into lines."""
        columns = [own_columns(group, seen, has_inventory=has_inventory) for group in self.groups]
        [(first,)] = self.ask("SELECT count(*) FROM line")
        origin = Origin(table, seen, first)
        number = len(self.origins)
        self.origins.append(origin)

        def query(source: Source, *, raw: bool = True) -> str:
            wanted = self.wanted
            needed, query = insert(
                source, seen, number, mark=mark, groups=columns, wanted=wanted, raw=raw
            )
            for name in set(needed) - self.columns:
                self._db.execute(f"ALTER TABLE line ADD COLUMN {name} {TYPES[name]}")
                self.columns.add(name)
            return query

        plain = self._source(table.plain, len(table.header)) if table.plain else None
        if plain is None or not (
            self._reads(query(plain, raw=False), number) or self._reads(query(plain))
        ):
            copy = self._folder / f"{number}.csv"
            origin.numbers = _write(table, copy)
            source = self._text(copy, len(table.header) + 1, ",", 0, width_at_end=True)
            self._db.execute(query(source))
            copy.unlink()
        [(lines,)] = self.ask("SELECT count(*) FROM line")
        origin.lines = lines - first

    def _reads(self, query: str, file: int | None = None) -> bool:
        """Tell whether the engine could read a file by itself; if not, nothing of it is left.

        With the number of the ``file``, every value of it must have been read, too.
        """
        import duckdb

        self._db.execute("BEGIN")
        try:
            self._db.execute(query)
        except duckdb.Error:
            self._db.execute("ROLLBACK")
            return False
        if file is not None:
            unread = " OR ".join(f"{name} IS NULL" for name in READ if name in self.columns)
            if self.ask(f"SELECT 1 FROM line WHERE file = {file} AND ({unread}) LIMIT 1"):
                self._db.execute("ROLLBACK")
                return False
        self._db.execute("COMMIT")
        return True

    def _source(self, plain: Plain, width: int) -> Source | None:
        import duckdb

        if set("*?[") & set(str(plain.path)):  # the engine would take it for a pattern
            return None
        if plain.delimiter:
            return self._text(plain.path, width, plain.delimiter, plain.above)
        path = _literal(str(plain.path))
        try:
            # decimals of more than 38 digits would become floats
            [(digits,)] = self.ask(f"SELECT max(precision) FROM parquet_schema({path})")
            if digits is not None and digits > 38:
                return None
            relation = f"read_parquet({path}, hive_partitioning=false)"
            columns = [(row[0], row[1]) for row in self.ask(f"DESCRIBE SELECT * FROM {relation}")]
        except duckdb.Error:
            return None
        return Source(relation, columns) if len(columns) == width else None

    def _text(
        self, path: Path, width: int, delimiter: str, above: int, *, width_at_end: bool = False
    ) -> Source:
        names = [f"c{i}" for i in range(width)]
        if width_at_end:
            names[-1] = "_width"
        columns = ", ".join(f"'{name}': 'VARCHAR'" for name in names)
        relation = (
            f"read_csv({_literal(str(path))}, auto_detect=false, header=true, skip={above},"
            f" delim={_literal(delimiter)}, quote='\"', escape='\"', max_line_size=4194304, buffer_size=8388608,"
            f" hive_partitioning=false, columns={{{columns}}})"
        )
        return Source(relation, [(name, "VARCHAR") for name in names])

    # what Python reads

    def settle(self, mark: str) -> None:
        """Read what the engine could not, and make ``charge`` of the lines."""
        self._amounts(mark)
        for name in [n for n in ("s", "e", "b") if f"{n}_raw" in self.columns]:
            self._map(f"{name}_at", f"{name}_raw", {"v": "BIGINT"}, _seconds)
        values = {f"v{i}": "VARCHAR" for i, group in enumerate(self.groups) if group.tagged}
        if values and "tags" in self.columns:
            tagged = [group for group in self.groups if group.tagged]

            def told(cell: str) -> tuple[object, ...]:
                tags = read_tags(cell)
                if tags is None:
                    return (False, *([""] * len(tagged)))
                return (True, *(group.value(tags) for group in tagged))

            self._map("tag", "tags", {"ok": "BOOLEAN", **values}, told)

    def column(self, name: str) -> str:
        """Return a column of ``line l``, NULL where no line has it."""
        return f"l.{name}" if name in self.columns else f"NULL::{TYPES[name]}"

    def _amounts(self, mark: str) -> None:
        if "cost_raw" not in self.columns:
            return

        def split(text: str) -> tuple[object, object]:
            try:
                amount = money(text, mark)
            except Fault:
                return None, None
            with exactly():
                near = amount.quantize(Decimal(1).scaleb(-18), "ROUND_DOWN")
                rest = int((amount - near) * _DEEP)
            self.deep = self.deep or rest != 0
            return near, rest

        self._map("amount", "cost_raw", {"v": "DECIMAL(38,18)", "rest": "HUGEINT"}, split)

    def _map(
        self,
        name: str,
        column: str,
        types: Mapping[str, str],
        read: Callable[[str], object],
    ) -> None:
        """Make a table of what each text of a column comes to."""
        fields = ", ".join(f"{field} {kind}" for field, kind in types.items())
        self._db.execute(f"CREATE TABLE {name} (raw VARCHAR, {fields})")
        if self.ask(f"SELECT count({column}) FROM line") == [(0,)]:
            return  # to look for distinct texts takes five times as long
        cursor = self._db.cursor()
        cursor.execute(f"SELECT DISTINCT {column} FROM line WHERE {column} IS NOT NULL")
        while batch := cursor.fetchmany(20_000):
            rows = []
            for (raw,) in batch:
                value = read(raw)
                rows.append((raw, *value) if isinstance(value, tuple) else (raw, value))
            self.put(name, rows)

    def put(self, name: str, rows: Iterable[Sequence[object]]) -> None:
        """Add rows to a table, by a file: a statement for each would take its time."""
        file = self._folder / f"{name}.put.csv"
        with file.open("w", encoding="utf-8", newline="", errors="replace") as out:
            writer = csv.writer(out)
            for row in rows:
                writer.writerow(["\\N" if v is None else v for v in row])
        if file.stat().st_size:
            self._db.execute(
                f"INSERT INTO {name} SELECT * FROM read_csv({_literal(str(file))}, header=false,"
                " auto_detect=false, delim=',', quote='\"', escape='\"', nullstr='\\N',"
                f" max_line_size=4194304, buffer_size=8388608, columns={self._types(name)})"
            )
        file.unlink()

    def _types(self, name: str) -> str:
        fields = [(row[0], row[1]) for row in self.ask(f"DESCRIBE {name}")]
        return "{" + ", ".join(f"'{field}': '{kind}'" for field, kind in fields) + "}"


def connect(folder: str) -> Any:
    """Return a database in memory that asks nothing of any network; ``folder`` is its disk."""
    try:
        import duckdb
    except ImportError:
        raise Unmeasurable(f"adding up a bill needs duckdb: {install('scale')}") from None
    found = duckdb.connect(
        config={
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "memory_limit": _MEMORY,
            "temp_directory": folder,
            "threads": str(min(_THREADS, os.cpu_count() or 1)),
        }
    )
    found.execute("SET enable_progress_bar = false")
    return found


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _seconds(text: str) -> int | None:
    try:
        return instant(text)
    except Fault:
        return None


def _write(table: Table, path: Path) -> array[int]:
    """Write a table as plain CSV, the width of a row that has another than the header at its end."""
    numbers, width = array("q"), len(table.header)
    with path.open("w", encoding="utf-8", newline="", errors="replace") as file:
        writer = csv.writer(file)
        writer.writerow([*(f"c{i}" for i in range(width)), "_width"])
        for number, row in table.rows:
            cells: list[object] = [v if type(v) is str else _cell(v) for v in row]
            odd = "" if len(cells) == width else str(len(cells))
            cells = [*cells[:width], *[""] * (width - len(cells)), odd]
            writer.writerow(cells)
            numbers.append(number)
    return numbers


def _cell(value: Any) -> object:
    """Return a value as text that says the same."""
    if missing(value):
        return ""
    if isinstance(value, (dict, list, tuple)):
        return json.dumps(value, default=str)
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, bool):
        return str(value)
    plain = value.item() if hasattr(value, "item") and not isinstance(value, Decimal) else value
    return repr(plain) if isinstance(plain, float) else str(plain)
