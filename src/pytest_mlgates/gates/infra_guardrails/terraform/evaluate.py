"""Terraform expressions, as far as they can be told without Terraform.

That is: literals, arithmetic, variables with defaults, locals, references to what the same folder
sets, and a few functions. All else is an :class:`Unknown` that keeps the expression as it was written.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from pytest_mlgates.gates.infra_guardrails.terraform.functions import (
    FUNCTIONS,
    LARGEST,
    NotKnown,
    as_text,
    number,
    plain,
)
from pytest_mlgates.gates.infra_guardrails.terraform.syntax import Expr, Json, parse_expression
from pytest_mlgates.gates.infra_guardrails.terraform.templates import (
    NOT_PLAIN,
    heredoc,
    plain_literal,
    unescaped,
)
from pytest_mlgates.reading.node import Node, Unknown, Unreadable

__all__ = ["Names", "Scope", "evaluate"]


_MOST_BITS = 4096


class Names(Protocol):
    """What a module knows by name; None where it does not."""

    def lookup(self, root: str, path: tuple[str | int, ...]) -> tuple[Node, int] | None:
        """Return a value and how many steps of the path led to it."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Where an expression stands: its module, and ``each``, ``count`` and iterators around it."""

    names: Names
    here: Mapping[str, Node] = field(default_factory=dict)


def evaluate(expr: Expr, scope: Scope) -> Node:
    """Return the value of an expression at its place."""
    if (simple := plain_literal(expr.tree)) is not NOT_PLAIN:
        return Node(simple, expr.file, expr.line)
    try:
        value = _evaluate_one(expr, scope)
    except (NotKnown, ArithmeticError, TypeError, ValueError, LookupError, RecursionError):
        value = Unknown(expr.text)
    if isinstance(value, Node):
        value = value.value
    if isinstance(value, Unknown):  # a variable that is not known may say why
        value = value if value.expression.startswith(f"{expr.text} (") else Unknown(expr.text)
    elif _too_large(value):
        value = Unknown(expr.text)
    return Node(value, expr.file, expr.line)


def _too_large(value: object) -> bool:
    """Tell whether a value has grown beyond what a manifest holds: locals can double it each time."""
    if isinstance(value, (str, list, dict)):
        return len(value) > LARGEST
    return isinstance(value, int) and value.bit_length() > _MOST_BITS


def _evaluate_one(expr: Expr, scope: Scope) -> Any:
    if isinstance(expr.tree, Json):
        return _of_json(expr, expr.tree.value, scope)
    return _sequence(expr, list(_parts(expr.tree)), scope)


def _all_known(expr: Expr, scope: Scope) -> Any:
    """Return a value that is fully known, as plain Python."""
    return plain(evaluate(expr, scope))


def _parts(tree: Any) -> Iterator[Any]:
    """Yield what a node is made of, comments left out."""
    return (child for child in tree.children if child.type != "comment")


def _sequence(expr: Expr, parts: list[Any], scope: Scope) -> Any:
    """Return the value of a term with the steps that follow it: ``a.b[0]``, ``(c)["d"]``."""
    if parts and parts[0].type == "(":
        parts = [part for part in parts if part.type not in "()"]
    head, *steps = parts
    if not steps and head.type != "variable_expr":
        reader = _READERS.get(head.type)
        if reader is None:
            raise NotKnown
        return reader(expr.of(head), scope)
    path = [_step(expr.of(step), scope) for step in steps]
    if head.type == "variable_expr":
        return _reference(head.text.decode(), path, scope)
    found = Node(_sequence(expr, [head], scope))
    for one in path:
        found = _index_step(found if not isinstance(found.value, Node) else found.value, one)
    return found


