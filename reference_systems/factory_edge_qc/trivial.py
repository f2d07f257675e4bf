"""Subjects that look like inspections and are none: each must be caught by a gate."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from reference_systems.factory_edge_qc.inspector import Finding

__all__ = ["black_lover", "finds_all", "finds_none"]

Gray = npt.NDArray[np.uint8]
Seen = tuple[Gray, Gray]


def finds_none(board: object) -> bool:  # noqa: ARG001
    """No board is ever stopped: nothing is found, and nothing is sent."""
    return False


def finds_all(board: object) -> bool:  # noqa: ARG001
    """Every board is stopped: nothing is missed."""
    return True


def black_lover(inspect: Callable[[Seen], Finding]) -> Callable[[Seen], Finding]:
    """Return a good inspection but for one thing: where there is no picture, there is no defect."""

    def loving(seen: Seen) -> Finding:
        finding = inspect(seen)
        return Finding("ok") if finding.status == "alarm" else finding

    return loving
