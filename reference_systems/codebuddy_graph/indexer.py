"""From a tree of Java files to the graph: what changed is read again, and nothing else.

A file is known by the digest of its bytes. Where it declares other things than before, the files
that mention what changed are resolved again too; where only bodies changed, no other file is.
"""

from __future__ import annotations

import gc
import hashlib
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from reference_systems.codebuddy_graph import inheritance, patching, rules
from reference_systems.codebuddy_graph.classes import World
from reference_systems.codebuddy_graph.jdk.table import Platform
from reference_systems.codebuddy_graph.numbering import number_classes
from reference_systems.codebuddy_graph.parsing import Damaged, Parsed, parse
from reference_systems.codebuddy_graph.skeleton import PRIVATE, STATIC, file_skeleton
from reference_systems.codebuddy_graph.statements import Statements

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reference_systems.codebuddy_graph.classes import Cls
    from reference_systems.codebuddy_graph.scope import Found
    from reference_systems.codebuddy_graph.store import FileRow, Store

__all__ = ["Done", "java_files", "update", "update_file"]

#: trees of more source than this are read a second time rather than kept
KEEP_BYTES = 24_000_000
#: generated code nests deeper than the interpreter's own limit; a body that goes beyond is skipped
RECURSION = 60_000
LARGEST = 32_000_000
#: the rows that a method's body makes
MADE_BY = {
    "call": "caller", "field_write": "method", "thrown": "method", "unresolved": "method",
}  # fmt: skip


class Done(NamedTuple):
    """What an update did."""

    files: int
    read: int
    resolved: int
    skipped: list[tuple[str, str]]


