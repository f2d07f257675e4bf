"""All classes that can be named, and what the names of a file mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from reference_systems.codebuddy_graph.classes import OBJECT, Cls

if TYPE_CHECKING:
    from reference_systems.codebuddy_graph.javatypes import Type
    from reference_systems.codebuddy_graph.jdk.table import Platform

__all__ = ["FileScope", "Sources", "World"]


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
