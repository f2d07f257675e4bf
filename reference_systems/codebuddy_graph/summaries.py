"""The summarising agent: what a method does, said from what lies below it in the chain.

It works up the tree of calls: the summary of a method holds its head, what it throws and writes,
what it calls, and how much lies below that, which it takes from the summaries of its callees. All of
it is read off the graph, so that nothing can be said that the code does not hold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference_systems.codebuddy_graph.excerpts import Excerpts

if TYPE_CHECKING:
    from reference_systems.codebuddy_graph.chain import Chain
    from reference_systems.codebuddy_graph.graph import Graph, Place

__all__ = ["Summaries", "short"]

#: of the calls of one method, this many are named in its summary; all are in the chain's own lines
NAMED_CALLS = 6


def short(name: str) -> str:
    """Give class and method of a name without the package.

    >>> short("org.example.Outer$Inner.run/2")
    'Outer$Inner.run/2'
    """
    owner, _, tail = name.rpartition(".")
    return f"{owner.rpartition('.')[2]}.{tail}"


class Summaries:
    """Summaries of the methods of one chain, made once each, callees before callers."""

    def __init__(self, graph: Graph, chain: Chain) -> None:
        self._graph = graph
        self._chain = chain
        self._excerpts = Excerpts(graph.store)
        self._below: dict[str, int] = {}
        self._throws: dict[str, tuple[str, ...]] = {}
        self._lines: dict[str, str] = {}
        for name in reversed(chain.reached):
            self._fold(name)

    def _fold(self, name: str) -> None:
        """Take the summaries of the callees into that of a method; what a circle adds is left out."""
        inner = [c for c in self._graph.calls_of(name) if c in self._chain.reached and c != name]
        children = [c for c in inner if self._chain.reached[c].parent == name]
        self._below[name] = sum(1 + self._below.get(child, 0) for child in children)
        thrown = [e.rpartition(".")[2] for e, _, _, _ in self._graph.thrown(name)]
        for child in children:
            thrown += self._throws.get(child, ())
        self._throws[name] = tuple(dict.fromkeys(thrown))

    def full(self, name: str, toward: str | None = None) -> str:
        """Give a method in full, without comments.

        Of several overloads of one name and arity only those that call ``toward`` are given in full,
        where one does: the others are not on the path.
        """
        places = self._graph.places(name)
        wanted = self._calling(name, toward, places) or places
        parts = []
        for place in places:
            where = f"// {name} {place.path}:{place.line}\n"
            if place.stop <= place.start:
                parts.append(f"{where}// made by javac")
            elif place in wanted:
                parts.append(where + self._excerpts.code(place))
            else:
                parts.append(f"// also {self._excerpts.head(place)}")
        return "\n".join(parts)

    def _calling(self, name: str, toward: str | None, places: list[Place]) -> list[Place]:
        if toward is None or len(places) < 2:
            return []
        lines = [(e.file, e.line) for e in self._graph.callees(name) if e.callee == toward]
        return [
            place
            for place in places
            if any(
                path == place.path and place.line <= line <= self._excerpts.last_line(place)
                for path, line in lines
            )
        ]

    def line(self, name: str) -> str:
        """Give a method in one line."""
        if name not in self._lines:
            self._lines[name] = self._made(name)
        return self._lines[name]

    def _made(self, name: str) -> str:
        places = self._graph.places(name)
        heads = [self._excerpts.head(p) for p in places if p.stop > p.start]
        text = f"{short(name)}:{places[0].line} {' | '.join(heads[:2])}"
        if self._throws[name]:
            text += f" !{','.join(self._throws[name][:3])}"
        calls = [c for c in self._graph.calls_of(name) if c in self._chain.reached and c != name]
        if calls:
            named = [c.rpartition(".")[2].partition("/")[0] for c in calls]
            text += f" -> {' '.join(dict.fromkeys(named[:NAMED_CALLS]))}"
        if self._below[name] > len(calls):
            text += f" (+{self._below[name]} below)"
        return text
