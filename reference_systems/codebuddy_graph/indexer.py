"""From a tree of Java files to the graph: what changed is read again, and nothing else.

A file is known by the digest of its bytes. Where it declares other things than before, the files
that mention what changed are resolved again too; where only bodies changed, no other file is.
"""

from __future__ import annotations

import gc
import hashlib
import re
import sys
from typing import TYPE_CHECKING, NamedTuple

from reference_systems.codebuddy_graph import inheritance, patching, rules
from reference_systems.codebuddy_graph.declarations import Declarations
from reference_systems.codebuddy_graph.jdk.table import Platform
from reference_systems.codebuddy_graph.numbering import number_classes
from reference_systems.codebuddy_graph.parsing import Damaged, Parsed, parse
from reference_systems.codebuddy_graph.skeleton import ABSTRACT, PRIVATE, STATIC, file_skeleton
from reference_systems.codebuddy_graph.trees import Tree, java_files
from reference_systems.codebuddy_graph.world import World

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from reference_systems.codebuddy_graph.classes import Cls
    from reference_systems.codebuddy_graph.scope import Found
    from reference_systems.codebuddy_graph.store import FileRow, Store

__all__ = ["Done", "update", "update_file"]

#: trees of more source than this are read a second time rather than kept
KEEP_BYTES = 24_000_000
#: generated code nests deeper than the interpreter's own limit; a body that goes beyond is skipped
RECURSION = 60_000
LARGEST = 32_000_000
#: a method is compared by so many of its parts, a field by fewer
METHOD_KEY = 6
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
    changed = {
        name: content
        for name, content in contents.items()
        if name not in known or known[name].digest != _digest(content)
    }
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
        tree = Tree(self.store)
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
        tree = Tree(store)
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
            if old["k"] == "i" and any(m[1] & ABSTRACT for m in changed if len(m) == METHOD_KEY):
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
        words = [name.encode() for name in self.names if name != "<init>"]
        if not words:
            return []
        pattern = re.compile(rb"\b(?:" + b"|".join(map(re.escape, words)) + rb")\b")
        found = []
        for file in rows:
            source = self.store.source(file)
            # most files hold none of the words: that is found out many times as fast without the pattern
            if any(word in source for word in words) and pattern.search(source):
                found.append(file)
        return found

    # one file

    def _resolve(self, file: int, tree: Tree, world: World) -> None:
        skeleton = tree.skeleton(file)
        if skeleton is None:
            return
        parsed = self.kept.pop(file, None) or parse(self.store.source(file))
        if tree.twice(file):
            tree.first = file
            world = World(tree, world.platform)
        numbers = number_classes(parsed.tree.root_node)
        reader = Declarations(world, world.scope(tree.path(file), skeleton), numbers)
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
