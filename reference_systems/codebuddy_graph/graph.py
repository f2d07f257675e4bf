"""Walk the graph: who calls whom, what can be reached, where it stands."""

from __future__ import annotations

from collections import deque
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reference_systems.codebuddy_graph.store import Store

__all__ = ["Edge", "Graph", "Place", "Reached"]

DISPATCHED = {"virtual", "interface", "lambda"}


class Edge(NamedTuple):
    """A call as it stands in a file."""

    caller: str
    callee: str
    file: str
    line: int
    kind: str


class Place(NamedTuple):
    """One declaration of a method: overloads of one name and arity have several."""

    name: str
    file: int
    path: str
    line: int
    start: int
    stop: int


class Reached(NamedTuple):
    """A method that a chain of calls reaches: how far off, and from which method."""

    name: str
    distance: int
    parent: str | None


class Graph:
    """The calls of an index."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._paths = {row.id: row.path for row in store.files()}

    # edges

    def edges(self) -> Iterator[Edge]:
        """Give every edge, file by file; what an override may run instead follows its call."""
        seen: set[tuple[str, str]] = set()
        query = (
            "select caller, callee, path, line, kind, receiver from call join file on"
            " file.id = call.file order by path, line, call.rowid"
        )
        for caller, callee, path, line, kind, receiver in self.store.rows(query):
            yield Edge(caller, callee, path, line, kind)
            if kind in DISPATCHED:
                for other in self.overrides(callee, receiver):
                    if (caller, other) not in seen:
                        seen.add((caller, other))
                        yield Edge(caller, other, path, line, "override")

    def overrides(self, callee: str, receiver: str) -> list[str]:
        """Give the methods that may run instead of a callee for a receiver of a class."""
        tail = callee.rpartition(".")[2]
        if receiver == "java.lang.Object":
            return []  # every class of the tree may stand there
        return [
            method
            for method, cls in self._overriding.get(tail, ())
            if cls != receiver and receiver in self._ancestors.get(cls, ()) and method != callee
        ]

    @cached_property
    def _overriding(self) -> dict[str, list[tuple[str, str]]]:
        found: dict[str, list[tuple[str, str]]] = {}
        for method, cls, tail in self.store.rows("select method, class, tail from override"):
            pairs = found.setdefault(tail, [])
            if (method, cls) not in pairs:
                pairs.append((method, cls))
        return found

    @cached_property
    def _ancestors(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for cls, ancestor in self.store.rows("select name, ancestor from class"):
            found.setdefault(cls, set()).add(ancestor)
        return found

    def callers(self, name: str) -> list[Edge]:
        """Give the calls of a method."""
        return self._edges("callee", name)

    def callees(self, name: str) -> list[Edge]:
        """Give the calls that a method makes."""
        return self._edges("caller", name)

    def _edges(self, side: str, name: str) -> list[Edge]:
        query = (
            "select caller, callee, path, line, kind from call join file on file.id = call.file"  # noqa: S608
            f" where {side} = ? order by path, line, call.rowid"
        )
        return [Edge(*row) for row in self.store.rows(query, (name,))]

    def writers(self, field: str) -> list[tuple[str, str, int]]:
        """Give who writes a field: method, file, line."""
        query = (
            "select method, path, line from field_write join file on file.id = field_write.file"
            " where field = ? order by path, line"
        )
        return list(self.store.rows(query, (field,)))

    def thrown(self, name: str) -> list[tuple[str, str, int, bool]]:
        """Give what a method throws: exception, file, line, and whether it is only declared."""
        query = (
            "select exception, path, line, declared from thrown join file on"
            " file.id = thrown.file where method = ? order by declared, line"
        )
        return [(e, p, n, bool(d)) for e, p, n, d in self.store.rows(query, (name,))]

    # names

    @cached_property
    def names(self) -> dict[str, list[str]]:
        """All methods of the tree, by what stands between the last dot and the slash."""
        found: dict[str, list[str]] = {}
        for (name,) in self.store.rows("select distinct name from method order by name"):
            found.setdefault(name.rpartition(".")[2].rpartition("/")[0], []).append(name)
        return found

    @cached_property
    def fields(self) -> dict[str, list[str]]:
        """All fields that something writes, by their simple name."""
        found: dict[str, list[str]] = {}
        for (name,) in self.store.rows("select distinct field from field_write order by field"):
            found.setdefault(name.rpartition(".")[2], []).append(name)
        return found

    def places(self, name: str) -> list[Place]:
        """Give where a method is declared."""
        query = (
            "select name, file, line, start, stop from method where name = ? order by file, line"
        )
        return [
            Place(who, file, self._paths[file], line, start, stop)
            for who, file, line, start, stop in self.store.rows(query, (name,))
        ]

    # chains

    def reach(self, entries: list[str]) -> dict[str, Reached]:
        """Give the methods of the tree that calls lead to, nearest first; circles end."""
        known = self._known
        found = {name: Reached(name, 0, None) for name in entries}
        todo = deque(entries)
        while todo:
            name = todo.popleft()
            for callee in self._calls.get(name, ()):
                if callee in known and callee not in found:
                    found[callee] = Reached(callee, found[name].distance + 1, name)
                    todo.append(callee)
        return found

    @cached_property
    def _known(self) -> set[str]:
        return {name for names in self.names.values() for name in names}

    @cached_property
    def _calls(self) -> dict[str, list[str]]:
        found: dict[str, dict[str, None]] = {}
        for caller, callee in self.store.rows("select caller, callee from call order by rowid"):
            found.setdefault(caller, {})[callee] = None
        return {caller: list(callees) for caller, callees in found.items()}

    def calls_of(self, name: str) -> list[str]:
        """Give what a method calls, each once, in the order of the text."""
        return self._calls.get(name, [])

    @staticmethod
    def path(reached: dict[str, Reached], goal: str) -> list[str]:
        """Give the chain from the entry to a method that was reached."""
        chain: list[str] = []
        at: str | None = goal
        while at is not None:
            chain.append(at)
            at = reached[at].parent
        return chain[::-1]
