"""Over the air: a truck takes a new pilot by its digest, and only with the evidence for it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pytest_mlgates import Gate
from reference_systems.parts import ota
from reference_systems.truckai_shadow.export import Pilot

__all__ = ["Updater"]


class Updater(ota.Updater[Pilot]):
    """The pilots of one truck in a folder, and which of them drives."""

    def __init__(self, folder: Path, required: Sequence[Gate]) -> None:
        super().__init__(folder, required, Pilot)

    def pilot(self) -> Pilot:
        """Return the pilot that drives; raises :class:`RuntimeError` where none is intact."""
        return self.model()
