"""The weights that every training goes on from: fitted to generated boards alone, and shipped."""

from __future__ import annotations

import functools
import sys

import torch

from reference_systems import weights
from reference_systems.factory_edge_qc import (
    alignment,
    boards,
    defects,
    fitting,
    network,
    samples,
)

__all__ = ["BOARDS", "CROPS", "EPOCHS", "pretrained"]

BOARDS, CROPS, EPOCHS, SEED = 400, 4800, 6, 1
SOURCES = (alignment, boards, defects, fitting, network, samples, sys.modules[__name__])


@functools.cache
def pretrained() -> dict[str, torch.Tensor]:
    """Return the weights; trained here only where the repository does not ship them."""

    def train() -> dict[str, torch.Tensor]:
        torch.set_num_threads(1)
        pairs = samples.generated_pairs(BOARDS, SEED)
        return fitting.fit(samples.crops(pairs, CROPS, SEED), epochs=EPOCHS, seed=SEED)

    inputs = {"boards": BOARDS, "crops": CROPS, "epochs": EPOCHS, "seed": SEED}
    return weights.cached(
        "factory-net", inputs, train, SOURCES, ("torch", "numpy", "scipy", "pillow")
    )
