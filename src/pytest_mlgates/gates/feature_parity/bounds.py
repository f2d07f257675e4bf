"""Bounds on the share of rows of an entity that differ.

Rows of one entity belong together, so the entity is the unit: where each has one row (or all of its
rows differ, or none) the bounds are exact binomial ones, else those of a mean by betting.
"""

from __future__ import annotations

import numpy as np

from pytest_mlgates.gates.feature_parity.details import Feature
from pytest_mlgates.stats import binomial
from pytest_mlgates.stats.bounded import mean_lower, mean_upper

__all__ = ["mismatch_bounds"]

#: the order in which entities are bet on: it must not depend on them
_SEED = 20_261_130


def mismatch_bounds(feature: Feature, below: float, above: float) -> tuple[float, float]:
    """Return one-sided bounds: the truth is under the first with chance ``below``."""
    n = feature.entities
    if not n:
        return 0.0, 1.0
    if all(wrong in (0, rows) for wrong, rows, _ in feature.spread):
        events = sum(times for wrong, _, times in feature.spread if wrong)
        return binomial.lower(events, n, below), binomial.upper(events, n, above)
    shares = [np.full(times, wrong / rows) for wrong, rows, times in feature.spread]
    x = np.random.default_rng(_SEED).permutation(np.concatenate(shares))
    return mean_lower(x, below), mean_upper(x, above)
