"""A value that knows where it stands; what only Terraform or Helm can tell is :class:`Unknown`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from pytest_mlgates.core import Unmeasurable

__all__ = [
    "REST",
    "Node",
    "Unknown",
    "Unreadable",
    "from_plain",
    "resolved",
    "short",
    "template_in",
    "walk",
]

MAX_DEPTH = 100
MAX_NODES = 1_000_000

#: the key of a mapping that may hold more than is known, ``merge(var.tags, {...})``
REST = "\0rest"

_TEMPLATE = re.compile(r"\{\{.*?\}\}|\$\{[^}]*\}|\$\([A-Za-z_]\w*\)|<%.*?%>", re.DOTALL)


class Unreadable(Unmeasurable):
    """A manifest that can't be read; the text names file, line and the way out."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """An expression whose value is decided elsewhere."""

    expression: str


@dataclass(frozen=True, slots=True)
class Node:
    """A value and its place: None, bool, int, float, str, :class:`Unknown`, dict or list of nodes.

    >>> body = from_plain({"spec": {"template": {"spec": 1}}}, "job.yaml")
    >>> body.get("spec", "template", "spec").value, body.get("spec", "ttl")
    (1, None)
    """

    value: Any
    file: str = ""
    #: of the key, where a value has one
    line: int = 0
    column: int = 0
    #: line and column of the value itself
    start: tuple[int, int] = (0, 0)

    @property
    def place(self) -> str:
        """``file:line``, or the file where lines are not known."""
        return f"{self.file}:{self.line}" if self.line else self.file

    @property
    def unknown(self) -> bool:
        """Whether only an expression is known."""
        return isinstance(self.value, Unknown)

    @property
    def items(self) -> list[Node]:
        """The members of a list; none of anything else."""
        return self.value if isinstance(self.value, list) else []

    @property
    def fields(self) -> dict[str, Node]:
        """The fields of a mapping (of a lone block, too); none of anything else."""
        value = self.value
        if isinstance(value, list) and len(value) == 1:
            value = value[0].value
        return value if isinstance(value, dict) else {}

    def get(self, *path: str) -> Node | None:
        """Follow keys; the unknown itself where the way leads through one, None where it ends."""
        here = self
        for key in path:
            if here.unknown:
                return here
            fields = here.fields
            found = fields.get(key, fields.get(REST))
            if found is None:
                return None
            here = found
        return here

    def text(self, *path: str) -> str:
        """Return a text below, or an empty one."""
        found = self.get(*path)
        return found.value if found is not None and isinstance(found.value, str) else ""

    def refuse(self, message: str) -> NoReturn:
        """Say that a manifest is broken here."""
        raise Unreadable(f"{self.place}: {message}")


def walk(node: Node) -> Iterator[tuple[str, Node]]:
    """Yield every node below with its key, each once, however often an alias repeats it."""
    seen: set[int] = set()
    left: list[tuple[str, Node]] = [("", node)]
    while left:
        key, here = left.pop()
        if isinstance(here.value, (dict, list)):
            if id(here.value) in seen:
                continue
            seen.add(id(here.value))
        yield key, here
        if isinstance(here.value, dict):
            left.extend(reversed(here.value.items()))
        elif isinstance(here.value, list):
            left.extend((key, item) for item in reversed(here.value))


def from_plain(
    value: object, file: str, text: Callable[[str, str], object] = lambda text, _: resolved(text)
) -> Node:
    """Return parsed JSON or YAML as nodes without lines; ``text`` may resolve a string.

    Raises :class:`Unreadable` on what no manifest holds.
    """
    left = MAX_NODES

    def node(value: object, depth: int) -> Node:
        nonlocal left
        left -= 1
        if depth > MAX_DEPTH:
            raise Unreadable(f"{file}: is nested deeper than {MAX_DEPTH} levels")
        if left < 0:
            raise Unreadable(f"{file}: holds more than {MAX_NODES:,} values")
        if isinstance(value, Mapping):
            return Node({_key_text(k, file): node(v, depth + 1) for k, v in value.items()}, file)
        if isinstance(value, (list, tuple)):
            return Node([node(item, depth + 1) for item in value], file)
        if isinstance(value, str):
            return Node(text(value, file), file)
        known = value is None or isinstance(value, (bool, int, float, Unknown))
        return Node(value if known else str(value), file)

    return node(value, 0)


def _key_text(key: object, file: str) -> str:
    if not isinstance(key, (str, int, float)):
        raise Unreadable(f"{file}: a key is a {type(key).__name__}: keys are words")
    return str(key)


def resolved(text: str) -> str | Unknown:
    """Return a text, or what it stands for where it is nothing but a template.

    >>> resolved("{{ .Values.labels }}")
    Unknown(expression='{{ .Values.labels }}')
    """
    return Unknown(short(text)) if _TEMPLATE.fullmatch(text.strip()) else text


def template_in(text: str) -> str:
    """Return the first template expression in a text (Helm, envsubst, …), or an empty string.

    >>> template_in("{{ .Values.ttl }}"), template_in("3600")
    ('{{ .Values.ttl }}', '')
    """
    found = _TEMPLATE.search(text)
    return short(found.group()) if found else ""


def short(text: str, longest: int = 70) -> str:
    """Return a text on one line, cut where it is long."""
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"
