"""The symbol table: classes, their members, and what a name means where it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

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

    from reference_systems.codebuddy_graph.jdk.table import Platform

__all__ = ["Cls", "FileScope", "Method", "Sources", "World"]

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

    def constant(self, name: str, depth: int = 0) -> bool:
        """Tell whether the compiler puts a field's value in where it is named (JLS 15.29)."""
        head, _, last = name.rpartition(".")
        if not head and self.file is not None:
            owners = [o for o, _, member in self.file.static if member == name]
            if owners and (cls := self.world.dotted(owners[0])) is not None:
                return cls.constant(name, depth)
        cls = self
        if head:
            found = self.look_up(parse_type(head), {})
            cls = found.cls if type(found) is Ref else None
        while cls is not None:
            for owner in cls.ancestors():
                for raw in owner.record["v"]:
                    if raw[0] == last:
                        return owner.constant_field(raw, depth)
            cls = None if head else cls.outer
        return False

    def constant_field(self, raw: list, depth: int = 0) -> bool:
        """Tell whether a field is a constant, with all that its value is made of."""
        if raw[2] not in PRIMS and raw[2] not in ("String", "java.lang.String"):
            return False
        if not self.in_tree:
            return bool(raw[1])
        names = raw[3] if len(raw) > 3 else None
        return (
            names is not None
            and depth < rules.DEPTH
            and all(self.constant(name, depth + 1) for name in names)
        )

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
        parts = parsed[1]
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


class FileScope:
    """What the names of a file mean: its package and its imports."""

    def __init__(self, world: World, skeleton: dict) -> None:
        self.world = world
        self.package: str = skeleton["p"]
        imports: list = skeleton["im"]
        self.single = {i[1].rpartition(".")[2]: i[1] for i in imports if not i[0] and not i[2]}
        self.wild = [i[1] for i in imports if not i[0] and i[2]]
        self.static = [(i[1].rpartition(".")) for i in imports if i[0] and not i[2]]
        self.static_wild = [i[1] for i in imports if i[0] and i[2]]
        self._names: dict[str, Type] = {}

    def named(self, name: str) -> Type:
        """Give what a simple type name means in this file, outside of its classes."""
        if name not in self._names:
            found = self._find(name)
            self._names[name] = None if found is None else found.raw
        return self._names[name]

    def _find(self, name: str) -> Cls | None:
        world = self.world
        if name in self.single:
            return world.dotted(self.single[name]) or world.stranger(self.single[name])
        found = world.get(f"{self.package}.{name}" if self.package else name)
        if found is not None:
            return found
        for owner, _, member in self.static:
            if member == name and (cls := world.dotted(owner)) and (inner := cls.inner(name)):
                return inner
        for package in self.wild:
            found = world.dotted(f"{package}.{name}")
            if found is not None:
                return found
        for owner in self.static_wild:
            if (cls := world.dotted(owner)) and (inner := cls.inner(name)):
                return inner
        found = world.get(f"java.lang.{name}")
        if found is not None:
            return found
        if not name[:1].isupper():
            return None
        strange = [p for p in self.wild if not world.package(p) and world.dotted(p) is None]
        return world.stranger(f"{strange[0]}.{name}") if len(strange) == 1 else None

    def static_owners(self, name: str) -> list[Cls]:
        """Give the classes whose static member of that name the file imports."""
        named = [owner for owner, _, member in self.static if member == name]
        found = (self.world.dotted(o) or self.world.stranger(o) for o in named)
        return list(found) or [
            self.world.dotted(o) or self.world.stranger(o) for o in self.static_wild
        ]


class Sources(Protocol):
    """Where the skeletons of a tree come from."""

    def file_of(self, top: str) -> tuple[str, dict] | None:
        """Give path and skeleton of the file that declares a top-level class."""

    def packages(self) -> set[str]:
        """Give the packages of the tree."""


class World:
    """All classes that can be named: of the tree, of the platform, and strangers."""

    def __init__(self, sources: Sources, platform: Platform) -> None:
        self.sources = sources
        self.platform = platform
        self._classes: dict[str, Cls | None] = {}
        self._strangers: dict[str, Cls] = {}
        self._scopes: dict[str, FileScope] = {}
        self._dotted: dict[str, Cls | None] = {}
        found = self.get(OBJECT)
        assert found is not None
        self.object = found.raw

    def get(self, name: str) -> Cls | None:
        """Give a class by its binary name."""
        if name in self._classes:
            return self._classes[name]
        outer_name, _, simple = name.rpartition("$")
        if outer_name and (outer := self.get(outer_name)) is not None:
            made = self._member(outer, name, simple)
        else:
            made = self._top(name)
        self._classes[name] = made
        return made

    def _member(self, outer: Cls, name: str, simple: str) -> Cls | None:
        for record in outer.record.get("t", ()):
            if record["n"] == simple:
                made = Cls(self, name, record, outer)
                made.in_tree = outer.in_tree
                return made
        if outer.in_tree or not self.platform.has(name):
            return None
        return Cls(self, name, self.platform.record(name), outer)

    def _top(self, name: str) -> Cls | None:
        found = self.sources.file_of(name)
        if found is not None:
            path, skeleton = found
            simple = name.rpartition(".")[2]
            for record in skeleton["t"]:
                if record["n"] == simple:
                    made = Cls(self, name, record, None)
                    made.in_tree = True
                    made.file = self.scope(path, skeleton)
                    return made
        record = self.platform.record(name)
        return None if record is None else Cls(self, name, record, None)

    def scope(self, path: str, skeleton: dict) -> FileScope:
        """Give the names of a file."""
        if path not in self._scopes:
            self._scopes[path] = FileScope(self, skeleton)
        return self._scopes[path]

    def stranger(self, name: str) -> Cls:
        """Give a class of which only the name is known, as a source names it.

        By the convention that packages are small and classes capital, what follows the first
        class is inside it.
        """
        parts = name.split(".")
        top = next((at for at, part in enumerate(parts) if part[:1].isupper()), len(parts) - 1)
        name = ".".join([*parts[:top], "$".join(parts[top:])])
        if name not in self._strangers:
            self._strangers[name] = Cls(self, name, None, None)
        return self._strangers[name]

    def package(self, name: str) -> bool:
        """Tell whether the tree or the platform has a package."""
        return name in self.platform.packages or name in self.sources.packages()

    def dotted(self, name: str) -> Cls | None:
        """Give a class by the name that a source uses, with dots for members too."""
        if name not in self._dotted:
            found = self.get(name)
            head, _, tail = name.rpartition(".")
            if found is None and head and (outer := self.dotted(head)) is not None:
                found = outer.inner(tail)
            self._dotted[name] = found
        return self._dotted[name]

    def top(self, name: str) -> Type:
        """Give a class of the platform by a name that its table uses."""
        found = self.get(name) or self.get(f"java.lang.{name}")
        return None if found is None else found.raw

    def register(self, cls: Cls) -> None:
        """Make a class that a body declares known, so that classes inside it are found."""
        self._classes[cls.name] = cls
