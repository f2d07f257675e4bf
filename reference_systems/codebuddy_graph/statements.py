"""Statements and declarations: what is in scope, and who the caller is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference_systems.codebuddy_graph import rules
from reference_systems.codebuddy_graph.choosing import accessible, select
from reference_systems.codebuddy_graph.classes import Cls
from reference_systems.codebuddy_graph.expressions import Expressions
from reference_systems.codebuddy_graph.javatypes import Arr, Ref, Type, Var
from reference_systems.codebuddy_graph.scope import Env, Write
from reference_systems.codebuddy_graph.skeleton import TYPE_NODES, type_skeleton

if TYPE_CHECKING:
    from collections.abc import Callable

    from tree_sitter import Node

    from reference_systems.codebuddy_graph.classes import FileScope, World

__all__ = ["Statements"]


class Statements(Expressions):
    """Reads statements."""

    def __init__(self, world: World, file: FileScope, numbers: dict[int, str]) -> None:
        super().__init__(world, file, numbers)
        scoped = dict.fromkeys(
            ("block", "constructor_body", "for_statement", "do_statement", "switch_block",
             "switch_block_statement_group", "switch_rule", "try_statement",
             "try_with_resources_statement", "synchronized_statement"), self._scoped)  # fmt: skip
        self.statements: dict[str, Callable[[Node, Env], Type]] = {
            **scoped,
            **dict.fromkeys(TYPE_NODES, self._local_type),
            "line_comment": self._nothing,
            "block_comment": self._nothing,
            "modifiers": self._nothing,
            "local_variable_declaration": self._local_variable,
            "enhanced_for_statement": self._for_each,
            "if_statement": self._if,
            "while_statement": self._if,
            "return_statement": self._return,
            "throw_statement": self._throw,
            "catch_clause": self._catch,
            "resource": self._resource,
            "switch_expression": self._switch,
            "switch_label": self._label,
            "yield_statement": self._yield,
            "explicit_constructor_invocation": self._constructor_call,
            "labeled_statement": self._labelled,
            "break_statement": self._nothing,
            "continue_statement": self._nothing,
        }

    def other(self, node: Node, env: Env, want: Type) -> Type:
        """Read a statement, or whatever is in a node of another kind."""
        reader = self.statements.get(node.type)
        if reader is not None:
            return reader(node, env)
        for child in node.named_children:
            self.expr(child, env)
        return None

    def _nothing(self, node: Node, env: Env) -> None:
        return None

    def _scoped(self, node: Node, env: Env) -> Type:
        inner = env.child()
        if any(child.type in TYPE_NODES for child in node.named_children):
            inner.types = dict(self.types_in(env))
        found: Type = None
        for child in node.named_children:
            found = self.expr(child, inner)
        # the type of ``case … -> expression;`` is that of its expression
        last = node.named_child(node.named_child_count - 1) if node.type == "switch_rule" else None
        return found if last is not None and last.type == "expression_statement" else None

    def _labelled(self, node: Node, env: Env) -> None:
        for child in node.named_children[1:]:
            self.expr(child, env)

    def _local_variable(self, node: Node, env: Env) -> None:
        text = node.child_by_field_name("type").text.decode()
        plain = None if text == "var" else self.type_at(text, env)
        for part in node.children_by_field_name("declarator"):
            name, dims, value = self._declarator(part)
            kind = plain
            for _ in range(dims):
                kind = Arr(kind)
            env.vars[name] = kind
            if value is not None:
                found = self.expr(value, env, kind)
                if text == "var":
                    env.vars[name] = found

    def _declarator(self, node: Node) -> tuple[str, int, Node | None]:
        dims = node.child_by_field_name("dimensions")
        count = dims.text.count(b"[") if dims is not None else 0
        name = node.child_by_field_name("name").text.decode()
        return name, count, node.child_by_field_name("value")

    def _for_each(self, node: Node, env: Env) -> None:
        inner = env.child()
        found = self.expr(node.child_by_field_name("value"), inner)
        text = node.child_by_field_name("type").text.decode()
        kind = self._item(found) if text == "var" else self.type_at(text, env)
        dims = node.child_by_field_name("dimensions")
        for _ in range(dims.text.count(b"[") if dims is not None else 0):
            kind = Arr(kind)
        inner.vars[node.child_by_field_name("name").text.decode()] = kind
        self.expr(node.child_by_field_name("body"), inner)

    def _item(self, found: Type) -> Type:
        """Give what a loop over a value gives."""
        if type(found) is Arr:
            return found.item
        iterable = self.world.get("java.lang.Iterable")
        for one in found.bounds if type(found) is Var else (found,):
            up = rules.supertype(one, iterable) if type(one) is Ref and iterable else None
            if up is not None and up.args:
                return rules.upper(up.args[0], self.world)
        return None

    def _if(self, node: Node, env: Env) -> None:
        """A variable of ``!(x instanceof T t)`` lives on after the statement."""
        condition = node.child_by_field_name("condition")
        has_pattern = b"instanceof" in condition.text
        inner = env.child() if has_pattern and b"!" not in condition.text else env
        for child in node.named_children:
            self.expr(child, inner)

    def _return(self, node: Node, env: Env) -> None:
        for child in node.named_children:
            if child.type.endswith("comment"):
                continue
            found = self.expr(child, env, env.want)
            if env.returns is not None:
                env.returns.append(found)

    def _throw(self, node: Node, env: Env) -> None:
        for child in node.named_children:
            thrown = rules.erase(self.expr(child, env))
            if type(thrown) is Cls and not self.muted:
                line = node.start_point[0] + 1
                for caller in env.callers:
                    self.found.throws.append(Write(caller, thrown.name, line))

    def _catch(self, node: Node, env: Env) -> None:
        inner = env.child()
        for child in node.named_children:
            if child.type == "catch_formal_parameter":
                name = child.child_by_field_name("name").text.decode()
                kinds = next(c for c in child.named_children if c.type == "catch_type")
                found = [
                    self.type_at(c.text.decode(), env)
                    for c in kinds.named_children
                    if not c.type.endswith("comment")
                ]
                inner.vars[name] = self._union(found)
            else:
                self.expr(child, inner)

    def _union(self, found: list[Type]) -> Type:
        """Give the nearest common ancestor of the exceptions that one clause catches."""
        binding: dict[Var, Type] = {}
        common = Var("E")
        for kind in found:
            rules.bind(common, kind, binding, self.world)
        return binding.get(common)

    def _resource(self, node: Node, env: Env) -> None:
        kind = node.child_by_field_name("type")
        value = node.child_by_field_name("value")
        if kind is None:
            for child in node.named_children:
                self.expr(child, env)
            return
        text = kind.text.decode()
        plain = None if text == "var" else self.type_at(text, env)
        found = self.expr(value, env, plain)
        name = node.child_by_field_name("name").text.decode()
        env.vars[name] = found if text == "var" else plain

    def _switch(self, node: Node, env: Env) -> Type:
        self.expr(node.child_by_field_name("condition"), env)
        inner = env.child()
        inner.returns = []
        types = []
        for child in node.child_by_field_name("body").named_children:
            types.append(self._switch_part(child, env, inner))
        found = [t for t in [*types, *inner.returns] if t is not None]
        return found[0] if found else None

    def _switch_part(self, node: Node, env: Env, inner: Env) -> Type:
        """Read one group; what ``yield`` gives is the switch's, what ``return`` gives is not."""
        if node.type.endswith("comment"):
            return None
        returns = inner.returns
        scope = inner if node.type == "switch_block_statement_group" else inner.child()
        scope.returns = env.returns
        scope.types = env.types
        found: Type = None
        for child in node.named_children:
            found = self.expr(child, scope, None)
            if child.type == "expression_statement":
                found = self.last_type
        inner.returns = returns
        return found if node.type == "switch_rule" else None

    last_type: Type = None

    def _label(self, node: Node, env: Env) -> None:
        for child in node.named_children:
            if child.type in ("pattern", "type_pattern", "record_pattern"):
                self.pattern(child, env, None)
            elif child.type != "identifier":
                self.expr(child, env)

    def _yield(self, node: Node, env: Env) -> None:
        for child in node.named_children:
            self.last_type = self.expr(child, env)

    def _constructor_call(self, node: Node, env: Env) -> None:
        """Read ``this(…)`` or ``super(…)``."""
        given = node.child_by_field_name("arguments")
        args = self.arguments(given, env)
        which = node.child_by_field_name("constructor").type
        qualifier = node.child_by_field_name("object")
        if qualifier is not None:
            self.expr(qualifier, env)
        site = env.cls.self_type if which == "this" else env.cls.superclass
        made = accessible(site.cls.own("<init>"), env.cls)
        chosen = select(made, args, site, self.peek(env))
        arity = chosen.arity if chosen is not None else len(args)
        if chosen is not None or site.cls.half_known:
            callee = f"{site.cls.name}.<init>/{arity}"
            self.note(env, callee, given.start_point[0] + 1, "constructor", site.cls.name)
        self._read_arguments(chosen, site, args, env)

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
            if not (static and cls.constant_field(raw)):
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
