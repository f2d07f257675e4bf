"""The call chain behind a question: where it begins, what is asked for, and what is on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from reference_systems.codebuddy_graph.graph import Reached
from reference_systems.codebuddy_graph.symbols import Ambiguous, mentions, named_methods

if TYPE_CHECKING:
    from reference_systems.codebuddy_graph.graph import Graph

__all__ = ["Chain", "Context", "NotFound", "Shown", "chain_of"]


class NotFound(LookupError):
    """A method that the tree does not have."""


class Chain(NamedTuple):
    """All that a question may need: the methods reached, nearest first, and the path to keep."""

    entries: list[str]
    asked: str | None
    path: list[str]
    reached: dict[str, Reached]


class Shown(NamedTuple):
    """A method as the context holds it: in full, as a summary, or as a name in a line."""

    name: str
    detail: str
    file: str
    line: int


class Context(NamedTuple):
    """What the model is given; ``short`` are the methods of the path that had no room in full."""

    text: str
    tokens: int
    methods: list[Shown]
    short: list[str]


def entry_methods(graph: Graph, method: str) -> list[str]:
    """Give the methods that a chain begins at: overloads together, classes not."""
    found = named_methods(graph, method)
    if not found:
        raise NotFound(f"no method of the tree is named {method[:200]!r}")
    owners = list(dict.fromkeys(name.rpartition(".")[0] for name in found))
    if len(owners) > 1:
        names = ", ".join(found[:5]) + (", …" if len(found) > 5 else "")
        raise Ambiguous(f"{method[:200]!r} may mean {len(found)} methods, name one: {names}")
    return found


def chain_of(graph: Graph, method: str, question: str) -> Chain:
    """Walk from a method to all that it reaches; the path leads to what the question asks about."""
    entries = entry_methods(graph, method)
    reached = graph.reach(entries)
    asked = _asked(graph, question, entries, reached)
    path = graph.path(reached, asked) if asked is not None else entries[:1]
    return Chain(entries, asked, path, reached)


def _asked(
    graph: Graph, question: str, entries: list[str], reached: dict[str, Reached]
) -> str | None:
    """Give the farthest method that a question names among those reached."""
    named: list[str] = []
    for word in mentions(question):
        named += [n for n in named_methods(graph, word) if n in reached and n not in entries]
        if named:
            break
    return max(named, key=lambda name: reached[name].distance, default=None)
