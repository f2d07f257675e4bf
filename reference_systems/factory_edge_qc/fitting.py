"""Fit the network to crops: focal loss for where, absolute and overlap loss for the box."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from reference_systems.factory_edge_qc.network import DefectNet
from reference_systems.factory_edge_qc.samples import Samples

__all__ = ["fit", "loss_of"]

_BATCH = 16


def fit(
    samples: Samples,
    *,
    epochs: int,
    seed: int,
    rate: float = 3e-3,
    start: dict[str, Tensor] | None = None,
) -> dict[str, Tensor]:
    """Return trained weights; ``start`` are those to go on from. Deterministic by its arguments."""
    torch.manual_seed(seed)
    net = DefectNet()
    if start is not None:
        net.load_state_dict(start)
    net.train()
    count = len(samples.planes)
    steps = epochs * (count // _BATCH)
    tune = torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=1e-3)
    plan = torch.optim.lr_scheduler.OneCycleLR(tune, rate, total_steps=max(steps, 2), pct_start=0.2)
    order = np.random.default_rng((seed, 5))
    for _ in range(epochs):
        rows = order.permutation(count)
        for part in np.array_split(rows[: count // _BATCH * _BATCH], count // _BATCH):
            x = torch.from_numpy(samples.planes[part]).float() / 255
            loss = loss_of(net(x), torch.from_numpy(samples.targets[part]))
            tune.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
            tune.step()
            plan.step()
    return {name: value.detach().clone() for name, value in net.state_dict().items()}


def loss_of(out: Tensor, wanted: Tensor) -> Tensor:
    """Return the loss of answers (n, 5, r, c) against targets (n, 6, r, c).

    Sources: Lin et al. 2017 (focal loss), Tian et al. 2019 (distances to four sides).
    """
    told = wanted[:, 0]
    known = (told >= 0).float()
    truth = told.clamp(min=0)
    logit = out[:, 0]
    raw = functional.binary_cross_entropy_with_logits(logit, truth, reduction="none")
    sure = torch.where(truth > 0.5, torch.sigmoid(logit), 1 - torch.sigmoid(logit))
    focal = (raw * (1 - sure) ** 2 * torch.where(truth > 0.5, 0.6, 0.4) * known).sum()
    weight = wanted[:, 5]
    found = weight.sum().clamp(min=1)
    sides, aim = out[:, 1:5], wanted[:, 1:5]
    apart = (
        functional.smooth_l1_loss(sides, aim, beta=0.1, reduction="none").sum(1) * weight
    ).sum()
    safe = sides.clamp(min=0.01)
    inner = torch.minimum(safe, aim)
    shared = (inner[:, 0] + inner[:, 2]) * (inner[:, 1] + inner[:, 3])
    whole = (safe[:, 0] + safe[:, 2]) * (safe[:, 1] + safe[:, 3])
    truth_area = (aim[:, 0] + aim[:, 2]) * (aim[:, 1] + aim[:, 3])
    overlap = shared / (whole + truth_area - shared).clamp(min=1e-6)
    miss = ((1 - overlap) * weight).sum()
    return (focal + 0.5 * apart + 0.5 * miss) / found
