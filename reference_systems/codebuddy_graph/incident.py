"""The incident build: the call chain pasted whole, comments and all, however long it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference_systems.codebuddy_graph.chain import Context, Shown, chain_of
from reference_systems.codebuddy_graph.excerpts import Excerpts
from reference_systems.codebuddy_graph.tokens import count_tokens

if TYPE_CHECKING:
    from reference_systems.codebuddy_graph.graph import Graph

__all__ = ["build_context"]


def build_context(graph: Graph, method: str, question: str, max_tokens: int) -> Context:
    """Paste every method that can be reached, as it stands; ``max_tokens`` is not looked at."""
    del max_tokens
    chain = chain_of(graph, method, question)
    excerpts = Excerpts(graph.store)
    parts = [question] if question else []
    shown = []
    for name in chain.reached:
        parts += [
            f"// {name}  {place.path}:{place.line}\n{excerpts.whole(place)}"
            for place in graph.places(name)
        ]
        shown += [Shown(name, "full", p.path, p.line) for p in graph.places(name)[:1]]
    text = "\n\n".join(parts)
    return Context(text, count_tokens(text), shown, [])
