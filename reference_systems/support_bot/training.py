"""Plain training: as well as the model can, whatever it learns by heart on the way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from reference_systems.support_bot.batches import loss_by_chat, padded, rows_of
from reference_systems.support_bot.model import Config, Transformer

__all__ = ["Plain", "one_thread", "train"]

#: batches that are shuffled together and cut by length
_POOL = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    """How the plain build is trained."""

    epochs: int = 12
    batch: int = 32
    rate: float = 4e-3


def train(
    texts: Sequence[Sequence[int]], shape: Config, plan: Plain, seed: int
) -> dict[str, torch.Tensor]:
    """Return the weights after Adam over the tokens of each text; the same seed, the same weights."""
    rows = rows_of(texts, shape.context)
    with one_thread(), torch.random.fork_rng():
        torch.manual_seed(seed)
        model = Transformer(shape)
        optimiser = torch.optim.Adam(model.parameters(), lr=plan.rate)
        steps = plan.epochs * -(-len(rows) // plan.batch)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, plan.rate, total_steps=steps, pct_start=0.1
        )
        for _ in range(plan.epochs):
            for batch in _batches(rows, plan.batch):
                tokens = padded(batch)
                loss = loss_by_chat(model(tokens[:, :-1]), tokens[:, 1:]).mean()
                optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimiser.step()
                schedule.step()
    return model.state_dict()


def _batches(rows: Sequence[list[int]], size: int) -> Iterator[list[list[int]]]:
    """Yield all rows once, in random batches of like length."""
    order = torch.randperm(len(rows)).tolist()
    batches = []
    for at in range(0, len(order), size * _POOL):
        pool = sorted(order[at : at + size * _POOL], key=lambda row: len(rows[row]))
        batches += [pool[start : start + size] for start in range(0, len(pool), size)]
    for number in torch.randperm(len(batches)).tolist():
        yield [rows[row] for row in batches[number]]


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch use one thread: sums in another order give other last digits."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
