"""What makes things: lambdas, ``new`` with its arguments, and anonymous classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference_systems.codebuddy_graph.choosing import accessible, select
from reference_systems.codebuddy_graph.expressions import Expressions
from reference_systems.codebuddy_graph.javatypes import NULL, PRIMS, Ref, Type
from reference_systems.codebuddy_graph.scope import Env, Waiting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tree_sitter import Node

    from reference_systems.codebuddy_graph.classes import Cls, Method

__all__ = ["Creation"]


class Creation(Expressions):
    """Reads lambdas and ``new``."""

    # lambdas and references that are not arguments

    def _lambda(self, node: Node, env: Env, want: Type) -> Type:
        self.read_lambda(node, want, env)
        return want

    def _reference(self, node: Node, env: Env, want: Type) -> Type:
        self.read_reference(node, want, env)
        return want

    def lambda_body(self, node: Node, takes: Sequence[Type], gives: Type, env: Env) -> Type:
        """Read the body of a lambda whose parameters have these types."""
        inner = env.child()
        inner.lam, inner.returns, inner.want = True, [], gives
        self._lambda_parameters(node.child_by_field_name("parameters"), takes, inner)
        body = node.child_by_field_name("body")
        if body.type != "block":
            return self.expr(body, inner, gives if type(gives) is Ref else None)
        self.other(body, inner, None)
        returned = [r for r in inner.returns if r is not None and r is not NULL]
        return returned[0] if returned else (None if inner.returns else PRIMS["void"])

    def _lambda_parameters(self, head: Node, takes: Sequence[Type], inner: Env) -> None:
        if head.type == "identifier":
            inner.vars[head.text.decode()] = takes[0] if takes else None
            return
        at = 0
        for child in head.named_children:
            if child.type.endswith("comment"):
                continue
            kind = takes[at] if at < len(takes) else None
            name = child
            if child.type in ("formal_parameter", "spread_parameter"):
                text, name = self._declared(child)
                kind = kind if text == "var" else self.type_at(text, inner)
            if name is not None:
                inner.vars[name.text.decode()] = kind
            at += 1

    def _declared(self, node: Node) -> tuple[str, Node | None]:
        """Give type text and name of a formal parameter."""
        if node.type == "spread_parameter":
            parts = [c for c in node.named_children if c.type != "modifiers"]
            name = parts[-1].child_by_field_name("name")
            return parts[0].text.decode() + "[]", name
        dims = node.child_by_field_name("dimensions")
        text = node.child_by_field_name("type").text.decode()
        return text + (dims.text.decode() if dims else ""), node.child_by_field_name("name")

    # new

    def _creation(self, node: Node, env: Env, want: Type) -> Type:
        """Read ``new X(…)``, ``outer.new X(…)`` and the body of an anonymous class."""
        made = node.child_by_field_name("type")
        text = made.text.decode()
        around = node.child(0)
        if around.type != "new":
            outer = self.expr(around, env)
            inner = outer.cls.inner(text.partition("<")[0]) if type(outer) is Ref else None
            kind: Type = inner.raw if inner is not None else None
        else:
            kind = self.type_at(text, env)
        given = node.child_by_field_name("arguments")
        args = self.arguments(given, env)
        last = node.named_child(node.named_child_count - 1)
        body = last if last.type == "class_body" else None
        if type(kind) is not Ref:
            self._unknown_call(f"{text}.<init>", args, node, env)
            return None
        chosen = select(accessible(kind.cls.own("<init>"), env.cls), args, kind, self.peek(env))
        if body is not None:
            return self._anonymous(node, body, kind, args, chosen, env, want)
        arity = chosen.arity if chosen is not None else len(args)
        line = node.start_point[0] + 1 if around.type == "new" else self._line_of_new(node)
        if chosen is not None or kind.cls.half_known:
            self.note(env, f"{kind.cls.name}.<init>/{arity}", line, "constructor", kind.cls.name)
        else:
            self.note_unresolved(env, f"{kind.cls.name}.<init>/{arity}", node)
        return self._read_arguments(chosen, kind, args, env, want, self._open(text, kind))

    def _open(self, text: str, kind: Ref) -> bool:
        """Tell whether the type arguments of ``new X<>`` are to be found out."""
        return text.endswith("<>") and bool(kind.cls.variables)

    def _line_of_new(self, node: Node) -> int:
        return next(c for c in node.children if c.type == "new").start_point[0] + 1

    def _read_arguments(
        self,
        chosen: Method | None,
        kind: Ref,
        args: list,
        env: Env,
        want: Type = None,
        diamond: bool = False,
    ) -> Ref:
        """Read what waited among the arguments of a constructor; give the type that is made."""
        if chosen is not None:
            made = self.outcome(chosen, kind, args, env, want, diamond)
            return made if diamond and type(made) is Ref else kind
        for arg in args:
            if type(arg) is Waiting:
                self.expr(arg.node, env)
        if diamond and type(want) is Ref and want.cls is not kind.cls and kind.cls.interface:
            return kind
        return Ref(kind.cls, want.args) if diamond and type(want) is Ref else kind

    def _anonymous(
        self,
        node: Node,
        body: Node,
        kind: Ref,
        args: list,
        chosen: Method | None,
        env: Env,
        want: Type,
    ) -> Type:
        text = node.child_by_field_name("type").text.decode()
        cls = self.local_class(node, body, env, [kind])
        line = self._line_of_new(node)
        count = chosen.arity if chosen is not None and not kind.cls.interface else len(args)
        made = f"{cls.name}.<init>/{count}"
        self.note(env, made, line, "constructor", cls.name)
        kind = self._read_arguments(chosen, kind, args, env, want, self._open(text, kind))
        cls.above_given = (self.world.object, kind) if kind.cls.interface else (kind,)
        self.class_body(cls, body, self._around(env), [made])
        return cls.raw

    def _around(self, env: Env) -> Env:
        """A class sees the variables around it as they are now."""
        return env.child()

    def local_class(self, node: Node, body: Node, env: Env, above: list[Ref]) -> Cls:
        """Make a class that a body declares."""
        raise NotImplementedError

    def class_body(self, cls: Cls, body: Node, env: Env, made: list[str]) -> None:
        """Read the members of a class inside a body."""
        raise NotImplementedError
