"""The fixed build: V3, trained on V2's clips and on those that the query found in the fleet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference_systems.truckai_shadow.builds import versions

if TYPE_CHECKING:
    from reference_systems.truckai_shadow.export import Pilot

__all__ = ["pilot", "training_rows"]


def pilot() -> Pilot:
    """Return V3 as it goes to the trucks."""
    return versions().v3


def training_rows() -> list[dict[str, str]]:
    """Return a row for each clip that V3 was trained on."""
    return [{"manoeuvre": name} for name in versions().data_v3.names]
