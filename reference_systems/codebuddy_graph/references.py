"""Method references: ``Type::name``, ``value::name``, ``super::name`` and ``Type::new``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference_systems.codebuddy_graph import rules
from reference_systems.codebuddy_graph.calls import Calls
from reference_systems.codebuddy_graph.choosing import accessible, select
from reference_systems.codebuddy_graph.javatypes import Ref, Type, substitute

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tree_sitter import Node

    from reference_systems.codebuddy_graph.classes import Method
    from reference_systems.codebuddy_graph.scope import Env

__all__ = ["References"]


class References(Calls):
    """Reads method references."""

    def read_reference(self, node: Node, goal: Type, env: Env) -> Type:
        """Read ``Type::name``, ``value::name``, ``super::name`` or ``Type::new``."""
        shape = rules.descriptor(goal) if type(goal) is Ref else None
        takes = shape[0] if shape is not None else None
        first, last = node.child(0), node.child(node.child_count - 1)
        if last.type == "new":
            return self._new_reference(node, first, takes, env)
        name = last.text.decode()
        if first.type == "super":
            found: Type = env.cls.superclass
            is_type = False
        else:
            found, is_type, package = self.qualifier(first, env)
            if package and found is None:
                found, is_type = self._stranger(package), True
        kind = "lambda"
        for site in self._sites(found):
            chosen = self._referred(site, name, takes, is_type, env)
            if chosen is not None:
                method, seen, args = chosen
                self._note_reference(method, seen, node, env, kind)
                got = self.outcome(method, seen, args, None, None)
                known = rules.mapping(seen, method.owner)
                taken = tuple([substitute(p, known) for p in method.params])
                unbound = is_type and not method.static
                self.referred = (seen, *taken) if unbound else taken
                return got
        for site in self._sites(found):
            method = select(site.cls.newer(name), list(takes or ()), site, None)
            if method is not None and takes is not None:
                self._note_reference(method, site, node, env, kind)
                return self.outcome(method, site, takes, None, None)
        site = next(iter(self._sites(found)), None)
        if site is not None and site.cls.half_known and takes is not None:
            callee = f"{site.cls.name}.{name}/{len(takes)}"
            self.note(env, callee, node.start_point[0] + 1, "lambda", site.cls.name)
        else:
            self.note_unresolved(env, f"::{name}", node)
        return None

    def _note_reference(
        self, method: Method, site: Ref, node: Node, env: Env, kind: str | None
    ) -> None:
        self.note_method(env, method, site.cls, node, kind or "lambda")

    def _referred(
        self, site: Ref, name: str, takes: Sequence[Type] | None, is_type: bool, env: Env
    ) -> tuple[Method, Ref, Sequence[Type]] | None:
        methods = accessible(site.cls.methods(name), env.cls)
        if takes is None:
            same = {(m.owner.name, m.arity) for m in methods}
            return (methods[0], site, ()) if len(same) == 1 else None
        count = len(takes)
        if not is_type:
            method = select(methods, list(takes), site, None)
            return None if method is None else (method, site, takes)
        static = [m for m in methods if m.static and self._takes(m, count)]
        bound = [m for m in methods if not m.static and count and self._takes(m, count - 1)]
        if bound:
            inner = self._receiver_of(site, takes[0])
            fits = rules.fits(takes[0], site.cls.raw, {}, True)
            method = select(bound, list(takes[1:]), inner, None) if fits or not static else None
            exact = [m for m in static if m.arity == count]
            if method is not None and not (exact and self._all_fit(exact, takes)):
                return method, inner, takes[1:]
        method = select(static, list(takes), site, None)
        return None if method is None else (method, site, takes)

    def _all_fit(self, methods: list[Method], takes: Sequence[Type]) -> bool:
        return any(
            all(rules.fits(t, p, {}, False) for t, p in zip(takes, m.params, strict=True))
            for m in methods
        )

    def _receiver_of(self, site: Ref, first: Type) -> Ref:
        """A raw type before ``::`` takes its arguments from what it is called on."""
        if not site.args and site.cls.variables and type(first) is Ref:
            return rules.supertype(first, site.cls) or site
        return site

    def _new_reference(
        self, node: Node, first: Node, takes: Sequence[Type] | None, env: Env
    ) -> Type:
        found = self.qualifier(first, env)[0]
        if type(found) is not Ref:
            return found
        made = accessible(found.cls.own("<init>"), env.cls)
        if takes is None:
            made = made if len({m.arity for m in made}) == 1 else []
            method = made[0] if made else None
        else:
            method = select(made, list(takes), found, None)
        if method is not None:
            callee = f"{found.cls.name}.<init>/{method.arity}"
            self.note(env, callee, node.start_point[0] + 1, "lambda", found.cls.name)
        elif found.cls.half_known and takes is not None:
            callee = f"{found.cls.name}.<init>/{len(takes)}"
            self.note(env, callee, node.start_point[0] + 1, "lambda", found.cls.name)
        if not found.args and found.cls.variables and method is not None and takes:
            return self.outcome(method, found, takes, None, None, diamond=True)
        return found
