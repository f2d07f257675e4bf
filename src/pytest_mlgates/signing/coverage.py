"""Whether a report holds all it has to: every configured gate, by the configs at hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pytest_mlgates.config.config import Config
from pytest_mlgates.config.errors import ConfigError
from pytest_mlgates.config.load import configs_in, load_config, load_configs
from pytest_mlgates.config.tighten import tighten
from pytest_mlgates.core import Evidence, Role
from pytest_mlgates.core.instants import instant
from pytest_mlgates.report.build import build
from pytest_mlgates.report.model import Report
from pytest_mlgates.report.scopes import scopes_of

__all__ = ["ConfigsAtHand", "gaps"]


def gaps(report: Report) -> Iterator[str]:
    """Yield what a report itself says is not there."""
    if not report.environment.get("finished"):
        yield "the run has not ended"
    yield from report.incomplete
    for gap in report.missing:
        yield f"{gap.system}: {gap.entry} left no evidence ({gap.source})"
    for test in report.absent:
        yield f"{test.system}: {test.entry}: {test.test} asked for it and left no evidence: {test.why}"
    if not report.systems:
        yield "no gate was configured"


class ConfigsAtHand:
    """The gate configs that a report is held against.

    Raises :class:`~pytest_mlgates.config.config.ConfigError` where they are broken.
    """

    def __init__(self, place: Path) -> None:
        paths = configs_in([place])
        configs = load_configs((path, path.as_posix()) for path in paths)
        self.files = {config.system: path for config, path in zip(configs, paths, strict=True)}

    def faults(self, report: Report, profile: str | None) -> Iterator[str]:
        """Yield where a report is not what these configs ask for.

        ``profile`` is the one that the run has to have used, None for any. The report's summary is
        made again from its evidence and these configs, and every policy held against its entry.
        """
        recorded = {
            system.system: (config, system)
            for config, system in zip(report.configs, report.systems, strict=False)
        }
        for system in sorted(self.files.keys() - recorded.keys()):
            yield f"{system}: is configured in {self.files[system]} and was not gated"
        for system in sorted(recorded.keys() - self.files.keys()):
            yield f"{system}: was gated by a config that is not at hand"
        configs: list[Config] = []
        for system, (config, row) in recorded.items():
            if system not in self.files:
                continue
            mine = load_config(self.files[system], config.path)
            if mine.sha256 != config.sha256:
                yield f"{system}: was gated by another config than {self.files[system]}"
                continue
            if profile is not None and row.profile != profile:
                yield f"{system}: was gated under the profile {row.profile}, not {profile}"
            configs.append(mine)
        if len(configs) == len(recorded):
            yield from _made_again(report, configs)


def _made_again(report: Report, configs: list[Config]) -> Iterator[str]:
    profiles = {system.system: system.profile for system in report.systems}
    try:
        scopes = [scope for c in configs for scope in scopes_of([c], profiles[c.system])]
        facts = report.environment
        now = instant(facts["finished"])
        again = build(report.evidence, scopes, report.incomplete, facts, now, absent=report.absent)
    except (ConfigError, KeyError, TypeError, ValueError, OverflowError) as error:
        yield f"the report can't be made again from the configs at hand: {error}"
        return
    for part in ("outcome", "systems", "missing", "waived", "false_alarm", "configs", "controls"):
        if getattr(report, part) != getattr(again, part):
            yield f"{part}: is not what the evidence and the configs at hand come to"
    for config in configs:
        for piece in report.evidence:
            if piece.system == config.system and piece.entry in config.entries:
                yield from _looser(piece, config, profiles[config.system])


def _looser(piece: Evidence, config: Config, profile: str) -> Iterator[str]:
    """Yield how a piece of evidence was judged by less than its entry asks for."""
    entry = config.entries[piece.entry]
    where = f"{piece.system}: {piece.entry}"
    if piece.gate != entry.cls.name:
        yield f"{where}: evidence is of the gate {piece.gate}, not {entry.cls.name}"
        return
    chosen = config.profile(profile)
    gate = config.gate(entry, chosen)
    policy = gate.policy()
    # the share of a budget hangs on how many tests were collected, which no report says
    shared = {"alpha"} if chosen.suite_alpha is not None else set()
    changes = {
        field: value
        for field, value in piece.policy.items()
        if field not in shared and (field not in policy or policy[field] != value)
    }
    if changes and piece.role == Role.KNOWN_BAD:
        yield f"{where}: the known-bad subject was judged by another policy than {entry.source}"
        return
    try:
        tighten(gate, [changes], where, entry.source)
    except ConfigError as error:
        yield from error.lines
