"""Texts of Terraform: escapes, and heredocs with what is interpolated in them."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable
from typing import Any

from pytest_mlgates.gates.infra_guardrails.terraform.functions import NotKnown

__all__ = ["NOT_PLAIN", "heredoc", "plain_literal", "unescaped"]

#: what :func:`plain_literal` returns of anything else; None is a value
NOT_PLAIN = object()
_PLAIN = re.compile(rb'"([^"\\$%]*)"|([0-9]{1,15})|(true|false|null)')
_WORDS = {b"true": True, b"false": False, b"null": None}


def plain_literal(tree: Any) -> object:
    """Return a literal without walking its tree, which most expressions of a file are."""
    text = getattr(tree, "text", None)  # JSON has none
    found = _PLAIN.fullmatch(text) if text is not None else None
    if found is None:
        return NOT_PLAIN
    quoted, digits, word = found.groups()
    if quoted is not None:
        return quoted.decode("utf-8", "replace")
    return int(digits) if digits is not None else _WORDS[word]


_ESCAPE = re.compile(r'\\(["\\nrt]|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8})|([$%])\2\{')
_MEANT = {"n": "\n", "t": "\t", "r": "\r"}


def unescaped(text: str) -> str:
    r"""Return what a quoted text means.

    >>> unescaped(r"a\tb $${c}")
    'a\tb ${c}'
    """

    def meant(found: re.Match[str]) -> str:
        code = found.group(1)
        if code is None:
            return f"{found.group(2)}{{"  # $${ and %%{ mean what stands after the first sign
        return chr(int(code[1:], 16)) if code[0] in "uU" else _MEANT.get(code, code)

    return _ESCAPE.sub(meant, text)


def heredoc(tree: Any, worth: Callable[[Any], str]) -> str:
    """Return the text of a heredoc; ``worth`` tells the text of an interpolation.

    Raises :class:`NotKnown` where a directive stands in it.
    """
    source, start = tree.text, tree.start_byte
    values: list[str] = []
    pieces, done = [], 0
    for part in tree.named_children:
        if part.type == "template_directive":
            raise NotKnown
        if part.type == "template_interpolation":
            values.append(worth(part))
            pieces += [source[done : part.start_byte - start], f"\0{len(values) - 1}\0".encode()]
            done = part.end_byte - start
    text = b"".join([*pieces, source[done:]]).decode("utf-8", "replace")
    head, _newline, rest = text.partition("\n")
    lines = rest.rstrip().split("\n")[:-1]
    body = "\n".join(lines) + "\n" if lines else ""
    body = textwrap.dedent(body) if head.startswith("<<-") else body
    body = re.sub(r"([$%])\1\{", r"\1{", body)
    return re.sub("\0([0-9]+)\0", lambda found: values[int(found.group(1))], body)
