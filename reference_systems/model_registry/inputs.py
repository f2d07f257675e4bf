"""The models of the team, by seed: two versions of one fraud model, and requests to score."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["FEATURES", "model", "rows"]

FEATURES = 64
_HIDDEN = 3_900


def rows(count: int, seed: int) -> NDArray[np.float32]:
    """Return requests, each of 64 features."""
    return np.random.default_rng([seed, 7]).normal(size=(count, FEATURES)).astype(np.float32)


def model(version: int, seed: int) -> bytes:
    """Return the weights of a version as safetensors, one megabyte.

    Version 2 is version 1 trained on: its weights have moved by a tenth of their spread, as those of
    a model that was fine-tuned on newer data.
    """
    import safetensors.numpy

    draw = np.random.default_rng([seed, 1])
    weights = {
        "w1": draw.normal(size=(FEATURES, _HIDDEN)) / np.sqrt(FEATURES),
        "b1": draw.normal(size=_HIDDEN) / 10,
        "w2": draw.normal(size=(_HIDDEN, 1)) * 2 / np.sqrt(_HIDDEN),
        "b2": np.zeros(1),
    }
    for step in range(2, version + 1):
        moved = np.random.default_rng([seed, step])
        for name, values in weights.items():
            weights[name] = values + moved.normal(size=values.shape) * values.std() / 3
    return safetensors.numpy.save({k: v.astype(np.float32) for k, v in weights.items()})
