"""Where an expression stands: its class, its callers, its variables; and what was found there."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tree_sitter import Node

    from reference_systems.codebuddy_graph.classes import Cls
    from reference_systems.codebuddy_graph.javatypes import Type

__all__ = ["Call", "Env", "Found", "Waiting", "Write"]


class Call(NamedTuple):
    """One edge: who calls what, where, and how."""

    caller: str
    callee: str
    line: int
    kind: str
    receiver: str


class Write(NamedTuple):
    """A method that writes a field, or throws an exception."""

    method: str
    name: str
    line: int


class Found:
    """All that the bodies of one file say."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.writes: list[Write] = []
        self.throws: list[Write] = []
        self.unresolved: list[Write] = []
        self.classes: list[Cls] = []
        #: every class of the file with what it inherits from directly
        self.extra_methods: list[tuple[str, int, int]] = []


class Waiting:
    """An argument that can only be read once it is known what it is for."""

    __slots__ = ("node",)

    def __init__(self, node: Node) -> None:
        self.node = node


class Env:
    """What is in scope at one place."""

    __slots__ = ("callers", "cls", "lam", "outer", "returns", "types", "vars", "want")

    def __init__(self, cls: Cls, outer: Env | None, callers: list[str]) -> None:
        self.cls = cls
        self.outer = outer
        self.callers = callers
        self.vars: dict[str, Type] = {}
        #: type variables of the method, and local classes
        self.types: dict[str, Type] = {}
        self.lam = False
        #: collects the types of what a lambda returns
        self.returns: list[Type] | None = None
        #: what a return statement is expected to give
        self.want: Type = None

    def child(self) -> Env:
        """Give a scope inside this one: what it declares is gone at its end."""
        made = Env.__new__(Env)
        made.cls = self.cls
        made.outer = self.outer
        made.callers = self.callers
        made.vars = dict(self.vars)
        made.types = self.types
        made.lam = self.lam
        made.returns = self.returns
        made.want = self.want
        return made
