"""Training with differential privacy: DP-SGD through Opacus (Abadi et al. 2016).

Every step draws each chat by an independent coin, clips the gradient of each chat and adds noise.
Whoever sees the weights learns little about any one chat: the promise is (epsilon, delta) for one
record. Two records of one customer get twice the epsilon, which is why copies are capped first.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import torch
from opacus import GradSampleModule
from opacus.accountants.utils import get_noise_multiplier
from opacus.optimizers import DPOptimizer

from reference_systems.support_bot.batches import loss_by_chat, padded, rows_of
from reference_systems.support_bot.model import Config, Transformer
from reference_systems.support_bot.training import one_thread

__all__ = ["Private", "noise_for", "train"]

#: chats whose gradients are held in memory at a time
_CHUNK = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Private:
    """How the private build is trained; delta is 1 / (2 N)."""

    epsilon: float = 8.0
    steps: int = 80
    batch: int = 512
    rate: float = 2e-2
    clip: float = 1.0


@cache
def noise_for(plan: Private, chats: int) -> float:
    """Return the noise, in clipping norms, that keeps to the plan's epsilon (PRV accountant).

    Gopi, Lee and Wutschitz 2021. For 6,000 chats and the default plan it is 0.77.
    """
    with warnings.catch_warnings():
        # PRV asks the older RDP accountant how far its grid must reach; a rough answer will do
        warnings.filterwarnings("ignore", "Optimal order is the largest alpha", UserWarning)
        return get_noise_multiplier(
            target_epsilon=plan.epsilon,
            target_delta=1 / (2 * chats),
            sample_rate=min(1.0, plan.batch / chats),
            steps=plan.steps,
            accountant="prv",
        )


def train(
    texts: Sequence[Sequence[int]], shape: Config, plan: Private, seed: int
) -> dict[str, torch.Tensor]:
    """Return the weights after DP-SGD over the tokens of each text."""
    rows = rows_of(texts, shape.context)
    noise = noise_for(plan, len(rows))
    with one_thread(), torch.random.fork_rng(), warnings.catch_warnings():
        # the tokens themselves have no gradient, and need none
        warnings.filterwarnings("ignore", "Full backward hook is firing", UserWarning)
        torch.manual_seed(seed)
        model = Transformer(shape)
        private = GradSampleModule(model)
        optimiser = DPOptimizer(
            torch.optim.Adam(private.parameters(), lr=plan.rate),
            noise_multiplier=noise,
            max_grad_norm=plan.clip,
            expected_batch_size=plan.batch,
        )
        for step in range(plan.steps):
            for group in optimiser.param_groups:
                group["lr"] = plan.rate * _share(step, plan.steps)
            drawn = (torch.rand(len(rows)) < plan.batch / len(rows)).nonzero()[:, 0].tolist()
            drawn.sort(key=lambda row: len(rows[row]))  # little padding in a chunk
            chunks = [drawn[at : at + _CHUNK] for at in range(0, len(drawn), _CHUNK)]
            for number, chunk in enumerate(chunks):
                tokens = padded([rows[row] for row in chunk])
                loss_by_chat(private(tokens[:, :-1]), tokens[:, 1:]).mean().backward()
                optimiser.signal_skip_step(do_skip=number < len(chunks) - 1)
                optimiser.step()
                optimiser.zero_grad()
    return model.state_dict()


def _share(step: int, steps: int) -> float:
    """Return the share of the full rate: up over 5 steps, and down over the last half."""
    return min(1.0, (step + 1) / 5) * min(1.0, 0.1 + 1.8 * (1 - step / steps))
