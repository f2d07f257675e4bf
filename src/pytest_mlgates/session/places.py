"""Where the gate configs of a session lie: the project's root, or beside the tests that ask."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

__all__ = ["Places", "root_of", "why_misread"]

_INI = ("pytest.ini", ".pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg")
#: what marks the top of a project, also where pytest does not look at it
_TOP = (*_INI, "setup.py", ".git", ".hg")
_DEFAULT_FOLDER = "gate_configs"


class Places:
    """The folders and files that hold the gate configs of a session.

    ``--mlgates-config`` names them. Without it: the folder of the ini value below the project's
    root, and for a test of another project in the same session the nearest one above it.
    """

    def __init__(self, config: pytest.Config) -> None:
        self.root = root_of(config)
        self._ini = _ini(config)
        named: list[str] | None = config.getoption("mlgates_config")
        self._named = bool(named)
        places = [Path(name) for name in named or [str(self.root / self._ini)]]
        self._found = dict.fromkeys(places)
        self._looked: set[Path] = set()

    def __iter__(self) -> Iterator[Path]:
        """Yield the places; a project without gates has no folder of configs, and names none."""
        for place in self._found:
            if self._named or self._ini != _DEFAULT_FOLDER or place.exists():
                yield place

    def add(self, places: Iterable[str]) -> None:
        """Add what another process found."""
        self._found |= dict.fromkeys(map(Path, places))

    def look_near(self, items: Iterable[pytest.Item]) -> None:
        """Add the nearest folder of configs above each test, up to the project's root."""
        if self._named:
            return
        for item in items:
            for folder in item.path.parents:
                if folder in self._looked:
                    break
                self._looked.add(folder)
                if (folder / self._ini).exists():
                    self._found[folder / self._ini] = None
                    break
                if folder == self.root:
                    break

    def one_file(self) -> bool:
        """Tell whether a single file holds all there is."""
        return len(self._found) == 1 and not next(iter(self._found)).is_dir()

    def shown(self) -> str:
        """Return the places as a message names them: whole, so that nobody has to guess."""
        return ", ".join(str(place.absolute()) for place in self._found)


def _ini(config: pytest.Config) -> str:
    return str(config.getini("mlgates_config"))


def root_of(config: pytest.Config) -> Path:
    """Return the project's root: pytest's, or the nearest that holds gate configs.

    pytest's own may be too deep, where only a ``setup.py`` or ``.git`` marks the top, or too high,
    where it took one of our paths for tests.
    """
    here, found = config.invocation_params.dir, config.rootpath
    if config.getoption("rootdir", None) or config.getoption("inifilename", None):
        return found
    folder = _ini(config)
    for base in (found, here):
        if (base / folder).exists():
            return base
        for parent in base.parents if not _is_top(base) else ():
            if (parent / folder).exists():
                return parent
            if _is_top(parent):
                break
    marked = config.inipath is not None or found == here
    return found if here.is_relative_to(found) and marked else here


def _is_top(folder: Path) -> bool:
    return any((folder / name).exists() for name in _TOP)


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
        value = config.getoption(option.strip("-").replace("-", "_"))
        path = value[-1] if isinstance(value, list) else value
        if path and option in call.args and not Path(path).is_relative_to(call.dir):
            return f"{option} {path}: write {option}={path}, or pytest looks for tests there"
    return ""
