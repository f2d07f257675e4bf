"""Recorded drives: the steering and speed of a real car, as the curvature of a road."""

from __future__ import annotations

import csv
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Profile", "read_profile", "recorded"]

Array = npt.NDArray[Any]

#: of the recorded car: wheelbase in metres; degrees of steering wheel for one of the road wheels
WHEELBASE, RATIO = 2.70, 15.3


@dataclass(frozen=True, slots=True)
class Profile:
    """Curvature (1/m) and speed (m/s), at each metre of the way."""

    curvature: Array
    speed: Array

    def pieces(self, n: int, length: int, rng: np.random.Generator) -> tuple[Array, Array]:
        """Return ``n`` stretches of the road, half of them mirrored, and the speed on each."""
        starts = rng.integers(0, len(self.curvature) - length + 1, n)
        mirrored = rng.choice([-1.0, 1.0], n)
        rows = starts[:, None] + np.arange(length)
        return self.curvature[rows] * mirrored[:, None], self.speed[starts]


def recorded() -> Profile | None:
    """Return the drive under ``MLGATES_DATA/truckai_shadow``, or None where there is none."""
    root = os.environ.get("MLGATES_DATA")
    folder = Path(root, "truckai_shadow") if root else None
    if folder is None or not folder.is_dir():
        return None
    return read_profile(folder / "comma2k19_example1_20hz.csv")


def read_profile(path: Path) -> Profile:
    """Read columns ``t_s``, ``speed_mps`` and ``steering_angle_deg`` (of the steering wheel).

    Raises :class:`ValueError` that names the line, where a number is missing or not finite.
    """
    table = []
    with path.open(encoding="utf-8-sig", newline="") as file:
        for line, row in enumerate(csv.DictReader(file), start=2):
            try:
                values = [float(row[k]) for k in ("t_s", "speed_mps", "steering_angle_deg")]
            except (KeyError, TypeError, ValueError):
                raise ValueError(f"{path.name}, line {line}: needs three numbers") from None
            if not all(map(math.isfinite, values)):
                raise ValueError(f"{path.name}, line {line}: a number is not finite")
            table.append(values)
    if len(table) < 2:
        raise ValueError(f"{path.name} holds no drive")
    time, speed, wheel = np.array(table).T
    way = np.concatenate([[0.0], np.cumsum(np.diff(time) * (speed[1:] + speed[:-1]) / 2)])
    metres = np.arange(0.0, way[-1])
    if len(metres) < 200:
        raise ValueError(f"{path.name} holds {len(metres)} m of road, 200 are needed")
    bend = np.tan(np.radians(wheel / RATIO)) / WHEELBASE
    return Profile(np.interp(metres, way, bend), np.interp(metres, way, speed))
