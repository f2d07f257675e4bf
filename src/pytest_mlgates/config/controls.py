"""What auditors file evidence under: a table of controls that users extend, and who serves them.

A report lists evidence under a control. It never says that a control is met.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from pytest_mlgates.config.errors import ControlsError
from pytest_mlgates.core.fields import describe_value
from pytest_mlgates.core.words import printable
from pytest_mlgates.reading.yaml import Doc, KeyPath, YamlError, read_yaml

__all__ = ["FILE", "Control", "all_controls", "filed", "look_up"]

#: beside gate configs, a file of this name adds to the table that ships with the package
FILE = "controls.yaml"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """One control: ``gates`` are those whose evidence concerns it, None for every gate."""

    id: str
    framework: str
    title: str
    url: str = ""
    gates: tuple[str, ...] | None = None


def all_controls(folder: Path | None = None) -> Mapping[str, Control]:
    """Return the controls that ship with the package and those of ``folder``, by id.

    >>> all_controls()["EU-AI-Act:Art-15"].title
    'accuracy, robustness and cybersecurity'
    """
    own = folder / FILE if folder is not None else None
    if own is None or not own.is_file():
        return _shipped()
    return {**_shipped(), **_read_controls(own)}


def look_up(id_: str, table: Mapping[str, Control]) -> tuple[Control, ...]:
    """Return the controls that an id in a config means; of a framework's name, all of it.

    An id that the table does not know stands for itself, and every gate serves it: no table has all
    of a framework.

    >>> [control.id for control in look_up("NYC-LL-144", all_controls())]
    ['NYC-LL-144:bias-audit']
    >>> look_up("EU-AI-Act:Art-14", all_controls())[0].framework
    'Regulation (EU) 2024/1689 (AI Act)'
    >>> look_up("our-policy:7", all_controls())[0].framework
    'our-policy'
    """
    if id_ in table:
        return (table[id_],)
    framework, _, rest = id_.partition(":")
    mine = tuple(c for i, c in table.items() if i.partition(":")[0] == framework)
    if mine and not rest:
        return mine
    title, url = (mine[0].framework, mine[0].url) if mine else (framework, "")
    return (Control(id=id_, framework=title, title="in no table of controls", url=url),)


@cache
def _shipped() -> Mapping[str, Control]:
    return _read_controls(Path(str(files("pytest_mlgates").joinpath(f"config/{FILE}"))))


def _read_controls(file: Path) -> dict[str, Control]:
    try:
        doc = read_yaml(file)
    except YamlError as error:
        place = f"{file}:{error.line}:{error.column}" if error.line else str(file)
        raise ControlsError(printable(f"{place}: {error.message}")) from None
    return {control.id: control for control in _ControlsReader(doc, file).controls()}


class _ControlsReader:
    def __init__(self, doc: Doc, file: Path) -> None:
        self.doc, self.file = doc, file

    def controls(self) -> Iterator[Control]:
        root = self._mapping((), self.doc.value, ("version", "frameworks"))
        if root["version"] != 1 or isinstance(root["version"], bool):
            self._fault(("version",), f"expected version: 1, got {describe_value(root['version'])}")
        for name, framework in self._mapping(("frameworks",), root["frameworks"]).items():
            path: KeyPath = ("frameworks", name)
            if ":" in name:
                self._fault(path, f"{name!r}: the name of a framework holds no colon")
            about = self._mapping(path, framework, ("title", "controls"), ("url",))
            rows = self._mapping((*path, "controls"), about["controls"])
            for key, row in rows.items():
                at = (*path, "controls", key)
                fields = self._mapping(at, row, ("title", "gates"))
                yield Control(
                    id=f"{name}:{key}",
                    framework=self._text((*path, "title"), about["title"]),
                    title=self._text((*at, "title"), fields["title"]),
                    url=self._text((*path, "url"), about.get("url", "-")),
                    gates=self._gates((*at, "gates"), fields["gates"]),
                )

    def _gates(self, path: KeyPath, value: object) -> tuple[str, ...] | None:
        if value == "all":
            return None
        if isinstance(value, list) and value and all(isinstance(name, str) for name in value):
            return tuple(value)
        self._fault(path, f"expected `all` or a list of gates, got {describe_value(value)}")
        raise AssertionError

    def _text(self, path: KeyPath, value: object) -> str:
        if not isinstance(value, str) or not value.strip():
            self._fault(path, f"expected a string, got {describe_value(value)}")
        return str(value)

    def _mapping(
        self, path: KeyPath, value: Any, needed: Iterable[str] = (), more: Iterable[str] = ()
    ) -> dict[str, Any]:
        if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
            self._fault(path, f"expected a mapping, got {describe_value(value)}")
        for key in needed:
            if key not in value:
                self._fault(path, f"needs {key}")
        if allowed := (*needed, *more):
            for key in value:
                if key not in allowed:
                    self._fault((*path, key), f"unknown key: known are {', '.join(allowed)}")
        return dict(value)

    def _fault(self, path: KeyPath, message: str) -> None:
        line, column = self.doc.at(path)
        where = ".".join(map(str, path))
        text = f"{self.file}:{line}:{column}: {where + ': ' if where else ''}{message}"
        raise ControlsError(printable(text))


def filed(controls: Iterable[Control], named: Iterable[str], gate: str) -> list[Control]:
    """Return which ``controls`` of a report a gate's evidence is filed under.

    ``named`` are the ids in the config of the gate's system; a framework's name means all of it.
    """
    wanted = set(named)
    return [
        control
        for control in controls
        if (control.id in wanted or control.id.partition(":")[0] in wanted)
        and (control.gates is None or gate in control.gates)
    ]