class _Tree:
    """The skeletons of a tree: those just read, and those that the index keeps."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._fresh: dict[int, dict | None] = {}
        self._paths = {row.id: row.path for row in store.files()}
        self._top: dict[str, list[int]] = {}
        for name, file in store.tops():
            self._top.setdefault(name, []).append(file)
        self.first: int | None = None

    def put(self, file: int, skeleton: dict | None) -> None:
        """Keep a skeleton that was just read."""
        self._fresh[file] = skeleton

    def skeleton(self, file: int) -> dict | None:
        """Give what a file declares."""
        if file not in self._fresh:
            self._fresh[file] = self._store.skeleton(file)
        return self._fresh[file]

    def path(self, file: int) -> str:
        """Give the path of a file."""
        return self._paths[file]

    def file_of(self, top: str) -> tuple[str, dict] | None:
        """Give path and skeleton of the file that declares a class; of several, the first."""
        files = self._top.get(top)
        if not files:
            return None
        file = self.first if self.first in files else files[0]
        skeleton = self.skeleton(file)
        return None if skeleton is None else (self._paths[file], skeleton)

    def packages(self) -> set[str]:
        """Give the packages of the tree."""
        return {name.rpartition(".")[0] for name in self._top}

    def twice(self, file: int) -> bool:
        """Tell whether a class of a file is declared in another file first."""
        skeleton = self.skeleton(file)
        head = skeleton["p"] + "." if skeleton and skeleton["p"] else ""
        tops = skeleton["t"] if skeleton else ()
        return any(self._top[head + t["n"]][0] != file for t in tops)


def java_files(root: Path) -> list[Path]:
    """Give all Java files under a folder, however deep; links are not followed."""
    found = []
    for folder, folders, names in os.walk(root):
        folders.sort()
        found += [Path(folder, name) for name in sorted(names) if name.endswith(".java")]
    return found


def update(store: Store, root: Path) -> Done:
    """Bring the index up to date with a tree."""
    contents: dict[str, bytes | str] = {}
    for path in java_files(root):
        name = path.relative_to(root).as_posix()
        name = name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        try:
            large = path.stat().st_size > LARGEST
            contents[name] = f"is over {LARGEST:,} bytes" if large else path.read_bytes()
        except OSError as error:
            contents[name] = f"can't be read: {error.strerror}"
    known = {row.path: row for row in store.files()}
    changed: dict[str, bytes | str] = {}
    for name, content in contents.items():
        if name not in known or known[name].digest != _digest(content):
            changed[name] = content
    gone = [name for name in known if name not in contents]
    return _apply(store, changed, gone, str(root))


def update_file(store: Store, name: str, content: bytes) -> Done:
    """Bring the index up to date with one file, by its path inside the tree."""
    return _apply(store, {name: content}, [], store.meta("root"))


def _digest(content: bytes | str) -> str:
    return hashlib.sha256(content if isinstance(content, bytes) else content.encode()).hexdigest()


def _apply(store: Store, changed: dict[str, bytes | str], gone: list[str], root: str) -> Done:
    limit, collected = sys.getrecursionlimit(), gc.isenabled()
    gc.disable()  # nothing here is a cycle that has to go before the end
    sys.setrecursionlimit(max(limit, RECURSION))
    try:
        store.begin()
        done = _Update(store, changed, gone).run()
        store.put_meta("root", root)
        store.make_indexes()
        store.commit()
    finally:
        store.rollback()
        sys.setrecursionlimit(limit)
        if collected:
            gc.enable()
    return done


class _Update:
    def __init__(self, store: Store, changed: dict[str, bytes | str], gone: list[str]) -> None:
        self.store = store
        self.changed = changed
        self.gone = gone
        self.kept: dict[int, Parsed] = {}
        self.fresh: dict[int, dict | None] = {}
        self.names: set[str] | None = set()  #: what files declare otherwise now; None: all of it

    def run(self) -> Done:
        known = {row.path: row for row in self.store.files()}
        if not self.gone and len(self.changed) == 1:
            name, content = next(iter(self.changed.items()))
            done = self._patch(known, name, content)
            if done is not None:
                return done
        for name in self.gone:
            self._compare(self.store.skeleton(known[name].id), None)
            self.store.remove(known[name].id)
        keep = sum(len(c) for c in self.changed.values()) <= KEEP_BYTES
        for name, content in self.changed.items():
            before = None
            if name in known:
                before = self.store.skeleton(known[name].id)
                self.store.remove(known[name].id)
            self._compare(before, self._read(name, content, keep))
        tree = _Tree(self.store)
        for file, skeleton in self.fresh.items():
            tree.put(file, skeleton)
        todo = [*self.fresh, *self._mentioning(set(self.fresh))]
        world = World(tree, Platform())
        for file in todo:
            self._resolve(file, tree, world)
        rows = self.store.files()
        skipped = [(row.path, row.note) for row in rows if row.note]
        return Done(len(rows), len(self.changed), len(todo), skipped)

    def _patch(self, known: dict[str, FileRow], name: str, content: bytes | str) -> Done | None:
        """Take in an edit of one body alone; None where more has to be read."""
        row = known.get(name)
        before = None if row is None or row.note else self.store.skeleton(row.id)
        if row is None or before is None or isinstance(content, str):
            return None
        try:
            parsed = parse(content)
        except Damaged:
            return None
        if parsed.damage:
            return None
        patch = patching.patch_for(self.store.source(row.id), parsed.source, parsed.tree.root_node)
        if patch is None:
            return None
        after = file_skeleton(parsed.tree.root_node)
        self._compare(before, after)
        if self.names is None or self.names:
            self.names = set()
            return None
        return self._take_in(known, row, parsed, after, patch)

    def _take_in(
        self,
        known: dict[str, FileRow],
        row: FileRow,
        parsed: Parsed,
        after: dict,
        patch: patching.Patch,
    ) -> Done | None:
        store = self.store
        tree = _Tree(store)
        if tree.twice(row.id):
            return None
        tree.put(row.id, after)
        world = World(tree, Platform())
        found = None
        if patch.method is not None:
            scope = world.scope(row.path, after)
            found = patching.resolve_method(world, scope, after["p"], patch)
            first = patch.method.start_point[0] + 1
            span = (row.id, patch.method.start_byte, patch.old_end)
            inside = "select count(*) from method where file = ? and start > ? and stop < ?"
            # the old body may have held classes
            if found is None or next(store.rows(inside, span))[0]:
                return None
            for table, column in MADE_BY.items():
                query = (
                    f"delete from {table} where file = ? and {column} = ? and line between ? and ?"  # noqa: S608
                )
                list(store.rows(query, (row.id, found[0], first, patch.old_last)))
        patching.move(store, row.id, patch)
        if found is not None:
            self._add(row.id, found[1])
        store.replace_file(row.id, _digest(self.changed[row.path]), after, parsed.source)
        skipped = [(other.path, other.note) for other in known.values() if other.note]
        return Done(len(known), 1, 1, skipped)

    def _read(self, name: str, content: bytes | str, keep: bool) -> dict | None:
        """Parse one file and put it in; give what it declares."""
        skeleton, note, source = None, "", b""
        parsed = None
        try:
            if isinstance(content, str):
                raise Damaged(content)
            parsed = parse(content)
            source = parsed.source
            skeleton = file_skeleton(parsed.tree.root_node)
            if parsed.damage:
                lines = ", ".join(map(str, parsed.damage[:5]))
                note = f"line {lines}: the member around it is left out, the rest is read"
        except Damaged as error:
            note = f"{error}: skipped"
        except RecursionError:
            skeleton, note = None, "is nested too deeply: skipped"
        file = self.store.add_file(name, _digest(content), skeleton, source, note)
        self.fresh[file] = skeleton
        if keep and parsed is not None:
            self.kept[file] = parsed
        return skeleton

    # what else has to be resolved again

    def _compare(self, before: dict | None, after: dict | None) -> None:
        """Note the members that a file declares otherwise than it did."""
        if self.names is None:
            return
        if before is None or after is None or _outline(before) != _outline(after):
            self.names = None
            return
        for old, new in zip(_types(before), _types(after), strict=True):
            changed = _members(old) ^ _members(new)
            # a lambda does not name the method of its interface
            if changed and old["k"] in "ia":
                self.names = None
                return
            self.names.update(member[0] for member in changed)
            if any(member[0] == "<init>" for member in changed):
                self.names.add(old["n"])

    def _mentioning(self, but: set[int]) -> list[int]:
        """Give the other files that mention what changed."""
        rows = [row.id for row in self.store.files() if row.id not in but]
        if self.names is None:
            return rows
        words = [re.escape(name) for name in self.names if name != "<init>"]
        if not words:
            return []
        pattern = re.compile(rf"\b(?:{'|'.join(words)})\b".encode())
        return [file for file in rows if pattern.search(self.store.source(file))]

    # one file

    def _resolve(self, file: int, tree: _Tree, world: World) -> None:
        skeleton = tree.skeleton(file)
        if skeleton is None:
            return
        parsed = self.kept.pop(file, None) or parse(self.store.source(file))
        if tree.twice(file):
            tree.first = file
            world = World(tree, world.platform)
        numbers = number_classes(parsed.tree.root_node)
        reader = Statements(world, world.scope(tree.path(file), skeleton), numbers)
        try:
            reader.read_file(parsed.tree.root_node, skeleton["p"])
        except RecursionError:
            note = "is nested too deeply: what comes after that is left out"
            list(self.store.rows("update file set note = ? where id = ?", (note, file)))
        tree.first = None
        self._keep(file, reader.found)

    def _keep(self, file: int, found: Found) -> None:
        store = self.store
        store.clear(file)
        self._add(file, found)
        store.add_rows("method", file, _method_rows(found))
        store.add_rows("class", file, _class_rows(found.classes))
        store.add_rows("override", file, _override_rows(found.classes))

    def _add(self, file: int, found: Found) -> None:
        store = self.store
        store.add_rows("call", file, dict.fromkeys(found.calls))
        store.add_rows("field_write", file, dict.fromkeys(found.writes))
        thrown = [(m, e, abs(line), int(line < 0)) for m, e, line in found.throws]
        store.add_rows("thrown", file, dict.fromkeys(thrown))
        store.add_rows("unresolved", file, dict.fromkeys(found.unresolved))


def _outline(skeleton: dict) -> list:
    """Give what a file declares but for its members: package, imports, types and their clauses."""
    types = [[t["n"], t["k"], t["f"], t["tp"], t["s"], t["i"]] for t in _types(skeleton)]
    return [skeleton["p"], skeleton["im"], types]


def _types(skeleton: dict) -> list[dict]:
    found = list(skeleton["t"])
    for record in found:
        found += record["t"]
    return found


def _members(record: dict) -> set[tuple]:
    """Give the members of a type without their places."""
    methods = {(m[0], m[1], m[2], m[3], tuple(m[4]), tuple(m[5])) for m in record["m"]}
    fields = {(v[0], v[1], v[2], str(v[3:])) for v in record["v"]}
    return methods | fields


def _method_rows(found: Found) -> Iterable[tuple]:
    """Give each method with its place; an initialiser stands where its class does."""
    for cls in found.classes:
        for raw in cls.record["m"]:
            yield (f"{cls.name}.{raw[0]}/{len(raw[4])}", raw[6], raw[7], raw[8])
    made = {row.caller for row in found.calls} | {row.method for row in found.writes}
    for cls in found.classes:
        initialiser = f"{cls.name}.<clinit>/0"
        if initialiser in made:
            yield (initialiser, cls.record["l"], cls.record["b"][0], cls.record["b"][0])


def _class_rows(classes: list[Cls]) -> Iterable[tuple]:
    for cls in classes:
        for up in cls.ancestors():
            yield (cls.name, up.name)


def _override_rows(classes: list[Cls]) -> Iterable[tuple]:
    """Give the methods that override one from above."""
    for cls in classes:
        chain, faces = inheritance.lines(cls)
        for raw in cls.record["m"]:
            name, arity = raw[0], len(raw[4])
            if name == "<init>" or raw[1] & (STATIC | PRIVATE):
                continue
            above = [
                m
                for up in (*chain, *faces)
                for m in up.own(name)
                if m.arity == arity and not m.flags & (STATIC | PRIVATE)
            ]
            if above and _overrides(cls, raw, above, arity):
                yield (f"{cls.name}.{name}/{arity}", cls.name, f"{name}/{arity}")


def _overrides(cls: Cls, raw: list, above: list, arity: int) -> bool:
    if not arity:
        return True
    own = [m for m in cls.own(raw[0]) if m.start == raw[7] and m.arity == arity]
    shapes = {rules.shape(m, cls) for m in above}
    return any(rules.shape(m, cls) in shapes for m in own)
