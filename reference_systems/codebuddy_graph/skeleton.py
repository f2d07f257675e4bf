"""What a file declares, read off its tree without looking at any other file.

A skeleton is plain JSON, so that the index keeps it beside the file's digest and reads it again
without the file; the table of the Java platform has the same form (`jdk`). A type is
``{"n": simple name, "k": kind, "f": flags, "tp": type variables, "s": superclass, "i": [interfaces],
"m": [methods], "v": [fields], "t": [types inside]}``, types as they stand in the source.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node

__all__ = [
    "ABSTRACT",
    "DEFAULT",
    "IMPLICIT",
    "NEWER",
    "PRIVATE",
    "STATIC",
    "TYPE_NODES",
    "VARARGS",
    "file_skeleton",
    "type_skeleton",
]

STATIC, VARARGS, ABSTRACT, PRIVATE, DEFAULT, IMPLICIT = 1, 2, 4, 8, 16, 32
#: a method that a class of the platform has gained since the oldest JDK that its table knows
NEWER = 64

TYPE_NODES = {
    "class_declaration": "c",
    "interface_declaration": "i",
    "enum_declaration": "e",
    "record_declaration": "r",
    "annotation_type_declaration": "a",
}
CONSTANT_ENDS = ("_literal", "_type", "true", "false", "comment")
NO_CONSTANT = {"null_literal", "class_literal"}
CONSTANT_PARTS = {
    "binary_expression", "unary_expression", "parenthesized_expression", "cast_expression",
    "ternary_expression",
}  # fmt: skip
BODY_NODES = {"enum_body_declarations"}


def _text(node: Node | None) -> str:
    return node.text.decode() if node is not None else ""


def _modifiers(node: Node) -> set[str]:
    first = node.child(0)
    # annotations may stand before the modifiers, in any order
    if first is None or first.type != "modifiers":
        return set()
    return {child.type for child in first.children}


def _kinds(node: Node, kind: str) -> Node | None:
    for child in node.named_children:
        if child.type == kind:
            return child
    return None


def _inner(node: Node | None) -> str:
    """Give the text between the brackets of type parameters."""
    return _text(node)[1:-1] if node is not None else ""


def _type_list(node: Node | None) -> list[str]:
    """Give the types of ``implements``, ``extends`` or ``throws``."""
    if node is None:
        return []
    found = []
    for child in node.named_children:
        if child.type == "type_list":
            found += _type_list(child)
        elif not child.type.endswith("comment"):
            found.append(_text(child))
    return found


def _parameters(node: Node | None) -> tuple[list[str], list[str], bool]:
    """Give types and names of formal parameters, and whether the last takes many."""
    kinds: list[str] = []
    names: list[str] = []
    many = False
    for child in node.named_children if node is not None else ():
        if child.type == "formal_parameter":
            dims = _text(child.child_by_field_name("dimensions"))
            kinds.append(_text(child.child_by_field_name("type")) + dims)
            names.append(_text(child.child_by_field_name("name")))
        elif child.type == "spread_parameter":
            many = True
            parts = [c for c in child.named_children if c.type != "modifiers"]
            parts = [c for c in parts if not c.type.endswith(("annotation", "comment"))]
            kinds.append(_text(parts[0]) + "[]")
            names.append(_text(parts[-1].child_by_field_name("name")) if len(parts) > 1 else "")
    return kinds, names, many


def _method(node: Node, kind: str, parameters: tuple[list[str], list[str], bool]) -> list:
    marks = _modifiers(node)
    kinds, names, many = parameters
    made = node.type != "method_declaration"
    flags = (STATIC if "static" in marks else 0) | (VARARGS if many else 0)
    if (kind in "ia" and node.child_by_field_name("body") is None) or "abstract" in marks:
        flags |= ABSTRACT
    if "default" in marks:
        flags |= DEFAULT
    if "private" in marks or (made and kind == "e"):
        flags |= PRIVATE
    back = "void"
    if not made:
        dims = _text(node.child_by_field_name("dimensions"))
        back = _text(node.child_by_field_name("type")) + dims
    return [
        "<init>" if made else _text(node.child_by_field_name("name")),
        flags,
        _inner(node.child_by_field_name("type_parameters")),
        back,
        kinds,
        _type_list(_kinds(node, "throws")),
        _line(node),
        node.start_byte,
        node.end_byte,
        names,
    ]


def _line(node: Node) -> int:
    """Return the line of a declaration's name, past its annotations."""
    name = node.child_by_field_name("name")
    return (name or node).start_point[0] + 1


def _implicit(name: str, flags: int, back: str, kinds: list[str], node: Node) -> list:
    line = _line(node)
    return [name, flags | IMPLICIT, "", back, kinds, [], line, node.start_byte, node.start_byte, []]


def type_skeleton(node: Node, body: Node | None = None) -> dict:
    """Give the skeleton of one type declaration, or of the body of an anonymous class."""
    kind = TYPE_NODES.get(node.type, "c")
    marks = _modifiers(node) if node.type in TYPE_NODES else set()
    record: dict = {
        "n": _text(node.child_by_field_name("name")) if node.type in TYPE_NODES else "",
        "k": kind,
        "f": (STATIC if "static" in marks or kind in "iera" else 0)
        | (ABSTRACT if "abstract" in marks else 0)
        | (PRIVATE if "private" in marks else 0),
        "tp": _inner(node.child_by_field_name("type_parameters")),
        "s": "",
        "i": [],
        "m": [],
        "v": [],
        "t": [],
        "l": _line(node),
        "b": [node.start_byte, node.end_byte],
    }
    if node.type in TYPE_NODES:
        _supertypes(node, record)
    body = body if body is not None else node.child_by_field_name("body")
    if kind == "r":
        record["v"] = [
            [name, 0, back]
            for back, name in zip(
                *_parameters(node.child_by_field_name("parameters"))[:2], strict=True
            )
        ]
    record["rc"] = [[name, back] for name, _, back in record["v"]]
    if body is not None:
        _members(body, record)
    _complete(node, record)
    if kind != "r":
        del record["rc"]
    return record


