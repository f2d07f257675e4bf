"""Choose the overload that javac chooses, and say what a call gives back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference_systems.codebuddy_graph import rules
from reference_systems.codebuddy_graph.javatypes import PRIMS, Arr, Ref, Type, Var, substitute
from reference_systems.codebuddy_graph.scope import Waiting
from reference_systems.codebuddy_graph.skeleton import PRIVATE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tree_sitter import Node

    from reference_systems.codebuddy_graph.classes import Cls, Method

__all__ = ["accessible", "outermost", "select", "spread"]

VOID = PRIMS["void"]
#: expressions that may stand alone as a statement, so that a lambda of them may give nothing
STATEMENTS = {
    "method_invocation", "object_creation_expression", "assignment_expression",
    "update_expression",
}  # fmt: skip

#: tells the type of a lambda's body without noting its calls
Peek = "Callable[[Node, Sequence[Type]], Type]"


def outermost(cls: Cls) -> Cls:
    """Give the top-level class around a class."""
    while cls.outer is not None:
        cls = cls.outer
    return cls


def accessible(methods: list[Method], seen_from: Cls) -> list[Method]:
    """Leave out private methods of other files."""
    if not any(m.flags & PRIVATE for m in methods):
        return methods
    top = outermost(seen_from)
    return [m for m in methods if not m.flags & PRIVATE or outermost(m.owner) is top]


def select(
    methods: list[Method], args: Sequence, site: Ref | None, peek: Callable | None
) -> Method | None:
    """Choose among the methods of a name, as JLS 15.12.2 in its three phases.

    Where no candidate fits by what is known of the types, the first with the right number of
    parameters is taken: the name of a callee holds no more than that.
    """
    count = len(args)
    fixed = [m for m in methods if m.arity == count]
    many = [m for m in methods if m.many and count >= m.arity - 1]
    if len(fixed) == 1 and all(m is fixed[0] for m in many):
        return fixed[0]
    if not fixed and len(many) == 1:
        return many[0]
    for loose in (False, True):
        fitting = [m for m in fixed if _fits_all(m.params, m, args, site, loose, peek)]
        if fitting:
            return _most_specific(fitting, args, site, peek)
    fitting = [m for m in many if _fits_all(spread(m, count), m, args, site, True, peek)]
    if fitting:
        return _most_specific(fitting, args, site, peek)
    rest = fixed or many
    return rest[0] if rest else None


def spread(method: Method, count: int) -> tuple[Type, ...]:
    """Give the parameters of a method that takes many, one for each argument."""
    last = method.params[-1]
    item = last.item if type(last) is Arr else last
    return method.params[:-1] + (item,) * (count - method.arity + 1)


def _fits_all(
    params: Sequence[Type],
    method: Method,
    args: Sequence,
    site: Ref | None,
    loose: bool,
    peek: Callable | None,
) -> bool:
    known = rules.mapping(site, method.owner) if site is not None and method.owner.variables else {}
    for param, arg in zip(params, args, strict=True):
        if type(arg) is Waiting:
            if not _may_wait(arg.node, substitute(param, known) if known else param, peek):
                return False
        elif not rules.fits(arg, param, known, loose):
            return False
    return True


def _may_wait(node: Node, param: Type, peek: Callable | None) -> bool:
    """Tell whether a lambda or method reference can be given for a parameter."""
    kind = node.type
    if kind == "parenthesized_expression":
        return _may_wait(node.named_child(0), param, peek)
    if kind not in ("lambda_expression", "method_reference"):
        return True
    if type(param) is not Ref:
        return param is None or type(param) is Var
    if not param.cls.known:
        return True
    shape = rules.descriptor(param)
    if shape is None:
        return False
    return kind == "method_reference" or _lambda_fits(node, shape, peek)


def _lambda_fits(node: Node, shape: tuple[tuple[Type, ...], Type], peek: Callable | None) -> bool:
    takes, gives = shape
    head = node.child_by_field_name("parameters")
    count = 1 if head.type == "identifier" else len(_parameters(head))
    if count != len(takes):
        return False
    body = node.child_by_field_name("body")
    if body.type == "block":
        value = _returns_value(body)
        if value is None:
            return True
        return value == (gives is not VOID)
    if gives is VOID:
        return body.type in STATEMENTS
    if peek is not None and body.type == "method_invocation":
        return peek(node, takes) is not VOID
    return True


def _parameters(head: Node) -> list[Node]:
    return [c for c in head.named_children if not c.type.endswith("comment")]


def _returns_value(body: Node) -> bool | None:
    """Tell whether a lambda's block returns a value; None where it only throws or loops."""
    todo = list(body.named_children)
    plain = bool(todo)
    while todo:
        node = todo.pop()
        if node.type == "return_statement":
            return node.named_child_count > 0
        if node.type not in ("lambda_expression", "class_body"):
            todo.extend(node.named_children)
    last = body.named_children[-1].type if plain else ""
    return None if last in ("throw_statement", "while_statement") else False


def _most_specific(
    fitting: list[Method], args: Sequence, site: Ref | None, peek: Callable | None
) -> Method:
    if len(fitting) == 1:
        return fitting[0]
    count = len(args)
    best = [
        one
        for one in fitting
        if all(one is other or _narrower(one, other, args, count) for other in fitting)
    ]
    del site, peek
    return best[0] if best else fitting[0]


def _narrower(one: Method, other: Method, args: Sequence, count: int) -> bool:
    ours = one.params if one.arity == count else spread(one, count)
    theirs = other.params if other.arity == count else spread(other, count)
    for mine, its, arg in zip(ours, theirs, args, strict=True):
        if type(arg) is Waiting:
            if not _narrower_lambda(mine, its):
                return False
        elif mine is None or not rules.fits(mine, its, {}, False):
            return False
    return True


def _narrower_lambda(mine: Type, its: Type) -> bool:
    """A lambda's type that gives a value is more specific than one that gives none."""
    first, second = rules.descriptor(mine), rules.descriptor(its)
    if first is None or second is None:
        return True
    return first[1] is not VOID or second[1] is VOID
