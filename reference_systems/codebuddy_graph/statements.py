"""Statements and declarations: what is in scope, and who the caller is."""

# ruff: noqa: ARG002 - every reader takes the same
from __future__ import annotations

from typing import TYPE_CHECKING

from reference_systems.codebuddy_graph import rules
from reference_systems.codebuddy_graph.choosing import accessible, select
from reference_systems.codebuddy_graph.classes import Cls
from reference_systems.codebuddy_graph.creation import Creation
from reference_systems.codebuddy_graph.javatypes import Arr, Ref, Type, Var
from reference_systems.codebuddy_graph.scope import Env, Write
from reference_systems.codebuddy_graph.skeleton import TYPE_NODES

if TYPE_CHECKING:
    from collections.abc import Callable

    from tree_sitter import Node

    from reference_systems.codebuddy_graph.world import FileScope, World

__all__ = ["Statements"]


class Statements(Creation):
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
        parts = node.child_by_field_name("body").named_children
        types = [self._switch_part(child, env, inner) for child in parts]
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
