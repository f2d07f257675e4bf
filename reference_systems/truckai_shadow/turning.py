"""Unprotected left turns driven in closed loop, and how well: a model that only agrees may be no good."""

from __future__ import annotations

import numpy as np

from reference_systems.truckai_shadow.drives import Array, Clips, Pilot, drive
from reference_systems.truckai_shadow.inputs import highways
from reference_systems.truckai_shadow.roads import LEFT_TURN

__all__ = ["aim_errors", "hits", "how_well", "left_turns", "straight_on"]

#: metres between the middles of two vehicles that touch
TOUCH = 2.5
#: metres beside a careful driver's aim at which nothing of a turn is left
BESIDE = 2.0


def left_turns(pilot: Pilot | None, n: int, seed: int) -> Clips:
    """Let a pilot (None: the careful driver) turn left with a vehicle coming, in closed loop.

    Of ``n`` turns those are kept in which a vehicle comes near enough to matter.
    """
    scenes = highways(n, (seed, 7), {LEFT_TURN: 1.0})
    coming = (scenes.at[:, 1] > 0) & (scenes.at[:, 1] < 75)
    return drive(scenes[coming], pilot, frames=32)


def hits(clips: Clips) -> dict[str, float]:
    """Return how many turns there were, and the share in which the vehicle was hit."""
    return {"turns": len(clips), "hit": float((clips.missed_by < TOUCH).mean())}


def aim_errors(clips: Clips) -> Array:
    """Return for each turn how far beside a careful driver's aim the truck was, in metres, mean."""
    errors: Array = np.abs(clips.driven - clips.expert).mean(axis=1)
    return errors


def how_well(turn: tuple[float, float], _label: object = None) -> float:
    """Return from 0 to 1 how well a turn was driven; 0 where a vehicle was hit.

    ``turn`` holds the metres by which the vehicle was missed, and those beside the careful aim.

    >>> how_well((9.0, 0.5)), how_well((9.0, 3.0)), how_well((1.0, 0.0))
    (0.75, 0.0, 0.0)
    """
    missed_by, beside = turn
    return 0.0 if missed_by < TOUCH else max(0.0, 1.0 - beside / BESIDE)


def straight_on(frames: Array, _speed: Array) -> Array:
    """Never turn: no vehicle is hit, and nobody arrives."""
    return np.zeros(len(frames), np.float32)
