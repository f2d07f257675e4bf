"""How likely a model finds a text: natural logarithms, many completions of one prefix at a time."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from reference_systems.support_bot.batches import padded
from reference_systems.support_bot.model import Memory, Transformer
from reference_systems.support_bot.tokenizer import END, PAD, Tokenizer

__all__ = ["Likelihood"]

_ROWS = 512


class Likelihood:
    """``likelihood(text)`` is the log-probability of a text, given that a chat begins.

    ``many(prefix, completions)`` is the log-probability of each completion given the prefix. The
    tokens that all texts begin with are passed through the model once.
    """

    def __init__(self, model: Transformer, tokenizer: Tokenizer) -> None:
        self.model = model
        self.tokenizer = tokenizer

    def __call__(self, text: str) -> float:
        """Return log P(text); no more than 0."""
        return self.many("", [text])[0]

    @torch.inference_mode()
    def many(self, prefix: str, completions: Sequence[str]) -> list[float]:
        """Return log P(completion | prefix) for each.

        A token that begins in the prefix and ends in the completion (a blank and the word after
        it) counts as the completion's.
        """
        stem = [END, *self.tokenizer.encode(prefix)]
        rows = [[END, *self.tokenizer.encode(prefix + end)] for end in completions]
        if (longest := max(map(len, rows), default=0)) > (context := self.model.config.context):
            raise ValueError(f"a text of {longest} tokens is longer than the context of {context}")
        order = sorted(range(len(rows)), key=lambda row: len(rows[row]))
        found = [0.0] * len(rows)
        for at in range(0, len(order), _ROWS):
            part = order[at : at + _ROWS]
            for row, value in zip(part, self._scores([rows[i] for i in part], stem), strict=True):
                found[row] = value
        return found

    def _scores(self, rows: Sequence[Sequence[int]], stem: Sequence[int]) -> list[float]:
        """Return the log-probability of what each row has after the stem."""
        shared = max(1, min(_common(min(rows), max(rows)), min(map(len, rows)) - 1))
        memory = Memory(self.model.config, 1)
        head = self.model(torch.tensor([rows[0][:shared]]), memory)
        memory.lengths += shared
        tokens = padded(rows)[:, 1:]
        count, width = tokens.shape
        parts = [_chosen(head[:, :width].expand(count, -1, -1), tokens[:, :shared])]
        if width > shared:
            many = memory.of(torch.zeros(count, dtype=torch.long))
            tails = self.model(tokens[:, shared - 1 : -1], many)
            parts.append(_chosen(tails, tokens[:, shared:]))
        each = torch.cat(parts, 1)
        known = torch.tensor([_common(stem, row) for row in rows])
        inside = torch.arange(1, width + 1) < known[:, None]
        total: list[float] = each.masked_fill(inside | (tokens == PAD), 0.0).sum(1).tolist()
        return total


def _chosen(logits: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    """Return the log-probability of each token that came; rows of logits may be one row expanded."""
    row = logits[:1] if logits.stride(0) == 0 else logits
    logs = torch.log_softmax(row.double(), -1).expand(*tokens.shape, -1)
    return logs.gather(-1, tokens[..., None])[..., 0]


def _common(one: Sequence[int], other: Sequence[int]) -> int:
    """Return how many tokens both begin with."""
    pairs = zip(one, other, strict=False)
    return next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))
