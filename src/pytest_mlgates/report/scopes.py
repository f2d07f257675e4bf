"""Configs as a report sees them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from pytest_mlgates.config.config import Config
from pytest_mlgates.config.profiles import Profile
from pytest_mlgates.config.waivers import Waiver
from pytest_mlgates.registry import load
from pytest_mlgates.report.model import EntryInfo, Report, Scope, WaiverState

__all__ = ["scope_of", "scopes_in", "scopes_of"]


def scopes_of(configs: Sequence[Config], profile: str | None) -> list[Scope]:
    """Return the configs at hand, each with its profile of that name."""
    return [scope_of(config, config.profile(profile)) for config in configs]


def scope_of(config: Config, profile: Profile) -> Scope:
    """Return a config at hand."""
    return Scope(
        path=config.path,
        sha256=config.sha256,
        system=config.system,
        owner=config.owner,
        controls=config.controls,
        known_controls=config.known_controls,
        entries=tuple(
            EntryInfo(
                entry=entry.name, gate=entry.cls.name, source=entry.source, worse=entry.cls.worse
            )
            for entry in config.entries.values()
        ),
        profile=profile,
        waivers=config.waivers,
    )


def scopes_in(report: Report) -> Iterator[Scope]:
    """Yield the configs that a report is about, with their profiles and waivers.

    ValueError where it contradicts itself, UnknownGate where a gate is not installed here.
    """
    for system, config in zip(report.systems, report.configs, strict=True):
        yield Scope(
            path=config.path,
            sha256=config.sha256,
            system=system.system,
            owner=system.owner,
            controls=system.controls,
            known_controls=report.controls,
            entries=tuple(
                EntryInfo(
                    entry=gate.entry,
                    gate=gate.gate,
                    source=gate.source,
                    worse=load(gate.gate).worse,
                )
                for gate in system.gates
            ),
            profile=Profile(name=system.profile, **dataclasses.asdict(system.rules)),
            waivers=tuple(_waiver(w) for w in report.waived if w.system == system.system),
        )


def _waiver(state: WaiverState) -> Waiver:
    names = [field.name for field in dataclasses.fields(Waiver)]
    return Waiver(**{name: getattr(state, name) for name in names})
