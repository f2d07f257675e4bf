"""Terraform's JSON syntax (``.tf.json``), and what python-hcl2 returns, as blocks."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pytest_mlgates.gates.infra_guardrails.terraform.syntax import Block, Body, Expr, Json
from pytest_mlgates.reading.node import MAX_DEPTH, Unreadable

__all__ = ["body_of_json", "read_json", "without_quotes"]

#: how many labels a block of the top level has
_LABELS = {"resource": 2, "data": 2, "variable": 1, "module": 1, "provider": 1, "output": 1}
_ALONE = ("locals", "terraform")


def read_json(text: str, name: str) -> Any:
    """Return parsed JSON; a line before it that a wrapper of Terraform printed is left out."""
    if text.startswith("[command]"):
        text = text.partition("\n")[2]
    try:
        return json.loads(text, object_pairs_hook=_Unique(name))
    except json.JSONDecodeError as error:
        raise Unreadable(f"{name}:{error.lineno}: is not JSON: {error.msg}") from None
    except (RecursionError, ValueError) as error:
        raise Unreadable(f"{name}: can't be read as JSON ({type(error).__name__})") from None


def body_of_json(value: object, name: str) -> Body:
    """Return a file of JSON syntax as the body that HCL would have.

    >>> body_of_json({"resource": {"aws_instance": {"a": {"ami": "x"}}}}, "a.tf.json").blocks[0].labels
    ('aws_instance', 'a')
    """
    if not isinstance(value, Mapping):
        raise Unreadable(f"{name}: is not an object of Terraform's JSON syntax")
    blocks: list[Block] = []
    for kind, inner in value.items():
        if kind in _LABELS:
            blocks += _labelled(str(kind), (), inner, name, _LABELS[kind])
        elif kind in _ALONE:
            blocks += _labelled(str(kind), (), inner, name, 0)
    return Body({}, tuple(blocks))


def _labelled(
    kind: str, labels: tuple[str, ...], value: object, name: str, left: int
) -> Iterator[Block]:
    for item in value if isinstance(value, list) else [value]:
        if not isinstance(item, Mapping):
            continue
        if left:
            for label, inner in item.items():
                yield from _labelled(kind, (*labels, str(label)), inner, name, left - 1)
        else:
            attributes = {str(key): (0, Expr(Json(v), name)) for key, v in item.items()}
            yield Block(kind, labels, Body(attributes, ()), name, 0)


def without_quotes(value: object, name: str, depth: int = 0) -> object:
    """Drop the quotes that python-hcl2 keeps around keys and strings, and its marks."""
    if depth > MAX_DEPTH:
        raise Unreadable(f"{name}: is nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, Mapping):
        return {
            _bare(key): without_quotes(item, name, depth + 1)
            for key, item in value.items()
            if not (isinstance(key, str) and key.startswith("__") and key.endswith("__"))
        }
    if isinstance(value, list):
        return [without_quotes(item, name, depth + 1) for item in value]
    return _bare(value)


def _bare(value: Any) -> Any:
    quoted = isinstance(value, str) and len(value) > 1 and value[0] == value[-1] == '"'
    return value[1:-1] if quoted else value


class _Unique:
    """Refuses an object of JSON that has a key twice."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) != len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in keys if keys.count(key) > 1)
            raise Unreadable(f"{self.name}: the key {twice!r} appears twice")
        return found
