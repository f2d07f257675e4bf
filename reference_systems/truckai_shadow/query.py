"""The active-learning query: which of the fleet's clips would teach the shadow most.

A clip scores by how far the shadow leaves the model that drives, plus how unsure the shadow is of
itself: the spread of its aim under dropout (Gal and Ghahramani 2016). Nothing here knows what a
left turn is. What the query takes is bounded by what the uplink can carry.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from reference_systems.truckai_shadow.drives import Clips, Pilot, drive
from reference_systems.truckai_shadow.model import PilotNet, inputs_of
from reference_systems.truckai_shadow.roads import Scenes
from reference_systems.truckai_shadow.shadow_mode import divergence

__all__ = ["PASSES", "best", "scores"]

Array = npt.NDArray[Any]

PASSES = 8
_CHUNK = 512


def best(fleet: Scenes, control: Pilot, shadow: PilotNet, keep: int, seed: int) -> Array:
    """Return which ``keep`` clips of the fleet score highest, the highest first."""
    found = [
        scores(drive(fleet[begin : begin + _CHUNK], control), shadow, seed + begin)
        for begin in range(0, len(fleet), _CHUNK)
    ]
    return np.argsort(-np.concatenate(found), kind="stable")[:keep]


@torch.inference_mode()
def scores(clips: Clips, shadow: PilotNet, seed: int) -> Array:
    """Return the score of each clip in metres: divergence from the driver, plus uncertainty."""
    frames = clips.frames.reshape(-1, *clips.frames.shape[2:])
    frame, ahead = (torch.from_numpy(part) for part in inputs_of(frames, clips.speed.ravel()))
    shape = clips.speed.shape
    seen = torch.cat([shadow.eyes(frame), ahead], dim=1)
    said = shadow.hand(shadow.mind(seen)).numpy().reshape(shape)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        shadow.mind.train()
        try:
            tries = [shadow.hand(shadow.mind(seen)).numpy().reshape(shape) for _ in range(PASSES)]
        finally:
            shadow.mind.eval()
    unsure = np.std(tries, axis=0).mean(axis=1)
    found: Array = divergence(clips.driven, said) + unsure
    return found
