"""Which rules decided: a digest of the source that a gate's verdicts follow from.

It covers ``decide`` and ``headline``, and whatever they reach by name in the gate's own package and
in this one: functions and classes by their source, constants by their value. Comments, docstrings
and blank lines are no rules. Records, converters and the driver (``core``, but for its words and
its bounds) are the language that rules are written in, and not walked; nor are other packages,
whose versions are in a report's environment. The same code has the same digest on every machine.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib
import io
import tokenize
import types
from collections.abc import Iterator
from pathlib import Path

from pytest_mlgates.core.fields import hints

__all__ = ["rules_of"]

_OURS = __name__.partition(".")[0]
_CORE = f"{_OURS}.core"
#: what of the core a verdict's numbers and words are made with
_WALKED = {f"{_CORE}.words", f"{_CORE}.observations"}
_VERBS = ("decide", "headline")

#: where a statement keeps the statements within it
_BLOCKS = ("body", "orelse", "handlers", "finalbody", "cases")

_Node = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@functools.cache
def rules_of(cls: type) -> str:
    """Return the hex SHA-256 of the rules of a gate's class; empty where its source is not there.

    >>> from pytest_mlgates.registry import load
    >>> one, other = map(load, ("slice_coverage", "egress"))
    >>> len(rules_of(one)), rules_of(one) == rules_of(other)
    (64, False)
    """
    try:
        parts = _Reached(cls).parts
    except (OSError, SyntaxError, UnicodeDecodeError, tokenize.TokenError):
        return ""
    text = "\n".join(f"{name}\n{parts[name]}" for name in sorted(parts))
    return hashlib.sha256(text.encode()).hexdigest()


class _Reached:
    """Walks from a gate's verbs to what they name; ``parts`` are texts by their place."""

    def __init__(self, cls: type) -> None:
        self.mro = [one for one in cls.__mro__ if self._is_walked(one.__module__, cls)]
        self.packages = {_OURS, cls.__module__.partition(".")[0]}
        self.parts: dict[str, str] = {}
        for verb in _VERBS:
            self._member(verb)

    @staticmethod
    def _is_walked(module: str, cls: type) -> bool:
        known = module.partition(".")[0] in {_OURS, cls.__module__.partition(".")[0]}
        return known and (module in _WALKED or not f"{module}.".startswith(f"{_CORE}."))

    def _member(self, name: str) -> None:
        """Add a method, property or constant of the gate's class."""
        for owner in self.mro:
            if name in vars(owner):
                source = _sources(owner.__module__)
                qualified = f"{owner.__qualname__}.{name}"
                if qualified in source:
                    self._add(owner.__module__, qualified)
                elif (
                    name not in hints(self.mro[0])
                    and (text := _constant(vars(owner)[name])) is not None
                ):
                    self.parts[f"{owner.__module__}:{qualified}"] = text
                return

    def _add(self, module: str, qualified: str) -> None:
        place = f"{module}:{qualified}"
        if place in self.parts:
            return
        lines, node = _sources(module)[qualified]
        self.parts[place] = _rule(lines, node)
        of_gate = any(owner.__module__ == module for owner in self.mro) and any(
            qualified.startswith(f"{owner.__qualname__}.") for owner in self.mro
        )
        here = vars(importlib.import_module(module))
        for kind, base, name in _uses(node):
            if kind == "name":
                self._named(module, name)
            elif kind == "import":
                self._named(base, name)
            elif of_gate and base in ("self", "cls"):
                self._member(name)
            elif isinstance(here.get(base), types.ModuleType):
                self._named(here[base].__name__, name)

    def _named(self, module: str, name: str) -> None:
        """Add what a name stands for in a module: a function, a class or a constant."""
        if module.partition(".")[0] not in self.packages:
            return
        value = vars(importlib.import_module(module)).get(name)
        if isinstance(value, types.FunctionType | type) or hasattr(value, "__wrapped__"):
            home, qualified = value.__module__, value.__qualname__  # type: ignore[union-attr]
            walked = value not in self.mro and self._is_walked(home, self.mro[0])
            if walked and qualified in _sources(home):
                self._add(home, qualified)
        elif (
            name != "__name__"
            and self._is_walked(module, self.mro[0])
            and (text := _constant(value)) is not None
            and value is not None
        ):
            self.parts[f"{module}:{name}"] = text


