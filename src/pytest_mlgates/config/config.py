"""Gate configs: YAML in, gates out; every mistake named with file, line and column."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pytest_mlgates.config.controls import FILE, Control, ControlsError, all_controls, look_up
from pytest_mlgates.config.profiles import Profile
from pytest_mlgates.config.schema import make
from pytest_mlgates.config.waivers import Waiver, same_person
from pytest_mlgates.core import Gate, StatisticalGate
from pytest_mlgates.core.errors import UnknownGate, UsageError
from pytest_mlgates.core.fields import FieldError, convert, describe_value, hints, limit_of
from pytest_mlgates.core.words import did_you_mean, printable
from pytest_mlgates.reading.yaml import Doc, KeyPath, YamlError, read_yaml
from pytest_mlgates.registry import load

__all__ = [
    "Config",
    "ConfigError",
    "Entry",
    "find_configs",
    "load_config",
    "load_configs",
    "tighten",
]

_KEYS = ("version", "system", "owner", "controls", "gates", "profiles", "waivers")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class ConfigError(UsageError):
    """What is wrong in a config or a marker: ``lines`` holds one line for each mistake."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One configured gate: its name in the config, its class and fields, and where it stands."""

    name: str
    cls: type[Gate]
    fields: Mapping[str, Any]
    source: str

    @property
    def statistical(self) -> bool:
        """Whether the gate's verdict can be wrong by chance."""
        return issubclass(self.cls, StatisticalGate)

    def gate(self, alpha: float | None, beta: float | None) -> Gate:
        """Return the gate, with these error rates where the entry states none."""
        fields = dict(self.fields)
        if self.statistical:
            rates = {"alpha": alpha, "beta": beta}
            fields = {k: rate for k, rate in rates.items() if rate is not None} | fields
        return make(self.cls, fields)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """One ``gate_configs/<system>.yaml``."""

    path: str
    sha256: str
    system: str
    owner: str
    controls: tuple[str, ...]
    known_controls: tuple[Control, ...] = ()
    entries: Mapping[str, Entry]
    profiles: Mapping[str, Profile]
    waivers: tuple[Waiver, ...]

    def profile(self, name: str | None) -> Profile:
        """Return the profile asked for, else ``default``, else the built-in one."""
        if name is None:
            return self.profiles.get("default", Profile())
        if name not in self.profiles and name != "default":
            hint = did_you_mean(name, tuple(self.profiles)) or ": it has no profiles"
            raise ConfigError(f"{self.path}: has no profile {name!r}{hint}")
        return self.profiles.get(name, Profile())

    def gate(self, entry: Entry, profile: Profile, tests: int = 1) -> Gate:
        """Return the gate of an entry that ``tests`` tests ask for, as the profile wants it."""
        rivals = [e.fields.get("alpha") for e in self.entries.values() if e.statistical]
        stated = [alpha for alpha in rivals if alpha is not None]
        alpha = profile.share(stated, len(rivals) - len(stated), tests)
        return entry.gate(alpha, profile.beta)


def load_configs(files: Iterable[tuple[Path, str]], profile: str | None = None) -> list[Config]:
    """Read several configs as one set: each system is in one file, and all have the profile.

    ``files`` are paths, each with the path as messages name it.
    """
    found: dict[str, Config] = {}
    faults: list[str] = []
    for file, shown in files:
        try:
            config = load_config(file, shown)
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
    """Return the config files of a folder, or the one file."""
    if place.is_dir():
        found = (p for p in place.iterdir() if p.suffix in (".yaml", ".yml") and p.is_file())
        return sorted(p for p in found if p.name != FILE)
    return [place]


def load_config(file: Path, shown: str | None = None) -> Config:
    """Read and check one config, or raise :class:`ConfigError` with every mistake in it.

    ``shown`` is the path as messages and evidence name it.
    """
    shown = shown or file.as_posix()
    try:
        doc = read_yaml(file)
    except YamlError as error:
        place = f"{shown}:{error.line}:{error.column}" if error.line else shown
        raise ConfigError(f"{place}: {error.message}") from None
    try:
        table = all_controls(file.parent)
    except ControlsError as error:
        raise ConfigError(printable(str(error))) from None
    reader = _ConfigReader(doc, shown, table)
    config = reader.read()
    if reader.faults:
        raise ConfigError(*reader.faults)
    return config


