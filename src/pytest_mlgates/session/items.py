"""What pytest knows of a test, as the gates ask it."""

from __future__ import annotations

import linecache
import os
from pathlib import Path
from typing import Any

import pytest

from pytest_mlgates.registry import names

__all__ = [
    "asks_later",
    "gates_asked",
    "is_known_bad",
    "levels_of",
    "root_of",
    "test_id",
    "where_is",
    "why_misread",
]

_INI = ("pytest.ini", ".pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg")


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


def asks_later(item: pytest.Item) -> bool:
    """Tell whether the test itself may call ``request.getfixturevalue``."""
    info = getattr(item, "_fixtureinfo", None)
    return info is not None and "request" in info.argnames


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


def root_of(config: pytest.Config) -> Path:
    """Return the project's root, also where pytest looked for it beside one of our paths."""
    here = config.invocation_params.dir
    chosen = config.getoption("rootdir", None) or config.getoption("inifilename", None)
    found = config.inipath is not None or config.rootpath == here
    at_home = here.is_relative_to(config.rootpath) and found
    return config.rootpath if at_home or chosen else here


def why_misread(config: pytest.Config) -> str:
    """Return which of our paths pytest took for tests, and so missed its configuration; or nothing.

    pytest looks for its own configuration before it knows the options of plugins, so that a path
    which follows its option after a space counts as one of tests.
    """
    call = config.invocation_params
    missed = any((d / name).is_file() for d in (call.dir, *call.dir.parents) for name in _INI)
    if root_of(config) == config.rootpath or not missed:
        return ""
    for option in ("--mlgates-report", "--mlgates-sign", "--mlgates-store", "--mlgates-config"):
        path = config.getoption(option.strip("-").replace("-", "_"))
        if path and option in call.args and not Path(path).is_relative_to(call.dir):
            return f"{option} {path}: write {option}={path}, or pytest looks for tests there"
    return ""
