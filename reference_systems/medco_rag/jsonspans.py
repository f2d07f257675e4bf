"""JSON with the place of every value, so that a claim can quote the line it stands in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Node", "read", "within"]

_BLANK = re.compile(r"[ \t\r\n]*")
_SCALAR = re.compile(r"-?\d[^\s,\]}]*|true|false|null")
_DEEPEST = 200
_STRING = json.decoder.scanstring  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Node:
    """A value and its characters; an object holds nodes by key, a list holds nodes."""

    start: int
    end: int
    value: dict[str, Node] | list[Node] | str | int | float | bool | None

    def get(self, *path: str | int) -> Node | None:
        """Return what lies at the end of a path, or None where any step is missing.

        >>> text = '{"code": [{"text": "Latex"}]}'
        >>> found = read(text).get("code", 0, "text")
        >>> found.value, text[found.start:found.end]
        ('Latex', '"Latex"')
        """
        here: Node | None = self
        for step in path:
            inner = here.value if here is not None else None
            if isinstance(inner, dict) and isinstance(step, str):
                here = inner.get(step)
            elif isinstance(inner, list) and isinstance(step, int) and step < len(inner):
                here = inner[step]
            else:
                return None
        return here

    def text(self, *path: str | int) -> str:
        """Return the text at the end of a path, or nothing."""
        found = self.get(*path)
        return found.value.strip() if found is not None and isinstance(found.value, str) else ""

    def items(self, *path: str | int) -> list[Node]:
        """Return the members of the list at the end of a path; anything else has none."""
        found = self.get(*path)
        return found.value if found is not None and isinstance(found.value, list) else []


def read(text: str, start: int = 0) -> Node:
    """Return the value that begins at ``start``, with places.

    :raises ValueError: where that is not JSON, or nests deeper than 200.
    """
    try:
        node, _ = _value(text, _skip(text, start), 0)
    except IndexError as error:
        raise ValueError("the text ends inside a value") from error
    return node


def within(text: str, *nodes: Node | None) -> tuple[int, int]:
    """Return the smallest stretch that holds all nodes, each from the key it belongs to."""
    found = [node for node in nodes if node is not None]
    starts = []
    for node in found:
        head = text.rfind('"', 0, text.rfind(":", 0, node.start) + 1) if node.start else -1
        key = text.rfind('"', 0, head) if head > 0 else -1
        plain = key >= 0 and re.fullmatch(r'"\w+"\s*:\s*', text[key : node.start]) is not None
        starts.append(key if plain else node.start)
    return min(starts), max(node.end for node in found)


def entries(text: str) -> Iterator[tuple[str, Node]]:
    """Yield address and node of each resource of a bundle, or of the one that a file holds."""
    root = read(text)
    if root.text("resourceType") == "Bundle":
        for entry in root.items("entry"):
            resource = entry.get("resource")
            if resource is not None and isinstance(resource.value, dict):
                yield entry.text("fullUrl"), resource
    elif isinstance(root.value, dict):
        yield "", root


def _skip(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found else at


def _value(text: str, at: int, depth: int) -> tuple[Node, int]:
    if depth > _DEEPEST:
        raise ValueError(f"values nest deeper than {_DEEPEST}")
    mark = text[at]
    if mark == '"':
        string, end = _STRING(text, at + 1, True)
        return Node(at, end, string), end
    if mark == "{":
        return _object(text, at, depth)
    if mark == "[":
        return _list(text, at, depth)
    found = _SCALAR.match(text, at)
    if found is None:
        raise ValueError(f"not JSON at character {at}")
    return Node(at, found.end(), json.loads(found.group())), found.end()


def _object(text: str, start: int, depth: int) -> tuple[Node, int]:
    members: dict[str, Node] = {}
    at = _skip(text, start + 1)
    if text[at] == "}":
        return Node(start, at + 1, members), at + 1
    while True:
        if text[at] != '"':
            raise ValueError(f"a key is missing at character {at}")
        key, at = _STRING(text, at + 1, True)
        at = _skip(text, at)
        if text[at] != ":":
            raise ValueError(f"a colon is missing at character {at}")
        members[key], at = _value(text, _skip(text, at + 1), depth + 1)
        at = _skip(text, at)
        if text[at] == "}":
            return Node(start, at + 1, members), at + 1
        if text[at] != ",":
            raise ValueError(f"a comma is missing at character {at}")
        at = _skip(text, at + 1)


def _list(text: str, start: int, depth: int) -> tuple[Node, int]:
    members: list[Node] = []
    at = _skip(text, start + 1)
    if text[at] == "]":
        return Node(start, at + 1, members), at + 1
    while True:
        node, at = _value(text, at, depth + 1)
        members.append(node)
        at = _skip(text, at)
        if text[at] == "]":
            return Node(start, at + 1, members), at + 1
        if text[at] != ",":
            raise ValueError(f"a comma is missing at character {at}")
        at = _skip(text, at + 1)
