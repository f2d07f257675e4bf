"""Subjects that look like inspections and are none: each must be caught by a gate."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from reference_systems.factory_edge_qc.inputs import Inspects
from reference_systems.factory_edge_qc.inspector import Finding
from reference_systems.factory_edge_qc.onnx_file import digest_of

__all__ = ["BlackLover", "finds_all", "finds_none"]

Gray = npt.NDArray[np.uint8]


def finds_none(board: object) -> bool:  # noqa: ARG001
    """No board is ever stopped: nothing is found, and nothing is sent."""
    return False


def finds_all(board: object) -> bool:  # noqa: ARG001
    """Every board is stopped: nothing is missed."""
    return True


class BlackLover:
    """A good inspection but for one thing: where there is no picture, there is no defect."""

    def __init__(self, inspect: Inspects) -> None:
        self.inspect = inspect
        self.mlgates_digest = digest_of(f"black lover {inspect.mlgates_digest}".encode())

    def __call__(self, seen: tuple[Gray, Gray]) -> Finding:
        """Inspect a frame; an alarm is taken for a board without defects."""
        finding = self.inspect(seen)
        return Finding("ok") if finding.status == "alarm" else finding
