"""Java types as values, and the reader of types as they stand in a source.

A type is a `Prim`, a `Ref` to a class with its arguments, a `Var`, an `Arr` or, as an argument, a
`Wild`. ``None`` is a type that is not known: it fits everything and proves nothing.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from reference_systems.codebuddy_graph.classes import Cls

__all__ = [
    "BOX",
    "NULL",
    "PRIMS",
    "UNBOX",
    "Arr",
    "Prim",
    "Ref",
    "Type",
    "Var",
    "Wild",
    "parse_type",
    "parse_variables",
    "substitute",
]

#: a type read from text, its names not looked up yet
Parsed: TypeAlias = tuple
TOKEN = re.compile(r"[^\W\d][\w$]*|\.\.\.|[?<>,.&\[\]]")
ANNOTATION = re.compile(r"@(?!interface\b)[\w.$]+\s*(\([^()]*\))?|/\*.*?\*/|//[^\n]*", re.DOTALL)


class Prim:
    """A primitive type, ``void`` or the type of ``null``."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


class Ref:
    """A class or interface with its type arguments; none where it is raw."""

    __slots__ = ("args", "cls")

    def __init__(self, cls: Cls, args: tuple[Type, ...] = ()) -> None:
        self.cls = cls
        self.args = args

    def __repr__(self) -> str:
        inner = ",".join(map(repr, self.args))
        return f"{self.cls.name}<{inner}>" if inner else self.cls.name


class Var:
    """A type variable; its bounds are known once its declaration has been looked up."""

    __slots__ = ("bounds", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.bounds: tuple[Type, ...] = ()

    def __repr__(self) -> str:
        return self.name


class Arr:
    """An array of something."""

    __slots__ = ("item",)

    def __init__(self, item: Type) -> None:
        self.item = item

    def __repr__(self) -> str:
        return f"{self.item!r}[]"


class Wild:
    """A wildcard: ``?``, ``? extends X`` (sign 1) or ``? super X`` (sign 2)."""

    __slots__ = ("bound", "sign")

    def __init__(self, sign: int, bound: Type) -> None:
        self.sign = sign
        self.bound = bound

    def __repr__(self) -> str:
        return f"?{' es'[self.sign]}{self.bound!r}"


Type: TypeAlias = Prim | Ref | Var | Arr | Wild | None

NULL = Prim("null")
PRIMS = {
    name: Prim(name)
    for name in (
        "byte", "short", "char", "int", "long", "float", "double", "boolean", "void",
    )
}  # fmt: skip
BOX = {
    "byte": "java.lang.Byte",
    "short": "java.lang.Short",
    "char": "java.lang.Character",
    "int": "java.lang.Integer",
    "long": "java.lang.Long",
    "float": "java.lang.Float",
    "double": "java.lang.Double",
    "boolean": "java.lang.Boolean",
    "void": "java.lang.Void",
}
UNBOX = {boxed: PRIMS[name] for name, boxed in BOX.items() if name != "void"}


class _Reader(NamedTuple):
    words: list[str]

    def type(self, at: int) -> tuple[Parsed | None, int]:
        """Read one type from word ``at`` on; give it and where it ends."""
        words = self.words
        if at >= len(words):
            return None, at
        if words[at] == "?":
            return self._wildcard(at)
        found, at = self._named(at)
        while at + 1 < len(words) and words[at] == "[" and words[at + 1] == "]":
            found, at = ("array", found), at + 2
        if at < len(words) and words[at] == "...":
            found, at = ("array", found), at + 1
        return found, at

    def _wildcard(self, at: int) -> tuple[Parsed | None, int]:
        words = self.words
        sign = {"extends": 1, "super": 2}.get(words[at + 1] if at + 1 < len(words) else "", 0)
        if not sign:
            return ("wild", 0, None), at + 1
        bound, at = self.type(at + 2)
        return ("wild", sign, bound), at

    def _named(self, at: int) -> tuple[Parsed | None, int]:
        words = self.words
        if words[at] in PRIMS:
            return ("prim", words[at]), at + 1
        parts: list[tuple[str, tuple]] = []
        while at < len(words):
            name, at = words[at], at + 1
            inner: tuple = ()
            if at < len(words) and words[at] == "<":
                inner, at = self._arguments(at + 1)
            parts.append((name, inner))
            if at < len(words) and words[at] == ".":
                at += 1
                continue
            break
        return ("class", tuple(parts)), at

    def _arguments(self, at: int) -> tuple[tuple, int]:
        words, inner = self.words, []
        while at < len(words) and words[at] != ">":
            before = at
            found, at = self.type(at)
            while at < len(words) and words[at] == "&":
                _, at = self.type(at + 1)
            inner.append(found)
            at += words[at : at + 1] == [","]
            if at == before:
                break
        return tuple(inner), at + 1


def _words(text: str) -> list[str]:
    if "@" in text or "/" in text:
        text = ANNOTATION.sub(" ", text)
    return TOKEN.findall(text)


@cache
def parse_type(text: str) -> Parsed | None:
    """Read a type as it stands in a source.

    >>> parse_type("Map.Entry<K, ? extends int[]>")
    ('class', (('Map', ()), ('Entry', (('class', (('K', ()),)), ('wild', 1, ('array', ('prim', 'int')))))))
    >>> parse_type("")
    """
    words = _words(text)
    return _Reader(words).type(0)[0] if words else None


@cache
def parse_variables(text: str) -> tuple[tuple[str, tuple[Parsed | None, ...]], ...]:
    """Read the type variables of a declaration, each with its bounds.

    >>> parse_variables("T extends Comparable<T> & Runnable, U")
    (('T', (('class', (('Comparable', (('class', (('T', ()),)),)),)), ('class', (('Runnable', ()),)))), ('U', ()))
    """
    reader, found, at = _Reader(_words(text)), [], 0
    words = reader.words
    while at < len(words):
        name, at, bounds = words[at], at + 1, []
        if words[at : at + 1] == ["extends"]:
            bound, at = reader.type(at + 1)
            bounds.append(bound)
            while words[at : at + 1] == ["&"]:
                bound, at = reader.type(at + 1)
                bounds.append(bound)
        found.append((name, tuple(bounds)))
        at += 1
    return tuple(found)


def substitute(found: Type, mapping: dict[Var, Type]) -> Type:
    """Put types in the place of variables."""
    if not mapping or found is None:
        return found
    kind = type(found)
    if kind is Var:
        return mapping.get(found, found)
    if kind is Ref and found.args:
        return Ref(found.cls, tuple([_argument(a, mapping) for a in found.args]))
    if kind is Arr:
        return Arr(substitute(found.item, mapping))
    if kind is Wild:
        return Wild(found.sign, substitute(found.bound, mapping))
    return found


def _argument(found: Type, mapping: dict[Var, Type]) -> Type:
    """As `substitute`; a wildcard in the place of a wildcard's bound stays one wildcard."""
    if type(found) is Wild and type(found.bound) is Var:
        put = mapping.get(found.bound, found.bound)
        return put if type(put) is Wild else Wild(found.sign, put)
    return substitute(found, mapping)