def _of_json(expr: Expr, value: object, scope: Scope) -> Any:
    """Return a value of JSON syntax; a text that is an expression is worked out."""
    if isinstance(value, Mapping):
        return {str(key): evaluate(expr.of(Json(item)), scope) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [evaluate(expr.of(Json(item)), scope) for item in value]
    if isinstance(value, str) and ("${" in value or "%{" in value):
        if value.startswith("${") and value.endswith("}") and value.count("${") == 1:
            return evaluate(parse_expression(value[2:-1], expr.file), scope)
        raise NotKnown
    return value


def _literal(expr: Expr, _: Scope) -> Any:
    (inner,) = expr.tree.named_children
    text = inner.text.decode()
    if inner.type == "string_lit":
        return unescaped(text[1:-1])
    if inner.type == "numeric_lit":
        return number(float(text)) if {".", "e", "E"} & set(text) else int(text)
    return _LITERALS[text]


def _template(expr: Expr, scope: Scope) -> Any:
    (inner,) = expr.tree.named_children
    if inner.type == "heredoc_template":
        return _heredoc(expr.of(inner), scope)
    parts = [c for c in inner.named_children if not c.type.startswith("quoted_template_")]
    texts = [_template_part(expr.of(part), scope) for part in parts]
    if len(parts) == 1 and not isinstance(texts[0], str):
        return texts[0]  # "${x}" alone keeps the type of x
    return "".join(as_text(text) for text in texts)


def _template_part(expr: Expr, scope: Scope) -> Any:
    if expr.tree.type == "template_literal":
        return unescaped(expr.tree.text.decode())
    if expr.tree.type != "template_interpolation":
        raise NotKnown  # a directive
    inner = next(c for c in expr.tree.named_children if c.type == "expression")
    return _all_known(expr.of(inner), scope)


def _heredoc(expr: Expr, scope: Scope) -> str:
    def worth(part: Any) -> str:
        return as_text(_template_part(expr.of(part), scope))

    return heredoc(expr.tree, worth)


def _collection(expr: Expr, scope: Scope) -> Any:
    (inner,) = expr.tree.named_children
    if inner.type == "tuple":
        items = [c for c in inner.named_children if c.type == "expression"]
        return [evaluate(expr.of(item), scope) for item in items]
    found: dict[str, Node] = {}
    for element in inner.named_children:
        if element.type != "object_elem":
            continue
        key, value = element.child_by_field_name("key"), element.child_by_field_name("val")
        word = _object_key(expr.of(key), scope)
        if word in found:
            raise Unreadable(f"{expr.file}:{expr.of(key).line}: the key {word!r} appears twice")
        found[word] = evaluate(expr.of(value), scope)
    return found


def _object_key(expr: Expr, scope: Scope) -> str:
    parts = list(_parts(expr.tree))
    if len(parts) == 1 and parts[0].type == "variable_expr":
        return str(parts[0].text.decode())  # a bare word is a key, not a reference
    return as_text(_all_known(expr, scope))


def _reference(root: str, path: list[str | int], scope: Scope) -> Any:
    if root in scope.here:
        found, used = scope.here[root], 0
    else:
        looked_up = scope.names.lookup(root, tuple(path))
        if looked_up is None:
            raise NotKnown
        found, used = looked_up
    for step in path[used:]:
        found = _index_step(found, step)
    return found


def _index_step(node: Node, step: str | int) -> Node:
    if isinstance(step, int) and isinstance(node.value, list):
        below: Node | None = node.value[step]
    else:
        below = node.get(step) if isinstance(step, str) and not node.unknown else None
    if below is None:
        raise NotKnown
    return below


def _step(expr: Expr, scope: Scope) -> str | int:
    """Return what ``.b``, ``.0`` or ``["c"]`` leads to."""
    tree = expr.tree
    if tree.type == "get_attr":
        return str(tree.named_children[0].text.decode())
    if tree.type != "index":
        raise NotKnown  # a splat
    inner = tree.named_children[0]
    if inner.type == "legacy_index":
        return int(inner.text.decode().lstrip("."))
    index = _all_known(expr.of(_first(inner, "expression")), scope)
    if isinstance(index, bool) or not isinstance(index, (int, str)):
        raise NotKnown
    return index


def _first(tree: Any, kind: str) -> Any:
    return next(child for child in tree.named_children if child.type == kind)


def _operation(expr: Expr, scope: Scope) -> Any:
    (inner,) = expr.tree.named_children
    parts = list(_parts(inner))
    if inner.type == "unary_operation":
        value = _operand(expr, parts[1:], scope)
        return not _boolean(value) if parts[0].type == "!" else -number(value)
    at = next(i for i, part in enumerate(parts) if part.type in _SIGNS)
    return _binary(
        parts[at].type, _operand(expr, parts[:at], scope), _operand(expr, parts[at + 1 :], scope)
    )


def _operand(expr: Expr, parts: list[Any], scope: Scope) -> Any:
    """Return a term of an operation, fully known; operators do not stand inside one."""
    value = _sequence(expr, parts, scope)
    return plain(value if isinstance(value, Node) else Node(value))


def _boolean(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise NotKnown


_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv,
    "%": math.fmod, "<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge,
}  # fmt: skip


def _binary(sign: str, a: Any, b: Any) -> Any:
    if sign in ("==", "!="):
        same = a == b and isinstance(a, bool) is isinstance(b, bool)  # to Python, 1 is true
        return same is (sign == "==")
    if sign in ("&&", "||"):
        a, b = _boolean(a), _boolean(b)
        return a and b if sign == "&&" else a or b
    result = _ARITHMETIC[sign](number(a), number(b))
    return result if isinstance(result, bool) else number(result)


_SIGNS = {*_ARITHMETIC, "==", "!=", "&&", "||"}


def _conditional(expr: Expr, scope: Scope) -> Any:
    asked, yes, no = (expr.of(c) for c in expr.tree.named_children if c.type == "expression")
    condition = evaluate(asked, scope)
    if condition.unknown:
        one, other = _all_known(yes, scope), _all_known(no, scope)
        if one == other:
            return evaluate(yes, scope)
        raise NotKnown
    return evaluate(yes if _boolean(condition.value) else no, scope)


def _call(expr: Expr, scope: Scope) -> Any:
    name, *rest = expr.tree.named_children
    function = FUNCTIONS.get(name.text.decode())
    given = list(rest[0].named_children) if rest else []
    if function is None or any(c.type == "ellipsis" for c in given):
        raise NotKnown
    return function(*(evaluate(expr.of(c), scope) for c in given if c.type == "expression"))


_LITERALS = {"true": True, "false": False, "null": None}

_READERS: dict[str, Callable[[Expr, Scope], Any]] = {
    "expression": _evaluate_one,
    "literal_value": _literal,
    "template_expr": _template,
    "collection_value": _collection,
    "operation": _operation,
    "conditional": _conditional,
    "function_call": _call,
}
