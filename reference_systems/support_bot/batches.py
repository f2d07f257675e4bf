"""Chats as rows of tokens: padded, and in batches of like length."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from reference_systems.support_bot.tokenizer import END, PAD

__all__ = ["loss_by_chat", "padded", "rows_of"]


def rows_of(texts: Sequence[Sequence[int]], context: int) -> list[list[int]]:
    """Return each text between two ends.

    :raises ValueError: if one is longer than the model can look at.
    """
    rows = [[END, *text, END] for text in texts]
    if (longest := max(map(len, rows), default=0)) > context + 1:
        raise ValueError(f"a chat of {longest} tokens is longer than the context of {context}")
    return rows


def padded(rows: Sequence[Sequence[int]]) -> Tensor:
    """Return the rows as one tensor, padded on the right.

    >>> padded([[5], [6, 7]]).tolist()
    [[5, 0], [6, 7]]
    """
    width = max(map(len, rows))
    return torch.tensor([[*row, *[PAD] * (width - len(row))] for row in rows])


def loss_by_chat(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the mean loss of each chat over its own tokens, in nats.

    A mean over all tokens of a batch would let one chat weigh on the gradient of another.
    """
    losses = functional.cross_entropy(logits.transpose(1, 2), targets, reduction="none")
    counted = targets != PAD
    return (losses * counted).sum(1) / counted.sum(1)
