"""What the trucks meet, by seed; with MLGATES_DATA the highways are those of a recorded drive."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence

from pytest_mlgates.core.digests import digest_of
from reference_systems.truckai_shadow.profiles import recorded
from reference_systems.truckai_shadow.roads import TRAFFIC, Scenes, scenes

__all__ = ["highways", "road_digest"]

_recorded = functools.cache(recorded)


def highways(n: int, seed: Sequence[int], mix: Mapping[str, float] = TRAFFIC) -> Scenes:
    """Return ``n`` scenes of the fleet's traffic, or of another mix of manoeuvres.

    >>> len(highways(5, (1,)))
    5
    """
    return scenes(n, seed, mix, _recorded())


def road_digest() -> str:
    """Return the digest of the recorded drive in use, or an empty text."""
    profile = _recorded()
    return "" if profile is None else digest_of((profile.curvature, profile.speed)) or ""
