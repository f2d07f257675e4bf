"""How a truck moves: a kinematic bicycle, and the wheel angle that brings it to a point ahead.

A model commands where to steer to: its *aim*, metres to the left of the truck's heading at the
look-ahead distance. Pure pursuit turns an aim into a wheel angle and back. An aim of half a metre
matters as much at 25 m/s as at 4 m/s, which half a degree of wheel angle does not.
Sources: Rajamani 2012, chapter 2 (kinematic bicycle); Coulter 1992 (pure pursuit).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Pose", "aim_of_wheel", "look_ahead", "moved", "wheel_angle"]

Array = npt.NDArray[Any]

#: metres between the axles of a tractor, and the largest wheel angle in radians
WHEELBASE, MAX_WHEEL = 5.9, 0.70
#: metres that one looks ahead at least and at most; a second's way between them
NEAR, FAR = 7.0, 25.0
#: seconds of one step of integration
STEP = 0.05


@dataclass(slots=True)
class Pose:
    """Where many trucks are: metres, metres, radians (counter-clockwise), metres a second."""

    x: Array
    y: Array
    heading: Array
    speed: Array


def look_ahead(speed: Array) -> Array:
    """Return the metres ahead that the aim is about."""
    return np.clip(speed, NEAR, FAR)


def wheel_angle(aim: Array, speed: Array) -> Array:
    """Return the wheel angle in radians (left is positive) that steers to the aim.

    >>> bool(wheel_angle(np.array([0.5]), np.array([20.0]))[0] > 0)
    True
    """
    distance = look_ahead(speed)
    angle = np.arctan(2 * WHEELBASE * aim / distance**2)
    return np.clip(angle, -MAX_WHEEL, MAX_WHEEL)


def aim_of_wheel(angle: Array, speed: Array, wheelbase: float = WHEELBASE) -> Array:
    """Return the aim that a recorded wheel angle (radians) and speed amount to."""
    return np.tan(angle) / wheelbase * look_ahead(speed) ** 2 / 2


def moved(pose: Pose, wheel: Array, speed: Array, seconds: float) -> Pose:
    """Return the poses after ``seconds`` at a held wheel angle, the speed reached linearly.

    >>> start = Pose(*(np.array([v]) for v in (0.0, 0.0, 0.0, 10.0)))
    >>> moved(start, np.array([0.0]), np.array([10.0]), 1.0).x.round(6).tolist()
    [10.0]
    """
    steps = max(1, round(seconds / STEP))
    x, y, heading = pose.x.copy(), pose.y.copy(), pose.heading.copy()
    for i in range(steps):
        now = pose.speed + (speed - pose.speed) * (i + 0.5) / steps
        turn = now * np.tan(wheel) / WHEELBASE * seconds / steps
        x += now * np.cos(heading + turn / 2) * seconds / steps
        y += now * np.sin(heading + turn / 2) * seconds / steps
        heading += turn
    return Pose(x, y, heading, speed.copy())
