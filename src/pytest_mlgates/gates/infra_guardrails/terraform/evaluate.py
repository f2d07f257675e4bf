"""Terraform expressions, as far as they can be told without Terraform.

That is: literals, arithmetic, variables with defaults, locals, references to what the same folder
sets, and a few functions. All else is an :class:`Unknown` that keeps the expression as it was written.
"""

from __future__ import annotations

import operator
import textwrap
from collections.abc import Callable, Mapping
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
from pytest_mlgates.gates.infra_guardrails.terraform.syntax import Expr
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
    try:
        value = _evaluate_one(expr, scope)
    except (NotKnown, ArithmeticError, TypeError, ValueError, LookupError):
        value = Unknown(expr.text)
    except RecursionError:
        raise Unreadable(f"{expr.file}:{expr.line}: is nested too deep") from None
    if isinstance(value, Node):
        value = value.value
    if isinstance(value, Unknown) or _too_large(value):
        value = Unknown(expr.text)
    return Node(value, expr.file, expr.line)


def _too_large(value: object) -> bool:
    """Tell whether a value has grown beyond what a manifest holds: locals can double it each time."""
    if isinstance(value, (str, list, dict)):
        return len(value) > LARGEST
    return isinstance(value, int) and value.bit_length() > _MOST_BITS


def _evaluate_one(expr: Expr, scope: Scope) -> Any:
    reader = _READERS.get(str(getattr(expr.tree, "data", "")))
    if reader is None:
        raise NotKnown
    return reader(expr, scope)


def _all_known(expr: Expr, scope: Scope) -> Any:
    """Return a value that is fully known, as plain Python."""
    return plain(evaluate(expr, scope))


def _children(expr: Expr) -> list[Expr]:
    """Return the parts that are trees, comments left out."""
    parts = (c for c in expr.tree.children if getattr(c, "data", "new_line_or_comment"))
    return [expr.of(c) for c in parts if getattr(c, "data", "new_line_or_comment") not in _NO_VALUE]


_NO_VALUE = {"new_line_or_comment"}


def _term(expr: Expr, scope: Scope) -> Any:
    (inner,) = _children(expr)
    return _evaluate_one(inner, scope)


def _string(expr: Expr, scope: Scope) -> Any:
    parts = _children(expr)
    texts = [_string_part(part, scope) for part in parts]
    if len(parts) == 1 and not isinstance(texts[0], str):
        return texts[0]  # "${x}" alone keeps the type of x
    return "".join(as_text(text) for text in texts)


def _string_part(expr: Expr, scope: Scope) -> Any:
    (part,) = expr.tree.children
    kind = getattr(part, "data", None)
    if kind == "interpolation":
        return _all_known(_children(expr.of(part))[0], scope)
    if kind is not None:
        raise NotKnown  # a directive
    text = str(part)
    if part.type == "STRING_CHARS":
        for escape, meant in (('\\"', '"'), ("\\n", "\n"), ("\\t", "\t"), ("\\\\", "\\")):
            text = text.replace(escape, meant)
        return text
    return text[1:]  # $${ and %%{ mean what stands after the first sign


def _heredoc(expr: Expr, _: Scope) -> str:
    text = str(expr.tree.children[0])
    if "${" in text or "%{" in text:
        raise NotKnown
    head, _newline, rest = text.partition("\n")
    lines = rest.rstrip().split("\n")[:-1]
    body = "\n".join(lines) + "\n" if lines else ""
    return textwrap.dedent(body) if head.startswith("<<-") else body


def _tuple_node(expr: Expr, scope: Scope) -> list[Node]:
    return [evaluate(child, scope) for child in _children(expr)]


def _object(expr: Expr, scope: Scope) -> dict[str, Node]:
    found: dict[str, Node] = {}
    for element in _children(expr):
        key, value = element.tree.children[0], element.tree.children[2]
        word = _object_key(element.of(key), scope)
        if word in found:
            at = element.of(key)
            raise Unreadable(f"{at.file}:{at.line}: the key {word!r} appears twice")
        found[word] = evaluate(element.of(value), scope)
    return found


