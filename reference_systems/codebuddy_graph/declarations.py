"""Declarations: classes, members, initialisers, and who the caller is in each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference_systems.codebuddy_graph import rules
from reference_systems.codebuddy_graph.choosing import select
from reference_systems.codebuddy_graph.classes import Cls
from reference_systems.codebuddy_graph.constants import constant_field
from reference_systems.codebuddy_graph.javatypes import Ref
from reference_systems.codebuddy_graph.scope import Env, Write
from reference_systems.codebuddy_graph.skeleton import TYPE_NODES, type_skeleton
from reference_systems.codebuddy_graph.statements import Statements

if TYPE_CHECKING:
    from tree_sitter import Node

__all__ = ["Declarations"]


class Declarations(Statements):
    """Reads the classes of a file."""

    # classes inside bodies

    def _local_type(self, node: Node, env: Env) -> None:
        cls = self.local_class(node, node.child_by_field_name("body"), env, [])
        self.declaration(cls, node, env.child())

    def local_class(self, node: Node, body: Node, env: Env, above: list[Ref]) -> Cls:
        """Make a class that a body declares; it is known only there."""
        record = type_skeleton(node, body)
        number = self.numbers.get(node.start_byte, "0")
        outer = env.cls
        cls = Cls(self.world, f"{outer.name}${number}", record, outer)
        cls.in_tree = True
        cls.around = dict(self.types_in(env))
        if above:
            ref = above[0]
            cls.above_given = (self.world.object, ref) if ref.cls.interface else (ref,)
        else:
            env.types = {**self.types_in(env), record["n"]: cls.raw}
            cls.around[record["n"]] = cls.raw
        self.world.register(cls)
        if not self.muted:
            self.found.classes.append(cls)
        return cls

    # declarations

    def declaration(self, cls: Cls, node: Node, outer: Env | None) -> None:
        """Read a class declaration with all that is in it."""
        body = node.child_by_field_name("body")
        if body is not None:
            self.class_body(cls, body, outer, [])

    def class_body(self, cls: Cls, body: Node, env: Env | None, made: list[str]) -> None:
        """Read the members of a class; ``made`` names an anonymous class's constructor."""
        constructors = made or self._constructors(cls, body)
        for node in self._member_nodes(body):
            if node.has_error:
                continue
            kind = node.type
            if kind == "method_declaration":
                self.read_method(cls, node, env)
            elif kind in ("field_declaration", "constant_declaration"):
                self._field(cls, node, env, constructors)
            elif kind in ("constructor_declaration", "compact_constructor_declaration"):
                self.read_method(cls, node, env)
            elif kind in ("block", "static_initializer"):
                static = kind == "static_initializer"
                callers = [f"{cls.name}.<clinit>/0"] if static else constructors
                self.expr(node.named_child(0) if static else node, Env(cls, env, callers))
            elif kind in TYPE_NODES:
                self._member_type(cls, node, env)
            elif kind == "enum_constant":
                self._enum_constant(cls, node, env)

    def _member_nodes(self, body: Node) -> list[Node]:
        found = []
        for node in body.named_children:
            if node.type == "enum_body_declarations":
                found += self._member_nodes(node)
            else:
                found.append(node)
        return found

    def _constructors(self, cls: Cls, body: Node) -> list[str]:
        """Give the constructors that run the initialisers: those that call no other of the class."""
        declared = []
        for node in self._member_nodes(body):
            if node.type in ("constructor_declaration", "compact_constructor_declaration"):
                method = self._declared_method(cls, "<init>", node)
                if method is None:
                    continue
                inner = node.child_by_field_name("body")
                first = next(
                    (c for c in inner.named_children if not c.type.endswith("comment")), None
                )
                calls = first is not None and first.type == "explicit_constructor_invocation"
                if not (calls and first.child_by_field_name("constructor").type == "this"):
                    declared.append(f"{cls.name}.<init>/{method.arity}")
        if cls.record["k"] == "r" and not declared:
            return [f"{cls.name}.<init>/{len(cls.record['rc'])}"]
        return list(dict.fromkeys(declared)) or [f"{cls.name}.<init>/0"]

    def _declared_method(self, cls: Cls, name: str, node: Node):
        for method in cls.own(name):
            if method.start == node.start_byte:
                return method
        return None

    def read_method(self, cls: Cls, node: Node, outer: Env | None) -> str | None:
        """Read one method or constructor; give its name."""
        name = node.child_by_field_name("name")
        made = node.type != "method_declaration"
        method = self._declared_method(cls, "<init>" if made else name.text.decode(), node)
        body = node.child_by_field_name("body")
        if method is None:
            return None
        who = repr(method)
        for text in method.throws:
            kind = cls.type_of(text, {**cls.around, **method.types})
            kind = rules.erase(kind)
            if type(kind) is Cls:
                self.found.throws.append(Write(who, kind.name, -method.line))
        if body is None:
            return who
        env = Env(cls, outer, [who])
        env.types = {**cls.around, **method.types} if method.types else dict(cls.around)
        names = next((raw[9] for raw in cls.record["m"] if raw[7] == node.start_byte), [])
        env.vars = dict(zip(names, method.params, strict=False))
        env.want = method.back
        self.expr(body, env)
        return who

    def _field(self, cls: Cls, node: Node, outer: Env | None, constructors: list[str]) -> None:
        field = None
        for part in node.children_by_field_name("declarator"):
            name, _, value = self._declarator(part)
            field = cls.field(name)
            if value is None or field is None:
                continue
            static = field[2]
            callers = [f"{cls.name}.<clinit>/0"] if static else constructors
            env = Env(cls, outer, callers)
            raw = next(raw for raw in cls.record["v"] if raw[0] == name)
            if not (static and constant_field(cls, raw)):
                self.note_write(f"{cls.name}.{name}", part, env)
            self.expr(value, env, field[0])

    def _member_type(self, cls: Cls, node: Node, outer: Env | None) -> None:
        name = node.child_by_field_name("name").text.decode()
        inner = self.world.get(f"{cls.name}${name}")
        if inner is not None and inner.in_tree:
            if not self.muted:
                self.found.classes.append(inner)
            self.declaration(inner, node, Env(cls, outer, []))

    def _enum_constant(self, cls: Cls, node: Node, outer: Env | None) -> None:
        env = Env(cls, outer, [f"{cls.name}.<clinit>/0"])
        given = node.child_by_field_name("arguments")
        args = self.arguments(given, env)
        chosen = select(cls.own("<init>"), args, cls.self_type, None)
        arity = chosen.arity if chosen is not None else len(args)
        line = node.child_by_field_name("name").start_point[0] + 1
        name = node.child_by_field_name("name").text.decode()
        self.note_write(f"{cls.name}.{name}", node, env)
        last = node.named_child(node.named_child_count - 1)
        if last.type != "class_body":
            self.note(env, f"{cls.name}.<init>/{arity}", line, "constructor", cls.name)
            self._read_arguments(chosen, cls.raw, args, env)
            return
        inner = self.local_class(node, last, env, [cls.raw])
        self.note(env, f"{inner.name}.<init>/{arity}", line, "constructor", inner.name)
        self._read_arguments(chosen, cls.raw, args, env)
        self.class_body(inner, last, env.child(), [f"{inner.name}.<init>/{arity}"])

    def read_file(self, root: Node, package: str) -> None:
        """Read all classes of a file."""
        for node in root.named_children:
            if node.type in TYPE_NODES:
                name = node.child_by_field_name("name").text.decode()
                cls = self.world.get(f"{package}.{name}" if package else name)
                if cls is not None and cls.in_tree:
                    self.found.classes.append(cls)
                    self.declaration(cls, node, None)
