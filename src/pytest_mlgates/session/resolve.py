"""Which gate a test asks for: its config, its entry, and what its markers tighten."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from pytest_mlgates.config.config import Config, Entry
from pytest_mlgates.config.errors import ConfigError
from pytest_mlgates.config.load import find_configs, load_configs
from pytest_mlgates.config.profiles import Profile
from pytest_mlgates.config.tighten import tighten
from pytest_mlgates.core import Gate
from pytest_mlgates.core.fields import FieldError
from pytest_mlgates.core.words import did_you_mean
from pytest_mlgates.registry import names
from pytest_mlgates.session.items import (
    asks_later,
    gates_asked,
    is_known_bad,
    levels_of,
    test_id,
    where_is,
)
from pytest_mlgates.session.places import Places
from pytest_mlgates.session.redact import TestNames

__all__ = ["Resolved", "Resolver"]


@dataclasses.dataclass(frozen=True, slots=True)
class Resolved:
    """What a test asked for: an entry of a config, and its gate as profile and markers want it."""

    config: Config
    entry: Entry
    profile: Profile
    gate: Gate


class Resolver:
    """Finds the gates that tests ask for, in the configs that are in scope."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self.places = Places(config)
        self.root = self.places.root
        self.profile_name: str | None = config.getoption("mlgates_profile")
        #: test, system and entry of each gate that a collected test asks for
        self.asked: dict[tuple[str, str, str], None] = {}
        self._tests: Counter[tuple[str, str]] = Counter()
        self._configs: dict[str, Config] | None = None

    def look_also_in(self, places: Iterable[str]) -> None:
        """Add where a worker found configs; those in scope are read again."""
        self.places.add(places)
        self._configs = None

    @property
    def configs(self) -> dict[str, Config]:
        """The configs in scope, by system; raises :class:`ConfigError` on the first use."""
        if self._configs is None:
            files = [
                (file, Path(os.path.relpath(file, self.root)).as_posix())
                for place in self.places
                for file in find_configs(place)
            ]
            found = load_configs(dict(files).items(), self.profile_name)
            self._configs = {config.system: config for config in found}
        return self._configs

    def resolve(self, item: pytest.Item, name: str) -> Resolved:
        """Return the entry and the tightened gate that ``item`` asks for, or raise ConfigError."""
        where = where_is(item, self.root)
        config, entry = self._entry(item, name, where)
        profile = config.profile(self.profile_name)
        try:
            gate = config.gate(entry, profile, self._tests[config.system, entry.name])
        except FieldError as fault:
            raise ConfigError(f"{where}: profile {profile.name}: {fault}") from None
        levels = levels_of(item, name)  # the farthest first
        if is_known_bad(item) and any(marker.kwargs for level in levels for marker in level):
            raise ConfigError(
                f"{where}: a known-bad subject is judged by the configured policy: "
                f"the marker {name} may name an entry here, not change fields"
            )
        for level in levels:
            changes = [m.kwargs for m in level if not m.args or m.args[0] == entry.name]
            gate = tighten(gate, changes, f"{where}: marker {name}", entry.source)
        return Resolved(config, entry, profile, gate)

    def _entry(self, item: pytest.Item, name: str, where: str) -> tuple[Config, Entry]:
        """Return the config and the entry that the markers of ``item`` pick for a gate."""
        config = self._system(item, name, where)
        markers = [marker for level in levels_of(item, name) for marker in level]
        picked = next((m.args[0] for m in reversed(markers) if m.args), name)
        for marker in markers:
            if len(marker.args) > 1 or not all(isinstance(arg, str) for arg in marker.args):
                raise ConfigError(
                    f"{where}: the marker {name} takes one entry's name and fields to tighten, "
                    f'as in @pytest.mark.{name}("{name}", ...)'
                )
        if picked not in config.entries:
            hint = did_you_mean(picked, tuple(config.entries))
            raise ConfigError(f"{where}: {config.path} has no entry {picked!r}{hint}")
        entry = config.entries[picked]
        if entry.cls.name != name:
            raise ConfigError(
                f"{where}: the entry {picked!r} ({entry.source}) is for the gate "
                f"{entry.cls.name!r}, not {name!r}"
            )
        return config, entry

    def _system(self, item: pytest.Item, name: str, where: str) -> Config:
        marker = item.get_closest_marker("system")
        known = tuple(self.configs)
        if marker is None:
            # a doctest can't carry a marker
            if len(known) == 1 and (self.places.one_file() or isinstance(item, pytest.DoctestItem)):
                return self.configs[known[0]]
            raise ConfigError(
                f"{where}: asks for the gate {name!r} and names no system: "
                f'add pytestmark = pytest.mark.system("...")'
                + (f" with one of {', '.join(known)}" if known else "")
            )
        if len(marker.args) != 1 or marker.kwargs or not isinstance(marker.args[0], str):
            raise ConfigError(f'{where}: write @pytest.mark.system("name") with one name')
        system = marker.args[0]
        if system not in self.configs:
            place = self._config.getini("mlgates_config")
            hint = did_you_mean(system, known) or ": `mlgates init` writes a first one"
            raise ConfigError(
                f"{where}: there is no config of the system {system!r} in {place}{hint} "
                f"(looked in {self.places.shown()})"
            )
        return self.configs[system]

    def check(self, items: list[pytest.Item]) -> list[str]:
        """Return a line for each mistake in the markers and configs of ``items``."""
        self.places.look_near(items)
        self._configs = None
        try:
            self.configs  # noqa: B018  (a broken config is told once, not for each test)
        except ConfigError as error:
            return list(error.lines)
        used = {
            (id(node), name) for i in items for name in gates_asked(i) for node in i.listchain()
        }
        TestNames.of(self._config).learn(map(test_id, items))
        self._count(items)
        faults: dict[str, None] = {}
        for item in items:
            faults.update(dict.fromkeys(self._mistakes(item, used)))
        return list(faults)

    def _mistakes(self, item: pytest.Item, used: set[tuple[int, str]]) -> Iterable[str]:
        asked, later = gates_asked(item), asks_later(item)
        if not asked and is_known_bad(item) and not later:
            yield f"{where_is(item, self.root)}: is marked known_bad and asks for no gate"
        for name in names():
            if name in asked:
                try:
                    self.resolve(item, name)
                except ConfigError as error:
                    yield from error.lines
            elif not later and self._gates_nothing(item, name, used):
                yield (
                    f"{where_is(item, self.root)}: carries the marker {name} and does not "
                    f"ask for the fixture {name!r}: nothing would be gated"
                )

    def _count(self, items: list[pytest.Item]) -> None:
        """Note who asks, and count the tests of each entry: they share its part of a budget.

        Before anything is deselected, so that the same test has the same alpha under ``-k``.
        """
        self._tests.clear()
        for item in items:
            for name in sorted(gates_asked(item)):
                with contextlib.suppress(ConfigError):  # `check` tells it
                    config, entry = self._entry(item, name, "")
                    test = TestNames.of(self._config)[test_id(item)]
                    self.asked[test, config.system, entry.name] = None
                    self._tests[config.system, entry.name] += not is_known_bad(item)

    def _gates_nothing(self, item: pytest.Item, name: str, used: set[tuple[int, str]]) -> bool:
        """Tell whether a marker with arguments on this test, or above it, reaches no gate."""
        part = any("::" in word for word in self._config.args)  # not every test was collected
        for node in item.listchain():
            marked = any(m.name == name and (m.args or m.kwargs) for m in node.own_markers)
            if marked and (node is item or not (part or (id(node), name) in used)):
                return True
        return False
