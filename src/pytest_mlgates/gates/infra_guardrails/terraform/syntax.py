"""Terraform's language as a syntax tree with positions, and what its nodes are.

Positions are why the tree of python-hcl2 is read and not its dictionaries, which keep neither
lines nor repeated keys.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pytest_mlgates.core import Unmeasurable
from pytest_mlgates.reading.node import Unreadable, short

__all__ = ["Block", "Body", "Expr", "parse_expression", "read_hcl"]

_EXTRA = "reading Terraform needs python-hcl2: pip install 'pytest-mlgates[infra]'"


@dataclass(frozen=True, slots=True)
class Expr:
    """An expression: its tree, and the text it was read from."""

    tree: Any
    source: str
    file: str
    first_line: int = 1

    @property
    def line(self) -> int:
        """The line in the file."""
        return int(getattr(self.tree, "meta", self.tree).line) + self.first_line - 1

    @property
    def text(self) -> str:
        """The expression as it was written, on one line."""
        where = getattr(self.tree, "meta", self.tree)
        return short(self.source[where.start_pos : where.end_pos])

    def of(self, tree: Any) -> Expr:
        """Return another node of the same file."""
        return Expr(tree, self.source, self.file, self.first_line)


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
    """Attributes by name with their lines, and blocks in their order."""

    attributes: dict[str, tuple[int, Expr]]
    blocks: tuple[Block, ...]


def read_hcl(source: str, file: str) -> Body:
    """Return the body of a file; raises :class:`Unreadable` naming file and line."""
    tree = _parse(source, file)
    try:
        return _block_body(Expr(tree.children[0], source, file))
    except RecursionError:
        raise Unreadable(f"{file}: blocks are nested too deep") from None


def parse_expression(source: str, file: str, line: int = 1) -> Expr:
    """Return one expression, as a Terraform JSON file has it inside ``${...}``."""
    body = _parse(f"x = {source}\n", file).children[0]
    attribute = next(_trees(body, "attribute"), None)
    if attribute is None:
        raise Unreadable(f"{file}: is not an expression")
    return Expr(attribute.children[2], f"x = {source}\n", file, line)


def _parse(source: str, file: str) -> Any:
    try:
        import hcl2
        from lark.exceptions import LarkError
    except ImportError:
        raise Unmeasurable(_EXTRA) from None
    try:
        return hcl2.parses_to_tree(source)
    except (LarkError, RecursionError) as error:
        # the end of a file has no place of its own in some errors
        line = getattr(error, "line", None) or 0
        where = f"{file}:{line}" if isinstance(line, int) and line > 0 else file
        ended = getattr(getattr(error, "token", None), "type", "") == "$END"
        what = "a bracket or a quote is left open" if ended else "this is not expected here"
        raise Unreadable(f"{where}: is not Terraform (HCL): {what}") from None


def _trees(tree: Any, kind: str) -> Iterator[Any]:
    return (child for child in tree.children if getattr(child, "data", None) == kind)


def _block_body(at: Expr) -> Body:
    attributes: dict[str, tuple[int, Expr]] = {}
    blocks = []
    for child in at.tree.children:
        kind = getattr(child, "data", None)
        if kind == "attribute":
            name, value = _word(child.children[0]), at.of(child.children[2])
            line = at.of(child).line
            if name in attributes:
                raise Unreadable(
                    f"{at.file}:{line}: {name} appears twice (first on line {attributes[name][0]})"
                )
            attributes[name] = line, value
        elif kind == "block":
            blocks.append(_block(at.of(child)))
    return Body(attributes, tuple(blocks))


def _block(at: Expr) -> Block:
    words = [c for c in at.tree.children if getattr(c, "data", None) in _WORDS]
    body = next(_trees(at.tree, "body"))
    kind, *labels = map(_word, words)
    return Block(kind, tuple(labels), _block_body(at.of(body)), at.file, at.line)


_WORDS = {"identifier", "keyword", "literal_value", "string"}


def _word(tree: Any) -> str:
    """Return a name, or the text of a label."""
    if tree.data == "string":
        parts = [part.children[0] for part in tree.children[1:-1]]
        return "".join(str(part) for part in parts)
    return str(tree.children[0])
