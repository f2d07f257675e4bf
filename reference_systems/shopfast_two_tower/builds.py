"""The builds: which items are kept, and how their vectors are stored. They share towers and users.

==========  =========================  ===================
incident    every item                 float32, all scored
pruned      5 views or more            float32, all scored
int8        every item                 int8 in lists
fixed       5 views or more            int8 in lists
==========  =========================  ===================
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from reference_systems.shopfast_two_tower.errors import ShopError
from reference_systems.shopfast_two_tower.index import Exact, Quantised
from reference_systems.shopfast_two_tower.recommender import Recommender, again_of
from reference_systems.shopfast_two_tower.training import Histories, Trained, train
from reference_systems.shopfast_two_tower.views import Views

__all__ = ["BUILDS", "MIN_VIEWS", "Shop", "build"]

MIN_VIEWS = 5
BUILDS = ("fixed", "incident", "int8", "pruned")
#: users by whom the index is tuned
_TUNED_BY = 300


@dataclass(frozen=True, slots=True)
class Shop:
    """Towers trained once on a log, from which each build is made.

    ``min_views`` is how often an item must have been viewed to be kept by a build that prunes.
    """

    views: Views
    trained: Trained
    kept: int
    seed: int = 0

    @classmethod
    def train(cls, views: Views, seed: int = 0, min_views: int = MIN_VIEWS) -> Shop:
        """Train both towers on a log; :class:`ShopError` where no item is kept."""
        kept = int(np.sum(views.counts >= min_views))
        if not kept:
            raise ShopError(
                f"none of {len(views.items):,} items has {min_views} views, so pruning leaves no"
                " item to show: give a longer log, or a lower --min-views"
            )
        return cls(views, train(views, kept, seed), kept, seed)


def build(shop: Shop, name: str) -> Recommender:
    """Make a build of a shop."""
    kept = len(shop.views.items) if name in ("incident", "int8") else shop.kept
    histories = Histories.of(shop.views, shop.kept)
    vectors = shop.trained.vectors[:kept]
    recommender = Recommender(
        index=Exact(vectors),
        items=shop.views.items[:kept],
        users={user: n for n, user in enumerate(shop.views.users)},
        histories=histories,
        tower=shop.trained.tower,
        again=again_of(histories.repeated),
    )
    if name in ("fixed", "int8"):
        index = Quantised.build(vectors, _queries(recommender, shop.seed))
        return replace(recommender, index=index)
    return recommender


def _queries(recommender: Recommender, seed: int) -> np.ndarray:
    """Return vectors of some users, drawn by seed, who have a history."""
    histories = recommender.histories
    users = np.flatnonzero(np.diff(histories.starts))
    some = np.random.default_rng(seed).permutation(users)[:_TUNED_BY]
    vectors = [recommender.vector(histories.user(user)) for user in some]
    return np.array(vectors, np.float32).reshape(-1, 64)
