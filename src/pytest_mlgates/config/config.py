"""A gate config: its entries, profiles and waivers, and the gates that they make."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from pytest_mlgates.config.controls import Control
from pytest_mlgates.config.errors import ConfigError
from pytest_mlgates.config.profiles import Profile
from pytest_mlgates.config.waivers import Waiver
from pytest_mlgates.core import Gate, StatisticalGate
from pytest_mlgates.core.gate import make
from pytest_mlgates.core.words import did_you_mean

__all__ = ["Config", "Entry"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One configured gate: its name in the config, its fields, and where it stands.

    ``plain`` is the gate that the fields alone make, whatever the profile.
    """

    name: str
    plain: Gate
    fields: Mapping[str, Any]
    source: str

    @property
    def cls(self) -> type[Gate]:
        """The class of the gate."""
        return type(self.plain)

    @property
    def statistical(self) -> bool:
        """Whether the gate's verdict can be wrong by chance."""
        return isinstance(self.plain, StatisticalGate)

    def gate(self, alpha: float | None, beta: float | None) -> Gate:
        """Return the gate, with these error rates where the entry states none."""
        rates = {"alpha": alpha, "beta": beta} if self.statistical else {}
        given = {k: r for k, r in rates.items() if r is not None and k not in self.fields}
        return make(self.cls, {**self.fields, **given}) if given else self.plain


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
