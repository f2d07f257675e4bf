"""What pytest knows of a test, as the gates ask it."""

from __future__ import annotations

import linecache
import os
from pathlib import Path
from types import CodeType
from typing import Any

import pytest

from pytest_mlgates.core.blame import is_users_own
from pytest_mlgates.registry import names

__all__ = [
    "asks_later",
    "foreign_fixture",
    "gates_asked",
    "is_known_bad",
    "levels_of",
    "test_id",
    "where_is",
]


def gates_asked(item: pytest.Item) -> set[str]:
    """Return the gates whose own fixture ``item`` uses, directly or through another fixture."""
    wanted = set(names()).intersection(getattr(item, "fixturenames", ()))
    if not wanted:
        return wanted
    info = getattr(item, "_fixtureinfo", None)
    defs = info.name2fixturedefs if info is not None else {}
    return {name for name in wanted if _is_ours(defs.get(name, ()), name)}


def _is_ours(defs: Any, name: str) -> bool:
    """Tell whether the last definition is ours, or a user's that asks for ours."""
    for definition in reversed(defs):
        if getattr(definition.func, "mlgates_gate", None) == name:
            return True
        if name not in definition.argnames:
            return False
    return False


def foreign_fixture(item: pytest.Item, name: str) -> str:
    """Return which plugin's fixture took the name of a gate, or nothing.

    A user's own, in a test module or a conftest.py, wins over ours and is meant to.
    """
    info = getattr(item, "_fixtureinfo", None)
    defs = info.name2fixturedefs.get(name, ()) if info is not None else ()
    if not defs or _is_ours(defs, name):
        return ""
    function = defs[-1].func
    return "" if _is_local(function) else str(function.__module__)


def _is_local(function: object) -> bool:
    """Tell whether a fixture is the user's own, and not one of an installed plugin."""
    code = getattr(function, "__code__", None)
    return isinstance(code, CodeType) and is_users_own(code)


def asks_later(item: pytest.Item) -> bool:
    """Tell whether the test, or a fixture of it, may call ``request.getfixturevalue``."""
    info = getattr(item, "_fixtureinfo", None)
    if info is None:
        return False
    return "request" in info.argnames or any(
        "request" in defs[-1].argnames and _is_local(defs[-1].func)
        for defs in info.name2fixturedefs.values()
        if defs
    )


def levels_of(item: pytest.Item, name: str) -> list[list[pytest.Mark]]:
    """Return the markers of module, class, function and parameter, level by level."""
    levels = [[m for m in node.own_markers if m.name == name] for node in item.listchain()]
    of_case = getattr(getattr(item, "callspec", None), "marks", ())
    own = levels.pop()
    levels.append([m for m in own if not any(m is mark for mark in of_case)])
    levels.append([m for m in own if any(m is mark for mark in of_case)])
    return [level for level in levels if level]


def test_id(item: pytest.Item) -> str:
    """Return the test's id; under ``--dist loadgroup`` a worker has the group's name in it."""
    grouped = hasattr(item.config, "workerinput") and item.get_closest_marker("xdist_group")
    if grouped and item.config.getoption("loadgroup", False):
        return item.nodeid.rpartition("@")[0] or item.nodeid
    return item.nodeid


def is_known_bad(item: pytest.Item) -> bool:
    """Tell whether the subject of a test must FAIL."""
    return item.get_closest_marker("known_bad") is not None


def where_is(item: pytest.Item, root: Path) -> str:
    """Return file, line, column and name of a test."""
    path, line, _ = item.reportinfo()
    number = (line or 0) + 1
    text = linecache.getline(str(path), number)
    column = len(text) - len(text.lstrip()) + 1
    shown = os.path.relpath(path, root)
    return f"{Path(shown).as_posix()}:{number}:{column}: {item.name}"
