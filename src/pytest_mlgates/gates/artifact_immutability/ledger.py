"""What a store has acknowledged, and what was done to it."""

from __future__ import annotations

import dataclasses
from collections import Counter

from pytest_mlgates.gates.artifact_immutability.details import FAULTS

__all__ = ["Acknowledged", "Kept", "ViolationError"]


class ViolationError(Exception):
    """The store broke a promise; the text says how, in words that hold nothing of the store's."""


@dataclasses.dataclass(slots=True)
class Kept:
    """What a reference was acknowledged for, and whether anything happened to it since."""

    digest: str
    damage: str = ""
    deleted: bool = False


class Acknowledged:
    """What the store has acknowledged, over all sequences, and counts of what was done to it."""

    def __init__(self) -> None:
        self.kept: dict[str, Kept] = {}
        self.equal: dict[str, list[str]] = {}
        self.done: Counter[str] = Counter()
        self.refusals: Counter[str] = Counter()
        self.plain_puts = self.refused = self.read_back = self.audited = 0
        self.faults = {kind: Counter[str]() for kind in FAULTS}

    def sound(self) -> list[str]:
        """Return the references that the store owes."""
        return [name for name, one in self.kept.items() if not (one.damage or one.deleted)]
