"""What the names in a body mean: variables, fields, types, and the methods that may be called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference_systems.codebuddy_graph import rules
from reference_systems.codebuddy_graph.javatypes import PRIMS, Arr, Prim, Ref, Type, Var, parse_type
from reference_systems.codebuddy_graph.scope import Call, Env, Found, Write

if TYPE_CHECKING:
    from tree_sitter import Node

    from reference_systems.codebuddy_graph.classes import Cls, Method
    from reference_systems.codebuddy_graph.world import FileScope, World

__all__ = ["MISSING", "Names"]

#: no variable of that name is in scope, which is more than not knowing its type
MISSING = Prim("missing")
OBJECT = "java.lang.Object"
INT = PRIMS["int"]
OVERRIDDEN = {"toString", "equals", "hashCode", "clone"}


class Names:
    """Looks names up for one file and notes what is found."""

    def __init__(self, world: World, file: FileScope, numbers: dict[int, str]) -> None:
        self.world = world
        self.file = file
        self.numbers = numbers
        self.found = Found()
        #: above zero while a body is read for its type only
        self.muted = 0
        string = world.get("java.lang.String")
        self.string: Type = string.raw if string is not None else None

    # what is noted

    def note(self, env: Env, callee: str, line: int, kind: str, receiver: str) -> None:
        """Note an edge from each method that the place belongs to."""
        if not self.muted:
            if env.lam:
                kind = "lambda"
            for caller in env.callers:
                self.found.calls.append(Call(caller, callee, line, kind, receiver))

    def note_method(
        self, env: Env, method: Method, site: Cls, node: Node, kind: str | None = None
    ) -> None:
        """Note a call of a method that was found, under the name that javac gives it."""
        owner = method.owner
        name = f"{self.owner_name(owner, site, method.name)}.{method.name}/{method.arity}"
        if kind is None:
            if method.static:
                kind = "static"
            else:
                seen = owner if owner.name == OBJECT else site
                kind = "interface" if seen.interface else "virtual"
        self.note(env, name, node.start_point[0] + 1, kind, site.name)

    def owner_name(self, owner: Cls, site: Cls, name: str) -> str:
        """Give the class that a callee is named at.

        In the tree that is where it stands. A library's class may inherit it from one that nobody
        can name, so that it is the receiver's class, as in a class file; and Object's own methods
        are always Object's, but a class of which only the name is known most likely has its own.
        """
        if owner.name == OBJECT:
            return site.name if not site.known and name in OVERRIDDEN else OBJECT
        return owner.name if owner.in_tree else site.name

    def note_unresolved(self, env: Env, name: str, node: Node) -> None:
        """Note a call whose target can't be told."""
        if not self.muted:
            line = node.start_point[0] + 1
            self.found.unresolved.extend(Write(c, name, line) for c in env.callers)

    # types

    def type_at(self, text: str, env: Env) -> Type:
        """Look up a type that a body names."""
        scope = self.types_in(env)
        if scope:
            return env.cls.look_up(parse_type(text), scope)
        return env.cls.type_of(text, scope)

    def types_in(self, env: Env) -> dict[str, Type]:
        """Give type variables and local classes that a place can name."""
        return env.types or env.cls.around

    def type_name(self, name: str, env: Env) -> Type:
        """Give the type of a simple name; None where there is none."""
        found = env.types.get(name)
        return env.cls.named(name) if found is None else found

    # variables and fields

    def variable(self, name: str, env: Env | None) -> tuple[Type, Cls | None]:
        """Give the type of a variable or field, and for a field where it is declared."""
        while env is not None:
            found = env.vars.get(name, MISSING)
            if found is not MISSING:
                return found, None
            field = env.cls.field(name)
            if field is not None:
                return field[0], field[1]
            env = env.outer
        for cls in self.file.static_owners(name) if self._imports_static() else ():
            field = cls.field(name)
            if field is not None:
                return field[0], field[1]
        return MISSING, None

    def _imports_static(self) -> bool:
        return bool(self.file.static or self.file.static_wild)

    def field_of(self, found: Type, name: str) -> tuple[Type, Cls | None]:
        """Give type and declaring class of a field of a value."""
        if type(found) is Ref:
            field = found.cls.field(name)
            if field is not None:
                kind, owner, _ = field
                return rules.member_type(found, found.cls, kind), owner
        elif type(found) is Var:
            for bound in found.bounds:
                kind, owner = self.field_of(bound, name)
                if owner is not None:
                    return kind, owner
        elif type(found) is Arr and name == "length":
            return INT, None
        return None, None

    # qualified names

    def qualifier(self, node: Node, env: Env) -> tuple[Type, bool, str]:
        """Read what stands before a dot: a value, a type (True), or part of a package."""
        kind = node.type
        if kind in ("identifier", "type_identifier"):
            name = node.text.decode()
            found, owner = self.variable(name, env)
            if found is not MISSING:
                del owner
                return found, False, ""
            found = self.type_name(name, env)
            return (found, True, "") if found is not None else (None, False, name)
        if kind in ("field_access", "scoped_type_identifier"):
            return self._dotted(node, env)
        if kind in ("generic_type", "array_type") or kind.endswith("_type"):
            return self.type_at(node.text.decode(), env), True, ""
        return self.expr(node, env), False, ""

    def _dotted(self, node: Node, env: Env) -> tuple[Type, bool, str]:
        last = node.child(node.child_count - 1)
        first = node.child_by_field_name("object") or node.child(0)
        if any(child.type == "super" for child in node.children[1:]):
            return self.field_access(node, env), False, ""
        found, is_type, package = self.qualifier(first, env)
        name = last.text.decode()
        if package:
            cls = self.world.dotted(f"{package}.{name}")
            return (cls.raw, True, "") if cls is not None else (None, False, f"{package}.{name}")
        if is_type and type(found) is Ref:
            if last.type == "this":
                return found.cls.self_type, False, ""
            if found.cls.field(name) is None:
                inner = found.cls.inner(name)
                return (inner.raw, True, "") if inner is not None else (None, False, "")
        return self.field_of(found, name)[0], False, ""

    def expr(self, node: Node, env: Env, want: Type = None) -> Type:
        """Read an expression and give its type."""
        raise NotImplementedError

    def field_access(self, node: Node, env: Env, want: Type = None) -> Type:
        """Read ``a.b``."""
        raise NotImplementedError
