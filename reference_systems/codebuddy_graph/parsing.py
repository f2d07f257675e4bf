"""From bytes to a syntax tree of one Java file: encodings, escapes, old words, damage."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tree_sitter import Node, Tree

__all__ = ["Damaged", "Parsed", "decode", "parse"]

ESCAPE = re.compile(rb"(?<!\\)((?:\\\\)*)\\u+([0-9a-fA-F]{4})")
#: ``enum`` was a name until Java 1.4; the same length keeps every place where it is
OLD_ENUM = re.compile(rb"\benum\b(?=\s*[=;.,)\[:+\-*/?&|<>!])")
#: deeper nesting than any hand or tool writes would end the interpreter, not the file
MAX_DEPTH = 1500


class Damaged(ValueError):
    """A file that is no Java that can be read; says where."""


class Parsed(NamedTuple):
    """A file's text as UTF-8, its tree, and the lines that could not be read."""

    source: bytes
    tree: Tree
    damage: list[int]


def decode(content: bytes) -> bytes:
    """Give a file's text as UTF-8 with plain line ends, whatever encoding it came in.

    >>> decode("caf\u00e9".encode("latin-1")).decode()
    'café'
    """
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        content = content.decode("utf-16", "replace").encode()
    elif content.startswith(b"\xef\xbb\xbf"):
        content = content[3:]
    try:
        content.decode()
    except UnicodeDecodeError:
        content = content.decode("latin-1").encode()
    if b"\r" in content:
        content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return ESCAPE.sub(_unescape, content) if b"\\u" in content else content


def _unescape(match: re.Match[bytes]) -> bytes:
    """Give the letter of a Unicode escape; one that would end a line or a string stays."""
    code = int(match[2], 16)
    if code < 0x20 or code in (0x22, 0x27, 0x5C) or 0xD800 <= code < 0xE000:
        return match[0]
    return match[1] + chr(code).encode()


def _parser():
    import tree_sitter_java
    from tree_sitter import Language, Parser

    return Parser(Language(tree_sitter_java.language()))


_PARSERS: list = []


def parse(content: bytes) -> Parsed:
    """Parse one file; raise `Damaged` where its declarations can't be told apart."""
    if not _PARSERS:
        _PARSERS.append(_parser())
    source = decode(content)
    if b"\0" in source:
        raise Damaged("line 1: is not text (it holds a zero byte)")
    tree = _PARSERS[0].parse(source)
    if tree.root_node.has_error and OLD_ENUM.search(source):
        older = OLD_ENUM.sub(b"enu_", source)
        again = _PARSERS[0].parse(older)
        if not again.root_node.has_error:
            source, tree = older, again
    damage: list[int] = []
    if tree.root_node.has_error:
        _find_damage(tree.root_node, damage, 0)
    return Parsed(source, tree, sorted(set(damage)))


#: what an error may stand in without making the declarations around it doubtful
BODIES = {"block", "constructor_body", "lambda_expression", "array_initializer", "argument_list"}
CONTAINERS = {
    "program", "class_declaration", "interface_declaration", "enum_declaration",
    "record_declaration", "annotation_type_declaration", "class_body", "interface_body",
    "enum_body", "enum_body_declarations", "annotation_type_body", "method_declaration",
    "constructor_declaration", "compact_constructor_declaration", "static_initializer",
}  # fmt: skip


def _find_damage(node: Node, damage: list[int], depth: int) -> None:
    """Collect the lines of errors inside bodies; raise `Damaged` for any elsewhere."""
    for child in node.children:
        if not child.has_error and not child.is_missing:
            continue
        line = child.start_point[0] + 1
        if child.is_error or child.is_missing or depth > MAX_DEPTH:
            raise Damaged(f"line {line}: is not Java from here on")
        if child.type in BODIES:
            damage.append(_first_error(child))
        elif child.type in CONTAINERS:
            _find_damage(child, damage, depth + 1)
        else:
            raise Damaged(f"line {_first_error(child)}: is not Java from here on")


def _first_error(node: Node) -> int:
    """Return the line of the first error under a node, without recursion."""
    todo = [node]
    while todo:
        found = todo.pop()
        if found.is_error or found.is_missing:
            return found.start_point[0] + 1
        todo.extend(c for c in reversed(found.children) if c.has_error or c.is_missing)
    return node.start_point[0] + 1