class _ConfigReader:
    def __init__(self, doc: Doc, shown: str, table: Mapping[str, Control]) -> None:
        self.doc, self.shown, self.table = doc, shown, table
        self.faults: list[str] = []

    def fault(self, path: KeyPath, message: str, *, key: bool = False) -> None:
        line, column = self.doc.at(path, key=key)
        where = ".".join(map(str, path))
        text = f"{self.shown}:{line}:{column}: {where + ': ' if where else ''}{message}"
        self.faults.append(printable(text))

    def read(self) -> Config:
        root = self.doc.value
        if not isinstance(root, dict):
            raise ConfigError(
                f"{self.shown}:1:1: expected a mapping with version, system and gates"
            )
        self._known((), root, _KEYS)
        if root.get("version") != 1 or isinstance(root.get("version"), bool):
            found = f", got {describe_value(root['version'])}" if "version" in root else ""
            self.fault(("version",), f"expected version: 1{found}")
        system = self._text(root, "system")
        if system and not _NAME.fullmatch(system):
            self.fault(("system",), f"{system!r} is no name: letters, digits, '.', '_' and '-'")
        owner = self._text(root, "owner", needed=False)
        named = self._controls(root.get("controls"))
        config = Config(
            path=self.shown,
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

    def _controls(self, found: Any) -> tuple[str, ...]:
        if found is None:
            return ()
        try:
            named: tuple[str, ...] = convert(tuple[str, ...], found, "controls")
        except FieldError as fault:
            self.fault(("controls",), fault.message)
            return ()
        return named

    def _entries(self, found: Any) -> dict[str, Entry]:
        entries: dict[str, Entry] = {}
        if not isinstance(found, dict) or not found:
            self.fault(("gates",), "expected at least one gate, as in `p99_latency: {max_ms: 12}`")
            return entries
        for name, fields in found.items():
            path: KeyPath = ("gates", name)
            if not name.strip() or not name.isprintable():
                self.fault(path, f"{name!r} is no name for an entry", key=True)
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
                make(cls, values)
            except FieldError as fault:
                field = fault.field.partition("[")[0]
                at = (*path, field) if field else path
                self.fault(at, fault.message, key=field not in hints(cls))
                continue
            line, _ = self.doc.at(path, key=True)
            source = f"{self.shown}:{line}"
            entries[name] = Entry(name=name, cls=cls, fields=values, source=source)
        return entries

    def _profiles(self, found: Any) -> dict[str, Profile]:
        profiles = {}
        if found is not None and not isinstance(found, dict):
            self.fault(("profiles",), "expected a mapping of profiles")
            return {}
        for name, fields in (found or {}).items():
            record = self._record(("profiles", name), Profile, fields, {"name": name})
            if isinstance(record, Profile):
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

    def _waivers(self, found: Any, owner: str, entries: Mapping[str, Entry]) -> Iterable[Waiver]:
        if found is not None and not isinstance(found, list):
            self.fault(("waivers",), "expected a list of waivers")
            return
        for i, fields in enumerate(found or []):
            path = ("waivers", i)
            line, _ = self.doc.at(path)
            known = {"source": f"{self.shown}:{line}"}
            if isinstance(fields, dict) and owner and "owner" not in fields:
                known["owner"] = owner
            record = self._record(path, Waiver, fields, known)
            if not isinstance(record, Waiver):
                continue
            if owner and same_person(owner, record.approved_by):
                self.fault(
                    (*path, "approved_by"),
                    f"{record.approved_by!r} owns the gate: someone else approves",
                )
            if record.gate not in entries:
                hint = did_you_mean(record.gate, tuple(entries))
                self.fault((*path, "gate"), f"no entry is called {record.gate!r}{hint}")
            yield record

    def _record(
        self, path: KeyPath, cls: type, fields: Any, known: Mapping[str, Any]
    ) -> Profile | Waiver | None:
        """Make a profile or a waiver, or note what is wrong with it."""
        if not isinstance(fields, dict):
            self.fault(path, "expected a mapping")
            return None
        allowed = [name for name in hints(cls) if name not in ("name", "source")]
        before = len(self.faults)
        self._known(path, fields, allowed)
        for field in dataclasses.fields(cls):
            needed = field.default is dataclasses.MISSING
            if needed and field.name not in fields and field.name not in known:
                self.fault(path, f"needs {field.name}")
        if len(self.faults) > before:
            return None
        try:
            record: Profile | Waiver = cls(**known, **fields)
        except FieldError as fault:
            self.fault((*path, fault.field), fault.message)
            return None
        return record


def tighten(gate: Gate, changes: Iterable[Mapping[str, Any]], where: str, source: str) -> Gate:
    """Return ``gate`` with stricter limits, or raise :class:`ConfigError`.

    ``changes`` stand side by side, as on one function: the strictest holds. ``where`` names the
    marker and ``source`` the place of the configured limits.
    """
    known = hints(type(gate))
    values = gate.policy()
    strictest: dict[str, Any] = {}
    for field, wanted in (pair for change in changes for pair in change.items()):
        if field not in known:
            hint = did_you_mean(field, tuple(known))
            raise ConfigError(f"{where}: {gate.name} has no field {field!r}{hint}")
        limit = limit_of(known[field])
        if limit.tighten is None:
            raise ConfigError(
                f"{where}: {field} can't be changed by a marker: change it in {source}"
            )
        try:
            new = convert(known[field], wanted, field)
        except FieldError as fault:
            raise ConfigError(f"{where}: {fault}") from None
        old = getattr(gate, field)
        if not (old is None or new is None or isinstance(old, (int, float))):
            raise ConfigError(f"{where}: {field} holds no single number: change it in {source}")
        if old is not None and (new is None or limit.is_looser(new, old)):
            raise ConfigError(
                f"{where}: {field}={wanted!r} is looser than the {old:g} of {source}: "
                "a marker may only tighten a limit"
            )
        if field not in strictest or limit.is_looser(strictest[field], new):
            strictest[field] = new
    try:
        return make(type(gate), {**values, **strictest})
    except FieldError as fault:
        raise ConfigError(f"{where}: {fault}") from None
