"""The incident: every item in float32, every one of them scored for every request."""

from __future__ import annotations

from reference_systems.shopfast_two_tower.builds import Shop, build
from reference_systems.shopfast_two_tower.recommender import Recommender

__all__ = ["recommender"]


def recommender(shop: Shop) -> Recommender:
    """Return the shop as it was served for $2 million a year."""
    return build(shop, "incident")
