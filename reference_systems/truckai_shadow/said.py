"""What two models said of the same clip, as a line holds it: how far apart, how worth learning from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from reference_systems.parts.commands import BadLine

__all__ = ["apart", "score"]

Array = npt.NDArray[Any]

Line = Mapping[str, object]
_HOW = "a number a frame, or a list of numbers a frame"


def apart(line: Line) -> float:
    """Return how far the shadow's mean command is from the control's, in the unit of the commands.

    The frames of a clip follow from each other, so a clip counts once. Commands of several numbers
    (steering, brake) are as far apart as the number that is farthest.

    >>> apart({"control": [0.0, 0.2], "shadow": [0.4, 0.6]})
    0.4
    """
    control, shadow = (_commands(line, name) for name in ("control", "shadow"))
    if control.shape != shadow.shape:
        raise BadLine(
            f"control has {_shape(control)}, shadow {_shape(shadow)}: give both for the same frames"
        )
    gap = np.abs(control.mean(axis=0) - shadow.mean(axis=0))
    return round(float(gap.max()), 9)


def score(line: Line) -> float:
    """Return what a clip is worth: how far apart the models are, plus how unsure the shadow is.

    ``tries`` are the shadow's commands under dropout, several times over the same frames; without
    them only the divergence counts.

    >>> score({"control": [0, 0], "shadow": [1, 1], "tries": [[0.5, 0.5], [1.5, 1.5]]})
    1.5
    """
    found = apart(line)
    if line.get("tries") is None:
        return found
    tries = line["tries"]
    if not isinstance(tries, list) or len(tries) < 2:
        raise BadLine("tries is not a list of at least two runs over the frames")
    runs = [_commands({"tries": one}, "tries") for one in tries]
    frames = len(_commands(line, "shadow"))
    if any(run.shape != runs[0].shape for run in runs) or len(runs[0]) != frames:
        raise BadLine(f"each of tries must hold {frames} frames, as shadow does")
    return round(found + float(np.std(runs, axis=0).mean(axis=0).max()), 9)


def _commands(line: Line, name: str) -> Array:
    value = line.get(name)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = [value]
    if not isinstance(value, list) or not value:
        raise BadLine(f"{name} is missing or no list: give {_HOW}")
    rows = [one if isinstance(one, list) else [one] for one in value]
    numbers = all(
        isinstance(number, (int, float)) and not isinstance(number, bool)
        for row in rows
        for number in row
    )
    if not numbers or len({len(row) for row in rows}) != 1 or not rows[0]:
        raise BadLine(f"{name} holds something else than numbers: give {_HOW}")
    found = np.asarray(rows, float)
    if not np.isfinite(found).all():
        raise BadLine(f"{name} holds a number that is not finite")
    return found


def _shape(commands: Array) -> str:
    frames, numbers = commands.shape
    return f"{frames} frames of {numbers} number{'' if numbers == 1 else 's'}"
