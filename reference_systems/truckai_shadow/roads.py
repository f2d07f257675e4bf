"""Scenes to drive through, by seed: the road, the route on it, and the other vehicles.

A road is given by its curvature metre by metre. The route follows it, shifted sideways where lanes
are changed. At a junction the road turns and its markings end; other vehicles go straight on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from reference_systems.truckai_shadow.profiles import Profile

__all__ = ["LEFT_TURN", "MANOEUVRES", "TRAFFIC", "Scenes", "scenes"]

Array = npt.NDArray[Any]

#: what a truck does in a clip, and the share of each in the traffic of a long-haul fleet
TRAFFIC: Mapping[str, float] = {
    "highway": 0.74,
    "lane change": 0.09,
    "curve": 0.07,
    "merge": 0.05,
    "right turn": 0.042,
    "unprotected left turn": 0.008,
}
MANOEUVRES = tuple(TRAFFIC)
LEFT_TURN = "unprotected left turn"

LANE = 3.7  # metres
LENGTH = 130  # metres of road, one number each
START = 12  # metres of road behind where a clip begins, at most
#: other vehicles a scene
VEHICLES = 3
#: an oncoming vehicle is in the way from that far before the junction, in metres, to that far past
CONFLICT = (50.0, -2.0)
#: metres from the stop line to where the paths cross
CROSSING = 8.0
_NONE = -1e3  # where a vehicle is that is not there


@dataclass(slots=True)
class Scenes:
    """Many scenes as arrays, a row each; metres, metres a second, radians."""

    manoeuvre: Array  # index into MANOEUVRES
    curvature: Array  # of the road, at each metre
    shift: Array  # of the route, to the left of the lane's middle, at each metre
    gap: Array  # (from, to) along the road: a junction without markings
    lanes_left: Array  # further lanes on the left, of either direction
    speed: Array  # that the planner asks for
    begin: Array  # where on the road the truck is at the start,
    offset: Array  # how far left of the route,
    yaw: Array  # and turned by how much
    at: Array  # of each other vehicle along the road at the start,
    side: Array  # how far left of the lane's middle,
    pace: Array  # metres a second along the road, negative where it comes towards the truck
    light: Array  # brightness of the day
    look: Array  # seed of what is random in a picture

    def __len__(self) -> int:
        return len(self.manoeuvre)

    def __getitem__(self, rows: Any) -> Scenes:
        return Scenes(*(getattr(self, field.name)[rows] for field in fields(self)))

    @property
    def names(self) -> list[str]:
        """The manoeuvre of each scene."""
        return [MANOEUVRES[i] for i in self.manoeuvre]

    @property
    def yields(self) -> Array:
        """Whether the truck turns across oncoming traffic that nothing holds back."""
        return self.manoeuvre == MANOEUVRES.index(LEFT_TURN)


def scenes(
    n: int,
    seed: Sequence[int],
    mix: Mapping[str, float] = TRAFFIC,
    profile: Profile | None = None,
) -> Scenes:
    """Return ``n`` scenes drawn by seed, the manoeuvres in the shares of ``mix``.

    ``profile`` gives highways the curvature and the speed of a recorded drive.

    >>> scenes(4, (1, 2), {"curve": 1.0}).names
    ['curve', 'curve', 'curve', 'curve']
    """
    rng = np.random.default_rng([20262, *seed])
    shares = np.array([mix.get(name, 0.0) for name in MANOEUVRES])
    kind = rng.choice(len(MANOEUVRES), n, p=shares / shares.sum())
    found = _blank(n, kind, rng)
    for index, name in enumerate(MANOEUVRES):
        rows = np.flatnonzero(kind == index)
        if rows.size:
            _SHAPES[name](found, rows, rng)
            if name == "highway" and profile is not None:
                found.curvature[rows], found.speed[rows] = profile.pieces(rows.size, LENGTH, rng)
    return found


def _blank(n: int, kind: Array, rng: np.random.Generator) -> Scenes:
    return Scenes(
        manoeuvre=kind,
        curvature=np.zeros((n, LENGTH), np.float32),
        shift=np.zeros((n, LENGTH), np.float32),
        gap=np.full((n, 2), 1e6),
        lanes_left=rng.integers(1, 4, n),
        speed=rng.uniform(18, 26, n),
        begin=np.full(n, float(START)),
        offset=rng.normal(0, 0.25, n),
        yaw=rng.normal(0, 0.008, n),
        at=np.full((n, VEHICLES), _NONE),
        side=np.zeros((n, VEHICLES)),
        pace=np.zeros((n, VEHICLES)),
        light=rng.uniform(0.6, 1.25, n),
        look=rng.integers(0, 2**31, n),
    )


def _highway(s: Scenes, rows: Array, rng: np.random.Generator) -> None:
    bend = rng.choice([0.0, 1.0], rows.size, p=[0.4, 0.6]) * rng.normal(0, 0.0008, rows.size)
    s.curvature[rows] = bend[:, None]
    _neighbours(s, rows, rng)


def _lane_change(s: Scenes, rows: Array, rng: np.random.Generator) -> None:
    _highway(s, rows, rng)
    s.lanes_left[rows] = rng.integers(2, 4, rows.size)
    over = rng.uniform(60, 95, rows.size)
    starts = START + rng.uniform(-30, 20, rows.size)
    side = rng.choice([-1.0, 1.0], rows.size)
    s.shift[rows] = LANE * side[:, None] * _ease(starts, over)
    s.at[rows[side > 0], 0] = _NONE  # one moves over where it is free


def _curve(s: Scenes, rows: Array, rng: np.random.Generator) -> None:
    radius = rng.uniform(70, 300, rows.size) * rng.choice([-1, 1], rows.size)
    into = START + rng.uniform(-40, 30, rows.size)
    s.curvature[rows] = _ease(into, np.full(rows.size, 20.0)) / radius[:, None]
    s.speed[rows] = np.minimum(np.sqrt(2.0 * np.abs(radius)), 22)
    s.lanes_left[rows] = 1
    _neighbours(s, rows, rng)


def _merge(s: Scenes, rows: Array, rng: np.random.Generator) -> None:
    _highway(s, rows, rng)
    starts = START + rng.uniform(-25, 25, rows.size)
    s.shift[rows] = LANE * _ease(starts, rng.uniform(45, 70, rows.size))
    s.speed[rows] = rng.uniform(14, 22, rows.size)
    s.lanes_left[rows] = rng.integers(2, 4, rows.size)
    s.at[rows, 0] = _NONE


def _right_turn(s: Scenes, rows: Array, rng: np.random.Generator) -> None:
    _junction(s, rows, rng, -rng.uniform(11, 16, rows.size))


def _left_turn(s: Scenes, rows: Array, rng: np.random.Generator) -> None:
    _junction(s, rows, rng, rng.uniform(13, 18, rows.size))


_SHAPES = {
    "highway": _highway,
    "lane change": _lane_change,
    "curve": _curve,
    "merge": _merge,
    "right turn": _right_turn,
    "unprotected left turn": _left_turn,
}


def _ease(start: Array, over: Array) -> Array:
    """Return a smooth step from 0 to 1 at each metre (its slope and bend begin and end at 0)."""
    t = np.clip((np.arange(LENGTH) - start[:, None]) / over[:, None], 0, 1)
    return t**3 * (10 - 15 * t + 6 * t**2)


def _neighbours(s: Scenes, rows: Array, rng: np.random.Generator) -> None:
    """Put vehicles in front, in the lane to the left, and coming towards on the far side."""
    n, lanes = rows.size, s.lanes_left[rows]
    two_way = lanes == 1
    ahead = np.where(rng.random(n) < 0.5, START + rng.uniform(5, 60, n), _NONE)
    s.at[rows, 0] = np.where(two_way, _NONE, ahead)
    s.side[rows, 0], s.pace[rows, 0] = LANE, s.speed[rows] + rng.normal(1, 2, n)
    s.at[rows, 1] = np.where(rng.random(n) < 0.6, START + rng.uniform(10, 90, n), _NONE)
    s.side[rows, 1] = np.where(two_way, LANE, LANE * (lanes + 1))
    s.pace[rows, 1] = -rng.uniform(12, 25, n)
    s.at[rows, 2] = np.where(rng.random(n) < 0.4, START + rng.uniform(30, 90, n), _NONE)
    s.pace[rows, 2] = s.speed[rows] + rng.normal(0, 1, n)


def _junction(s: Scenes, rows: Array, rng: np.random.Generator, radius: Array) -> None:
    """Turn a quarter circle; the oncoming vehicle is either in the way, or far off, or absent.

    Vehicles that begin between 38 and 80 m away are left out: there drivers differ.
    """
    n = rows.size
    stop = np.full(n, START + 6.0)
    quarter = np.abs(radius) * np.pi / 2
    metres = np.arange(LENGTH)
    turning = (metres >= stop[:, None]) & (metres < (stop + quarter)[:, None])
    s.curvature[rows] = turning / radius[:, None]
    s.gap[rows] = np.stack([stop, stop + quarter], axis=1)
    s.lanes_left[rows] = 1
    s.speed[rows] = rng.uniform(2.5, 4.5, n)
    s.begin[rows] = START + rng.uniform(0, 6, n)
    s.offset[rows], s.yaw[rows] = rng.normal(0, 0.15, n), rng.normal(0, 0.02, n)
    coming, chance = stop + CROSSING, rng.random(n)
    near, far = rng.uniform(14, 38, n), rng.uniform(80, 110, n)
    s.at[rows, 1] = np.where(
        chance < 0.55, coming + near, np.where(chance < 0.75, coming + far, _NONE)
    )
    s.side[rows, 1], s.pace[rows, 1] = LANE, -rng.uniform(8, 12, n)
    # one that went straight on before: it is not in the way
    s.at[rows, 2] = np.where(rng.random(n) < 0.4, coming + rng.uniform(8, 50, n), _NONE)
    s.pace[rows, 2] = rng.uniform(3, 8, n)
