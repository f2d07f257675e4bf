"""Find the board in a frame of 3840 x 2160, and bring it to the size that is inspected."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from reference_systems.factory_edge_qc.boards import SIDE
from reference_systems.factory_edge_qc.frames import Fault

__all__ = ["found"]

Gray = npt.NDArray[np.uint8]

_STEP = 4
_LEAST_LEVEL = 170
_SLACK = 0.01


def found(frame: Gray, scale: int, edge: int) -> Gray:
    """Return the board (640 x 640) that lies in a frame, without its rim.

    Raises :class:`Fault` where no whole board is there: the camera is covered, blinded or loose.
    """
    side = (SIDE + 2 * edge) * scale
    ends = []
    for axis, part in ((1, frame[:, ::_STEP]), (0, frame[::_STEP])):
        # a rim is bright all along, so a row that crosses the board is bright at both of its sides
        share = (part > _LEAST_LEVEL).mean(axis) * frame.shape[axis] / side
        hits = np.flatnonzero(share > 2 * edge / (SIDE + 2 * edge) * 0.8)
        if not hits.size:
            raise Fault("there is no board in the frame")
        ends.append((int(hits[0]), int(hits[-1]) + 1))
    for (begin, end), whole in zip(ends, frame.shape, strict=True):
        if abs(end - begin - side) > side * _SLACK:
            raise Fault(f"a board of {side} pixels is wanted, {end - begin} were found")
        if begin == 0 or end >= whole:
            raise Fault("the board lies at the border of the frame")
    (top, below), (left, right) = ends
    y, x = (top + below - side) // 2 + edge * scale, (left + right - side) // 2 + edge * scale
    part = frame[y : y + SIDE * scale, x : x + SIDE * scale]
    cells = part.reshape(SIDE, scale, SIDE, scale)
    return np.asarray(cells.mean((1, 3), dtype=np.float32) + 0.5, np.float32).astype(np.uint8)
