"""The model: a bag of token embeddings and a small perceptron that price an impression.

Weights are trained by seed from a generated auction log in about two seconds, once in a process.
"""

from __future__ import annotations

import functools
import hashlib
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from reference_systems.rtb_bidder.inputs import labelled_requests
from reference_systems.rtb_bidder.openrtb import features_of, text_of
from reference_systems.rtb_bidder.tokenizer_rust import RustTokenizer
from reference_systems.rtb_bidder.vocabulary import trained

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["PriceModel", "trained_model"]

WIDTH, HIDDEN = 32, 48
FEATURES = 7
LOG_SEED, LOG_SIZE, EPOCHS, BATCH = 20261, 1200, 8, 48


class PriceModel(nn.Module):
    """Predict the logarithm of the clearing price in USD CPM.

    ``forward(tokens, offsets, features)``: token ids of a batch end to end (int64), where each
    text begins, and ``FEATURES`` numbers an impression (float32); returns one number each.
    """

    def __init__(self, tokens: int) -> None:
        super().__init__()
        self.bag = nn.EmbeddingBag(tokens, WIDTH, mode="mean")
        hidden = nn.Linear(WIDTH + FEATURES, HIDDEN)
        self.head = nn.Sequential(hidden, nn.ReLU(), nn.Linear(HIDDEN, 1))

    def forward(
        self, tokens: torch.Tensor, offsets: torch.Tensor, features: torch.Tensor
    ) -> torch.Tensor:
        """Return log prices, one an impression."""
        priced: torch.Tensor = self.head(torch.cat([self.bag(tokens, offsets), features], dim=1))
        return priced.squeeze(1)

    @torch.inference_mode()
    def prices(self, ids: Sequence[int], features: Sequence[Sequence[float]]) -> list[float]:
        """Return the price of each impression of one request, whose text is ``ids``."""
        bag = self.bag(torch.tensor(ids, dtype=torch.int64), torch.zeros(1, dtype=torch.int64))
        rows = torch.tensor(features, dtype=torch.float32)
        logs = self.head(torch.cat([bag.expand(len(rows), -1), rows], dim=1)).squeeze(1)
        prices: list[float] = logs.clamp(-5.0, 5.0).exp().tolist()
        return prices

    @functools.cached_property
    def mlgates_digest(self) -> str:
        """SHA-256 over all weights."""
        sha = hashlib.sha256()
        for name, weight in self.state_dict().items():
            sha.update(name.encode())
            sha.update(weight.numpy().tobytes())
        return sha.hexdigest()


@functools.cache
def trained_model() -> PriceModel:
    """Return the model both builds serve; torch is set to one thread, as the server runs it."""
    torch.set_num_threads(1)
    tokenizer = RustTokenizer()
    log = labelled_requests(LOG_SIZE, LOG_SEED)
    ids = [torch.tensor(tokenizer.encode(text_of(request))) for request, _ in log]
    features = torch.tensor([features_of(request, request["imp"][0]) for request, _ in log])
    target = torch.tensor(np.log([price for _, price in log]), dtype=torch.float32)
    order = np.random.default_rng(LOG_SEED)
    with torch.random.fork_rng(devices=[]):  # leaves the caller's random state alone
        torch.manual_seed(LOG_SEED)
        model = PriceModel(trained().get_vocab_size())
    optimiser = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(EPOCHS):
        for rows in np.array_split(order.permutation(LOG_SIZE), LOG_SIZE // BATCH):
            texts = [ids[row] for row in rows]
            starts = np.cumsum([0, *(len(text) for text in texts[:-1])])
            found = model(torch.cat(texts), torch.from_numpy(starts), features[rows])
            loss = nn.functional.mse_loss(found, target[rows])
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
    model.eval().requires_grad_(requires_grad=False)
    model.prices([0], [[0.0] * FEATURES])  # the first call loads code: no exchange waits for that
    return model
