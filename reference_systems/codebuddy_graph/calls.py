"""Calls: which method a call, a method reference or ``new`` resolves to, and what it gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference_systems.codebuddy_graph import rules
from reference_systems.codebuddy_graph.choosing import accessible, select, spread
from reference_systems.codebuddy_graph.javatypes import Arr, Ref, Type, Var, substitute
from reference_systems.codebuddy_graph.names import Names
from reference_systems.codebuddy_graph.scope import Env, Waiting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tree_sitter import Node

    from reference_systems.codebuddy_graph.classes import Cls, Method
    from reference_systems.codebuddy_graph.world import FileScope, World

__all__ = ["Calls"]


class Calls(Names):
    """Reads calls."""

    def __init__(self, world: World, file: FileScope, numbers: dict[int, str]) -> None:
        super().__init__(world, file, numbers)
        self._waiting: dict[tuple[int, int, str], bool] = {}

    def arguments(self, node: Node | None, env: Env) -> list:
        """Read arguments: types, and what has to wait until the method is known."""
        found: list = []
        for child in node.named_children if node is not None else ():
            if child.type.endswith("comment"):
                continue
            found.append(Waiting(child) if self._waits(child) else self.expr(child, env))
        return found

    def _waits(self, node: Node) -> bool:
        """Tell whether an argument holds a lambda that only the call around it gives a type."""
        key = (node.start_byte, node.end_byte, node.type)
        known = self._waiting.get(key)
        if known is None:
            known = self._waiting[key] = self._holds_lambda(node)
        return known

    def _holds_lambda(self, node: Node) -> bool:
        kind = node.type
        if kind in ("lambda_expression", "method_reference"):
            return True
        if kind in ("parenthesized_expression", "cast_expression"):
            return kind[0] == "p" and self._waits(node.named_child(0))
        # loops instead of any(): what nests thousands deep must not nest on the machine's stack
        inner: list[Node] = []
        if kind == "ternary_expression":
            inner = node.children_by_field_name("consequence")
            inner += node.children_by_field_name("alternative")
        elif kind == "method_invocation" or (
            kind == "object_creation_expression"
            and node.child_by_field_name("type").text.endswith(b"<>")
        ):
            given = node.child_by_field_name("arguments")
            inner = given.named_children if given is not None else []
        for part in inner:  # noqa: SIM110
            if self._waits(part):
                return True
        return False

    # a call

    def method_invocation(self, node: Node, env: Env, want: Type = None) -> Type:
        """Read ``receiver.name(arguments)``."""
        name = node.child_by_field_name("name").text.decode()
        given = node.child_by_field_name("arguments")
        receiver = node.child_by_field_name("object")
        if receiver is None:
            return self._plain_call(name, given, env, want)
        args = self.arguments(given, env)
        if receiver.type == "super":
            return self._call_on(env.cls.superclass, name, args, given, env, want, "special")
        if node.child(2) is not None and node.child(2).type == "super":
            return self._super_call(receiver, name, args, given, env, want)
        found, is_type, package = self.qualifier(receiver, env)
        if package and found is None:
            found, is_type = self._stranger(package), True
        self._witness = self._told_types(node, env)
        return self._call_on(found, name, args, given, env, want, None, is_type)

    def _told_types(self, node: Node, env: Env) -> tuple[Type, ...]:
        """Give the types that a call names for the method's variables: ``Util.<String>none()``."""
        told = node.child_by_field_name("type_arguments")
        parts = told.named_children if told is not None else []
        return tuple(
            self.type_at(c.text.decode(), env) for c in parts if not c.type.endswith("comment")
        )

    def _stranger(self, name: str) -> Type:
        """A dotted name that begins with a package is a class of a library."""
        head, _, last = name.rpartition(".")
        if head and last[:1].isupper() and head[:1].islower():
            return self.world.stranger(name).raw
        return None

    def _super_call(
        self, receiver: Node, name: str, args: list, given: Node, env: Env, want: Type
    ) -> Type:
        """Read ``Outer.super.name()`` and ``Interface.super.name()``."""
        found, _, _ = self.qualifier(receiver, env)
        site: Type = found
        if type(found) is Ref and not found.cls.interface:
            site = found.cls.superclass
        elif type(found) is Ref:
            site = next((r for r in env.cls.above if r.cls is found.cls), found)
        return self._call_on(site, name, args, given, env, want, "special")

    def _plain_call(self, name: str, given: Node, env: Env, want: Type) -> Type:
        """Read ``name(arguments)``: the innermost class around that has such a method."""
        args = self.arguments(given, env)
        around: Env | None = env
        half_known: Cls | None = None
        while around is not None:
            if around.cls.methods(name):
                site = around.cls.self_type
                return self._call_on(site, name, args, given, env, want, None)
            if half_known is None and around.cls.half_known:
                half_known = around.cls
            around = around.outer
        for cls in self.file.static_owners(name):
            methods = [m for m in cls.methods(name) if m.static]
            method = select(methods, args, cls.raw, self.peek(env))
            if method is not None:
                return self._called(method, cls.raw, args, given, env, want, None)
        if half_known is None:
            named = [o for o, _, member in self.file.static if member == name]
            half_known = self.world.stranger(named[0]) if named else None
        if half_known is not None:
            return self._call_on(half_known.raw, name, args, given, env, want, None)
        self._unknown_call(name, args, given, env)
        return None

    def _unknown_call(self, name: str, args: list, given: Node, env: Env) -> None:
        self.note_unresolved(env, f"{name}/{len(args)}", given)
        for arg in args:
            if type(arg) is Waiting:
                self.expr(arg.node, env)

    def _call_on(
        self,
        found: Type,
        name: str,
        args: list,
        given: Node,
        env: Env,
        want: Type,
        kind: str | None,
        is_type: bool = False,
    ) -> Type:
        """Resolve a call for a receiver of a type."""
        for site in self._sites(found):
            methods = accessible(site.cls.methods(name), env.cls)
            if is_type and any(m.static for m in methods):
                static = [m for m in methods if m.static and self._takes(m, len(args))]
                methods = static or methods
            method = select(methods, args, site, self.peek(env)) if methods else None
            if method is not None:
                return self._called(method, site, args, given, env, want, kind)
        for site in self._sites(found):
            method = select(site.cls.newer(name), args, site, None)
            if method is not None:
                return self._called(method, site, args, given, env, want, kind)
        site = next(iter(self._sites(found)), None)
        if site is not None and site.cls.half_known:
            callee = f"{site.cls.name}.{name}/{len(args)}"
            how = kind or ("static" if is_type else "virtual")
            self.note(env, callee, given.start_point[0] + 1, how, site.cls.name)
            for arg in args:
                if type(arg) is Waiting:
                    self.expr(arg.node, env)
            return None
        self._unknown_call(name, args, given, env)
        return None

    def _takes(self, method: Method, count: int) -> bool:
        return method.arity == count or (method.many and count >= method.arity - 1)

    def _sites(self, found: Type, depth: int = 0) -> list[Ref]:
        """Give the classes in which a receiver's methods are looked for."""
        if type(found) is Ref:
            return [found]
        if type(found) is Var and depth < rules.DEPTH:
            if not found.bounds:
                return [self.world.object]
            return [s for b in found.bounds for s in self._sites(b, depth + 1)]
        return [self.world.object] if type(found) is Arr else []

    def _called(
        self,
        method: Method,
        site: Ref,
        args: list,
        given: Node,
        env: Env,
        want: Type,
        kind: str | None,
    ) -> Type:
        """Note a resolved call, read what waited for it, and give what it gives back."""
        witness, self._witness = self._witness, ()
        self.note_method(env, method, site.cls, given, kind)
        return self.outcome(method, site, args, env, want, witness=witness)

    def outcome(
        self,
        method: Method,
        site: Ref,
        args: Sequence,
        env: Env | None,
        want: Type,
        diamond: bool = False,
        witness: Sequence[Type] = (),
    ) -> Type:
        """Give the type of a call; lambdas among its arguments are read on the way.

        With ``diamond`` it is that of ``new X<>(…)``: the class's own variables are open too.
        """
        known = rules.mapping(site, method.owner) if method.owner.variables else {}
        returned = method.back
        free = set(method.variables)
        if diamond:
            known, returned = {}, method.owner.self_type
            free.update(method.owner.variables)
        if not args and not free:
            return rules.upper(substitute(returned, known), self.world)
        params = self._expanded(method, args, known)
        binding: dict[Var, Type] = {}
        if len(witness) == len(method.variables):
            binding.update(zip(method.variables, witness, strict=True))
        for param, arg in zip(params, args, strict=False):
            if free and type(arg) is not Waiting:
                rules.unify(substitute(param, known), arg, binding, free, self.world)
        if free and want is not None:
            self._learn_from_want(substitute(returned, known), binding, free, want)
        for param, arg in zip(params, args, strict=False):
            if type(arg) is Waiting and env is not None:
                self._read_waiting(arg.node, substitute(param, known), binding, free, env)
        back = substitute(substitute(returned, known), binding)
        if type(back) is Var and back in free:
            open_end = any(a is None or type(a) is Waiting for a in args)
            back = back.bounds[0] if back.bounds else None if open_end else self.world.object
        return rules.upper(back, self.world)

    def _expanded(self, method: Method, args: Sequence, known: dict) -> tuple[Type, ...]:
        """Give a parameter for each argument."""
        count = len(args)
        if not method.many or not count:
            return method.params
        if count == method.arity:
            last = args[-1]
            if (
                type(last) is not Waiting
                and type(last) is Arr
                and rules.fits(last, method.params[-1], known, False)
            ):
                return method.params
        return spread(method, count) if count >= method.arity - 1 else method.params

    def _learn_from_want(self, back: Type, binding: dict, free: set, want: Type) -> None:
        learned: dict[Var, Type] = {}
        if type(back) is Var:
            rules.unify(back, want, learned, free, self.world)
        elif type(back) is Ref and type(want) is Ref:
            view = back.cls.view(want.cls)
            if view is not None and len(want.args) == len(want.cls.variables):
                rules.unify(rules.inside(back, view), want, learned, free, self.world)
        for var, found in learned.items():
            # an expected type that is itself open says nothing
            if var not in binding and not (type(found) is Var and found in free):
                binding[var] = found

    def _read_waiting(self, node: Node, param: Type, binding: dict, free: set, env: Env) -> None:
        """Read a lambda, a method reference or a nested call now that more is known."""
        goal = substitute(param, binding)
        if free:
            goal = substitute(goal, {v: self._open_end(v) for v in free if v not in binding})
        if node.type not in ("lambda_expression", "method_reference", "parenthesized_expression"):
            rules.unify(param, self.expr(node, env, goal), binding, free, self.world)
            return
        self.referred = ()
        got = self.waiting(node, goal, env)
        shape = rules.descriptor(param) if free else None
        if shape is None:
            return
        # what a method reference takes tells what its type's variables are
        for taken, given in zip(shape[0], self.referred, strict=False):
            rules.unify(substitute(taken, binding), given, binding, free, self.world)
        if got is not None:
            rules.unify(substitute(shape[1], binding), got, binding, free, self.world)

    def _open_end(self, var: Var) -> Type:
        """A variable that nothing has bound is no more than its bound."""
        bound = var.bounds[0] if var.bounds else None
        return bound.cls.raw if type(bound) is Ref else None

    #: the types that the call being read names for the method's variables
    _witness: tuple[Type, ...] = ()
    #: what the method reference that was read last takes
    referred: tuple[Type, ...] = ()

    def waiting(self, node: Node, goal: Type, env: Env) -> Type:
        """Read a lambda or method reference for a type; give what its body gives."""
        if node.type == "parenthesized_expression":
            return self.waiting(node.named_child(0), goal, env)
        if node.type == "lambda_expression":
            return self.read_lambda(node, goal, env)
        if node.type == "method_reference":
            return self.read_reference(node, goal, env)
        return self.expr(node, env, goal)

    def peek(self, env: Env):
        """Give a function that tells the type of a lambda's body without noting its calls."""
        if self.muted:
            return None

        def of(node: Node, takes: Sequence[Type]) -> Type:
            self.muted += 1
            try:
                return self.lambda_body(node, takes, None, env)
            finally:
                self.muted -= 1

        return of

    def read_lambda(self, node: Node, goal: Type, env: Env) -> Type:
        """Read a lambda; give what it gives."""
        shape = rules.descriptor(goal) if type(goal) is Ref else None
        takes, gives = shape if shape is not None else ((), None)
        return self.lambda_body(node, takes, gives, env)

    def lambda_body(self, node: Node, takes: Sequence[Type], gives: Type, env: Env) -> Type:
        """Read the body of a lambda whose parameters have these types."""
        raise NotImplementedError