def _uses(node: ast.AST, bound: frozenset[str] = frozenset()) -> Iterator[tuple[str, str, str]]:
    """Yield what code names from outside itself: its kind, what it is a part of, and its name."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
        own = {arg.arg for arg in ast.walk(node.args) if isinstance(arg, ast.arg)}
        if not isinstance(node, ast.Lambda):
            stored = (n for part in node.body for n in ast.walk(part) if isinstance(n, ast.Name))
            own |= {n.id for n in stored if isinstance(n.ctx, ast.Store)}
        bound |= own
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Name) and child.id not in bound:
            yield "name", "", child.id
        elif isinstance(child, ast.ImportFrom) and child.module and not child.level:
            yield from (("import", child.module, alias.name) for alias in child.names)
        elif isinstance(child, ast.Attribute) and isinstance(child.value, ast.Name):
            yield "part", child.value.id, child.attr
        yield from _uses(child, bound)


def _constant(value: object) -> str | None:
    """Return a constant as text, or None for what decides nothing by its value."""
    if isinstance(value, (frozenset, set)):
        return "{" + ", ".join(sorted(str(_constant(item)) for item in value)) + "}"
    if isinstance(value, (tuple, list)):
        return "(" + ", ".join(str(_constant(item)) for item in value) + ")"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_constant(k)}: {_constant(v)}" for k, v in value.items()) + "}"
    if value is None or isinstance(value, (bool, int, float, str, bytes)):
        return repr(value)
    return None


@functools.cache
def _sources(module: str) -> dict[str, tuple[list[str], _Node]]:
    """Return lines and tree of each function and class of a module, by its qualified name."""
    file = getattr(importlib.import_module(module), "__file__", None)
    if file is None:
        raise OSError(f"{module} has no file")
    text = Path(file).read_text(encoding="utf-8")
    lines = text.splitlines()
    found: dict[str, tuple[list[str], _Node]] = {}

    def walk(node: ast.AST, prefix: str) -> None:
        for child in _definitions(node):
            first = min([child.lineno, *(one.lineno for one in child.decorator_list)])
            found[f"{prefix}{child.name}"] = lines[first - 1 : child.end_lineno], child
            inner = "" if isinstance(child, ast.ClassDef) else ".<locals>"
            walk(child, f"{prefix}{child.name}{inner}.")

    walk(ast.parse(text), "")
    return found


def _definitions(node: ast.AST) -> Iterator[_Node]:
    """Yield the functions and classes of a block, not those within them; expressions have none."""
    for name in _BLOCKS:
        for child in getattr(node, name, ()):
            if isinstance(child, _Node):
                yield child
            else:
                yield from _definitions(child)


def _docstrings(node: _Node) -> set[int]:
    """Return the lines of the docstrings in a function or class."""
    found: set[int] = set()
    if ast.get_docstring(node, clean=False) is not None:
        first = node.body[0]
        found.update(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    for inner in _definitions(node):
        found |= _docstrings(inner)
    return found


def _rule(lines: list[str], node: _Node) -> str:
    """Return the source of a function or class without docstrings, comments and blank lines."""
    last = node.end_lineno or node.lineno
    quiet = _docstrings(node)
    kept = (
        line.rstrip()
        for number, line in enumerate(_without_comments(lines), last + 1 - len(lines))
        if number not in quiet
    )
    return "\n".join(filter(None, kept))


def _without_comments(lines: list[str]) -> list[str]:
    if not any("#" in line for line in lines):
        return lines
    found = list(lines)
    for token in tokenize.generate_tokens(io.StringIO("\n".join(lines)).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            found[row - 1] = found[row - 1][:column]
    return found
