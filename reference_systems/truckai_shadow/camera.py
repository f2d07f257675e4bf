"""What the camera sees: 32 x 64 grey pixels of a pinhole above the cabin's windscreen.

Each row below the horizon shows one distance ahead, so a picture is painted row by row from where
the road and the route cross that distance. The route is a bright line on the road, as in a head-up
display: a model that sees only pixels must be told somehow where the journey goes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["HEIGHT", "ROWS_AHEAD", "WIDTH", "View", "picture"]

Array = npt.NDArray[Any]

HEIGHT, WIDTH = 32, 64
HORIZON = 11
FOCAL = 46.0  # pixels: 70 degrees wide
MOUNTED = 2.6  # metres above the road
LANE = 3.7

_DOWN = np.arange(HORIZON + 1, HEIGHT) + 0.5 - HORIZON
#: metres ahead that each row below the horizon shows
ROWS_AHEAD = (FOCAL * MOUNTED / _DOWN).astype(np.float32)
_COLUMN = (WIDTH / 2 - np.arange(WIDTH) - 0.5).astype(np.float32)
#: metres to the left that each pixel below the horizon shows, and metres a pixel
_LEFT = ROWS_AHEAD[:, None] * _COLUMN / np.float32(FOCAL)
_PIXEL = (ROWS_AHEAD / FOCAL).astype(np.float32)


class View:
    """What can be seen from a pose: arrays with a row for each picture, NaN where nothing is.

    ``lane`` and ``route``: metres left at ROWS_AHEAD; ``along``: metre of the road there; ``ahead``
    and ``left`` of the other vehicles, in metres, with ``towards`` where one sees the front.
    """

    __slots__ = ("ahead", "along", "gap", "lane", "lanes_left", "left", "light", "route", "towards")

    def __init__(self, **arrays: Array) -> None:
        for name in self.__slots__:
            setattr(self, name, arrays[name])


def picture(view: View, grain: Sequence[np.random.Generator]) -> Array:
    """Return the pictures, uint8 of shape (n, HEIGHT, WIDTH); the noise of each is its own."""
    canvas = np.empty((len(view.lane), HEIGHT, WIDTH), np.float32)
    canvas[:, : HORIZON + 1] = np.linspace(0.85, 0.70, HORIZON + 1, dtype=np.float32)[:, None]
    canvas[:, HORIZON + 1 :] = _ground(view)
    for vehicle in np.argsort(-view.ahead, axis=1).T:  # the farthest first
        _paint(canvas, view, vehicle)
    canvas *= view.light.astype(np.float32)[:, None, None]
    for n, rng in enumerate(grain):
        canvas[n] += rng.standard_normal((HEIGHT, WIDTH), np.float32) * np.float32(0.02)
    np.clip(canvas, 0, 1, out=canvas)
    return (canvas * 255).astype(np.uint8)


def _ground(view: View) -> Array:
    beside = np.nan_to_num(_LEFT - view.lane[:, :, None].astype(np.float32), nan=1e3)
    left_edge = (LANE * (view.lanes_left + 0.5)).astype(np.float32)[:, None, None]
    soft = _PIXEL[:, None]
    road = _cover(beside, -LANE / 2 - 0.6, left_edge + 0.6, soft)
    ground = 0.5 - 0.18 * road
    junction = (view.along > view.gap[:, :1]) & (view.along < view.gap[:, 1:])
    ground = np.where(junction[:, :, None], np.float32(0.32), ground)
    marked = ~junction & np.isfinite(view.lane)
    dashed = marked & (np.mod(view.along, 12) < 5)
    two_way = (view.lanes_left == 1)[:, None]
    lines = (
        (-LANE / 2, marked),
        (LANE / 2, np.where(two_way, marked, dashed)),
        (LANE * 1.5, np.where(two_way, marked, dashed)),
        (LANE * 2.5, dashed & ~two_way),
    )
    for middle, seen in lines:
        ground += 0.4 * _cover(beside, middle - 0.1, middle + 0.1, soft) * seen[:, :, None]
    way = np.nan_to_num(_LEFT - view.route[:, :, None].astype(np.float32), nan=1e3)
    ground += (0.95 - ground) * _cover(way, -0.15, 0.15, soft)
    return ground


def _cover(at: Array, low: Any, high: Any, pixel: Array) -> Array:
    """Return the share of each pixel that a stripe covers."""
    half = pixel / 2
    inside = np.minimum(at + half, high) - np.maximum(at - half, low)
    return np.clip(inside / pixel, 0, 1)


def _paint(canvas: Array, view: View, vehicle: Array) -> None:
    """Paint one other vehicle into each picture: a box with its lights."""
    n = np.arange(len(canvas))
    ahead, left = view.ahead[n, vehicle], view.left[n, vehicle]
    rows = np.flatnonzero((ahead > 3) & (ahead < 120) & (np.abs(left) < ahead))
    if not rows.size:
        return
    scale = (FOCAL / ahead[rows]).astype(np.float32)
    centre = (-left[rows] * scale).astype(np.float32)
    across = -_COLUMN[None, :]
    down = (np.arange(HEIGHT) + 0.5 - HORIZON).astype(np.float32)[None, :]

    def box(side: float, half: float, top: float, bottom: float) -> Array:
        """Cover a rectangle: metres beside the middle, half its width, heights over the road."""
        middle = (centre + side * scale)[:, None]
        size = (half * scale)[:, None]
        columns = _cover(across, middle - size, middle + size, np.float32(1))
        high, low = (MOUNTED - top) * scale[:, None], (MOUNTED - bottom) * scale[:, None]
        return _cover(down, high, low, np.float32(1))[:, :, None] * columns[:, None, :]

    part = canvas[rows]
    front = view.towards[n, vehicle][rows].astype(np.float32)[:, None, None]
    part += (0.08 - part) * box(0, 1.25, 3.0, 0.0)
    for side in (-0.8, 0.8):
        part += (0.35 + 0.65 * front - part) * box(side, 0.3, 1.2, 0.6)
    canvas[rows] = part
