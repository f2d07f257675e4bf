"""The one-token mutants of a module: what one slip of the keyboard, or of the mind, could make of it."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass

_COMPARED = {
    ast.Lt: ("<=", ">="), ast.LtE: ("<", ">"), ast.Gt: (">=", "<="), ast.GtE: (">", "<"),
    ast.Eq: ("!=",), ast.NotEq: ("==",), ast.Is: ("is not",), ast.IsNot: ("is",),
    ast.In: ("not in",), ast.NotIn: ("in",),
}  # fmt: skip
_COMPUTED = {
    ast.Add: ("-",), ast.Sub: ("+",), ast.Mult: ("/", "+"), ast.Div: ("*",), ast.FloorDiv: ("*",),
    ast.Mod: ("*",), ast.Pow: ("*",), ast.BitAnd: ("|",), ast.BitOr: ("&",),
}  # fmt: skip
_BOTH_WAYS = (
    ("min", "max"), ("minimum", "maximum"), ("argmin", "argmax"), ("any", "all"), ("ceil", "floor"),
    ("lower", "upper"), ("ppf", "isf"), ("cdf", "sf"), ("alpha", "beta"), ("over", "under"),
    ("log_e_above", "log_e_below"), ("mean_above", "mean_below"), ("mean_lower", "mean_upper"),
    ("entropy_lower", "entropy_upper"), ("log1p", "expm1"), ("least", "most"), ("low", "high"),
)  # fmt: skip
#: names that stand beside another of the same type
_TWINS = {a: b for pair in _BOTH_WAYS for a, b in (pair, pair[::-1])}
_ALWAYS = {
    "min", "max", "minimum", "maximum", "argmin", "argmax", "any", "all", "ceil", "floor",
    "lower", "upper", "ppf", "isf", "cdf", "sf", "log1p", "expm1",
}  # fmt: skip
_SEPARATORS = {
    ",": "\t", "\t": ",", ";": ",", ":": "/", "/": ":", ".": ",", "-": "_", "_": "-", "\n": " ",
    " ": "",
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One token of one file, changed."""

    path: str
    line: int
    column: int
    old: str
    new: str
    source: str

    @property
    def key(self) -> tuple[str, str, str]:
        """What names the mutant though lines above it move."""
        before = self.source[: self.column]
        nth = before.count(self.old) + 1 if self.old else before.count("if ")
        change = f"{self.old.strip() or 'nothing'} -> {self.new.strip() or 'nothing'} ({nth})"
        return self.path, self.source.strip(), change

    def __str__(self) -> str:
        where, source, change = self.key
        return f"{where}:{self.line} :: {source} :: {change}"

    def applied(self, text: str) -> str:
        """Return the text of the file with this token changed."""
        lines = text.splitlines(keepends=True)
        line = lines[self.line - 1]
        end = self.column + len(self.old)
        if line[self.column : end] != self.old:
            raise ValueError(f"{self.path}:{self.line} does not hold {self.old!r} there")
        lines[self.line - 1] = line[: self.column] + self.new + line[end:]
        return "".join(lines)


def mutants_of(path: str, text: str) -> Iterator[Mutant]:
    """Yield the mutants of a module.

    Left alone are annotations, decorators, docstrings, formatted texts, and what a text says.
    """
    lines = text.splitlines()
    tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    known = {token.string for token in tokens} | _ALWAYS
    for node in _walked(ast.parse(text)):
        for line, column, old, new in _changes(node, tokens, lines):
            if new not in _TWINS or new in known:  # a name that is not there is found by anything
                yield Mutant(path, line, column, old, new, lines[line - 1])


def _walked(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    for name, value in ast.iter_fields(node):
        if name in {"annotation", "returns", "decorator_list", "type_comment"}:
            continue
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST) or isinstance(child, ast.JoinedStr):
                continue
            if isinstance(child, ast.Assign) and _names(child) & {"__all__"}:
                continue
            yield from _walked(child)


def _names(node: ast.Assign) -> set[str]:
    return {target.id for target in node.targets if isinstance(target, ast.Name)}


_Change = tuple[int, int, str, str]


