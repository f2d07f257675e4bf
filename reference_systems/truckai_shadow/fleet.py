"""A day of 500 trucks on LTE with dead zones: what waits, what goes out, byte by byte.

All trucks at once, ten seconds a step. Cameras see more than any network carries; what goes out
is chosen by a policy: the clips of divergences within a daily budget, or (the incident) every clip in
which the models differ at all, without a budget; ``video`` is all that the cameras see.
Source: Gilbert 1960 (a link that is up or down for stretches).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from reference_systems.truckai_shadow.roads import MANOEUVRES, TRAFFIC

__all__ = ["CLIP_BYTES", "RAW_BYTES_PER_S", "Day", "day", "link"]

Array = npt.NDArray[Any]

STEP = 10.0  # seconds
#: eight cameras at 4 Mbit/s each, H.265; all of it is what could be sent
RAW_BYTES_PER_S = 8 * 4_000_000 // 8
#: a clip: ten seconds of four cameras
CLIP_BYTES = 20_000_000
#: what a truck reports of itself, whatever it sees: position, speed, health
TELEMETRY_BYTES_PER_S = 200
#: Mbit/s that clips may take, so that the driver's own traffic gets through
CAP_MBPS = 8.0
#: seconds between dead zones and in them, on average; they differ from route to route
COVERED_S, DEAD_S = 1500.0, 420.0
_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Day:
    """What happened, in bytes: int64 arrays of (steps, trucks)."""

    queued: Array
    sent: Array
    up: Array

    @property
    def backlog(self) -> Array:
        """Bytes that still wait at the end, for each truck."""
        return self.queued.sum(axis=0) - self.sent.sum(axis=0)

    def waits_s(self) -> Array:
        """Return how long each clip waited until its last byte was out; infinite where it waits."""
        waits = []
        time = (np.arange(len(self.sent)) + 1) * STEP
        for queued, sent in zip(self.queued.T, self.sent.T, strict=True):
            begin = np.flatnonzero(queued)
            done = np.searchsorted(np.cumsum(sent), np.cumsum(queued)[begin])
            waits.append(np.append(time, np.inf)[done] - time[begin])
        return np.concatenate(waits)

    def transfers(self, window_s: float = 600.0) -> Iterator[dict[str, Any]]:
        """Yield a record for each truck and window, as ``bandwidth_budget`` takes them."""
        steps = round(window_s / STEP)
        sent = self.sent + round(TELEMETRY_BYTES_PER_S * STEP)
        for begin in range(0, len(sent), steps):
            part = sent[begin : begin + steps]
            seconds = len(part) * STEP
            for truck, count in enumerate(part.sum(axis=0)):
                yield {
                    "sent_bytes": int(count),
                    "raw_bytes": RAW_BYTES_PER_S * seconds,
                    "source": f"truck-{truck:03d}",
                    "at": begin * STEP,
                    "seconds": seconds,
                }


def day(
    rates: Mapping[str, float],
    seed: int,
    *,
    trucks: int = 500,
    hours: float = 9.0,
    budget_bytes: int = 2 * 10**9,
    policy: Literal["clips", "every", "video"] = "clips",
) -> Day:
    """Drive a fleet for a day; ``rates`` is the share of clips that diverge, by manoeuvre.

    >>> one = day({"unprotected left turn": 0.5}, seed=1, trucks=20, hours=2)
    >>> bool((one.sent.sum(axis=0) <= one.queued.sum(axis=0)).all())
    True
    """
    rng = np.random.default_rng([20263, seed])
    steps = round(hours * _HOUR / STEP)
    queued = _queued(rates, rng, steps, trucks, policy)
    up, room = link(rng, steps, trucks)
    sent = np.empty((steps, trucks), np.int64)
    waiting = np.zeros(trucks, np.int64)
    left = np.full(trucks, budget_bytes if policy == "clips" else 2**62, np.int64)
    for step in range(steps):
        waiting += queued[step]
        out = np.minimum(np.minimum(waiting, left), room[step])
        sent[step] = out
        waiting -= out
        left -= out
    return Day(queued, sent, up)


def _queued(
    rates: Mapping[str, float], rng: np.random.Generator, steps: int, trucks: int, policy: str
) -> Array:
    """Return the bytes that are queued in each step."""
    if policy == "video":
        return np.full((steps, trucks), round(RAW_BYTES_PER_S * STEP), np.int64)
    # some routes lead through towns: manoeuvres other than the highway differ from truck to truck
    town = rng.lognormal(-0.18, 0.6, trucks)
    chance = np.zeros(trucks)
    for name in MANOEUVRES:
        share = TRAFFIC[name] * (1.0 if name == "highway" else town)
        chance = chance + share * rates.get(name, 0.0)
    hit = rng.random((steps, trucks)) < np.minimum(chance, 1.0)
    size = CLIP_BYTES * rng.lognormal(-0.02, 0.2, (steps, trucks))
    return np.where(hit, size, 0).astype(np.int64)


def link(rng: np.random.Generator, steps: int, trucks: int) -> tuple[Array, Array]:
    """Return whether there is a network in each step, and the bytes that it carries in it."""
    remote = rng.lognormal(0, 0.7, trucks)
    lose, find = STEP / COVERED_S * remote, STEP / DEAD_S / np.maximum(remote, 0.3)
    up = np.empty((steps, trucks), bool)
    now = rng.random(trucks) < find / (find + lose)
    for step in range(steps):
        chance = rng.random(trucks)
        now = np.where(now, chance >= lose, chance < find)
        up[step] = now
    mbps = np.minimum(rng.lognormal(np.log(6.0), 0.5, (steps, trucks)), CAP_MBPS)
    return up, (mbps * 1e6 / 8 * STEP * up).astype(np.int64)
