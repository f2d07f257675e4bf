"""Find the methods and fields that a person names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reference_systems.codebuddy_graph.graph import Graph

__all__ = ["Ambiguous", "mentions", "named_fields", "named_methods", "sure_names"]

#: a name as people write it: dots, ``#`` or ``::`` before the method, an arity or a parameter list
NAME = re.compile(
    r"(?:[^\W\d][\w$]*(?:\.|#|::))*(?:[^\W\d][\w$]*|<init>|<clinit>)(?:/\d+|\([^()]*\))?"
)
SURE = re.compile(r"[.#:/(<$]|(?<=[a-z])[A-Z]")
WORDS = {
    "a", "an", "and", "any", "are", "by", "call", "called", "callees", "caller", "callers", "calls",
    "can", "class", "code", "constructor", "declare", "declared", "declares", "defined", "do", "does",
    "each", "end", "every", "exception", "exceptions", "field", "find", "for", "from", "get", "gets",
    "give", "goes", "has", "have", "how", "in", "into", "invoke", "invoked", "invokes", "is", "it",
    "its", "list", "me", "method", "methods", "of", "on", "or", "out", "reach", "reaches", "set",
    "sets", "show", "that", "the", "there", "this", "throw", "throws", "to", "use", "used", "uses",
    "what", "where", "which", "who", "why", "with", "write", "writes", "written", "update", "updates",
}  # fmt: skip


class Ambiguous(ValueError):
    """A name that means methods of several classes; says which."""


def _parts(text: str) -> tuple[str, str, int | None]:
    """Give class, member and arity of a name as people write it.

    >>> _parts("Map.Entry#getKey()"), _parts("a.B.<init>/2")
    (('Map.Entry', 'getKey', 0), ('a.B', '<init>', 2))
    """
    arity: int | None = None
    text = text.strip().strip("`'\"")
    if text.endswith(")") and "(" in text:
        text, _, given = text[:-1].partition("(")
        if given.strip() not in ("...", "…"):
            arity = _count(given)
            if not given.strip() and "." not in text:
                arity = None  # ``name()`` is how people mark a method
    elif "/" in text:
        text, _, number = text.rpartition("/")
        arity = int(number) if number.isdigit() else None
    text = text.replace("::", ".").replace("#", ".")
    owner, _, member = text.rpartition(".")
    return owner, member, arity


def _count(given: str) -> int:
    """Count the parameters between brackets, commas inside generics apart."""
    if not given.strip():
        return 0
    depth, count = 0, 1
    for letter in given:
        depth += (letter == "<") - (letter == ">")
        count += letter == "," and depth == 0
    return count


def _matches(name: str, owner: str, arity: int | None) -> bool:
    cls, _, tail = name.rpartition(".")
    if arity is not None and not tail.endswith(f"/{arity}"):
        return False
    return _is_class(cls, owner)


def _is_class(cls: str, owner: str) -> bool:
    if not owner or cls == owner:
        return True
    dotted, wanted = cls.replace("$", "."), owner.replace("$", ".")
    return dotted == wanted or dotted.endswith("." + wanted)


def named_methods(graph: Graph, text: str) -> list[str]:
    """Give the methods of the tree that a name may mean: overloads of it, and none in doubt."""
    owner, member, arity = _parts(text)
    names = graph.names.get(member, [])
    found = [name for name in names if _matches(name, owner, arity)]
    exact = [name for name in found if name.rpartition(".")[0] == owner]
    if not found and arity is not None and "(" in text:
        found = [name for name in names if _matches(name, owner, None)]
    if not found:
        # ``new Foo(…)`` is meant where a class is named
        cls = f"{owner}.{member}" if owner else member
        names = graph.names.get("<init>", [])
        found = [name for name in names if _matches(name, cls, arity)] if cls[:1] else []
    return exact or found


def named_fields(graph: Graph, text: str) -> list[str]:
    """Give the fields that a name may mean."""
    owner, member, arity = _parts(text)
    if arity is not None:
        return []
    found = graph.fields.get(member, [])
    return [name for name in found if _is_class(name.rpartition(".")[0], owner)]


def sure_names(text: str) -> list[str]:
    """Give what in a sentence can be nothing but a name, the longest first.

    >>> sure_names("Does Cache.put/2 call setValue, or set?")
    ['Cache.put/2', 'setValue']
    """
    found = dict.fromkeys(m[0].rstrip(".") for m in NAME.finditer(text))
    sure = [w for w in found if SURE.search(w)]
    return sorted(sure, key=len, reverse=True)


def mentions(text: str) -> list[str]:
    """Give what in a sentence may be a name, what surely is one first.

    >>> mentions("Which methods call StringUtils.isEmpty/1 ?")
    ['StringUtils.isEmpty/1']
    """
    found = [m[0].rstrip(".") for m in NAME.finditer(text)]
    sure = [w for w in found if SURE.search(w)]
    quoted = re.findall(r"[`'\"]([^`'\"\s]+)[`'\"]", text)
    rest = [w for w in found if w.lower() not in WORDS]
    return list(dict.fromkeys([*sure, *quoted, *rest]))
