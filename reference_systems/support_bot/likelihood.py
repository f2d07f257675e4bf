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
        rows = [[END, *self.tokenizer.encode(prefix + end)] for end in completions]
        known = 1 + self._inside(prefix)
        if not rows:
            return []
        if (longest := max(map(len, rows))) > (context := self.model.config.context):
            raise ValueError(f"a text of {longest} tokens is longer than the context of {context}")
        order = sorted(range(len(rows)), key=lambda row: len(rows[row]))
        found = [0.0] * len(rows)
        for at in range(0, len(order), _ROWS):
            part = order[at : at + _ROWS]
            for row, value in zip(part, self._scores([rows[i] for i in part], known), strict=True):
                found[row] = value
        return found

    def _inside(self, prefix: str) -> int:
        """Return how many tokens of the prefix stay as they are, whatever word follows."""
        alone, followed = self.tokenizer.encode(prefix), self.tokenizer.encode(prefix + "a0")
        return _common([alone, followed])

    def _scores(self, rows: Sequence[Sequence[int]], known: int) -> list[float]:
        shared = max(1, min(_common(rows), min(map(len, rows)) - 1))
        memory = Memory(self.model.config, 1)
        first = self.model(torch.tensor([rows[0][:shared]]), memory)
        memory.lengths += shared
        head = _chosen(first[:, :-1], torch.tensor([rows[0][1:shared]]))[0, known - 1 :].sum()
        tails = padded([row[shared:] for row in rows])
        many = memory.of(torch.zeros(len(rows), dtype=torch.long))
        rest = self.model(tails[:, :-1], many) if tails.shape[1] > 1 else first[:, :0]
        logits = torch.cat([first[:, -1:].expand(len(rows), -1, -1), rest.expand(len(rows), -1, -1)], 1)
        each = _chosen(logits, tails).masked_fill(tails == PAD, 0.0)
        skipped = max(0, known - shared)
        total: list[float] = (head + each[:, skipped:].sum(1)).tolist()
        return total


def _chosen(logits: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    """Return the log-probability of each token that came."""
    logs = torch.log_softmax(logits.double(), -1)
    return logs.gather(-1, tokens[..., None])[..., 0]


def _common(rows: Sequence[Sequence[int]]) -> int:
    """Return how many tokens all rows begin with."""
    low, high = min(rows), max(rows)
    return next((i for i, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), min(len(low), len(high)))
