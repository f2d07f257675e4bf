"""Answer questions about the graph, each answer with the files and lines that it rests on."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, NamedTuple

from reference_systems.codebuddy_graph.symbols import (
    mentions,
    named_fields,
    named_methods,
    sure_names,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reference_systems.codebuddy_graph.graph import Edge, Graph

__all__ = ["Answer", "NotUnderstood", "answer"]

LONGEST = 20_000
SHOWN = 12
CALLED_BY = re.compile(
    r"callees?\s+of|(called|invoked|used)\s+(by|from|in|inside|within)\s+(the\s+)?\w*\s*X\b"
    r"|calls\s+(are\s+|is\s+)?(made\s+)?(by|from|in|inside)|\b(does|do|did|will|can)\s+(the\s+)?\w*\s*X\b.*"
    r"\b(call|invoke|use|depend)|\bX\b\s+(directly\s+)?(call|invoke|use|depend)s?\b"
)
WRITE = re.compile(r"\b(writ|assign|modif|mutat|updat|chang|sets?\b|setting)")
THROW = re.compile(r"\b(throw|exception|rais)")
OVERRIDE = re.compile(r"\b(overrid|implement)")
REACH = re.compile(r"\b(reach|path|chain|lead)|\bget\s+(from|to)\b")
WHERE = re.compile(r"\b(where|which\s+file|what\s+file|defined|declared|located)\b")
CALLERS = re.compile(r"\b(call|invok|us(e|es|ed|age|ages|ing)\b|caller|refer)")


class NotUnderstood(ValueError):
    """A question that can't be answered; says what can."""


class Answer(NamedTuple):
    """An answer: a sentence, the names it gives, and where each stands."""

    text: str
    names: list[str]
    sources: list[dict[str, str | int]]


def answer(graph: Graph, question: str) -> Answer:
    """Answer who calls, what is called, what is thrown, who writes, what overrides, what leads to."""
    if not question.strip():
        raise NotUnderstood("the question is empty")
    if len(question) > LONGEST:
        raise NotUnderstood(
            f"the question has {len(question):,} characters, at most {LONGEST:,} are read"
        )
    words = mentions(question)
    bare = _without_names(question)
    if WRITE.search(bare):
        found = _first(words, lambda word: named_fields(graph, word))
        if found is not None:
            return _writers(graph, found[1])
        if not CALLERS.search(bare):
            raise NotUnderstood(_unknown(words, "field that something writes"))
    found = _first(words, lambda word: named_methods(graph, word))
    if found is None:
        raise NotUnderstood(_unknown(words, "method"))
    word, methods = found
    return _about(graph, _marked(question, word), words, word, methods)


def _about(graph: Graph, plain: str, words: list[str], word: str, methods: list[str]) -> Answer:
    if THROW.search(plain):
        return _thrown(graph, methods)
    if REACH.search(plain):
        others = [w for w in words if w != word]
        found = _first(others, lambda other: named_methods(graph, other))
        if found is not None:
            return _path(graph, methods, found[1])
    if CALLED_BY.search(plain):
        return _callees(graph, methods)
    if OVERRIDE.search(plain):
        return _overriding(graph, methods)
    if WHERE.search(plain) and not CALLERS.search(plain):
        return _declared(graph, methods)
    if CALLERS.search(plain):
        return _callers(graph, methods)
    return _declared(graph, methods)


def _marked(question: str, word: str) -> str:
    """Put ``X`` in the place of a name, and take out the others: only the words around it count."""
    return " X ".join(_without_names(part) for part in question.split(word))


def _without_names(text: str) -> str:
    """Take out what surely is a name: ``setValue`` writes nothing by being named."""
    for word in sure_names(text):
        text = text.replace(word, " ")
    return text.lower()


def _first(words: Iterable[str], look) -> tuple[str, list[str]] | None:
    for word in words:
        found = look(word)
        if found:
            return word, found
    return None


