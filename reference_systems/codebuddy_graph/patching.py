"""An edit inside one method: that method is resolved again, and what stands below it moves.

An edit in an editor is one region of the text. Where it lies in the body of one method, or in blanks
and comments between members, and what the file declares is as before, no other row can change but by
its line. Anything else is read as a whole.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from reference_systems.codebuddy_graph.declarations import Declarations
from reference_systems.codebuddy_graph.scope import Env
from reference_systems.codebuddy_graph.skeleton import TYPE_NODES

if TYPE_CHECKING:
    from tree_sitter import Node

    from reference_systems.codebuddy_graph.scope import Found
    from reference_systems.codebuddy_graph.store import Store
    from reference_systems.codebuddy_graph.world import FileScope, World

__all__ = ["Edit", "Patch", "edit_between", "move", "patch_for", "resolve_method"]

BLANK = re.compile(rb"(?:\s|//[^\n]*\n|/\*.*?\*/)*+", re.DOTALL)
END_OF_COMMENT = re.compile(rb"\*/|/\*|\n\s*[^\s*]")
TYPE_BODIES = {"class_body", "interface_body", "enum_body", "enum_body_declarations"}


class Edit(NamedTuple):
    """The region that two texts differ in, in bytes of either."""

    start: int
    old_end: int
    new_end: int


class Patch(NamedTuple):
    """The method to resolve again, if any, with the classes around it, and how the rest moves."""

    method: Node | None
    types: list[str]
    old_end: int
    old_last: int
    moved_bytes: int
    moved_lines: int


def edit_between(old: bytes, new: bytes) -> Edit:
    """Give the region in which two texts differ.

    >>> edit_between(b"a = 1;", b"a = 22;")
    Edit(start=4, old_end=5, new_end=6)
    """
    most = min(len(old), len(new))
    start = _agree(most, lambda n: old[:n] == new[:n])
    left = most - start
    tail = _agree(left, lambda n: n == 0 or old[-n:] == new[-n:])
    return Edit(start, len(old) - tail, len(new) - tail)


def _agree(most: int, same) -> int:
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if same(middle) else (low, middle - 1)
    return low


def patch_for(old: bytes, new: bytes, root: Node) -> Patch | None:
    """Give how an edit can be taken in by itself; None where the file has to be read as a whole."""
    edit = edit_between(old, new)
    moved_bytes = len(new) - len(old)
    moved_lines = new.count(b"\n") - old.count(b"\n")
    types: list[str] = []
    container = root
    while True:
        inside = [
            node
            for node in container.named_children
            if node.start_byte <= edit.new_end and edit.start <= node.end_byte
        ]
        if all(node.type.endswith("comment") for node in inside):
            # between members: nothing but comments, and blanks, which are no node
            within = len(inside) == 1 and inside[0].start_byte < edit.start < inside[0].end_byte
            if not _nothing(old[edit.start : edit.old_end], within):
                return None
            return _between(old, edit, types, moved_bytes, moved_lines)
        if len(inside) > 1:
            return None
        node = inside[0]
        if not (node.start_byte < edit.start and edit.new_end < node.end_byte):
            return None
        if node.type in TYPE_NODES:
            types.append(node.child_by_field_name("name").text.decode())
            container = node
        elif node.type in TYPE_BODIES and types:
            container = node
        elif node.type == "method_declaration" and types:
            return _inside(old, new, node, types, edit, moved_bytes, moved_lines)
        else:
            return None


def _nothing(text: bytes, within: bool) -> bool:
    """Tell whether the old text of an edit held no code, ``within`` a comment or between members."""
    if within:
        return not END_OF_COMMENT.search(text)
    return BLANK.fullmatch(text) is not None


def _between(
    old: bytes, edit: Edit, types: list[str], moved_bytes: int, moved_lines: int
) -> Patch | None:
    """An edit between members moves what begins after it; code on both sides of it does not part."""
    end = old.find(b"\n", edit.old_end)
    after = old[edit.old_end : len(old) if end < 0 else end].strip()
    before = old[old.rfind(b"\n", 0, edit.start) + 1 : edit.start].strip()
    if moved_lines and after and before:
        return None
    last = old.count(b"\n", 0, edit.old_end) + 1 if not after else old.count(b"\n", 0, edit.start)
    return Patch(None, types, edit.old_end, last, moved_bytes, moved_lines)


def _inside(
    old: bytes,
    new: bytes,
    node: Node,
    types: list[str],
    edit: Edit,
    moved_bytes: int,
    moved_lines: int,
) -> Patch | None:
    body = node.child_by_field_name("body")
    if body is None or not (body.start_byte < edit.start and edit.new_end < body.end_byte):
        return None
    end = new.find(b"\n", node.end_byte)
    begin = new.rfind(b"\n", 0, node.start_byte) + 1
    alone = not new[node.end_byte : len(new) if end < 0 else end].strip()
    if not alone or new[begin : node.start_byte].strip() or _holds_class(node):
        return None
    old_end = node.end_byte - moved_bytes
    last = old.count(b"\n", 0, old_end) + 1
    return Patch(node, types, old_end, last, moved_bytes, moved_lines)


def _holds_class(node: Node) -> bool:
    """Tell whether a class stands in a method, so that the numbers of others may change."""
    todo = [node]
    while todo:
        found = todo.pop()
        if found.type == "class_body" or found.type in TYPE_NODES:
            return True
        todo += found.named_children
    return False


def resolve_method(
    world: World, scope: FileScope, package: str, patch: Patch
) -> tuple[str, Found] | None:
    """Resolve one method; give its name and what its body says."""
    reader = Declarations(world, scope, {})
    name = f"{package}.{patch.types[0]}" if package else patch.types[0]
    cls, outer = world.get(name), None
    for inner in patch.types[1:]:
        if cls is None:
            return None
        outer = Env(cls, outer, [])
        cls = world.get(f"{cls.name}${inner}")
    if cls is None or not cls.in_tree or patch.method is None:
        return None
    method = reader.read_method(cls, patch.method, outer)
    return None if method is None else (method, reader.found)


def move(store: Store, file: int, patch: Patch) -> None:
    """Move what stands below an edit."""
    for table in ("call", "field_write", "thrown", "unresolved", "method"):
        query = f"update {table} set line = line + ? where file = ? and line > ?"  # noqa: S608
        list(store.rows(query, (patch.moved_lines, file, patch.old_last)))
    for column in ("start", "stop"):
        query = f"update method set {column} = {column} + ? where file = ? and {column} >= ?"  # noqa: S608
        list(store.rows(query, (patch.moved_bytes, file, patch.old_end)))
