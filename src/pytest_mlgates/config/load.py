"""Read gate configs: YAML in, records out; every mistake named with file, line and column."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pytest_mlgates.config.config import Config, Entry
from pytest_mlgates.config.controls import FILE, Control, all_controls, look_up
from pytest_mlgates.config.errors import ConfigError
from pytest_mlgates.config.profiles import Profile
from pytest_mlgates.config.waivers import Waiver, mixed_alphabets, same_person
from pytest_mlgates.core.errors import UnknownGate
from pytest_mlgates.core.fields import FieldError, convert, describe_value, hints, required
from pytest_mlgates.core.gate import make
from pytest_mlgates.core.words import did_you_mean, printable
from pytest_mlgates.reading.yaml import Doc, KeyPath, YamlError, read_yaml
from pytest_mlgates.registry import load

__all__ = ["configs_in", "find_configs", "load_config", "load_configs"]

R = TypeVar("R", Profile, Waiver)

_KEYS = ("version", "system", "owner", "controls", "gates", "profiles", "waivers")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_NAME_WORDS = "letters, digits, '.', '_' and '-'"


def load_configs(files: Iterable[tuple[Path, str]], profile: str | None = None) -> list[Config]:
    """Read several configs as one set: each system is in one file, and all have the profile.

    ``files`` are paths, each with the path as messages name it.
    """
    found: dict[str, Config] = {}
    faults: list[str] = []
    for file, display in files:
        try:
            config = load_config(file, display)
            config.profile(profile)
        except ConfigError as error:
            faults += error.lines
            continue
        if config.system in found:
            other = found[config.system].path
            faults.append(f"{config.path}: the system {config.system!r} is in {other} too")
        found[config.system] = config
    if faults:
        raise ConfigError(*faults)
    return list(found.values())


def find_configs(place: Path) -> list[Path]:
    """Return the config files of a folder, or the one file; ConfigError where there is neither."""
    if not place.exists():
        raise ConfigError(f"{place}: there is no such config file or folder")
    if place.is_dir():
        found = (p for p in place.iterdir() if p.suffix in (".yaml", ".yml") and p.is_file())
        return sorted(p for p in found if p.name != FILE)
    return [place]


def configs_in(places: Iterable[Path]) -> list[Path]:
    """Return the config files of some folders and files; ConfigError where there are none."""
    places = list(places)
    found = [file for place in places for file in find_configs(place)]
    if not found:
        raise ConfigError(f"{', '.join(map(str, places))}: holds no gate config (*.yaml)")
    return found


def load_config(file: Path, display: str | None = None) -> Config:
    """Read and check one config, or raise :class:`ConfigError` with every mistake in it.

    ``display`` is the path as messages and evidence name it.
    """
    display = display or file.as_posix()
    try:
        doc = read_yaml(file)
    except YamlError as error:
        place = f"{display}:{error.line}:{error.column}" if error.line else display
        raise ConfigError(f"{place}: {error.message}") from None
    reader = _ConfigReader(doc, display, all_controls(file.parent))
    config = reader.read()
    if reader.faults:
        raise ConfigError(*reader.faults)
    return config


class _ConfigReader:
    def __init__(self, doc: Doc, display: str, table: Mapping[str, Control]) -> None:
        self.doc, self.display, self.table = doc, display, table
        self.faults: list[str] = []

    def fault(self, path: KeyPath, message: str, *, key: bool = False) -> None:
        line, column = self.doc.at(path, key=key)
        where = ".".join(map(str, path))
        text = f"{self.display}:{line}:{column}: {where + ': ' if where else ''}{message}"
        self.faults.append(printable(text))

    def read(self) -> Config:
        root = self.doc.value
        if not isinstance(root, dict):
            raise ConfigError(
                f"{self.display}:1:1: expected a mapping with version, system and gates"
            )
        self._known((), root, _KEYS)
        if root.get("version") != 1 or isinstance(root.get("version"), bool):
            found = f", got {describe_value(root['version'])}" if "version" in root else ""
            self.fault(("version",), f"expected version: 1{found}")
        system = self._text(root, "system")
        if system and not _NAME.fullmatch(system):
            self.fault(("system",), f"{system!r} is not a valid name: use {_NAME_WORDS}")
        owner = self._text(root, "owner", needed=False)
        named = self._controls(root.get("controls"))
        config = Config(
            path=self.display,
            sha256=self.doc.sha256,
            system=system,
            owner=owner,
            controls=named,
            known_controls=tuple(
                {c.id: c for name in named for c in look_up(name, self.table)}.values()
            ),
            entries=(entries := self._entries(root.get("gates"))),
            profiles=self._profiles(root.get("profiles")),
            waivers=tuple(self._waivers(root.get("waivers"), owner, entries)),
        )
        for profile in config.profiles.values():
            self._fits(profile, config)
        return config

    def _known(self, path: KeyPath, found: Mapping[str, Any], known: Iterable[str]) -> None:
        known = tuple(known)
        for key in found:
            if key not in known:
                self.fault((*path, key), f"unknown key{did_you_mean(key, known)}", key=True)

    def _text(self, root: Mapping[str, Any], key: str, *, needed: bool = True) -> str:
        value = root.get(key)
        if isinstance(value, str) and value.strip():
            return value
        if key in root:
            self.fault((key,), f"expected a string, got {describe_value(value)}")
        elif needed:
            self.fault((), f"needs {key}")
        return ""

    def _controls(self, value: Any) -> tuple[str, ...]:
        if value is None:
            return ()
        try:
            named: tuple[str, ...] = convert(tuple[str, ...], value, "controls")
        except FieldError as fault:
            self.fault(("controls",), fault.message)
            return ()
        return named

    def _entries(self, value: Any) -> dict[str, Entry]:
        entries: dict[str, Entry] = {}
        if not isinstance(value, dict) or not value:
            self.fault(("gates",), "expected at least one gate, as in `p99_latency: {max_ms: 12}`")
            return entries
        for name, fields in value.items():
            path: KeyPath = ("gates", name)
            if not name.strip() or not name.isprintable():
                self.fault(path, f"{name!r} is not a name for an entry", key=True)
                continue
            if not isinstance(fields, dict):
                self.fault(path, "expected the gate's fields, as in `{max_ms: 12}`")
                continue
            kind = fields.get("gate", name)
            try:
                cls = load(kind if isinstance(kind, str) else str(kind))
            except UnknownGate as error:
                self.fault((*path, "gate") if "gate" in fields else path, str(error), key=True)
                continue
            values = {field: value for field, value in fields.items() if field != "gate"}
            try:
                plain = make(cls, values)
            except FieldError as fault:
                field = fault.field.partition("[")[0]
                at = (*path, field) if field else path
                self.fault(at, fault.message, key=field not in hints(cls))
                continue
            line, _ = self.doc.at(path, key=True)
            source = f"{self.display}:{line}"
            entries[name] = Entry(name=name, plain=plain, fields=values, source=source)
        return entries

    def _profiles(self, value: Any) -> dict[str, Profile]:
        profiles = {}
        if value is not None and not isinstance(value, dict):
            self.fault(("profiles",), "expected a mapping of profiles")
            return {}
        for name, fields in (value or {}).items():
            record = self._record(("profiles", name), Profile, fields, {"name": name})
            if record is not None:
                profiles[name] = record
        return profiles

    def _fits(self, profile: Profile, config: Config) -> None:
        faults = {}
        for entry in config.entries.values():
            try:
                config.gate(entry, profile)
            except FieldError as fault:
                whole = fault.field == "suite_alpha"  # said once, not for each entry
                faults[fault.field, "" if whole else f"{entry.name}: "] = fault.message
        for (field, of), message in faults.items():
            self.fault(("profiles", profile.name, field), f"{of}{message}")

    def _waivers(self, value: Any, owner: str, entries: Mapping[str, Entry]) -> Iterable[Waiver]:
        if value is not None and not isinstance(value, list):
            self.fault(("waivers",), "expected a list of waivers")
            return
        for i, fields in enumerate(value or []):
            path = ("waivers", i)
            line, _ = self.doc.at(path)
            known = {"source": f"{self.display}:{line}"}
            if isinstance(fields, dict) and owner and "owner" not in fields:
                known["owner"] = owner
            record = self._record(path, Waiver, fields, known)
            if record is None:
                continue
            if word := mixed_alphabets(f"{record.approved_by} {record.owner}"):
                self.fault(
                    (*path, "approved_by"), f"{word!a} mixes alphabets: who that is can't be read"
                )
            if owner and same_person(owner, record.approved_by):
                self.fault(
                    (*path, "approved_by"),
                    f"{record.approved_by!r} owns the gate: someone else approves",
                )
            if record.gate not in entries:
                hint = did_you_mean(record.gate, tuple(entries))
                self.fault((*path, "gate"), f"no entry is called {record.gate!r}{hint}")
            else:
                self._waives_a_limit(path, record, entries[record.gate])
            yield record

    def _waives_a_limit(self, path: KeyPath, waiver: Waiver, entry: Entry) -> None:
        """Note where a waiver names what is not a limit of its gate."""
        if waiver.limit is None:
            return
        known = [field for field in hints(entry.cls) if field not in ("alpha", "beta")]
        if waiver.limit not in known:
            hint = did_you_mean(waiver.limit, known)
            self.fault((*path, "limit"), f"{entry.cls.name} has no limit {waiver.limit!r}{hint}")
        elif waiver.limit in entry.cls.directions() and getattr(entry.plain, waiver.limit) is None:
            self.fault((*path, "limit"), f"the entry {entry.name!r} sets no {waiver.limit}")

    def _record(
        self, path: KeyPath, cls: type[R], fields: Any, known: Mapping[str, Any]
    ) -> R | None:
        """Make a profile or a waiver, or note what is wrong with it."""
        if not isinstance(fields, dict):
            self.fault(path, "expected a mapping")
            return None
        allowed = [name for name in hints(cls) if name not in ("name", "source")]
        before = len(self.faults)
        self._known(path, fields, allowed)
        for name in required(cls):
            if name not in fields and name not in known:
                self.fault(path, f"needs {name}")
        if len(self.faults) > before:
            return None
        try:
            return cls(**known, **fields)
        except FieldError as fault:
            self.fault((*path, fault.field), fault.message)
            return None