def _unknown(words: list[str], what: str) -> str:
    named = f" {words[0][:200]!r}" if words else ""
    return (
        f"the tree has no {what}{named}: ask who calls, what is called by, what is thrown by, "
        "or who writes, and name it as Class.member"
    )


def _joined(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def _of(methods: list[str]) -> str:
    return methods[0] if len(methods) == 1 else f"{methods[0]} and {len(methods) - 1} more"


def _edges_answer(edges: list[Edge], names: list[str], verb: str) -> Answer:
    sources = {(e.file, e.line): None for e in edges}
    text = f"{verb}: {_joined(names)}." if names else f"{verb}: none that the graph knows."
    return Answer(text, names, [{"file": f, "line": n} for f, n in sources])


def _callers(graph: Graph, methods: list[str]) -> Answer:
    edges = [edge for name in methods for edge in graph.callers(name)]
    names = list(dict.fromkeys(edge.caller for edge in edges))
    return _edges_answer(edges, names, f"{len(names)} methods call {_of(methods)}")


def _callees(graph: Graph, methods: list[str]) -> Answer:
    edges = [edge for name in methods for edge in graph.callees(name)]
    names = list(dict.fromkeys(edge.callee for edge in edges))
    return _edges_answer(edges, names, f"{_of(methods)} calls {len(names)} methods")


def _thrown(graph: Graph, methods: list[str]) -> Answer:
    rows = [row for name in methods for row in graph.thrown(name)]
    names = list(dict.fromkeys(e for e, _, _, _ in rows))
    only = [e for e in names if all(d for x, _, _, d in rows if x == e)]
    text = f"{_of(methods)} throws {_joined(names) or 'nothing that it names'}"
    if only:
        text += f" (declared, not thrown in its own body: {_joined(only)})"
    sources = dict.fromkeys((path, line) for _, path, line, _ in rows)
    return Answer(text + ".", names, [{"file": f, "line": n} for f, n in sources])


def _writers(graph: Graph, fields: list[str]) -> Answer:
    rows = [row for field in fields for row in graph.writers(field)]
    names = list(dict.fromkeys(method for method, _, _ in rows))
    sources = dict.fromkeys((path, line) for _, path, line in rows)
    text = f"{len(names)} methods write {_of(fields)}: {_joined(names)}."
    return Answer(text, names, [{"file": f, "line": n} for f, n in sources])


def _overriding(graph: Graph, methods: list[str]) -> Answer:
    names = [other for name in methods for other in graph.overrides(name, name.rpartition(".")[0])]
    names = list(dict.fromkeys(names))
    places = [p for name in names for p in graph.places(name)]
    text = f"{len(names)} methods override {_of(methods)}: {_joined(names) or 'none'}."
    return Answer(text, names, [{"file": p.path, "line": p.line} for p in places])


def _declared(graph: Graph, methods: list[str]) -> Answer:
    places = [p for name in methods for p in graph.places(name)]
    where = ", ".join(f"{p.path}:{p.line}" for p in places[:SHOWN])
    return Answer(
        f"{_of(methods)} is declared at {where}.",
        methods,
        [{"file": p.path, "line": p.line} for p in places],
    )


def _path(graph: Graph, entries: list[str], goals: list[str]) -> Answer:
    for begin, end in ((entries, goals), (goals, entries)):
        reached = graph.reach(begin)
        hit = next((goal for goal in end if goal in reached), None)
        if hit is not None:
            path = graph.path(reached, hit)
            sources: list[dict[str, str | int]] = []
            for caller, callee in itertools.pairwise(path):
                edge = next(e for e in graph.callees(caller) if e.callee == callee)
                sources.append({"file": edge.file, "line": edge.line})
            return Answer(f"{' -> '.join(path)}.", path, sources)
    text = f"No chain of calls leads from {_of(entries)} to {_of(goals)}, nor back."
    return Answer(text, [], [])
