"""Shadow mode: one model drives, the other sees the same frames, and its command goes nowhere."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from reference_systems.parts.upload_queue import UploadQueue
from reference_systems.truckai_shadow.drives import Clips, Pilot, drive
from reference_systems.truckai_shadow.roads import Scenes

__all__ = [
    "TOLERANCE",
    "DriveLog",
    "ShadowMode",
    "divergence",
    "pack",
    "rates",
    "rates_by_frame",
    "unpack",
]

Array = npt.NDArray[Any]

#: metres by which the mean aims of a clip may differ: beyond, the models do not want the same
TOLERANCE = 0.4
#: metres by which single commands differ in what a plain "V1 is not V2" would report
DIFFERENT = 0.1


class ShadowMode:
    """A :data:`Pilot` that hands out the control's aims only, and writes down the shadow's.

    The control has answered before the shadow is asked; what the shadow raises, or says of
    another shape, is written down as NaN.
    """

    def __init__(self, control: Pilot, shadow: Pilot) -> None:
        self.control, self.shadow = control, shadow
        self.noted: list[Array] = []

    def __call__(self, frames: Array, speed: Array) -> Array:
        """Return the control's aims."""
        aims = self.control(frames, speed)
        try:
            said = np.asarray(self.shadow(frames.copy(), speed.copy()), float)
            said = said if said.shape == aims.shape else np.full(aims.shape, np.nan)
        except Exception:  # noqa: BLE001  (a shadow must never reach the wheel, not by falling over either)
            said = np.full(aims.shape, np.nan)
        self.noted.append(said)
        return aims

    def log(self, clips: Clips, queue: UploadQueue, truck: str, now: float) -> list[int]:
        """Queue the clips in which the shadow left the control; return which they were."""
        said = np.stack(self.noted, axis=1)
        self.noted.clear()
        apart = divergence(clips.driven, said)
        left = np.flatnonzero(~(apart <= TOLERANCE))  # also NaN
        for row in left:
            score = float(apart[row]) if np.isfinite(apart[row]) else 1e9
            payload = pack(clips, row, said[row], {"truck": truck, "at": now, "clip": int(row)})
            queue.add(payload, score=score, now=now)
        return [int(row) for row in left]


def divergence(control: Array, shadow: Array) -> Array:
    """Return by how many metres the mean aims of each clip differ.

    The frames of a clip follow from each other, so a clip counts once; and a wheel that lags has
    evened out a single frame.

    >>> divergence(np.zeros((1, 2)), np.array([[0.2, 0.6]])).round(6).tolist()
    [0.4]
    """
    return np.abs(control.mean(axis=1) - shadow.mean(axis=1))


def pack(clips: Clips, row: int, said: Array, about: dict[str, Any]) -> bytes:
    """Return one clip as it goes over the air: compressed frames, speeds, both commands."""
    data = io.BytesIO()
    np.savez_compressed(
        data, frames=clips.frames[row], speed=clips.speed[row], driven=clips.driven[row],
        shadow=said, about=np.frombuffer(json.dumps(about, sort_keys=True).encode(), np.uint8),
    )  # fmt: skip
    return data.getvalue()


def unpack(payload: bytes) -> tuple[dict[str, Array], dict[str, Any]]:
    """Return the arrays of a clip, and what it says about itself."""
    with np.load(io.BytesIO(payload), allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    return arrays, json.loads(arrays.pop("about").tobytes())


@dataclass
class DriveLog:
    """The fleet's drives by the control, driven when they are first asked for.

    ``rows`` are what a gate takes as inputs. A clip is the same whenever and beside whichever
    others it is asked for.
    """

    scenes: Scenes
    control: Pilot
    _kept: dict[int, tuple[Array, Array, Array]] = field(default_factory=dict, repr=False)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """A row for each clip: its number and its manoeuvre."""
        names = self.scenes.names
        return [{"clip": i, "manoeuvre": names[i]} for i in range(len(names))]

    def frames(self, rows: Sequence[dict[str, Any]]) -> tuple[Array, Array, Array]:
        """Return frames, speeds and the control's aims of some clips."""
        wanted = [row["clip"] for row in rows]
        if new := [i for i in dict.fromkeys(wanted) if i not in self._kept]:
            clips = drive(self.scenes[np.array(new)], self.control)
            kept = zip(new, clips.frames, clips.speed, clips.driven, strict=True)
            self._kept.update({i: (f, s, d) for i, f, s, d in kept})
        frames, speed, driven = zip(*(self._kept[i] for i in wanted), strict=True)
        return np.stack(frames), np.stack(speed), np.stack(driven)

    def controlled(self, rows: Sequence[dict[str, Any]]) -> list[float]:
        """Return what the control commanded: its mean aim in each clip."""
        return [float(aim) for aim in self.frames(rows)[2].mean(axis=1)]

    def shadowed(self, pilot: Pilot) -> Shadowed:
        """Return what a shadow says in the same clips, to be called with rows."""
        return Shadowed(self, pilot)


class Shadowed:
    """A shadow on a log; it is known by the digest of the export that runs in it."""

    def __init__(self, log: DriveLog, pilot: Pilot) -> None:
        self._log, self._pilot = log, pilot
        self.mlgates_digest = getattr(pilot, "mlgates_digest", None)

    def __call__(self, rows: Sequence[dict[str, Any]]) -> list[float]:
        """Return the mean aim in each clip."""
        frames, speed, _ = self._log.frames(rows)
        aims = self._pilot(frames.reshape(-1, *frames.shape[2:]), speed.ravel())
        return [float(aim) for aim in aims.reshape(speed.shape).mean(axis=1)]


def rates(log: DriveLog, pilot: Pilot, most: int) -> dict[str, float]:
    """Return the share of clips in which a shadow leaves the control, by manoeuvre.

    At most ``most`` clips of each are driven, the first of the log.
    """

    def leaves(rows: Sequence[dict[str, Any]]) -> Array:
        apart = np.subtract(log.controlled(rows), log.shadowed(pilot)(rows))
        return np.abs(apart) > TOLERANCE

    return _by_manoeuvre(log, leaves, most)


def rates_by_frame(log: DriveLog, pilot: Pilot, most: int) -> dict[str, float]:
    """Return the share of clips with any frame in which the commands of both are not the same.

    That is how the incident chose its clips: whatever the shadow did otherwise was sent.
    """

    def differs(rows: Sequence[dict[str, Any]]) -> Array:
        frames, speed, driven = log.frames(rows)
        said = pilot(frames.reshape(-1, *frames.shape[2:]), speed.ravel()).reshape(speed.shape)
        found: Array = (np.abs(said - driven) > DIFFERENT).any(axis=1)
        return found

    return _by_manoeuvre(log, differs, most)


def _by_manoeuvre(
    log: DriveLog, chosen: Callable[[Sequence[dict[str, Any]]], Array], most: int
) -> dict[str, float]:
    """Return the share of clips that are chosen, by manoeuvre."""
    rows, found = log.rows, {}
    for name in dict.fromkeys(log.scenes.names):
        some = [row for row in rows if row["manoeuvre"] == name][:most]
        found[name] = float(np.mean(chosen(some)))
    return found
