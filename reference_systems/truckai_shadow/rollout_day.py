"""A new model for 500 trucks over LTE with dead zones: staged, in pieces, at a rate that leaves room.

Each truck is a real ``Follower`` with its folder; only the network and the clock are made. A byte
stands for 160, so that 256 KiB are an engine of 40 MiB as one is built for the computer in a truck.
The incident is how trucks took models before: all at once, whole, as fast as the link carries them,
and from the start again after each dead zone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from pytest_mlgates import Gate, QualityFloor
from reference_systems.parts.model_files import digest_of
from reference_systems.parts.ota import Updater
from reference_systems.parts.release import Release, Throttle
from reference_systems.parts.release_server import Shelf
from reference_systems.parts.rollout import Rollout, Stages
from reference_systems.parts.updating import Follower
from reference_systems.parts.upload_queue import Lost
from reference_systems.truckai_shadow.fleet import STEP, link

__all__ = ["SCALE", "FleetUpdate", "Trucks", "engine_update", "update"]

#: bytes of an engine for each byte that is moved here
SCALE = 160
PIECE_BYTES = 2**13
#: of a truck's link, so that clips and the driver's own traffic get through: 20 minutes an engine
OTA_BYTES_PER_S = 280_000 / 8
#: a truck asks for the course this often
POLL_S = 600.0
_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class FleetUpdate:
    """What a rollout came to: bytes of each truck by step, and who had what at work when."""

    received: np.ndarray
    up: np.ndarray
    at_work: np.ndarray
    stage: np.ndarray
    why: str

    def transfers(self, window_s: float = 600.0) -> Iterator[dict[str, Any]]:
        """Yield what each truck received in each window, as ``bandwidth_budget`` takes it."""
        steps = round(window_s / STEP)
        for begin in range(0, len(self.received), steps):
            part = self.received[begin : begin + steps]
            counts = part.sum(axis=0)
            for truck in np.flatnonzero(counts):
                yield {
                    "sent_bytes": int(counts[truck]),
                    "source": f"truck-{truck:03d}",
                    "at": begin * STEP,
                    "seconds": len(part) * STEP,
                }


@dataclass
class _Air:
    """The shelf over one truck's link in one step: what does not fit is lost on the way."""

    shelf: Shelf
    room: int = 0
    carried: int = 0

    def _over(self, count: int) -> None:
        if count > self.room:
            part, self.room = self.room, 0
            self.carried += part
            raise Lost("the link went away", part)
        self.room -= count
        self.carried += count

    def course(self) -> str:
        text = self.shelf.course()
        self._over(len(text))
        return text

    def release(self, digest: str) -> str:
        text = self.shelf.release(digest)
        self._over(len(text))
        return text

    def evidence(self, digest: str) -> Sequence[str]:
        pieces = self.shelf.evidence(digest)
        self._over(sum(map(len, pieces)))
        return pieces

    def piece(self, digest: str, begin: int, end: int) -> bytes:
        data = self.shelf.piece(digest, begin, end)
        self._over(len(data))
        return data

    def report(self, device: str, digest: str, *, works: bool) -> None:
        self._over(len(device) + len(digest))
        self.shelf.report(device, digest, works=works)


@dataclass
class Trucks:
    """The trucks of a fleet with a model at work in each, and the shelf that they ask."""

    folder: Path
    required: Sequence[Gate]
    delivered: bytes
    count: int = 500
    stages: Stages = field(default_factory=lambda: Stages(soak_s=1800.0))

    def __post_init__(self) -> None:
        self.names = [f"truck-{number:03d}" for number in range(self.count)]
        self.rollout = Rollout(
            self.folder / "course.json", frozenset(self.names), self.stages, durable=False
        )
        self.shelf = Shelf(self.folder / "shelf", self.rollout)
        self.followers = [self._follower(name) for name in self.names]

    def _follower(self, name: str) -> Follower[bytes]:
        updater = Updater[bytes](self.folder / name, self.required, bytes, durable=False)
        if updater.active is None:
            updater.install(self.delivered)
        throttle = Throttle(OTA_BYTES_PER_S / SCALE, most_saved=PIECE_BYTES)
        return Follower(name, updater, throttle)

    def offer(self, data: bytes, evidence: Sequence[str]) -> Release:
        """Put a new model on the shelf and begin with its first stage."""
        release = self.shelf.put(data, evidence, PIECE_BYTES)
        self.rollout.offer(release.digest)
        return release


