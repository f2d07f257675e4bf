"""Docstrings, also where Python was told to drop them (``-OO``): then they are read from the source."""

from __future__ import annotations

import ast
import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["docstring_of"]


def docstring_of(thing: Callable[..., Any] | type | None) -> str:
    """Return the docstring of a function or a class, or nothing where it has none.

    >>> docstring_of(docstring_of).partition(" of ")[0], docstring_of(None)
    ('Return the docstring', '')
    """
    if thing is None:
        return ""
    if not __debug__ and (name := getattr(thing, "__qualname__", "")):
        return _from_source(inspect.unwrap(thing), name)
    return thing.__doc__ or ""


def _from_source(thing: Callable[..., Any] | type, name: str) -> str:
    try:
        file = inspect.getsourcefile(thing)
    except TypeError:
        return ""
    # a class that was made has a text of its own, which dataclass writes in place of a docstring
    return _docstrings(file).get(name, "") if file else ""


@functools.lru_cache(maxsize=256)
def _docstrings(file: str) -> dict[str, str]:
    """Return the docstrings of a file by qualified name."""
    found: dict[str, str] = {}

    def visit(node: ast.AST, inside: str) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                name = f"{inside}{child.name}"
                found[name] = ast.get_docstring(child) or ""
                locals_ = "" if isinstance(child, ast.ClassDef) else "<locals>."
                visit(child, f"{name}.{locals_}")
            else:
                visit(child, inside)

    try:
        visit(ast.parse(Path(file).read_bytes()), "")
    except (OSError, SyntaxError, ValueError):
        return {}
    return found
