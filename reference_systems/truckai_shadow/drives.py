"""Drive trucks through scenes in closed loop, and keep what the camera saw as clips.

A pilot sees frames and speed, and commands an aim; the truck moves by it and sees what follows.
Without a pilot a careful driver drives, who knows the road and gives way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from reference_systems.truckai_shadow.camera import HEIGHT, ROWS_AHEAD, WIDTH, View, picture
from reference_systems.truckai_shadow.roads import CONFLICT, CROSSING, LENGTH, Scenes
from reference_systems.truckai_shadow.vehicle import Pose, look_ahead, moved, wheel_angle

__all__ = ["FRAMES", "PERIOD", "Clips", "Pilot", "drive"]

Array = npt.NDArray[Any]
#: takes frames (n, HEIGHT, WIDTH) and speeds (n), gives aims (n) in metres
Pilot = Callable[[Array, Array], Array]

#: a clip is that many frames, that many seconds apart
FRAMES, PERIOD = 6, 0.25
#: an aim beyond this at the stop line is the decision to turn: the brake is released
GO = 0.5
_BRAKE, _SLOW_DOWN, _SPEED_UP = 3.0, 1.5, 1.0  # m/s^2
_COMMITTED = 3.0  # metres past the stop line
_CHUNK = 256


@dataclass(slots=True)
class Clips:
    """Clips of one length, a row each; nothing here but what a truck could log, and the labels."""

    frames: Array  # uint8 (n, frames, HEIGHT, WIDTH)
    speed: Array  # m/s (n, frames)
    driven: Array  # the aim that the truck followed (n, frames)
    expert: Array  # the aim of a careful driver in the same place (n, frames)
    waits: Array  # whether that driver gives way (n, frames)
    missed_by: Array  # metres between the truck and the nearest oncoming vehicle, at the least (n)
    scenes: Scenes

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, rows: Any) -> Clips:
        arrays = ("frames", "speed", "driven", "expert", "waits", "missed_by", "scenes")
        return Clips(*(getattr(self, name)[rows] for name in arrays))


def drive(
    scenes: Scenes, pilot: Pilot | None = None, frames: int = FRAMES, wobble: float = 0.0
) -> Clips:
    """Drive every scene for ``frames`` frames and return the clips.

    With ``wobble`` the wheel is off by so many metres of aim (as a standard deviation) from what
    is commanded: a model that learns from such clips has seen how one gets back to the route
    (Laskey et al. 2017).

    >>> from reference_systems.truckai_shadow.roads import scenes
    >>> drive(scenes(2, (1,))).frames.shape
    (2, 6, 32, 64)
    """
    n = len(scenes)
    clips = Clips(
        frames=np.empty((n, frames, HEIGHT, WIDTH), np.uint8),
        speed=np.empty((n, frames), np.float32),
        driven=np.empty((n, frames), np.float32),
        expert=np.empty((n, frames), np.float32),
        waits=np.empty((n, frames), bool),
        missed_by=np.full(n, np.inf),
        scenes=scenes,
    )
    for begin in range(0, n, _CHUNK):
        rows = slice(begin, begin + _CHUNK)
        _drive(scenes[rows], pilot, clips, rows, wobble)
    return clips


def _drive(scenes: Scenes, pilot: Pilot | None, clips: Clips, rows: slice, wobble: float) -> None:
    world = _World(scenes)
    off = np.zeros(len(scenes))
    grain = [np.random.default_rng(look) for look in scenes.look]
    for step in range(clips.frames.shape[1]):
        seen = world.look(step * PERIOD)
        frames = picture(seen.view, grain)
        aim = seen.expert if pilot is None else np.asarray(pilot(frames, world.pose.speed))
        clips.frames[rows, step] = frames
        clips.speed[rows, step] = world.pose.speed
        clips.driven[rows, step] = aim
        clips.expert[rows, step] = seen.expert
        clips.waits[rows, step] = seen.waits
        clips.missed_by[rows] = np.minimum(clips.missed_by[rows], seen.room)
        world.move(aim, seen, off)
        off = 0.6 * off + 0.8 * wobble * np.array([rng.standard_normal() for rng in grain])


@dataclass(slots=True)
class _Seen:
    view: View
    expert: Array
    waits: Array
    room: Array
    to_stop: Array


class _World:
    """The scenes in metres, and where the trucks are in them."""

    def __init__(self, scenes: Scenes) -> None:
        self.scenes = scenes
        self.lane = _path(scenes.curvature)
        yields = scenes.gap[:, :1] < LENGTH
        self.others = _path(np.where(yields, 0.0, scenes.curvature))
        x, y, heading = self.lane
        self.route = (x - scenes.shift * np.sin(heading), y + scenes.shift * np.cos(heading))
        self.pose = self._start()

    def _start(self) -> Pose:
        s = self.scenes
        metre, n = s.begin.astype(int), np.arange(len(s))
        x, y = self.route[0][n, metre], self.route[1][n, metre]
        ahead_x, ahead_y = self.route[0][n, metre + 1], self.route[1][n, metre + 1]
        heading = np.arctan2(ahead_y - y, ahead_x - x)
        x, y = x - s.offset * np.sin(heading), y + s.offset * np.cos(heading)
        speed = np.where(s.yields, self._to_stop_speed(s.gap[:, 0] - metre), s.speed)
        return Pose(x, y, heading + s.yaw, speed)

    def _to_stop_speed(self, metres: Array) -> Array:
        """Return the speed from which the truck still stops at the line, comfortably."""
        return np.minimum(self.scenes.speed, np.sqrt(2 * _SLOW_DOWN * np.maximum(metres - 0.3, 0)))

    def look(self, time: float) -> _Seen:
        """Return what camera and driver see now."""
        s, pose = self.scenes, self.pose
        here = _progress(self.lane, pose)
        lane, along = _across(_seen_from(pose, *self.lane[:2]), here)
        route, _ = _across(_seen_from(pose, *self.route), here)
        at = s.at + s.pace * time
        ahead, left = _seen_from(pose, *_beside(self.others, at, s.side))
        there = (at > 0) & (at < LENGTH - 1)
        ahead = np.where(there, ahead, -1.0)
        view = View(
            lane=lane, route=route, along=along, gap=s.gap, lanes_left=s.lanes_left,
            ahead=ahead, left=left, towards=s.pace < 0, light=s.light,
        )  # fmt: skip
        to_crossing = at[:, 1] - s.gap[:, 0] - CROSSING
        near = (to_crossing < CONFLICT[0]) & (to_crossing > CONFLICT[1])
        to_stop = s.gap[:, 0] - here
        waits = s.yields & near & (to_stop > -_COMMITTED)
        distance = look_ahead(pose.speed)
        follow = _point(_seen_from(pose, *self.route), here + distance)
        straight = _point(_seen_from(pose, *self.others[:2]), here + distance)
        expert = np.clip(np.where(waits, straight, follow), -4, 4)
        room = np.where(s.yields & there[:, 1], np.hypot(ahead[:, 1], left[:, 1]), np.inf)
        return _Seen(view, expert, waits, room, to_stop)

    def move(self, aim: Array, seen: _Seen, off: Array) -> None:
        """Let the trucks follow their aims for a PERIOD, ``off`` as their wheels are.

        They stop at a line that they don't mean to leave.
        """
        s, speed = self.scenes, self.pose.speed
        held = s.yields & (aim < GO) & (seen.to_stop > -_COMMITTED)
        wanted = np.where(held, self._to_stop_speed(seen.to_stop), s.speed)
        reached = np.clip(wanted, speed - _BRAKE * PERIOD, speed + _SPEED_UP * PERIOD)
        self.pose = moved(self.pose, wheel_angle(aim + off, speed), np.maximum(reached, 0), PERIOD)


def _path(curvature: Array) -> tuple[Array, Array, Array]:
    """Return x, y and heading at each metre of a road that begins at the origin, along x."""
    heading = np.cumsum(curvature, axis=1) - curvature / 2
    x = np.cumsum(np.cos(heading), axis=1) - 1
    y = np.cumsum(np.sin(heading), axis=1)
    return x, y, heading + curvature / 2


def _seen_from(pose: Pose, x: Array, y: Array) -> tuple[Array, Array]:
    """Return points as metres ahead of the trucks and to their left."""
    cos, sin = np.cos(pose.heading)[:, None], np.sin(pose.heading)[:, None]
    dx, dy = x - pose.x[:, None], y - pose.y[:, None]
    return dx * cos + dy * sin, dy * cos - dx * sin


def _progress(path: tuple[Array, Array, Array], pose: Pose) -> Array:
    """Return the metre of the path that each truck is nearest to."""
    ahead, left = _seen_from(pose, path[0], path[1])
    nearest = np.argmin(ahead**2 + left**2, axis=1)
    return nearest - ahead[np.arange(len(nearest)), nearest]


def _between(table: Array, at: Array) -> Array:
    """Interpolate each row of a table at places (n) or (n, m) along it."""
    at = np.clip(at, 0, table.shape[1] - 1.001)
    low = at.astype(int)
    flat = low.reshape(len(table), -1)
    first = np.take_along_axis(table, flat, 1).reshape(at.shape)
    second = np.take_along_axis(table, flat + 1, 1).reshape(at.shape)
    return first + (second - first) * (at - low)


def _point(seen: tuple[Array, Array], at: Array) -> Array:
    return _between(seen[1], at)


def _beside(path: tuple[Array, Array, Array], at: Array, side: Array) -> tuple[Array, Array]:
    x, y, heading = (_between(part, at) for part in path)
    return x - side * np.sin(heading), y + side * np.cos(heading)


def _across(seen: tuple[Array, Array], here: Array) -> tuple[Array, Array]:
    """Return how far left a path is at ROWS_AHEAD, and which metre of it that is; NaN if not."""
    ahead, left = seen
    metres = np.arange(LENGTH)
    behind = metres < np.floor(here)[:, None]
    forward = np.diff(ahead, axis=1, append=ahead[:, -1:] + 1) > 0.3
    usable = np.logical_and.accumulate(forward | behind, axis=1)
    sorted_ahead = np.where(behind, -np.inf, np.where(usable, ahead, np.inf))
    after = (sorted_ahead[:, None, :] < ROWS_AHEAD[:, None]).sum(axis=2)
    low = np.clip(after - 1, 0, LENGTH - 2)
    x0, x1 = (np.take_along_axis(sorted_ahead, low + i, 1) for i in (0, 1))
    y0, y1 = (np.take_along_axis(left, low + i, 1) for i in (0, 1))
    seen_there = np.isfinite(x0) & np.isfinite(x1) & (after > 0) & (after < LENGTH)
    with np.errstate(invalid="ignore"):
        share = np.where(seen_there, (ROWS_AHEAD - x0) / (x1 - x0), np.nan)
    return y0 + (y1 - y0) * share, low + share
