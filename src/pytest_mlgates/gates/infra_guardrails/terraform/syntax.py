"""Terraform's language as blocks and expressions with positions, read by tree-sitter in linear time.

A block that is broken is left out and named with its line; the others of its file are read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

from pytest_mlgates.core import Unmeasurable
from pytest_mlgates.core.words import install
from pytest_mlgates.reading.node import Unreadable, short

__all__ = ["Block", "Body", "Expr", "Json", "parse_expression", "read_hcl"]

_EXTRA = f"reading Terraform needs tree-sitter-hcl: {install('infra')}"
_MOST_FAULTS = 50
_MOST_TEXT = 600
#: where a block begins that stands in no other, as `terraform fmt` writes it
_TOP = re.compile(r"[A-Za-z_][\w-]*(?:[ \t]*\"[^\"\n]*\"|[ \t]+[\w-]+)*[ \t]*\{")
_EXPONENT = re.compile(r"(?<![\w.\"])(?<![\w\"]-)[0-9]+(?:\.[0-9]+)?[eE][-+]?[0-9]{1,3}(?![\w\"])")
_KEYWORD = re.compile(
    r"((?:^|[{,])[ \t]*)(if|in|null|true|false|endif|else|endfor)(?=[ \t]*(?:=(?!=)|:))"
)


@dataclass(frozen=True, slots=True)
class Json:
    """A value of Terraform's JSON syntax, where HCL has a tree."""

    value: object


@dataclass(frozen=True, slots=True)
class Expr:
    """An expression: its tree (:class:`Json` in JSON syntax), and where it stands."""

    tree: Any
    file: str
    first_line: int = 1

    @property
    def line(self) -> int:
        """The line in the file; 0 where it is not known."""
        return 0 if isinstance(self.tree, Json) else int(self.tree.start_point[0]) + self.first_line

    @property
    def text(self) -> str:
        """The expression as it was written, on one line."""
        if isinstance(self.tree, Json):
            return short(str(self.tree.value)[:_MOST_TEXT])
        return short(self.tree.text[:_MOST_TEXT].decode("utf-8", "replace"))

    def of(self, tree: Any) -> Expr:
        """Return another node of the same file."""
        return Expr(tree, self.file, self.first_line)


@dataclass(frozen=True, slots=True)
class Block:
    """``type "label" { body }``."""

    kind: str
    labels: tuple[str, ...]
    body: Body
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Body:
    """Attributes by name with their lines, blocks in their order, and what is wrong in it."""

    attributes: dict[str, tuple[int, Expr]]
    blocks: tuple[Block, ...]
    faults: tuple[str, ...] = ()


def read_hcl(source: str, file: str) -> Body:
    """Return the body of a file; what can't be read of it is among its ``faults``."""
    lines = source.replace("\r\n", "\n").split("\n")
    faults: list[str] = []
    while True:
        root = _parser().parse("\n".join([*lines, ""]).encode()).root_node
        line = _fault_line(root)
        if line is None or len(faults) >= _MOST_FAULTS:
            break
        start, end = _broken_block(lines, min(line, len(lines) - 1))
        repaired = [_repaired(text) for text in lines[start:end]]
        if repaired != lines[start:end]:
            lines[start:end] = repaired
            continue
        opened = line >= len(lines) - 1
        what = "a bracket or a quote is left open" if opened else "this is not expected here"
        line = min(line, len(lines) - 1)
        faults.append(f"{file}:{line + 1}: is not Terraform (HCL): {what}")
        lines[start:end] = [""] * (end - start)
    try:
        body = _block_body(Expr(root, file), _child(root, "body"), faults)
    except RecursionError:
        raise Unreadable(f"{file}: blocks are nested too deep") from None
    return Body(body.attributes, body.blocks, tuple(faults))


def parse_expression(source: str, file: str, line: int = 1) -> Expr:
    """Return one expression, as a Terraform JSON file has it inside ``${...}``."""
    root = _parser().parse(f"x = {source}\n".encode()).root_node
    body = _child(root, "body")
    if root.has_error or body is None or body.named_child_count != 1:
        raise Unreadable(f"{file}: is not an expression")
    expression = _child(body.named_children[0], "expression")
    if expression is None:
        raise Unreadable(f"{file}: is not an expression")
    return Expr(expression, file, line)


@cache
def _parser() -> Any:
    try:
        import tree_sitter
        import tree_sitter_hcl
    except ImportError:
        raise Unmeasurable(_EXTRA) from None
    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_hcl.language()))


def _fault_line(root: Any) -> int | None:
    """Return the line, from 0, of the first thing that the grammar does not have."""
    node = root
    while node.has_error:
        inner = next((c for c in node.children if c.is_error or c.is_missing or c.has_error), None)
        if inner is None:
            break
        node = inner
        if node.is_error or node.is_missing:
            break
    return int(node.start_point[0]) if node is not root or root.has_error else None


def _repaired(line: str) -> str:
    """Return a line in words that the grammar knows: it has no exponents, and no keyword as a key.

    >>> _repaired("{ if = 2.5e3 }")
    '{ "if" = 2500 }'
    """
    line = _EXPONENT.sub(lambda found: f"{Decimal(found.group()):f}", line)
    return _KEYWORD.sub(r'\1"\2"', line)


def _broken_block(lines: list[str], line: int) -> tuple[int, int]:
    """Return the lines of the outermost block around a line; the line alone where there is none."""
    start = next((i for i in range(line, -1, -1) if _TOP.match(lines[i])), None)
    closed = None if start is None else _closing(lines, start + 1, line)
    if start is None or (closed is not None and closed < line):
        return line, line + 1
    end = next((i for i in range(line + 1, len(lines)) if _TOP.match(lines[i])), len(lines))
    brace = _closing(lines, line, end)
    return start, end if brace is None else brace + 1


def _closing(lines: list[str], start: int, end: int) -> int | None:
    return next((i for i in range(start, end) if lines[i].startswith("}")), None)


def _child(node: Any, kind: str) -> Any:
    return next((c for c in node.named_children if c.type == kind), None)


def _block_body(at: Expr, body: Any, faults: list[str]) -> Body:
    attributes: dict[str, tuple[int, Expr]] = {}
    blocks = []
    for child in body.named_children if body is not None else ():
        if child.type == "attribute":
            parts = child.named_children
            name, line = parts[0].text.decode(), child.start_point[0] + at.first_line
            if name in attributes:
                first = attributes[name][0]
                faults.append(f"{at.file}:{line}: {name} appears twice (first on line {first})")
            else:
                attributes[name] = line, at.of(parts[-1])
        elif child.type == "block":
            blocks.append(_block(at.of(child), faults))
    return Body(attributes, tuple(blocks))


def _block(at: Expr, faults: list[str]) -> Block:
    parts = at.tree.named_children
    words = list(_words(parts))
    body = _block_body(at, next((p for p in parts if p.type == "body"), None), faults)
    return Block(words[0], tuple(words[1:]), body, at.file, at.line)


def _words(parts: list[Any]) -> Iterator[str]:
    """Yield the type of a block, and its labels."""
    for part in parts:
        if part.type == "identifier":
            yield part.text.decode()
        elif part.type == "string_lit":
            yield part.text.decode()[1:-1]
        elif part.type == "block_start":
            return
