"""Expressions: their types, and the calls and writes in them."""

# ruff: noqa: ARG002 - every reader takes the same
from __future__ import annotations

from typing import TYPE_CHECKING

from reference_systems.codebuddy_graph import rules
from reference_systems.codebuddy_graph.javatypes import NULL, PRIMS, UNBOX, Arr, Prim, Ref, Type
from reference_systems.codebuddy_graph.names import MISSING
from reference_systems.codebuddy_graph.references import References
from reference_systems.codebuddy_graph.scope import Env, Write

if TYPE_CHECKING:
    from collections.abc import Callable

    from tree_sitter import Node

    from reference_systems.codebuddy_graph.world import FileScope, World

__all__ = ["Expressions"]

BOOLEAN, INT = PRIMS["boolean"], PRIMS["int"]
COMPARE = {"==", "!=", "<", ">", "<=", ">=", "&&", "||"}
ORDER = ("double", "float", "long", "int")


class Expressions(References):
    """Reads expressions."""

    def __init__(self, world: World, file: FileScope, numbers: dict[int, str]) -> None:
        super().__init__(world, file, numbers)
        integers = dict.fromkeys(
            ("decimal_integer_literal", "hex_integer_literal", "octal_integer_literal",
             "binary_integer_literal"), self._integer)  # fmt: skip
        self.readers: dict[str, Callable[[Node, Env, Type], Type]] = {
            **integers,
            "identifier": self._identifier,
            "method_invocation": self.method_invocation,
            "field_access": self.field_access,
            "string_literal": self._string,
            "text_block": self._string,
            "character_literal": lambda *_: PRIMS["char"],
            "decimal_floating_point_literal": self._float,
            "hex_floating_point_literal": self._float,
            "true": lambda *_: BOOLEAN,
            "false": lambda *_: BOOLEAN,
            "null_literal": lambda *_: NULL,
            "this": lambda _node, env, _want: env.cls.self_type,
            "binary_expression": self._binary,
            "parenthesized_expression": self._parenthesized,
            "assignment_expression": self._assignment,
            "update_expression": self._update,
            "unary_expression": self._unary,
            "cast_expression": self._cast,
            "ternary_expression": self._ternary,
            "instanceof_expression": self._instanceof,
            "array_access": self._array_access,
            "array_creation_expression": self._array_creation,
            "array_initializer": self._array_initializer,
            "class_literal": self._class_literal,
            "object_creation_expression": self._creation,
            "lambda_expression": self._lambda,
            "method_reference": self._reference,
        }

    def expr(self, node: Node, env: Env, want: Type = None) -> Type:
        """Read an expression and give its type; what has none is read for what is in it."""
        reader = self.readers.get(node.type)
        if reader is not None:
            return reader(node, env, want)
        return self.other(node, env, want)

    def other(self, node: Node, env: Env, want: Type) -> Type:
        """Read what is no expression."""
        raise NotImplementedError

    # leaves

    def _identifier(self, node: Node, env: Env, want: Type) -> Type:
        found = self.variable(node.text.decode(), env)[0]
        return None if found is MISSING else found

    def _string(self, node: Node, env: Env, want: Type) -> Type:
        return self.string

    def _integer(self, node: Node, env: Env, want: Type) -> Type:
        return PRIMS["long"] if node.text[-1:] in b"lL" else INT

    def _float(self, node: Node, env: Env, want: Type) -> Type:
        return PRIMS["float"] if node.text[-1:] in b"fF" else PRIMS["double"]

    def _class_literal(self, node: Node, env: Env, want: Type) -> Type:
        cls = self.world.get("java.lang.Class")
        of = rules.boxed(self.type_at(node.named_child(0).text.decode(), env), self.world)
        return None if cls is None else Ref(cls, (of,))

    def field_access(self, node: Node, env: Env, want: Type = None) -> Type:
        """Read ``a.b``: a field, ``Outer.this``, or the length of an array."""
        first = node.child_by_field_name("object")
        last = node.child(node.child_count - 1)
        if first.type == "super":
            return self.field_of(env.cls.superclass, last.text.decode())[0]
        if first.type in ("identifier", "field_access"):
            return self._dotted(node, env)[0]
        return self.field_of(self.expr(first, env), last.text.decode())[0]

    # operators

    def _binary(self, node: Node, env: Env, want: Type) -> Type:
        """Read a chain of operators from its left end: generated sums are thousands long."""
        chain = []
        while node.type == "binary_expression":
            chain.append(node)
            node = node.child_by_field_name("left")
        found = self.expr(node, env)
        for link in reversed(chain):
            right = self.expr(link.child_by_field_name("right"), env)
            found = self._operated(link.child_by_field_name("operator").type, found, right)
        return found

    def _operated(self, sign: str, left: Type, right: Type) -> Type:
        if sign in COMPARE:
            return BOOLEAN
        if sign == "+" and (self._is_string(left) or self._is_string(right)):
            return self.string
        if sign in ("<<", ">>", ">>>"):
            return self._promoted(left, left)
        return self._promoted(left, right)

    def _is_string(self, found: Type) -> bool:
        return type(found) is Ref and found.cls.name == "java.lang.String"

    def _promoted(self, left: Type, right: Type) -> Type:
        names = []
        for side in (left, right):
            plain = UNBOX.get(side.cls.name) if type(side) is Ref else side
            if type(plain) is not Prim:
                return None
            names.append(plain.name)
        if names[0] == names[1] == "boolean":
            return BOOLEAN
        return next((PRIMS[name] for name in ORDER if name in names), INT)

    def _parenthesized(self, node: Node, env: Env, want: Type) -> Type:
        for child in node.named_children:
            if not child.type.endswith("comment"):
                return self.expr(child, env, want)
        return None

    def _assignment(self, node: Node, env: Env, want: Type) -> Type:
        left = node.child_by_field_name("left")
        kind = self.expr(left, env)
        self._note_write(left, env)
        self.expr(node.child_by_field_name("right"), env, kind)
        return kind

    def _update(self, node: Node, env: Env, want: Type) -> Type:
        kind: Type = None
        for child in node.named_children:
            kind = self.expr(child, env)
            self._note_write(child, env)
        return kind

    def _note_write(self, node: Node, env: Env) -> None:
        """Note that a field is written."""
        if self.muted:
            return
        while node.type == "parenthesized_expression":
            node = node.named_child(0)
        name, owner = "", None
        if node.type == "identifier":
            name = node.text.decode()
            owner = self.variable(name, env)[1]
        elif node.type == "field_access":
            name = node.child_by_field_name("field").text.decode()
            self.muted += 1
            first = node.child_by_field_name("object")
            if first.type == "super":
                found: Type = env.cls.superclass
            else:
                found = self.qualifier(first, env)[0]
            owner = self.field_of(found, name)[1]
            self.muted -= 1
        if owner is not None:
            self.note_write(f"{owner.name}.{name}", node, env)

    def note_write(self, field: str, node: Node, env: Env) -> None:
        """Note a write of a field that is known."""
        line = node.start_point[0] + 1
        self.found.writes.extend(Write(caller, field, line) for caller in env.callers)

    def _unary(self, node: Node, env: Env, want: Type) -> Type:
        found = self.expr(node.child_by_field_name("operand"), env)
        if node.child_by_field_name("operator").type == "!":
            return BOOLEAN
        return self._promoted(found, found)

    def _cast(self, node: Node, env: Env, want: Type) -> Type:
        kind = self.type_at(node.child_by_field_name("type").text.decode(), env)
        value = node.child_by_field_name("value")
        if self._waits(value):
            self.waiting(value, kind, env)
        else:
            self.expr(value, env, kind)
        return kind

    def _ternary(self, node: Node, env: Env, want: Type) -> Type:
        inner = env.child() if b"instanceof" in node.text else env
        self.expr(node.child_by_field_name("condition"), inner)
        sides = []
        for name in ("consequence", "alternative"):
            part = node.child_by_field_name(name)
            waits = part.type in ("lambda_expression", "method_reference")
            sides.append(None if waits else self.expr(part, inner, want))
            if waits:
                self.waiting(part, want, inner)
        return self._either(sides[0], sides[1], want)

    def _either(self, one: Type, other: Type, want: Type) -> Type:
        if one is None or one is NULL:
            return other if other is not None else want
        if other is None or other is NULL or one is other:
            return one
        number = self._promoted(one, other)
        if number is not None and (type(one) is Prim or type(other) is Prim):
            return number
        if rules.fits(one, other, {}, False):
            return other
        return one if rules.fits(other, one, {}, False) else want

    def _instanceof(self, node: Node, env: Env, want: Type) -> Type:
        self.expr(node.child_by_field_name("left"), env)
        name = node.child_by_field_name("name")
        right = node.child_by_field_name("right")
        if name is not None and right is not None:
            env.vars[name.text.decode()] = self.type_at(right.text.decode(), env)
        pattern = node.child_by_field_name("pattern")
        if pattern is not None:
            self.pattern(pattern, env, None)
        return BOOLEAN

    def pattern(self, node: Node, env: Env, component: Type) -> None:
        """Declare the variables of a type pattern or a record pattern."""
        if node.type == "record_pattern":
            self._record_pattern(node, env)
            return
        if node.type in ("pattern", "record_pattern_body"):
            for child in node.named_children:
                self.pattern(child, env, None)
            return
        parts = [c for c in node.named_children if c.type != "modifiers"]
        if len(parts) == 2 and parts[1].type == "identifier":
            text = parts[0].text.decode()
            kind = component if text == "var" else self.type_at(text, env)
            env.vars[parts[1].text.decode()] = kind

    def _record_pattern(self, node: Node, env: Env) -> None:
        kind = self.type_at(node.named_child(0).text.decode(), env)
        body = node.named_child(node.named_child_count - 1)
        pairs = kind.cls.record.get("rc", []) if type(kind) is Ref else []
        for place, child in enumerate(body.named_children):
            known = type(kind) is Ref and place < len(pairs)
            component = kind.cls.type_of(pairs[place][1], {}) if known else None
            self.pattern(child, env, component)

    # arrays

    def _array_access(self, node: Node, env: Env, want: Type) -> Type:
        found = self.expr(node.child_by_field_name("array"), env)
        self.expr(node.child_by_field_name("index"), env)
        return found.item if type(found) is Arr else None

    def _array_creation(self, node: Node, env: Env, want: Type) -> Type:
        kind = self.type_at(node.child_by_field_name("type").text.decode(), env)
        value = None
        for child in node.children:
            if child.type == "dimensions_expr":
                kind = Arr(kind)
                for inner in child.named_children:
                    self.expr(inner, env)
            elif child.type == "dimensions":
                for _ in range(child.text.count(b"[")):
                    kind = Arr(kind)
            elif child.type == "array_initializer":
                value = child
        if value is not None:
            self._array_initializer(value, env, kind)
        return kind

    def _array_initializer(self, node: Node, env: Env, want: Type) -> Type:
        item = want.item if type(want) is Arr else None
        for child in node.named_children:
            self.expr(child, env, item)
        return want
