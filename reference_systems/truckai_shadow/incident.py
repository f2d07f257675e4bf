"""The incident build: V2, trained on highway traffic in which left turns hardly occur."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference_systems.truckai_shadow.builds import versions

if TYPE_CHECKING:
    from reference_systems.truckai_shadow.export import Pilot

__all__ = ["pilot", "training_rows"]


def pilot() -> Pilot:
    """Return V2 as it would go to the trucks."""
    return versions().v2


def training_rows() -> list[dict[str, str]]:
    """Return a row for each clip that V2 was trained on."""
    return [{"manoeuvre": name} for name in versions().data_v2.names]
