"""The two towers. Each ends in 64 numbers, and what a user thinks of an item is their dot product.

Of the 64, 63 are taste and one is how popular the item is; the user's last number is always 1.
The user tower reads the vectors of the items last viewed, the later the more: so a user who was
never trained on is served as any other, and no table of users is kept.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["DIMENSIONS", "RECENT", "TASTE", "ItemTower", "UserTower", "weights_of"]

DIMENSIONS = 64
TASTE = DIMENSIONS - 1
_HIDDEN = 128
#: views of a user that are read, and how much less each counts than the one after it
RECENT, _FADING = 50, 0.03


def weights_of(present: Tensor) -> Tensor:
    """Return the weights of the last views, oldest first, where there is one; each row adds up to 1.

    >>> weights_of(torch.tensor([[False, True, True]])).tolist()
    [[0.0, 0.49..., 0.50...]]
    """
    age = torch.arange(present.shape[1] - 1, -1, -1)
    weights = torch.exp(-_FADING * age) * present
    return weights / weights.sum(dim=1, keepdim=True).clamp_min(1e-9)


class ItemTower(nn.Module):
    """Items, by number, to vectors of 64.

    ``start`` holds a vector of 63 for each item, ``popularity`` the logarithm of its views.
    """

    def __init__(self, start: np.ndarray, popularity: np.ndarray, *, sparse: bool) -> None:
        super().__init__()
        self.taste = nn.Embedding.from_pretrained(
            torch.as_tensor(start, dtype=torch.float32), freeze=False, sparse=sparse
        )
        self.popularity = nn.Embedding.from_pretrained(
            torch.as_tensor(popularity, dtype=torch.float32)[:, None], freeze=False, sparse=sparse
        )
        self.turn = nn.Linear(TASTE, TASTE, bias=False)
        nn.init.eye_(self.turn.weight)

    def forward(self, items: Tensor) -> Tensor:
        """Return vectors, shape (n, 64)."""
        return torch.cat([self.turn(self.taste(items)), self.popularity(items)], dim=1)

    def mean_taste(self, items: Tensor, weights: Tensor) -> Tensor:
        """Return the weighted mean of the tastes of items, shape (n, views) to (n, 63)."""
        mean = functional.embedding_bag(
            items, self.taste.weight, per_sample_weights=weights, mode="sum",
            sparse=self.taste.sparse,
        )  # fmt: skip
        return self.turn(mean)  # linear: the turn of a mean is the mean of the turned


class UserTower(nn.Module):
    """The mean taste of what was viewed last to a vector of 64."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(TASTE, _HIDDEN), nn.ReLU(), nn.Linear(_HIDDEN, TASTE))
        last = self.layers[-1]
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.sharpness = nn.Parameter(torch.tensor(1.0))

    def forward(self, taste: Tensor) -> Tensor:
        """Return vectors, shape (n, 64), the last number of each 1."""
        turned = functional.normalize(taste + self.layers(taste), dim=1, eps=1e-6)
        return torch.cat([turned * self.sharpness.exp(), torch.ones(len(taste), 1)], dim=1)
