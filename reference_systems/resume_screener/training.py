"""Fits the screener to the hiring history: logistic regression on sparse features, in torch."""

from __future__ import annotations

from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import torch

from reference_systems.resume_screener.features import Features
from reference_systems.resume_screener.history import hiring_history

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

__all__ = ["Screener", "train"]

_L2 = 1e-3
_STEPS = 60


class Screener:
    """A fitted screener: ``score(text)`` is the estimated chance that this résumé is hired."""

    def __init__(self, features: Features, weights: npt.NDArray[np.float64], bias: float) -> None:
        """Take what :func:`train` found."""
        self.features = features
        self.weights = weights
        self.bias = bias

    def score(self, text: str) -> float:
        """Return a number in [0, 1].

        :raises NotAResume: if the text is no résumé.
        """
        indices, values = self.features(text)
        logit = self.bias + float(self.weights[indices] @ np.asarray(values, dtype=np.float64))
        return float(0.5 * (1 + np.tanh(logit / 2)))  # the logistic function, without overflow


@lru_cache(maxsize=8)
def train(blocks: tuple[str, ...], seed: int) -> Screener:
    """Fit the blocks to the history of ``seed``: the same seed gives the same weights."""
    features = Features(list(blocks))
    history = hiring_history(seed)
    rows = [features(decision.text) for decision in history]
    owners = torch.tensor([i for i, (indices, _) in enumerate(rows) for _ in indices])
    indices = torch.tensor([index for row, _ in rows for index in row])
    values = torch.tensor([value for _, row in rows for value in row], dtype=torch.float64)
    labels = torch.tensor([float(decision.hired) for decision in history], dtype=torch.float64)

    weights = torch.zeros(features.width, dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([weights, bias], max_iter=_STEPS, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        cells = values * weights.index_select(0, indices)
        logits = bias.expand(len(rows)).index_add(0, owners, cells)
        value = torch.nn.functional.binary_cross_entropy_with_logits(logits, labels)
        value = value + _L2 * weights.square().sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    with _one_thread():  # sums in another order give other last digits
        optimiser.step(loss)  # type: ignore[no-untyped-call]
    found = weights.detach().numpy().copy()
    found.setflags(write=False)  # this screener is shared by all who ask for its seed
    return Screener(features, found, float(bias.detach()))


@contextmanager
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
