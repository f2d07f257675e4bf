"""The numbers that javac gives to anonymous and local classes.

They are given while bodies are attributed, for each directly enclosing class on its own, and not
in the order of the text: the arguments of a call come before its receiver, and arguments whose
type depends on the call (lambdas, nested calls, ``new X<>()``) come last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference_systems.codebuddy_graph.skeleton import TYPE_NODES

if TYPE_CHECKING:
    from tree_sitter import Node

__all__ = ["number_classes"]

BODIES = {
    "class_body", "enum_body", "interface_body", "annotation_type_body", "enum_body_declarations",
}  # fmt: skip
WAITING = {
    "lambda_expression", "method_reference", "parenthesized_expression", "ternary_expression",
    "switch_expression",
}  # fmt: skip
CALLS = {"method_invocation", "object_creation_expression", "explicit_constructor_invocation"}


def _waits(node: Node) -> bool:
    """Tell whether an argument is attributed only once the method has been chosen."""
    if node.type in WAITING:
        return True
    if node.type == "method_invocation":
        return node.child_by_field_name("type_arguments") is None
    if node.type == "object_creation_expression":
        made = node.child_by_field_name("type")
        return made is not None and made.text.endswith(b"<>")
    return False


def _step(parent: Node, child: Node) -> tuple[int, int] | None:
    """Give when a child is attributed among its siblings; None: as its own child says."""
    start = child.start_byte
    if parent.type == "argument_list":
        return (2 if _waits(child) else 0, start)
    if parent.type in CALLS:
        if child.type == "argument_list":
            return None
        return (3 if child.type == "class_body" else 1, start)
    return (0, start)


def _place(node: Node) -> tuple[int, tuple]:
    """Give the body of the enclosing class and the place of a class in its order."""
    steps: list[tuple[int, int]] = [(3, node.start_byte)]
    child, parent = node, node.parent
    while parent is not None and parent.type not in BODIES:
        step = _step(parent, child)
        if step is not None:
            steps.append(step)
        child, parent = parent, parent.parent
    steps.append((0, child.start_byte))
    if parent is not None and parent.type == "enum_body_declarations":
        parent = parent.parent
    return (parent.start_byte if parent is not None else -1, tuple(reversed(steps)))


def number_classes(root: Node) -> dict[int, str]:
    """Give ``1`` or ``1Local`` for each anonymous or local class, by the byte it begins at."""
    found: dict[int, dict[str, list[tuple[tuple, int]]]] = {}
    todo = [root]
    while todo:
        node = todo.pop()
        todo.extend(reversed(node.named_children))
        name = _numbered(node)
        if name is not None:
            body, place = _place(node)
            found.setdefault(body, {}).setdefault(name, []).append((place, node.start_byte))
    numbers: dict[int, str] = {}
    for names in found.values():
        for name, places in names.items():
            for number, (_, start) in enumerate(sorted(places), 1):
                numbers[start] = f"{number}{name}"
    return numbers


def _numbered(node: Node) -> str | None:
    """Give the name behind the number of a class; None where the node is no such class."""
    kind = node.type
    if kind in ("object_creation_expression", "enum_constant"):
        last = node.named_child(node.named_child_count - 1)
        return "" if last is not None and last.type == "class_body" else None
    if kind in TYPE_NODES and node.parent is not None:
        if node.parent.type in BODIES or node.parent.type == "program":
            return None
        name = node.child_by_field_name("name")
        return None if name is None else name.text.decode()
    return None
