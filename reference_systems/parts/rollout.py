"""A new model for a fleet, in stages: a few devices, more, all; and back for all where one fails.

Which stage a device is in follows from its name and the model's digest, so nobody keeps a list, and
no device is always the first. A stage is over when nearly all of it reported the model at work for
long enough; one report that it did not work withdraws it from the whole fleet.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from reference_systems.parts.model_files import DIGEST, write_at_once

__all__ = ["Course", "Rollout", "Stages", "place_of"]


@dataclass(frozen=True, slots=True)
class Course:
    """What devices are told: the model to take, by which share of them, and what must not work.

    ``number`` grows with every change: a device follows no course older than the last it saw.
    """

    number: int
    target: str
    share: float
    withdrawn: frozenset[str] = frozenset()

    def meant_for(self, device: str) -> bool:
        """Whether a device takes the target now."""
        return self.target not in self.withdrawn and place_of(device, self.target) < self.share

    def text(self) -> str:
        """Return it as JSON."""
        said = {"number": self.number, "target": self.target, "share": self.share}
        return json.dumps({**said, "withdrawn": sorted(self.withdrawn)})

    @classmethod
    def read(cls, text: str) -> Course:
        """Return what JSON tells; raises ValueError where it is no course."""
        try:
            said = json.loads(text)
            course = cls(
                int(said["number"]), str(said["target"]), float(said["share"]),
                frozenset(map(str, said["withdrawn"])),
            )  # fmt: skip
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"this is no course ({type(error).__name__})") from None
        if not all(map(DIGEST.fullmatch, (course.target, *course.withdrawn))):
            raise ValueError("a digest is 64 hexadecimal digits")
        if not 0 <= course.share <= 1:
            raise ValueError(f"a share is from 0 to 1, not {course.share!r}")
        return course


@functools.lru_cache(maxsize=2**14)
def place_of(device: str, digest: str) -> float:
    """Return the place of a device in the queue for a model, from 0 to 1.

    >>> places = [place_of(f"truck-{n}", "a" * 64) for n in range(1000)]
    >>> 70 < sum(place < 0.1 for place in places) < 130
    True
    """
    whole = hashlib.sha256(f"{digest}:{device}".encode()).digest()[:8]
    return int.from_bytes(whole, "big") / 2**64


@dataclass(frozen=True, slots=True)
class Stages:
    """Shares of the fleet one after the other, and when a stage is over.

    ``confirmed`` is the share of a stage's devices that must have the model at work for ``soak_s``:
    not all, since some are in a dead zone or in a workshop.
    """

    shares: tuple[float, ...] = (0.01, 0.1, 1.0)
    soak_s: float = 3600.0
    confirmed: float = 0.9

    def __post_init__(self) -> None:
        if not self.shares or list(self.shares) != sorted(set(self.shares)) or self.shares[0] <= 0:
            raise ValueError("the shares of stages grow, from above 0")
        if self.shares[-1] != 1.0 or not 0 < self.confirmed <= 1 or self.soak_s < 0:
            raise ValueError("the last stage is all, and a share of it, above 0, confirms it")


@dataclass
class Rollout:
    """The course of a fleet, kept in a file; safe to kill at any point.

    A device's name counts once, however often it reports.
    """

    path: Path
    devices: frozenset[str]
    stages: Stages = field(default_factory=Stages)
    durable: bool = True
    _stage: int = 0
    _since: dict[str, float] = field(default_factory=dict)
    _course: Course | None = None
    _why: str = ""

    def __post_init__(self) -> None:
        if self.path.exists():
            said = json.loads(self.path.read_text("utf-8"))
            self._stage, self._since = int(said["stage"]), dict(said["since"])
            self._course = Course.read(json.dumps(said["course"]))
            self._why = str(said["why"])

    @property
    def course(self) -> Course:
        """What devices are told now; raises LookupError before anything was offered."""
        if self._course is None:
            raise LookupError("nothing was offered yet")
        return self._course

    @property
    def why(self) -> str:
        """Why the target was withdrawn; empty where it was not."""
        return self._why

    def offer(self, digest: str) -> None:
        """Begin with a new model; raises ValueError where it was withdrawn before."""
        old = self._course
        if old is not None and digest in old.withdrawn:
            raise ValueError(f"the model {digest[:12]} was withdrawn: it is not offered again")
        withdrawn = frozenset() if old is None else old.withdrawn
        self._stage, self._since, self._why = 0, {}, ""
        self._follow(digest, self.stages.shares[0], withdrawn)

    def reported(self, device: str, digest: str, *, works: bool, now: float) -> None:
        """Note what a device says of a model; raises ValueError for a device that is not ours."""
        if device not in self.devices:
            raise ValueError(f"{device} is not a device of this fleet")
        if digest != self.course.target or digest in self.course.withdrawn:
            return
        if not works:
            self.withdraw(f"{device} said that it does not work")
        elif device not in self._since:
            self._since[device] = now
            self._keep()

    def withdraw(self, why: str) -> None:
        """Take the target back from all devices."""
        self._why = why
        self._follow(self.course.target, 0.0, self.course.withdrawn | {self.course.target})

    def step(self, now: float) -> bool:
        """Go on to the next stage where this one is over; return whether it did.

        A stage that no device falls into, in a small fleet, is over at once: the next is the first.
        """
        course = self.course
        if course.target in course.withdrawn or self._stage + 1 >= len(self.stages.shares):
            return False
        meant = [device for device in self.devices if course.meant_for(device)]
        at_work = sum(
            now - self._since.get(device, now + 1) >= self.stages.soak_s for device in meant
        )
        if meant and at_work < self.stages.confirmed * len(meant):
            return False
        self._stage += 1
        self._follow(course.target, self.stages.shares[self._stage], course.withdrawn)
        return True

    def _follow(self, target: str, share: float, withdrawn: Iterable[str]) -> None:
        number = 1 if self._course is None else self._course.number + 1
        self._course = Course(number, target, share, frozenset(withdrawn))
        self._keep()

    def _keep(self) -> None:
        said = {"stage": self._stage, "since": self._since, "why": self._why}
        state = {**said, "course": json.loads(self.course.text())}
        write_at_once(self.path, json.dumps(state).encode(), durable=self.durable)
