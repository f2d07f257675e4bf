"""Terraform's functions that can be told without Terraform, over nodes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pytest_mlgates.reading.node import REST, Node, Unknown

__all__ = ["FUNCTIONS", "LARGEST", "NotKnown", "as_text", "number", "plain"]

LARGEST = 100_000


class NotKnown(Exception):
    """The value of an expression is decided elsewhere."""


def plain(node: Node) -> Any:
    """Return a value that is fully known as plain Python; :class:`NotKnown` otherwise."""
    left = LARGEST

    def inner(node: Node) -> Any:
        nonlocal left
        left -= 1
        value = node.value
        if isinstance(value, Unknown) or left < 0:
            raise NotKnown
        if isinstance(value, dict):
            if REST in value:
                raise NotKnown
            return {key: inner(item) for key, item in value.items()}
        return [inner(item) for item in value] if isinstance(value, list) else value

    return inner(node)


def as_text(value: object) -> str:
    """Return a value as a template would have it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None or isinstance(value, (list, dict)):
        raise NotKnown
    return str(value)


def number(value: object) -> Any:
    """Return a number, also of a text that is one."""
    if isinstance(value, str):
        value = float(value) if not value.lstrip("-").isdigit() else int(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise NotKnown
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _merge(*maps: Node) -> dict[str, Node]:
    merged: dict[str, Node] = {}
    for each in maps:
        if each.unknown:  # it may set any key, also one that is known by now
            merged = {REST: each}
        elif each.value is not None:
            merged = dict(each.value) if REST in each.value else {**merged, **each.value}
    return merged


def _concat(*lists: Node) -> list[Node]:
    return [item for each in lists for item in _list(each)]


def _list(node: Node) -> list[Node]:
    if not isinstance(node.value, list):
        raise NotKnown
    return node.value


def _set(node: Node) -> list[Node]:
    kept: dict[Any, Node] = {}
    for item in _list(node):
        kept.setdefault(item.value if not item.unknown else id(item), item)
    return list(kept.values())


def _coalesce(*given: Node) -> Node:
    for each in given:
        if each.unknown:
            raise NotKnown
        if each.value not in (None, ""):
            return each
    raise NotKnown


def _slice(items: Node, start: Node, end: Node) -> list[Node]:
    return _list(items)[plain(start) : plain(end)]


def _element(items: Node, index: Node) -> Node:
    known = _list(items)
    return known[int(plain(index)) % len(known)]


def _lookup(fields: Node, key: Node, default: Node | None = None) -> Node:
    if fields.unknown or REST in fields.value:
        raise NotKnown
    found: Node | None = fields.value.get(plain(key), default)
    if found is None:
        raise NotKnown
    return found


def _flat(node: Node) -> list[Node]:
    found = []
    for item in _list(node):
        if item.unknown:
            raise NotKnown
        found += _flat(item) if isinstance(item.value, list) else [item]
    return found


def _formatted(text: str, values: list[Any]) -> str:
    if text.count("%") != text.count("%s") + text.count("%d"):
        raise NotKnown
    return text.replace("%d", "%s") % tuple(as_text(value) for value in values)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "toset": _set,
    "tolist": _list,
    "distinct": _set,
    "sort": lambda items: sorted(_list(items), key=plain),
    "compact": lambda items: [item for item in _list(items) if plain(item) not in (None, "")],
    "concat": _concat,
    "slice": _slice,
    "element": _element,
    "merge": _merge,
    "tomap": lambda node: node,
    "lookup": _lookup,
    "coalesce": _coalesce,
    "tonumber": lambda node: number(plain(node)),
    "tostring": lambda node: as_text(plain(node)),
    "lower": lambda node: as_text(plain(node)).lower(),
    "min": lambda *nodes: min(number(plain(n)) for n in nodes),
    "max": lambda *nodes: max(number(plain(n)) for n in nodes),
    "floor": lambda node: number(plain(node)) // 1,
    "length": lambda node: len(plain(node)),
    # what is written as text is looked at as it is
    "jsonencode": lambda node: node,
    "yamlencode": lambda node: node,
    "keys": lambda node: [Node(key) for key in sorted(plain(node))],
    "values": lambda node: [node.value[key] for key in sorted(plain(node))],
    "flatten": _flat,
    "join": lambda sign, items: as_text(plain(sign)).join(as_text(i) for i in plain(items)),
    "upper": lambda node: as_text(plain(node)).upper(),
    "format": lambda text, *more: _formatted(plain(text), [plain(m) for m in more]),
}
