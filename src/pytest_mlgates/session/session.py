"""What one pytest process knows once a gate is asked for: configs, entries, evidence.

Loaded by the plugin only when a test asks for a gate or an option names us.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from pytest_mlgates.config.config import (
    Config,
    ConfigError,
    Entry,
    find_configs,
    load_configs,
    tighten,
)
from pytest_mlgates.config.profiles import Profile
from pytest_mlgates.core import Evidence, Gate, Measurement, Outcome, Role
from pytest_mlgates.core.fields import FieldError
from pytest_mlgates.core.words import did_you_mean
from pytest_mlgates.registry import names
from pytest_mlgates.report.build import is_waived
from pytest_mlgates.report.model import EntryInfo, Report, Scope
from pytest_mlgates.report.scopes import scopes_of
from pytest_mlgates.session.items import (
    asks_later,
    gates_asked,
    is_known_bad,
    levels_of,
    root_of,
    taken_for_tests,
    test_id,
    where_is,
)
from pytest_mlgates.session.journal import Journal
from pytest_mlgates.session.junit import junit_properties
from pytest_mlgates.session.ledger import Ledger
from pytest_mlgates.session.runner import GateRunner, Occasion

__all__ = ["GateSession", "gates_asked", "uncaught", "ungated"]


RUNNERS = pytest.StashKey[list[GateRunner]]()


@dataclasses.dataclass(frozen=True, slots=True)
class _Asked:
    config: Config
    entry: Entry
    profile: Profile
    gate: Gate


class GateSession:
    """The state of the plugin in one process; made on first use."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self.root = root_of(config)
        self.seed = int(config.getoption("mlgates_seed"))
        self.profile_name: str | None = config.getoption("mlgates_profile")
        folder = config.getoption("mlgates_report")
        self.folder = Path(folder) if folder else None
        self.worker: str | None = getattr(config, "workerinput", {}).get("workerid")
        self.journal = Journal(self.folder, self.worker or "main")
        self.count = 0
        self.asked = False
        self._unsent: dict[str, list[str]] = defaultdict(list)
        self._attempts: dict[str, int] = defaultdict(int)
        self._tests: Counter[tuple[str, str]] = Counter()
        self._configs: dict[str, Config] | None = None
        facts = {"seed": self.seed, "profile": self.profile_name or "default"}
        self.ledger = Ledger(self.folder, self.root, facts)

    def open(self) -> None:
        """Make the report folder ready; raise ``ConfigError`` or ``OSError`` before a test runs."""
        if taken := taken_for_tests(self._config):
            raise ConfigError(taken)
        sign, store = map(self._config.getoption, ("mlgates_sign", "mlgates_store"))
        if sign or store:
            from pytest_mlgates.signing.keys import KeyFault
            from pytest_mlgates.signing.seal import Seal, SealFault
            from pytest_mlgates.signing.store import StoreFault

            if self.folder is None:
                option = "--mlgates-sign" if sign else "--mlgates-store"
                raise ConfigError(f"{option}: needs a report: add --mlgates-report DIR")
            key, kept = (Path(path) if path else None for path in (sign, store))
            try:
                seal = Seal.open(key, kept, self.folder)
            except (KeyFault, StoreFault, SealFault) as error:
                raise ConfigError(str(error)) from None
            self.ledger.seal = seal.close
        self.ledger.open_folder()

    # configs

    @property
    def configs(self) -> dict[str, Config]:
        """The configs in scope, by system; raises :class:`ConfigError` on the first use."""
        if self._configs is None:
            place, explicit = self._place()
            if not place.exists():
                if explicit:
                    raise ConfigError(f"{place}: there is no such config file or folder")
                self._configs = {}
                return self._configs
            self._configs = self._load(place)
        return self._configs

    def _place(self) -> tuple[Path, bool]:
        option = self._config.getoption("mlgates_config")
        if option:
            return Path(option), True
        ini = str(self._config.getini("mlgates_config"))
        return self.root / ini, ini != "gate_configs"

    def _load(self, place: Path) -> dict[str, Config]:
        files = [(p, Path(os.path.relpath(p, self.root)).as_posix()) for p in find_configs(place)]
        return {config.system: config for config in load_configs(files, self.profile_name)}

    # what a test asks for

    def resolve(self, item: pytest.Item, name: str) -> _Asked:
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
        return _Asked(config, entry, profile, gate)

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
            if len(known) == 1 and not self._place()[0].is_dir():
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
            place = os.path.relpath(self._place()[0], self.root)
            hint = did_you_mean(system, known) or ": `mlgates init` writes a first one"
            raise ConfigError(
                f"{where}: there is no config of the system {system!r} in {place}{hint}"
            )
        return self.configs[system]

    def check(self, items: list[pytest.Item]) -> list[str]:
        """Return a line for each mistake in the markers and configs of ``items``."""
        faults: dict[str, None] = {}
        try:
            self.configs  # noqa: B018  (a broken config is said once, not for each test)
        except ConfigError as error:
            return list(error.lines)
        used = {
            (id(node), name) for i in items for name in gates_asked(i) for node in i.listchain()
        }
        self._count(items)
        for item in items:
            asked = gates_asked(item)
            if not asked and is_known_bad(item) and not asks_later(item):
                where = where_is(item, self.root)
                faults[f"{where}: is marked known_bad and asks for no gate"] = None
            for name in names():
                try:
                    if name in asked:
                        self.resolve(item, name)
                    elif not asks_later(item) and self._gates_nothing(item, name, used):
                        raise ConfigError(
                            f"{where_is(item, self.root)}: carries the marker {name} and does not "
                            f"ask for the fixture {name!r}: nothing would be gated"
                        )
                except ConfigError as error:
                    faults.update(dict.fromkeys(error.lines))
        return list(faults)

    def _count(self, items: list[pytest.Item]) -> None:
        """Count the tests that gate each entry: they share what a profile gives it of a budget.

        Before anything is deselected, so that the same test has the same alpha under ``-k``.
        """
        self._tests.clear()
        for item in items:
            for name in () if is_known_bad(item) else gates_asked(item):
                with contextlib.suppress(ConfigError):  # `check` says it
                    config, entry = self._entry(item, name, "")
                    self._tests[config.system, entry.name] += 1

    def _gates_nothing(self, item: pytest.Item, name: str, used: set[tuple[int, str]]) -> bool:
        """Tell whether a marker with arguments on this test, or above it, reaches no gate."""
        part = any("::" in word for word in self._config.args)  # not every test was collected
        for node in item.listchain():
            marked = any(m.name == name and (m.args or m.kwargs) for m in node.own_markers)
            if marked and (node is item or not (part or (id(node), name) in used)):
                return True
        return False

    # running

    def attempt(self, item: pytest.Item) -> None:
        """Count one more run of a test."""
        item.stash[RUNNERS] = []
        self._attempts[item.nodeid] += 1

    def fixture(self, request: pytest.FixtureRequest, name: str) -> Iterator[GateRunner]:
        """Give a test its gate; at teardown, record a gate that was never called."""
        item: pytest.Item = request.node
        self.asked = True
        self._attempts[item.nodeid] = max(1, self._attempts[item.nodeid])
        asked = self.resolve(item, name)
        runner = GateRunner(asked.gate, self._occasion(item, asked))
        item.stash.setdefault(RUNNERS, []).append(runner)
        yield runner
        if not runner.recorded and not self._config.getoption("setuponly", False):
            evidence = runner.never_called()
            pytest.fail(f"{asked.entry.name}: {evidence.verdict.reason}", pytrace=False)

    def _occasion(self, item: pytest.Item, asked: _Asked) -> Occasion:
        function = getattr(item, "function", None)
        scope = next(s for s in scopes_of([asked.config], self.profile_name))
        info = next(e for e in scope.entries if e.entry == asked.entry.name)

        def raises(evidence: Evidence) -> bool:
            return _stops(evidence, asked.profile, scope, info)

        def record(evidence: Evidence) -> None:
            self.count += 1
            self._unsent[item.nodeid].append(evidence.to_json())
            self.journal.recorded(evidence)
            item.user_properties += junit_properties(evidence)

        return Occasion(
            test=test_id(item),
            claim=" ".join((getattr(function, "__doc__", None) or "").split()),
            system=asked.config.system,
            entry=asked.entry.name,
            source=asked.entry.source,
            role=Role.KNOWN_BAD if is_known_bad(item) else Role.GATE,
            run_seed=self.seed,
            attempt=self._attempts[item.nodeid],
            raises=raises,
            started=self.journal.started,
            record=record,
            progress=self._progress(asked.entry.name),
            uncapture=self._uncapture,
        )

    def _progress(self, name: str) -> Any:
        """Return what shows a long gate's state on a terminal, or None in a log."""
        reporter = self._config.pluginmanager.getplugin("terminalreporter")
        capture = self._config.pluginmanager.getplugin("capturemanager")
        if self.worker or os.environ.get("CI") or capture is None:
            return None
        if reporter is None or not reporter.isatty:
            return None

        def show(seen: Measurement) -> None:
            line = f"{name}: {seen.n:,} so far, {seen.value:.4g} {seen.unit}"
            with capture.global_and_fixture_disabled():
                reporter.rewrite(line, erase=True)

        return show

    def _uncapture(self) -> None:
        if capture := self._config.pluginmanager.getplugin("capturemanager"):
            capture.suspend_global_capture()

    def send(self, item: pytest.Item) -> list[str]:
        """Return the evidence of ``item`` that no test report has carried yet."""
        return self._unsent.pop(item.nodeid, [])

    def last_words(self) -> dict[str, Any]:
        """Close the journal; return what this process has to tell the controller."""
        self.journal.close()
        unsent = [text for texts in self._unsent.values() for text in texts]
        self._unsent.clear()
        return {
            "asked": self.asked,
            "count": self.count,
            "unsent": unsent,  # of a test that was interrupted no report is sent
            "fault": self.journal.fault,
        }

    def hear(self, said: Mapping[str, Any]) -> None:
        """Take what a process said last."""
        self.asked |= said["asked"]
        self.ledger.expect(said["count"])
        self.ledger.take(said["unsent"])
        if said["fault"]:
            self.ledger.lost.append(said["fault"])

    def finish(self) -> Report:
        """Return the report of the run, written where there is a folder."""
        self.hear(self.last_words())
        return self.ledger.close(list(self.configs.values()), self.profile_name)


def ungated(item: pytest.Item) -> str:
    """Return which marker of a test that asked for its gates while it ran gated nothing."""
    asked = {runner.gate_name for runner in item.stash.get(RUNNERS, [])}
    idle = {m.name for m in item.own_markers if m.args or m.kwargs} & set(names()) - asked
    return "\n".join(f"carries the marker {name} and never asked for it" for name in sorted(idle))


def uncaught(item: pytest.Item) -> str:
    """Return why a known-bad test does not pass, or an empty string."""
    recorded = [piece for runner in item.stash.get(RUNNERS, []) for piece in runner.recorded]
    if not recorded:
        return "a known-bad test passes only if it asks a gate, and this one asked none"
    missed = [piece for piece in recorded if piece.outcome != Outcome.FAIL]
    return "\n".join(
        f"{piece.entry} did not catch the known-bad subject: {piece.outcome.upper()}: "
        f"{piece.verdict.reason}"
        for piece in missed
    )


def _stops(evidence: Evidence, profile: Profile, scope: Scope, info: EntryInfo) -> bool:
    if evidence.outcome == Outcome.PASS:
        return False
    if evidence.outcome == Outcome.INCONCLUSIVE:
        return profile.inconclusive == "fail"
    return not is_waived(evidence, info, scope)
