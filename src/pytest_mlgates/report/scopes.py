"""Configs as a report sees them."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_mlgates.config.config import Config
from pytest_mlgates.report.report import EntryInfo, Scope

__all__ = ["scopes_of"]


def scopes_of(configs: Sequence[Config], profile: str | None) -> list[Scope]:
    """Return the configs as a report sees them."""
    return [
        Scope(
            path=config.path,
            sha256=config.sha256,
            system=config.system,
            owner=config.owner,
            controls=config.controls,
            known_controls=config.known_controls,
            entries=tuple(
                EntryInfo(
                    entry=entry.name,
                    gate=entry.cls.name,
                    source=entry.source,
                    worse=entry.cls.worse,
                )
                for entry in config.entries.values()
            ),
            profile=config.profile(profile),
            waivers=config.waivers,
        )
        for config in configs
    ]
