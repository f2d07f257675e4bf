"""The graph in SQLite: files by the digest of their bytes, and all that was read from each.

Every row belongs to one file, so that a file that changed is taken out and put in again alone.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["FileRow", "NotAnIndex", "Store"]

VERSION = "1"
TABLES = """
create table meta (key text primary key, value text);
create table file (id integer primary key, path text unique, digest text, skeleton text,
    source blob, note text);
create table top (name text, file integer, primary key (name, file)) without rowid;
create table method (file integer, name text, line integer, start integer, stop integer);
create table class (file integer, name text, ancestor text);
create table call (file integer, caller text, callee text, line integer, kind text, receiver text);
create table override (file integer, method text, class text, tail text);
create table field_write (file integer, method text, field text, line integer);
create table thrown (file integer, method text, exception text, line integer, declared integer);
create table unresolved (file integer, method text, name text, line integer);
"""
INDEXES = """
create index if not exists method_name on method (name);
create index if not exists method_file on method (file);
create index if not exists class_file on class (file);
create index if not exists call_caller on call (caller);
create index if not exists call_callee on call (callee);
create index if not exists call_file on call (file);
create index if not exists override_tail on override (tail);
create index if not exists override_file on override (file);
create index if not exists write_field on field_write (field);
create index if not exists write_file on field_write (file);
create index if not exists thrown_method on thrown (method);
create index if not exists thrown_file on thrown (file);
create index if not exists unresolved_file on unresolved (file);
"""
WIDTHS = {
    "method": 5, "class": 3, "call": 6, "override": 4, "field_write": 4, "thrown": 5,
    "unresolved": 4,
}  # fmt: skip


class NotAnIndex(ValueError):
    """A file that is no index, or one of another version."""


class FileRow(NamedTuple):
    """One file of the tree, as it was indexed."""

    id: int
    path: str
    digest: str
    note: str


class Store:
    """An index on disk. Changes are kept all together by `commit`, or not at all."""

    def __init__(self, path: Path, create: bool = False) -> None:
        self.path = path
        if not create and not path.is_file():
            raise NotAnIndex(f"{path} is not a file: make it with `index TREE --to {path}`")
        try:
            self._db = sqlite3.connect(path, isolation_level=None)
            self._db.execute("pragma journal_mode = wal")
            self._db.execute("pragma synchronous = normal")
            known = self._version()
        except sqlite3.Error as error:
            raise NotAnIndex(f"{path} can't be read as an index: {error}") from None
        if known is None and create:
            self._db.executescript("begin;" + TABLES + "commit;")
            self._db.execute("insert into meta values ('version', ?)", (VERSION,))
        elif known != VERSION:
            raise NotAnIndex(f"{path} is not an index of this version: make it again with `index`")

    def _version(self) -> str | None:
        tables = {row[0] for row in self._db.execute("select name from sqlite_master")}
        if not tables:
            return None
        if "meta" not in tables:
            raise NotAnIndex(f"{self.path} is a database, but not an index")
        row = self._db.execute("select value from meta where key = 'version'").fetchone()
        return None if row is None else row[0]

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    # changes

    def begin(self) -> None:
        """Begin a change; nobody else sees it until it is kept."""
        self._db.execute("begin immediate")

    def commit(self) -> None:
        """Keep all since `begin`."""
        self._db.execute("commit")

    def rollback(self) -> None:
        """Forget all since `begin`."""
        if self._db.in_transaction:
            self._db.execute("rollback")

    def make_indexes(self) -> None:
        """Make look-ups fast; cheaper after the first rows than before."""
        for statement in INDEXES.strip().split(";\n"):
            self._db.execute(statement)

    def put_meta(self, key: str, value: str) -> None:
        """Keep a fact about the whole index."""
        self._db.execute("insert or replace into meta values (?, ?)", (key, value))

    def meta(self, key: str) -> str:
        """Give a fact about the whole index."""
        row = self._db.execute("select value from meta where key = ?", (key,)).fetchone()
        return "" if row is None else row[0]

    def remove(self, file: int) -> None:
        """Take a file out with all its rows."""
        for table in ("top", *WIDTHS):
            self._db.execute(f"delete from {table} where file = ?", (file,))  # noqa: S608
        self._db.execute("delete from file where id = ?", (file,))

    def add_file(
        self, path: str, digest: str, skeleton: dict | None, source: bytes, note: str
    ) -> int:
        """Put a file in; give its id."""
        text = "" if skeleton is None else json.dumps(skeleton, separators=(",", ":"))
        row = (path, digest, text, zlib.compress(source, 1), note)
        cursor = self._db.execute(
            "insert into file (path, digest, skeleton, source, note) values (?, ?, ?, ?, ?)", row
        )
        file = cursor.lastrowid or 0
        if skeleton is not None:
            head = skeleton["p"] + "." if skeleton["p"] else ""
            names = {head + t["n"] for t in skeleton["t"]}
            self._db.executemany("insert into top values (?, ?)", [(n, file) for n in names])
        return file

    def replace_file(self, file: int, digest: str, skeleton: dict, source: bytes) -> None:
        """Put the new text of a file in the place of the old; what is known of it stays."""
        text = json.dumps(skeleton, separators=(",", ":"))
        self._db.execute(
            "update file set digest = ?, skeleton = ?, source = ? where id = ?",
            (digest, text, zlib.compress(source, 1), file),
        )

    def clear(self, file: int) -> None:
        """Take out what was resolved in a file; the file itself stays."""
        for table in WIDTHS:
            self._db.execute(f"delete from {table} where file = ?", (file,))  # noqa: S608

    def add_rows(self, table: str, file: int, rows: Iterable[tuple]) -> None:
        """Put in what was read from a file."""
        marks = ", ".join("?" * WIDTHS[table])
        self._db.executemany(
            f"insert into {table} values ({marks})",  # noqa: S608
            [(file, *row) for row in rows],
        )

    # look-ups

    def files(self) -> list[FileRow]:
        """Give all files, by path."""
        rows = self._db.execute("select id, path, digest, note from file order by path")
        return [FileRow(*row) for row in rows]

    def source(self, file: int) -> bytes:
        """Give the text of a file, as it was indexed."""
        row = self._db.execute("select source from file where id = ?", (file,)).fetchone()
        return zlib.decompress(row[0])

    def skeleton(self, file: int) -> dict | None:
        """Give what a file declares."""
        row = self._db.execute("select skeleton from file where id = ?", (file,)).fetchone()
        return json.loads(row[0]) if row and row[0] else None

    def tops(self) -> list[tuple[str, int]]:
        """Give all top-level classes with their files."""
        return self._db.execute(
            "select name, file from top join file on id = file order by path"
        ).fetchall()

    def rows(self, query: str, values: tuple = ()) -> Iterator[tuple]:
        """Give the rows of a query of this package's own."""
        yield from self._db.execute(query, values)
