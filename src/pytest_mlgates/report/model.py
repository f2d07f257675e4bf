"""What a report is made of: plain records, from which ``report.json`` is written."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from pytest_mlgates.config.controls import Control
from pytest_mlgates.config.profiles import Profile
from pytest_mlgates.config.waivers import Waiver, uncovered
from pytest_mlgates.core import BrokenLimit, Evidence, Role
from pytest_mlgates.core.canonical import Json, freeze
from pytest_mlgates.core.details import plain

__all__ = [
    "DESELECTED", "SCHEMA", "AbsentTest", "ConfigFile", "EarlierGate", "EarlierRun", "EntryInfo", "FalseAlarm", "GateReport",
    "MissingEntry", "Report", "Rules", "Scope", "SystemFalseAlarm", "SystemReport", "WaiverState",
]  # fmt: skip

#: why a test is absent that `-k`, a shard or another plugin left out
DESELECTED = "deselected"
SCHEMA = "pytest-mlgates/report/3"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class EntryInfo:
    """What a report needs to know of a configured gate."""

    entry: str
    gate: str
    source: str
    worse: str = "up"
    directions: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def direction(self, limit: str) -> str:
        """Return whether a larger ("up") or a smaller value of a limit is the worse one."""
        return self.directions.get(limit, self.worse)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """One config as a report sees it."""

    path: str
    sha256: str
    system: str
    owner: str
    controls: tuple[str, ...]
    entries: tuple[EntryInfo, ...]
    profile: Profile
    waivers: tuple[Waiver, ...]
    known_controls: tuple[Control, ...] = ()
    #: before 0.3.0 a budget was stated and nothing came of spending more
    budget_binds: bool = True

    def active_waivers(self, entry: str, now: datetime) -> Iterator[Waiver]:
        """Yield the waivers of an entry that hold at ``now``."""
        for waiver in self.waivers:
            if waiver.gate == entry and waiver.active(now):
                yield waiver

    def not_accepted(self, piece: Evidence, now: datetime) -> list[BrokenLimit]:
        """Return the limits that a FAIL broke and no waiver in force accepts."""
        waivers = list(self.active_waivers(piece.entry, now))
        by_name = {info.entry: info.direction for info in self.entries}
        return uncovered(piece.broken, waivers, piece.limit, by_name[piece.entry])


# The fields of each record below are the keys of its object in report.json, in that order.


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FalseAlarm:
    """The largest chance that one of so many statistical gate runs FAILs a sound subject."""

    at_most: float
    runs: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SystemFalseAlarm(FalseAlarm):
    """The same for one system, and what its profile allows (``suite_alpha``)."""

    budget: float | None

    @property
    def overspent(self) -> bool:
        """Whether more was spent than the profile allows."""
        return self.budget is not None and self.at_most > self.budget * (1 + 1e-9)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The fields of a profile that an outcome and the chance of a false alarm follow from."""

    inconclusive: str
    complete: bool
    reruns: str
    suite_alpha: float | None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class GateReport:
    """One configured gate: its state, and the digests of its evidence and of its incident's."""

    entry: str
    gate: str
    source: str
    status: str
    incident: str
    evidence: tuple[str, ...]
    proof: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SystemReport:
    """One system and its gates."""

    system: str
    outcome: str
    owner: str
    controls: tuple[str, ...]
    profile: str
    rules: Rules
    false_alarm: SystemFalseAlarm
    gates: tuple[GateReport, ...]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class MissingEntry:
    """A configured gate that left no evidence."""

    system: str
    entry: str
    gate: str
    source: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class AbsentTest:
    """A test that asked for a gate when it was collected and left no evidence of it."""

    test: str
    system: str
    entry: str
    why: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class WaiverState:
    """A waiver, and what it did: ``in force``, ``not needed``, ``idle`` or ``expired``."""

    gate: str
    reason: str
    approved_by: str
    expires: str
    owner: str
    up_to: float | None
    source: str
    system: str
    state: str
    limit: str | None = None
    slice: str | None = None

    @property
    def about(self) -> str:
        """The entry, and which of its limits is accepted where."""
        limit = f", {self.limit}" if self.limit is not None else ""
        where = f" in the slice {self.slice!r}" if self.slice is not None else ""
        return f"{self.system}: {self.gate}{limit}{where}"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ConfigFile:
    """A gate config that was in scope, by its digest."""

    path: str
    sha256: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class EarlierGate:
    """What an earlier report said of one gate: the number of its worst piece of evidence."""

    system: str
    entry: str
    status: str
    value: float | None
    low: float | None
    high: float | None
    limit: float | None
    unit: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class EarlierRun:
    """An earlier report, quoted; ``sha256`` is that of its ``report.json``."""

    finished: str
    commit: str
    outcome: str
    sha256: str
    gates: tuple[EarlierGate, ...]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What is written to ``report.json``; ``problems`` are the reasons for exit status 1."""

    outcome: str
    problems: tuple[str, ...]
    systems: tuple[SystemReport, ...]
    evidence: tuple[Evidence, ...]
    missing: tuple[MissingEntry, ...]
    incomplete: tuple[str, ...]
    waived: tuple[WaiverState, ...]
    false_alarm: FalseAlarm
    environment: Mapping[str, Json]
    configs: tuple[ConfigFile, ...]
    controls: tuple[Control, ...] = ()
    #: what earlier reports said, as ``history.py`` reads it; nothing follows from it
    history: tuple[EarlierRun, ...] = ()
    absent: tuple[AbsentTest, ...] = ()

    def waivers_of(self, system: str, entry: str) -> tuple[WaiverState, ...]:
        """Return the waivers of an entry, in force or not."""
        return tuple(w for w in self.waived if (w.system, w.gate) == (system, entry))

    def gated(self) -> Iterator[Evidence]:
        """Yield the evidence of subjects that were to be let through; not of known-bad ones."""
        return (piece for piece in self.evidence if piece.role == Role.GATE)

    def to_dict(self) -> dict[str, Json]:
        """Return the report as a JSON object; each piece of evidence carries its digest."""
        # evidence is frozen already
        pieces = tuple({**e.to_dict(), "digest": e.digest} for e in self.evidence)
        names = [f.name for f in dataclasses.fields(self) if f.name != "absent" or self.absent]
        return {
            "schema": SCHEMA,
            **{n: pieces if n == "evidence" else _json(getattr(self, n), n) for n in names},
        }


def _json(value: object, name: str) -> Json:
    records = isinstance(value, tuple) and all(map(dataclasses.is_dataclass, value))
    if records and isinstance(value, Sequence):
        return freeze(tuple(map(plain, value)), name)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return freeze(plain(value), name)
    return freeze(value, name)
