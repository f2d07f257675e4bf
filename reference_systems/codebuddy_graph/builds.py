"""The assistant in its builds, and trivial ones that no gate may pass, as the gates call them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reference_systems.codebuddy_graph import fixed, incident
from reference_systems.codebuddy_graph.answers import Answer, answer
from reference_systems.codebuddy_graph.chain import chain_of
from reference_systems.codebuddy_graph.graph import Graph
from reference_systems.codebuddy_graph.indexer import update
from reference_systems.codebuddy_graph.store import Store
from reference_systems.codebuddy_graph.symbols import mentions, named_methods
from reference_systems.codebuddy_graph.tokens import first_tokens

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["BUDGET", "Assistant", "empty", "names_only"]

#: tokens of the case: "condensed to 4k"
BUDGET = 4000
#: the window of the model that the incident's chain was pasted into; what is beyond is cut off
WINDOW = 4000


class Assistant:
    """One build over one index.

    The incident answers from its pasted chain, of which the model sees as much as its window holds;
    the fixed build answers from the graph.
    """

    def __init__(self, graph: Graph, build: str) -> None:
        self.graph = graph
        self.build = build

    @classmethod
    def over(cls, tree: Path, db: Path, build: str) -> Assistant:
        """Index a tree and open it with a build."""
        store = Store(db, create=True)
        update(store, tree)
        return cls(Graph(store), build)

    def context(self, asked: dict[str, Any]) -> str:
        """Give the text for the model: of ``method`` and ``question``."""
        make = incident.build_context if self.build == "incident" else fixed.build_context
        return make(self.graph, asked["method"], asked["question"], BUDGET).text

    def ask(self, question: str) -> Answer:
        """Answer a question; the incident knows of it what the beginning of its chain says."""
        found = answer(self.graph, question)
        if self.build != "incident":
            return found
        methods = (named_methods(self.graph, word) for word in mentions(question))
        subject = next((names[0] for names in methods if names), None)
        seen = self._window(subject) if subject else ""
        names = [n for n in found.names if n.rpartition(".")[2].partition("/")[0] in seen]
        sources = [s for s in found.sources if f"{s['file']}:" in seen]
        told = ", ".join(names) or "nothing that the window still shows"
        return Answer(f"By what the window shows of the pasted chain: {told}.", names, sources)

    def reachable(self, method: str) -> list[str]:
        """Give the methods that the model can name behind a method, from what it was given."""
        asked = {"method": method, "question": "What does it reach?"}
        text = self._window(method) if self.build == "incident" else self.context(asked)
        reached = chain_of(self.graph, method, "").reached
        return [name for name in reached if name.rpartition(".")[2].partition("/")[0] in text]

    def _window(self, method: str) -> str:
        text = self.context({"method": method, "question": ""})
        return first_tokens(text, WINDOW)


def empty(asked: dict[str, Any]) -> str:
    """A context that always fits."""
    del asked
    return ""


def names_only(assistant: Assistant) -> Callable[[dict[str, Any]], str]:
    """A context that holds every name, and no code."""

    def build(asked: dict[str, Any]) -> str:
        return "\n".join(chain_of(assistant.graph, asked["method"], "").reached)

    return build