def _object_key(expr: Expr, scope: Scope) -> str:
    inner = expr.tree.children[0]
    if getattr(inner, "data", None) == "expr_term":
        only = inner.children[0]
        if getattr(only, "data", None) == "identifier":
            return str(only.children[0])  # a bare word is a key, not a reference
    if getattr(inner, "data", None) in ("keyword", "literal_value", "identifier"):
        return str(inner.children[0])
    return as_text(_all_known(expr.of(inner), scope))


def _traversal(expr: Expr, scope: Scope) -> Any:
    base, path = _reference_path(expr, scope)
    if base.tree.data != "identifier":
        found, used = evaluate(base, scope), 0
    elif (root := str(base.tree.children[0])) in scope.here:
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


def _reference_path(expr: Expr, scope: Scope) -> tuple[Expr, list[str | int]]:
    """Return what ``a.b[0]["c"]`` begins with, and the steps from it."""
    kind, parts = expr.tree.data, _children(expr)
    if kind == "expr_term" and len(parts) == 1:
        return _reference_path(parts[0], scope)
    if kind not in ("get_attr_expr_term", "index_expr_term"):
        return expr, []
    root, steps = _reference_path(parts[0], scope)
    step = parts[1]
    if step.tree.data == "get_attr":
        return root, [*steps, str(_children(step)[0].tree.children[0])]
    if step.tree.data == "short_index":
        return root, [*steps, int(step.tree.children[1])]
    index = _all_known(_children(step)[0], scope)
    if isinstance(index, bool) or not isinstance(index, (int, str)):
        raise NotKnown
    return root, [*steps, index]


def _unary(expr: Expr, scope: Scope) -> Any:
    sign = str(expr.tree.children[0])
    value = _all_known(_children(expr)[-1], scope)
    if sign == "!":
        return not _boolean(value)
    return -number(value)


def _boolean(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise NotKnown


_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv,
    "%": operator.mod, "<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge,
}  # fmt: skip


def _binary(expr: Expr, scope: Scope) -> Any:
    left, term = _children(expr)
    sign = str(_children(term)[0].tree.children[0])
    a, b = _all_known(left, scope), _all_known(_children(term)[1], scope)
    if sign in ("==", "!="):
        return (a == b) is (sign == "==")
    if sign in ("&&", "||"):
        a, b = _boolean(a), _boolean(b)
        return a and b if sign == "&&" else a or b
    result = _ARITHMETIC[sign](number(a), number(b))
    return result if isinstance(result, bool) else number(result)


def _conditional(expr: Expr, scope: Scope) -> Any:
    asked, yes, no = _children(expr)
    condition = evaluate(asked, scope)
    if condition.unknown:
        one, other = _all_known(yes, scope), _all_known(no, scope)
        if one == other:
            return evaluate(yes, scope)
        raise NotKnown
    return evaluate(yes if _boolean(condition.value) else no, scope)


def _call(expr: Expr, scope: Scope) -> Any:
    name, *rest = _children(expr)
    function = FUNCTIONS.get(str(name.tree.children[0]))
    if function is None or any(str(c) == "..." for part in rest for c in part.tree.children):
        raise NotKnown
    given = [evaluate(argument, scope) for part in rest for argument in _children(part)]
    return function(*given)


_LITERALS = {"true": True, "false": False, "null": None}

_READERS: dict[str, Callable[[Expr, Scope], Any]] = {
    "expr_term": _term,
    "int_lit": lambda expr, _: int(expr.tree.children[0]),
    "float_lit": lambda expr, _: number(float(expr.tree.children[0])),
    "literal_value": lambda expr, _: _LITERALS[str(expr.tree.children[0])],
    "string": _string,
    "heredoc_template": _heredoc,
    "heredoc_template_trim": _heredoc,
    "tuple": _tuple_node,
    "object": _object,
    "identifier": _traversal,
    "get_attr_expr_term": _traversal,
    "index_expr_term": _traversal,
    "unary_op": _unary,
    "binary_op": _binary,
    "conditional": _conditional,
    "function_call": _call,
}