def _supertypes(node: Node, record: dict) -> None:
    above = node.child_by_field_name("superclass")
    if above is not None:
        record["s"] = _type_list(above)[0] if _type_list(above) else ""
    record["i"] = _type_list(node.child_by_field_name("interfaces"))
    if record["k"] == "i":
        record["i"] = _type_list(_kinds(node, "extends_interfaces"))
    if record["k"] == "e":
        record["s"] = f"java.lang.Enum<{record['n']}>"
    elif record["k"] == "r":
        record["s"] = "java.lang.Record"
    elif record["k"] == "a":
        record["i"] = ["java.lang.annotation.Annotation"]


def _members(body: Node, record: dict) -> None:
    kind = record["k"]
    for node in body.named_children:
        what = node.type
        if what in ("method_declaration", "constructor_declaration"):
            parameters = _parameters(node.child_by_field_name("parameters"))
            record["m"].append(_method(node, kind, parameters))
        elif what in ("field_declaration", "constant_declaration"):
            record["v"] += _fields(node, kind)
        elif what in TYPE_NODES:
            inner = type_skeleton(node)
            if kind in "ia":
                inner["f"] |= STATIC
            record["t"].append(inner)
        elif what == "enum_constant":
            record["v"].append([_text(node.child_by_field_name("name")), STATIC, record["n"]])
        elif what == "compact_constructor_declaration":
            pairs = record["rc"]
            parameters = ([back for _, back in pairs], [name for name, _ in pairs], False)
            record["m"].append(_method(node, kind, parameters))
        elif what == "annotation_type_element_declaration":
            name = _text(node.child_by_field_name("name"))
            back = _text(node.child_by_field_name("type"))
            record["m"].append(
                [name, ABSTRACT, "", back, [], [], _line(node), node.start_byte, node.end_byte, []]
            )
        elif what in BODY_NODES:
            _members(node, record)


def _fields(node: Node, kind: str) -> list[list]:
    """Give name, staticness, type and, of what may be a constant, the names its value is made of."""
    marks = _modifiers(node)
    static = STATIC if kind in "ia" or "static" in marks else 0
    text = _text(node.child_by_field_name("type"))
    fields = []
    for part in node.children_by_field_name("declarator"):
        dims = _text(part.child_by_field_name("dimensions"))
        value = part.child_by_field_name("value")
        final = kind in "ia" or "final" in marks
        names = _constant_names(value) if final and value is not None else None
        fields.append([_text(part.child_by_field_name("name")), static, text + dims, names])
    return fields


def _constant_names(value: Node) -> list[str] | None:
    """Give the names in a constant expression; None where it is none whatever they mean."""
    names, todo = [], [value]
    while todo:
        node = todo.pop()
        kind = node.type
        if kind in ("identifier", "field_access"):
            names.append("".join(_text(node).split()))
        elif kind in CONSTANT_PARTS:
            todo += node.named_children
        elif kind in NO_CONSTANT or not kind.endswith(CONSTANT_ENDS):
            return None
    return names


def _complete(node: Node, record: dict) -> None:
    """Add what the compiler adds: the default constructor, ``values()``, a record's accessors."""
    kind, methods = record["k"], record["m"]
    if kind == "e":
        methods.append(_implicit("values", STATIC, record["n"] + "[]", [], node))
        methods.append(_implicit("valueOf", STATIC, record["n"], ["java.lang.String"], node))
    if kind == "r":
        pairs = record["rc"]
        have = {m[0] for m in methods if not m[4]}
        for name, back in pairs:
            if name not in have:
                methods.append(_implicit(name, 0, back, [], node))
        if not any(m[0] == "<init>" and len(m[4]) == len(pairs) for m in methods):
            made = _implicit("<init>", 0, "void", [back for _, back in pairs], node)
            methods.append(made)
    elif kind in "ce" and record["n"] and not any(m[0] == "<init>" for m in methods):
        methods.append(_implicit("<init>", PRIVATE if kind == "e" else 0, "void", [], node))


def _import(node: Node) -> list:
    """Give ``[static, name, on demand]`` of an import."""
    static = any(child.type == "static" for child in node.children)
    wild = any(child.type == "asterisk" for child in node.children)
    name = next(
        (_text(c) for c in node.named_children if c.type in ("scoped_identifier", "identifier")), ""
    )
    return [int(static), "".join(name.split()), int(wild)]


def file_skeleton(root: Node) -> dict:
    """Give package, imports and types of one file."""
    found: dict = {"p": "", "im": [], "t": []}
    for node in root.named_children:
        if node.type == "package_declaration":
            name = next((c for c in node.named_children if c.type.endswith("identifier")), None)
            found["p"] = "".join(_text(name).split())
        elif node.type == "import_declaration":
            found["im"].append(_import(node))
        elif node.type in TYPE_NODES:
            found["t"].append(type_skeleton(node))
    return found
