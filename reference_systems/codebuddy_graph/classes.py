"""The symbol table: classes, their members, and what a name means where it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference_systems.codebuddy_graph import inheritance, rules
from reference_systems.codebuddy_graph.javatypes import (
    PRIMS,
    Arr,
    Parsed,
    Ref,
    Type,
    Var,
    Wild,
    parse_type,
    parse_variables,
)
from reference_systems.codebuddy_graph.skeleton import (
    ABSTRACT,
    DEFAULT,
    NEWER,
    STATIC,
    VARARGS,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reference_systems.codebuddy_graph.world import FileScope, World

__all__ = ["OBJECT", "Cls", "Method"]

OBJECT = "java.lang.Object"


class Method:
    """One declared method or constructor, its types looked up."""

    __slots__ = (
        "arity", "back", "flags", "line", "name", "owner", "params", "start", "throws", "types",
        "variables",
    )  # fmt: skip

    def __init__(self, owner: Cls, raw: list) -> None:
        self.owner = owner
        self.name: str = raw[0]
        self.flags: int = raw[1]
        self.arity = len(raw[4])
        self.start: int = raw[7] if len(raw) > 7 else -1
        self.line: int = raw[6] if len(raw) > 7 else 0
        self.types: dict[str, Type] = {}
        self.variables: tuple[Var, ...] = ()
        look = owner.type_of
        if raw[2]:
            self.variables, self.types = owner.declare(raw[2], None)
        self.params: tuple[Type, ...] = tuple([look(text, self.types) for text in raw[4]])
        self.back: Type = look(raw[3], self.types)
        self.throws: list[str] = raw[5]

    @property
    def many(self) -> bool:
        """Whether the last parameter takes any number of arguments."""
        return bool(self.flags & VARARGS)

    @property
    def static(self) -> bool:
        """Whether it needs no receiver."""
        return bool(self.flags & STATIC)

    def __repr__(self) -> str:
        return f"{self.owner.name}.{self.name}/{self.arity}"


class Cls:
    """A class, interface, enum, record or annotation; what it needs is looked up when asked."""

    def __init__(self, world: World, name: str, record: dict | None, outer: Cls | None) -> None:
        self.world = world
        self.name = name
        self.record: dict = record or {"n": name.rpartition(".")[2].rpartition("$")[2], "k": "c",
            "f": 0, "tp": "", "s": "", "i": [], "m": [], "v": [], "t": []}  # fmt: skip
        #: whether its declaration has been read: a library that is not here is only a name
        self.known = record is not None
        self.outer = outer
        self.file: FileScope | None = outer.file if outer else None
        self.simple: str = self.record["n"]
        self.interface: bool = self.record["k"] in "ia"
        self.in_tree = False
        #: local classes and variables of methods around a local or anonymous class
        self.around: dict[str, Type] = {}
        self.raw = Ref(self)
        self._header: tuple[dict[str, Type], tuple[Var, ...]] | None = None
        self._above: tuple[Ref, ...] | None = None
        self.above_given: tuple[Ref, ...] | None = None
        self._own: dict[str, list[Method]] = {}
        self._raws: dict[str, list[list]] | None = None
        self._all: dict[str, list[Method]] = {}
        self._fields: dict[str, tuple[Type, Cls, bool] | None] = {}
        self._inner: dict[str, Cls | None] = {}
        self._names: dict[str, Type] = {}
        self._texts: dict[str, Type] = {}
        self._views: dict[Cls, Ref | None] = {}
        self._single: tuple[Method, ...] | None = None
        self._rank: int | None = None
        #: superclasses and interfaces, as `inheritance` orders them
        self.lines: tuple[list[Cls], list[Cls]] | None = None
        self._half: bool | None = None

    def __repr__(self) -> str:
        return self.name

    # what it is

    @property
    def variables(self) -> tuple[Var, ...]:
        """Its type variables."""
        return self._read_header()[1]

    def _read_header(self) -> tuple[dict[str, Type], tuple[Var, ...]]:
        if self._header is None:
            text = self.record["tp"]
            if not text:
                self._header = ({}, ())
            else:
                names = [name for name, _ in parse_variables(text)]
                made = tuple(Var(name) for name in names)
                self._header = (dict(zip(names, made, strict=True)), made)
                self._bound(text, made, self._header[0])
        return self._header

    def _bound(self, text: str, made: tuple[Var, ...], scope: dict[str, Type]) -> None:
        for var, (_, bounds) in zip(made, parse_variables(text), strict=True):
            var.bounds = tuple(self.look_up(b, scope) for b in bounds)

    def declare(
        self, text: str, around: dict[str, Type] | None
    ) -> tuple[tuple[Var, ...], dict[str, Type]]:
        """Make the type variables of a method; give them and the names in scope."""
        names = [name for name, _ in parse_variables(text)]
        made = tuple(Var(name) for name in names)
        scope: dict[str, Type] = {**(around or {}), **dict(zip(names, made, strict=True))}
        self._bound(text, made, scope)
        return made, scope

    @property
    def self_type(self) -> Ref:
        """The type of ``this``."""
        variables = self.variables
        return Ref(self, variables) if variables else self.raw

    @property
    def above(self) -> tuple[Ref, ...]:
        """Its superclass, where it has one, then its interfaces."""
        if self.above_given is not None:
            return self.above_given
        if self._above is None:
            self._above = ()  # a class that inherits from itself ends here
            texts = [self.record["s"], *self.record["i"]]
            found = [self._type_above(text) or self._missing(text) for text in texts if text]
            above = [f for f in found if type(f) is Ref and f.cls is not self]
            if not self.record["s"] and not self.interface and self.name != OBJECT:
                above.insert(0, self.world.object)
            self._above = tuple(above)
        return self._above

    def _missing(self, text: str) -> Ref:
        """A supertype that is nowhere is a class of which only the name is known."""
        parsed = parse_type(text)
        parts = [name for name, _ in parsed[1]] if parsed and parsed[0] == "class" else [text]
        package = self.file.package if self.file is not None else ""
        head = [package] if package and len(parts) == 1 else []
        return self.world.stranger(".".join([*head, *parts])).raw

    def _type_above(self, text: str) -> Type:
        """A supertype is looked up outside of the class's own members."""
        return self.look_up(parse_type(text), {**self.around, **self._read_header()[0]}, True)

    @property
    def superclass(self) -> Ref:
        """The class it extends; Object for what extends none."""
        for ref in self.above:
            if not ref.cls.interface:
                return ref
        return self.world.object

    def ancestors(self) -> Iterable[Cls]:
        """Give itself and all it inherits from, each once, nearest first."""
        seen, todo = {self}, [self]
        for cls in todo:
            for ref in cls.above:
                if ref.cls not in seen:
                    seen.add(ref.cls)
                    todo.append(ref.cls)
        return todo

    @property
    def rank(self) -> int:
        """How far it is from Object, by the longest way."""
        if self._rank is None:
            self._rank = 0
            self._rank = 1 + max((r.cls.rank for r in self.above), default=-1)
        return self._rank

    @property
    def half_known(self) -> bool:
        """Whether some ancestor is only a name, so that members may come from there."""
        if self._half is None:
            self._half = any(not cls.known for cls in self.ancestors())
        return self._half

    def view(self, target: Cls) -> Ref | None:
        """Give itself seen as an ancestor, in terms of its own variables."""
        if target is self:
            return self.self_type
        if target not in self._views:
            self._views[target] = None  # circles end here
            for ref in self.above:
                up = ref.cls.view(target)
                if up is not None:
                    self._views[target] = rules.inside(ref, up)
                    break
            else:
                if target.name == OBJECT:
                    self._views[target] = self.world.object
        return self._views[target]

    # its members

    def own(self, name: str) -> list[Method]:
        """Give the methods it declares under a name."""
        found = self._own.get(name)
        if found is None:
            if self._raws is None:
                self._raws = {}
                for raw in self.record["m"]:
                    if not raw[1] & NEWER:
                        self._raws.setdefault(raw[0], []).append(raw)
            raws = self._raws.get(name)
            found = [Method(self, raw) for raw in raws] if raws else []
            self._own[name] = found
        return found

    def methods(self, name: str) -> list[Method]:
        """Give all methods of a name that it has, its own and inherited ones."""
        found = self._all.get(name)
        if found is None:
            found = self._all[name] = inheritance.members(self, name)
        return found

    def newer(self, name: str) -> list[Method]:
        """Give methods that only later releases of the platform have."""
        return [
            Method(cls, raw)
            for cls in self.ancestors()
            for raw in cls.record["m"]
            if raw[0] == name and raw[1] & NEWER
        ]

    def field(self, name: str) -> tuple[Type, Cls, bool] | None:
        """Give type, declaring class and staticness of a field it has."""
        if name not in self._fields:
            self._fields[name] = None
            for raw in self.record["v"]:
                if raw[0] == name:
                    self._fields[name] = (self.type_of(raw[2], {}), self, bool(raw[1]))
                    break
            else:
                for ref in self.above:
                    found = ref.cls.field(name)
                    if found is not None:
                        kind, owner, static = found
                        self._fields[name] = (rules.member_type(ref, owner, kind), owner, static)
                        break
        return self._fields[name]

    def inner(self, name: str) -> Cls | None:
        """Give a member type, its own or inherited."""
        if name not in self._inner:
            self._inner[name] = None
            found = self.world.get(f"{self.name}${name}")
            if found is None:
                for ref in self.above:
                    found = ref.cls.inner(name)
                    if found is not None:
                        break
            self._inner[name] = found
        return self._inner[name]

    def single(self) -> Method | None:
        """Give the one method that a lambda of this type would be."""
        if self._single is None:
            self._single = ()
            if self.record["k"] == "i":
                found: dict[tuple[str, int], Method] = {}
                for cls in self.ancestors():
                    for raw in cls.record["m"]:
                        if raw[1] & ABSTRACT and cls.interface:
                            for method in cls.own(raw[0]):
                                found.setdefault((method.name, method.arity), method)
                abstract = [m for m in found.values() if self._abstract(m)]
                if len(abstract) == 1:
                    self._single = (abstract[0],)
        return self._single[0] if self._single else None

    def _abstract(self, method: Method) -> bool:
        if any(m.arity == method.arity for m in self.world.object.cls.own(method.name)):
            return False
        same = [m for m in self.methods(method.name) if m.arity == method.arity]
        return not any(m.flags & DEFAULT for m in same)

    # what a name means in it

    def type_of(self, text: str, scope: dict[str, Type]) -> Type:
        """Look up a type written in this class."""
        if scope:
            return self.look_up(parse_type(text), scope)
        found = self._texts.get(text, self)
        if found is self:
            found = self._texts[text] = self.look_up(parse_type(text), scope)
        return found

    def look_up(self, parsed: Parsed | None, scope: dict[str, Type], above: bool = False) -> Type:
        """Look up a type that has been read; ``scope`` holds variables and local classes.

        ``above`` is for the clauses of the class itself, where its own members have no name yet.
        """
        if parsed is None:
            return None
        kind = parsed[0]
        if kind == "prim":
            return PRIMS[parsed[1]]
        if kind == "array":
            return Arr(self.look_up(parsed[1], scope, above))
        if kind == "wild":
            return Wild(parsed[1], self.look_up(parsed[2], scope, above))
        return self._look_up_class(parsed[1], scope, above)

    def _look_up_class(self, parts: tuple, scope: dict[str, Type], above: bool) -> Type:
        found = scope.get(parts[0][0]) if scope else None
        if found is None and not self.in_tree and len(parts) > 1:
            # the platform's table writes binary names in full
            cls = self.world.get(".".join([name for name, _ in parts]))
            if cls is not None:
                return self._with_arguments(cls, parts[-1][1], scope, above)
        if found is None:
            found = self._outside(parts[0][0]) if above else self.named(parts[0][0])
        start = 1
        if found is None:
            found, start = self._qualified([name for name, _ in parts])
            if found is None:
                return None
        for name, _ in parts[start:]:
            inner = found.cls.inner(name) if type(found) is Ref else None
            if inner is None:
                return None
            found = inner.raw
        if type(found) is Ref:
            return self._with_arguments(found.cls, parts[-1][1], scope, above)
        return found

    def _with_arguments(self, cls: Cls, args: tuple, scope: dict[str, Type], above: bool) -> Ref:
        if not args:
            return cls.raw
        return Ref(cls, tuple([self.look_up(a, scope, above) for a in args]))

    def _qualified(self, names: list[str]) -> tuple[Type, int]:
        """Look up a name that begins with a package."""
        for at in range(1, len(names)):
            cls = self.world.get(".".join(names[: at + 1]))
            if cls is not None:
                return cls.raw, at + 1
        return (self.world.stranger(".".join(names)).raw if len(names) > 1 and names[0].islower()
                else None), len(names)  # fmt: skip

    def named(self, name: str) -> Type:
        """Give what a simple type name means inside this class."""
        found = self._names.get(name, self)
        if found is self:
            found = self._names[name] = self._named(name)
        return found

    def _named(self, name: str) -> Type:
        variable = self._read_header()[0].get(name)
        if variable is not None:
            return variable
        if self.simple == name and name:
            return self.raw
        inner = self.inner(name)
        if inner is not None:
            return inner.raw
        return self._outside(name)

    def _outside(self, name: str) -> Type:
        """Give what a name means around the class, or for the class's own clauses."""
        if self.simple == name and name:
            return self.raw
        if name in self.around:
            return self.around[name]
        if self.outer is not None:
            return self.outer.named(name)
        return self.file.named(name) if self.file is not None else self.world.top(name)