def _changes(
    node: ast.AST, tokens: list[tokenize.TokenInfo], lines: list[str]
) -> Iterator[_Change]:
    match node:
        case ast.Compare():
            sides = [node.left, *node.comparators]
            for left, op, right in zip(sides, node.ops, sides[1:], strict=False):
                for new in _COMPARED[type(op)]:
                    yield from _between(left, right, tokens, lines, new)
        case ast.BinOp() if type(node.op) in _COMPUTED and not _is_text(node):
            for new in _COMPUTED[type(node.op)]:
                yield from _between(node.left, node.right, tokens, lines, new)
        case ast.AugAssign() if type(node.op) in _COMPUTED:
            for new in _COMPUTED[type(node.op)]:
                yield from _between(node.target, node.value, tokens, lines, new + "=")
        case ast.BoolOp():
            new = "or" if isinstance(node.op, ast.And) else "and"
            for left, right in zip(node.values, node.values[1:], strict=False):
                yield from _between(left, right, tokens, lines, new)
        case _:
            yield from _other_changes(node, lines)


def _other_changes(node: ast.AST, lines: list[str]) -> Iterator[_Change]:
    match node:
        case ast.UnaryOp(op=ast.Not() | ast.USub()):
            old = "not " if isinstance(node.op, ast.Not) else "-"
            yield node.lineno, _column(node, lines), old, ""
        case ast.If() | ast.IfExp() | ast.While() if isinstance(
            node.test, ast.Name | ast.Call | ast.Attribute
        ):
            yield node.test.lineno, _column(node.test, lines), "", "not "
        case ast.Constant():
            yield from _constant(node, lines)
        case ast.Name() if node.id in _TWINS and isinstance(node.ctx, ast.Load):
            yield node.lineno, _column(node, lines), node.id, _TWINS[node.id]
        case ast.Attribute() if node.attr in _TWINS and node.end_lineno and node.end_col_offset:
            line = lines[node.end_lineno - 1]
            end = len(line.encode()[: node.end_col_offset].decode())
            yield node.end_lineno, end - len(node.attr), node.attr, _TWINS[node.attr]
        case ast.Break() | ast.Continue():
            words = ("break", "continue")
            old, new = words if isinstance(node, ast.Break) else words[::-1]
            yield node.lineno, _column(node, lines), old, new


def _is_text(node: ast.BinOp) -> bool:
    sides = (node.left, node.right)
    return any(
        isinstance(side, ast.JoinedStr)
        or (isinstance(side, ast.Constant) and isinstance(side.value, str | bytes))
        for side in sides
    )


def _column(node: ast.expr | ast.stmt, lines: list[str]) -> int:
    return len(lines[node.lineno - 1].encode()[: node.col_offset].decode())


def _constant(node: ast.Constant, lines: list[str]) -> Iterator[_Change]:
    if node.lineno != node.end_lineno or node.end_col_offset is None:
        return
    start = _column(node, lines)
    end = len(lines[node.lineno - 1].encode()[: node.end_col_offset].decode())
    old = lines[node.lineno - 1][start:end]
    value = node.value
    if isinstance(value, bool):
        yield node.lineno, start, old, str(not value)
    elif isinstance(value, int):
        yield node.lineno, start, old, str(value + 1)
    elif isinstance(value, float) and value:
        yield node.lineno, start, old, repr(value * 2)
    elif isinstance(value, str) and value in _SEPARATORS:
        yield node.lineno, start, old, repr(_SEPARATORS[value])


def _between(
    left: ast.expr, right: ast.expr, tokens: list[tokenize.TokenInfo], lines: list[str], new: str
) -> Iterator[_Change]:
    """Yield the change of the operator between two operands."""
    if left.end_lineno is None or left.end_col_offset is None:
        return
    end_line = lines[left.end_lineno - 1]
    begin = (left.end_lineno, len(end_line.encode()[: left.end_col_offset].decode()))
    end = (right.lineno, _column(right, lines))
    found = [
        token
        for token in tokens
        if begin <= token.start and token.end <= end and token.string.strip() not in {"", "(", ")"}
        and token.type in {tokenize.OP, tokenize.NAME}
    ]  # fmt: skip
    if not found or found[0].start[0] != found[-1].end[0]:
        return
    line, start = found[0].start
    yield line, start, lines[line - 1][start : found[-1].end[1]], new
