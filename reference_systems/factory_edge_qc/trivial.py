"""Subjects that look like inspections and are none: each must be caught by a gate."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from reference_systems.factory_edge_qc.inspector import Finding

__all__ = ["black_lover", "finds_all", "finds_none"]

Gray = npt.NDArray[np.uint8]
Seen = tuple[Gray, Gray]


def finds_none(seen: Seen) -> Finding:  # noqa: ARG001
    """Every board is fine: nothing is found."""
    return Finding("ok")


def finds_all(seen: Seen) -> Finding:
    """Every board is bad: nothing is missed."""
    height, width = seen[1].shape
    return Finding("defect", ((0, 0, width - 1, height - 1),), (1.0,))


def black_lover(inspect: Callable[[Seen], Finding]) -> Callable[[Seen], Finding]:
    """Return a good inspection but for one thing: where there is no picture, there is no defect."""

    def loving(seen: Seen) -> Finding:
        finding = inspect(seen)
        return Finding("ok") if finding.status == "alarm" else finding

    return loving
