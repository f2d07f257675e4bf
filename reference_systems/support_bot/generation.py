"""Continue texts token by token, many at a time, greedily or by sampling."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from reference_systems.support_bot.batches import padded
from reference_systems.support_bot.model import Memory, Transformer
from reference_systems.support_bot.tokenizer import END, PAD

__all__ = ["continued"]


@torch.inference_mode()
def continued(
    model: Transformer,
    rows: Sequence[Sequence[int]],
    most: int,
    temperature: float = 0.0,
    seeds: Sequence[int] = (),
) -> list[list[int]]:
    """Return what follows each row: up to ``most`` tokens, the end of the text or of the context.

    Rows may differ in length. With a temperature each row draws from its own seed, so that what is
    said to one does not depend on who else is served in the batch.
    """
    context = model.config.context
    if (longest := max(map(len, rows))) > context:
        raise ValueError(f"a prompt of {longest} tokens is longer than the context of {context}")
    memory = Memory(model.config, len(rows))
    chances = _chances(seeds, most) if temperature else None
    lengths = torch.tensor([len(row) for row in rows])
    logits = model(padded(rows), memory)[torch.arange(len(rows)), lengths - 1]
    memory.lengths = lengths.clone()
    found: list[list[int]] = [[] for _ in rows]
    alive = torch.arange(len(rows))  # which rows the memory holds
    for step in range(most):
        logits[:, PAD] = -torch.inf
        chance = None if chances is None else chances[alive, step]
        tokens = _pick(logits, temperature, chance)
        for row, token in zip(alive.tolist(), tokens.tolist(), strict=True):
            if token != END:
                found[row].append(token)
        going = (tokens != END) & (memory.lengths < context)
        if step + 1 == most or not bool(going.any()):
            break
        if not bool(going.all()):
            kept = going.nonzero()[:, 0]
            memory, alive, tokens = memory.of(kept), alive[kept], tokens[kept]
        logits = model(tokens[:, None], memory)[:, -1]
        memory.lengths = memory.lengths + 1
    return found


def _pick(logits: torch.Tensor, temperature: float, chance: torch.Tensor | None) -> torch.Tensor:
    if chance is None:
        return logits.argmax(-1)
    sums = torch.softmax(logits.double() / temperature, -1).cumsum(-1)
    return torch.searchsorted(sums, chance[:, None] * sums[:, -1:], right=True)[:, 0]


def _chances(seeds: Sequence[int], most: int) -> torch.Tensor:
    """Return a number in [0, 1) for each row and step, by the seed of the row."""
    draw = torch.Generator()
    return torch.stack(
        [torch.rand(most, generator=draw.manual_seed(seed), dtype=torch.float64) for seed in seeds]
    )
