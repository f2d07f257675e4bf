"""Train both towers: in each batch, which of the items viewed did this user go to next?

The items of the other rows are the wrong answers (in-batch softmax). Popular items stand among them
too often, so the logarithm of their share is taken off (Yi et al., RecSys 2019); the user's own
views are no wrong answers. Asked are first views only: what was viewed before is remembered, and
need not be learned.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from reference_systems.shopfast_two_tower.factors import Floats, factors
from reference_systems.shopfast_two_tower.towers import (
    RECENT,
    TASTE,
    ItemTower,
    UserTower,
    weights_of,
)
from reference_systems.shopfast_two_tower.views import Ints, Views

__all__ = ["Histories", "Trained", "train"]

_BATCH, _EPOCHS, _RATE = 1024, 3, 3e-3
#: first views asked in all: a log of many millions is sampled
MAX_ASKED = 900_000
#: items from which gradients are kept of those rows alone that a batch touched
_MANY = 50_000


@dataclass(frozen=True, slots=True)
class Histories:
    """What each user viewed, in order: those of user ``n`` are ``items[starts[n]:starts[n + 1]]``."""

    starts: Ints
    items: Ints

    @classmethod
    def of(cls, views: Views, kept: int) -> Histories:
        """Keep the views of the ``kept`` most viewed items."""
        order = np.argsort(views.user, kind="stable")
        order = order[views.item[order] < kept]
        starts = np.searchsorted(views.user[order], np.arange(len(views.users) + 1))
        return cls(starts, views.item[order])

    def user(self, number: int) -> Ints:
        """Return all that a user viewed, oldest first."""
        return self.items[self.starts[number] : self.starts[number + 1]]

    @property
    def repeated(self) -> float:
        """The share of views, after a user's first, that are of an item seen before."""
        users = np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))
        pairs = len(np.unique(np.stack([users, self.items]), axis=1).T) if len(users) else 0
        later = len(users) - len(np.unique(users))
        return (len(users) - pairs) / later if later else 0.0


@dataclass(frozen=True, slots=True)
class Trained:
    """What training gives: a vector of 64 for every item, and the user tower."""

    vectors: Floats
    tower: UserTower


@dataclass(frozen=True, slots=True)
class _Batch:
    history: Tensor
    weights: Tensor
    target: Tensor
    user: Tensor


def train(views: Views, kept: int, seed: int = 0) -> Trained:
    """Train on a log, of whose items the first ``kept`` are read in histories; all are asked for."""
    torch.manual_seed(seed)
    counts = views.counts
    share = np.log(counts / counts.sum())
    start = factors(views.user, views.item, (len(views.users), len(views.items)), kept, TASTE)
    items = ItemTower(start, share - share[:kept].mean(), sparse=len(counts) > _MANY)
    users = UserTower()
    loader = _Asked(views, Histories.of(views, kept), seed)
    _fit(items, users, loader, torch.as_tensor(share, dtype=torch.float32))
    with torch.no_grad():
        vectors = items(torch.arange(len(counts))).numpy()
    return Trained(vectors, users.eval())


def _fit(items: ItemTower, users: UserTower, loader: _Asked, share: Tensor) -> None:
    tables = [items.taste.weight, items.popularity.weight]
    dense = [*items.turn.parameters(), *users.parameters()]
    optimizers: list[torch.optim.Optimizer] = [torch.optim.Adam(dense, lr=_RATE)]
    kind = torch.optim.SparseAdam if items.taste.sparse else torch.optim.Adam
    optimizers.append(kind(tables, lr=_RATE))
    for step, batch in enumerate(loader):
        for optimizer in optimizers:
            optimizer.param_groups[0]["lr"] = _RATE * (1 - step / loader.steps)
            optimizer.zero_grad()
        _loss(items, users, batch, share).backward()
        for optimizer in optimizers:
            optimizer.step()


def _loss(items: ItemTower, users: UserTower, batch: _Batch, share: Tensor) -> Tensor:
    asked = users(items.mean_taste(batch.history, batch.weights))
    scores = asked @ items(batch.target).T - share[batch.target]
    same = batch.target[None, :] == batch.target[:, None]
    own = batch.user[None, :] == batch.user[:, None]
    wrong = (same | own) & ~torch.eye(len(scores), dtype=torch.bool)
    return functional.cross_entropy(
        scores.masked_fill(wrong, -torch.inf), torch.arange(len(scores))
    )


class _Asked:
    """Batches of first views with what their user viewed before."""

    def __init__(self, views: Views, histories: Histories, seed: int) -> None:
        order = np.argsort(views.user, kind="stable")
        self.user, self.item = views.user[order], views.item[order]
        self.histories = histories
        kept = self.item < (histories.items.max(initial=-1) + 1)
        before = np.concatenate([[0], np.cumsum(kept)])[:-1]
        pairs = self.user * len(views.items) + self.item
        first = np.zeros(len(pairs), bool)
        first[np.unique(pairs, return_index=True)[1]] = True
        self.before = before
        self.asked = np.flatnonzero(first & (before > histories.starts[self.user]))
        self.random = np.random.default_rng(seed)
        self.total = min(_EPOCHS * len(self.asked), MAX_ASKED)
        self.steps = max(1, -(-self.total // _BATCH) + _EPOCHS)

    def __iter__(self) -> Iterator[_Batch]:
        left = self.total
        while left > 0:
            for places in _cut(self.random.permutation(self.asked)[:left]):
                left -= len(places)
                yield self._batch(places)

    def _batch(self, places: Ints) -> _Batch:
        at = self.before[places][:, None] - RECENT + np.arange(RECENT)
        present = at >= self.histories.starts[self.user[places]][:, None]
        history = np.where(present, self.histories.items[np.maximum(at, 0)], 0)
        return _Batch(
            torch.as_tensor(history),
            weights_of(torch.as_tensor(present)),
            torch.as_tensor(self.item[places]),
            torch.as_tensor(self.user[places]),
        )


def _cut(places: Ints) -> Iterator[Ints]:
    for start in range(0, len(places), _BATCH):
        yield places[start : start + _BATCH]
