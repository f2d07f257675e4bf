"""What a run of ``artifact_immutability`` records: what was done to the store, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pytest_mlgates.core.details import Count

__all__ = ["FAULTS", "BrokenPromise", "Fault", "Seen"]

#: what can be done to a store from behind; each is counted in :class:`Fault`
FAULTS = ("flip", "cut", "lengthen", "empty", "swap", "cut read")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """How often something was done behind the store's back, and how often it then refused a read.

    ``harmless``: the right bytes came all the same, from a copy that was not reached, or mended.
    """

    done: Count
    refused: Count
    harmless: Count

    def __post_init__(self) -> None:
        if self.refused + self.harmless > self.done:
            raise ValueError(f"{self.refused} refused and {self.harmless} harmless of {self.done}")


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenPromise:
    """How a promise was broken, after which operations; ``shrunk`` where none can be left out."""

    how: str
    operations: tuple[str, ...]
    shrunk: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Everything so far.

    ``clean`` sequences acknowledged and gave back at least one artifact and broke nothing;
    ``idle`` ones acknowledged nothing. ``plain_puts`` are puts of new bytes under a new name, of
    which ``refused`` were refused; ``refusals`` counts the kinds of exception. ``done`` counts the
    operations that met an acknowledged artifact, ``audited`` reads of earlier sequences' ones.
    """

    clean: Count
    idle: Count
    broken: BrokenPromise | None = None
    plain_puts: Count
    refused: Count
    refusals: Mapping[str, Count]
    done: Mapping[str, Count]
    faults: Mapping[str, Fault]
    audited: Count
    offered: tuple[str, ...]
    calls: Count
    findings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.refused > self.plain_puts:
            raise ValueError(f"{self.refused} of {self.plain_puts} plain puts were refused")
        if unknown := set(self.faults) - set(FAULTS):
            raise ValueError(f"there is no fault {min(unknown)!r}")