def update(
    trucks: Trucks,
    seed: int,
    *,
    hours: float = 9.0,
    begin_s: float = 0.0,
    broken: frozenset[str] = frozenset(),
    policy: Literal["staged", "at once"] = "staged",
) -> FleetUpdate:
    """Drive a fleet for a while with an offer under way.

    ``broken`` are trucks that say that the target does not work once they have it.
    """
    rng = np.random.default_rng([20264, seed])
    steps = round(hours * _HOUR / STEP)
    up, room = link(rng, steps, trucks.count)
    polls = rng.uniform(0, POLL_S, trucks.count)
    received = np.zeros((steps, trucks.count), np.int64)
    if policy == "at once":
        return _at_once(trucks, received, up, room)
    at_work, stage = np.zeros(steps, np.int64), np.zeros(steps)
    working: set[str] = set()
    for step in range(steps):
        now = begin_s + step * STEP
        trucks.shelf.now = now
        for index in np.flatnonzero(up[step] & (polls <= now - begin_s)):
            follower = trucks.followers[index]
            air = _Air(trucks.shelf, int(room[step, index]) // SCALE)
            said = follower.contact(air, now)
            received[step, index] = air.carried * SCALE
            if said not in {"throttled", "lost"}:  # what is under way goes on in the next step
                polls[index] = now - begin_s + POLL_S
            _note(trucks, follower, working, now, broken=follower.device in broken)
        trucks.rollout.step(now)
        at_work[step], stage[step] = len(working), trucks.rollout.course.share
    return FleetUpdate(received, up, at_work, stage, trucks.rollout.why)


def engine_update(folder: Path, seed: int, policy: Literal["staged", "at once"]) -> FleetUpdate:
    """Return a day on which 500 trucks get an engine of 40 MiB; what it computes does not matter here."""
    engine = np.random.default_rng([seed, 11]).bytes(2**18)

    def sound(number: int) -> bool:
        return number % 2 == 0

    sound.mlgates_digest = digest_of(engine)  # type: ignore[attr-defined]
    required = QualityFloor(metric="accuracy", min_value=0.6)
    trucks = Trucks(folder, [required], b"the engine before")
    trucks.offer(engine, [required.run(sound, list(range(90)), sound).to_json()])
    return update(trucks, seed, policy=policy)


def _note(
    trucks: Trucks, follower: Follower[bytes], working: set[str], now: float, *, broken: bool
) -> None:
    """Note whether the target is at work in a truck; a broken one says so."""
    target = trucks.rollout.course.target
    if follower.updater.active != target:
        working.discard(follower.device)
        return
    working.add(follower.device)
    if broken:
        trucks.rollout.reported(follower.device, target, works=False, now=now)


def _at_once(trucks: Trucks, received: np.ndarray, up: np.ndarray, room: np.ndarray) -> FleetUpdate:
    """Let each truck fetch all at once, and begin again where its link went away before the end."""
    target = trucks.rollout.course.target
    size = Release.read(trucks.shelf.release(target)).size * SCALE
    got, done = np.zeros(trucks.count, np.int64), np.zeros(trucks.count, bool)
    at_work = np.zeros(len(up), np.int64)
    for step, (there, most) in enumerate(zip(up, room, strict=True)):
        got[~there] = 0
        received[step] = np.where(there & ~done, np.minimum(most, size - got), 0)
        got += received[step]
        done |= got >= size
        at_work[step] = int(done.sum())
    return FleetUpdate(received, up, at_work, np.ones(len(up)), "")
