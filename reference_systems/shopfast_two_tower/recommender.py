"""Answer who should be shown what: the user's vector, the nearest items, the popular for a stranger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import torch

from reference_systems.shopfast_two_tower.factors import Floats
from reference_systems.shopfast_two_tower.index import Index
from reference_systems.shopfast_two_tower.towers import RECENT, TASTE, UserTower, weights_of
from reference_systems.shopfast_two_tower.training import Histories
from reference_systems.shopfast_two_tower.views import Ints

__all__ = ["Answer", "Recommender", "again_of"]

#: at most this share of an answer are items that the user saw before
MAX_AGAIN = 0.4


def again_of(repeated: float) -> float:
    """Return which share of an answer may be seen items, from the share of views that repeat.

    >>> again_of(0.1), again_of(0.9)
    (0.1, 0.4)
    """
    return min(MAX_AGAIN, repeated)


@dataclass(frozen=True, slots=True)
class Answer:
    """Items, the best first, with scores that fall; ``basis`` says what they come from.

    A stranger's scores are one over the rank of popularity: they compare with no one else's.
    """

    items: tuple[str, ...]
    scores: tuple[float, ...]
    basis: Literal["history", "popular"]


@dataclass(frozen=True)
class Recommender:
    """An index, the names of its items, the user tower, and what each user viewed.

    Items are numbered by falling popularity. As many of ten answers as the log's views repeat are
    items to see again; the others are new to the user.
    """

    index: Index
    items: Sequence[str]
    users: Mapping[str, int]
    histories: Histories
    tower: UserTower
    again: float

    def recommend(self, user: str, k: int) -> Answer:
        """Return ``k`` items, or all there are; unknown users and those without history get the popular."""
        number = self.users.get(user)
        viewed = self.histories.user(number) if number is not None else np.empty(0, np.int64)
        if not len(viewed):
            ranks = range(min(k, len(self.items)))
            scores = tuple(1 / (rank + 1) for rank in ranks)
            return Answer(tuple(self.items[n] for n in ranks), scores, "popular")
        items, scores = self._nearest(self.vector(viewed), viewed, k)
        names = tuple(self.items[n] for n in items)
        return Answer(names, tuple(float(score) for score in scores), "history")

    def search(self, user: str, k: int) -> list[str]:
        """Return the items of :meth:`recommend` alone."""
        return list(self.recommend(user, k).items)

    def vector(self, viewed: Ints) -> Floats:
        """Return the 64 numbers of a user who viewed these items, the last one last."""
        last = viewed[-RECENT:]
        taste = self.index.vectors(last)[:, :TASTE]
        weights = self._weights[RECENT - len(last) :]
        mean = (weights[:, None] * taste).sum(axis=0) / weights.sum()
        with torch.inference_mode():
            found: Floats = self.tower(torch.from_numpy(mean[None].astype(np.float32)))[0].numpy()
        return found

    @cached_property
    def _weights(self) -> Floats:
        found: Floats = weights_of(torch.ones(1, RECENT, dtype=torch.bool))[0].numpy()
        return found

    def _nearest(self, query: Floats, viewed: Ints, k: int) -> tuple[Ints, Floats]:
        """Merge what was seen with what is new; the scores of the seen are moved to meet the others'."""
        seen, times = np.unique(viewed, return_counts=True)
        scores = self.index.vectors(seen) @ query + np.log(times).astype(np.float32)
        order = np.argsort(-scores, kind="stable")
        seen, scores = seen[order], scores[order]
        unseen = len(self.index) - len(seen)
        repeats = min(len(seen), max(int(self.again * k), k - unseen))
        new, news = self.index.search(query, k - repeats, seen)
        seen, scores = seen[:repeats], scores[:repeats]
        if len(seen) and len(new):
            scores = scores + (news[-1] - scores[-1])
        items, merged = np.concatenate([seen, new]), np.concatenate([scores, news])
        best = np.argsort(-merged, kind="stable")
        return items[best], merged[best]
