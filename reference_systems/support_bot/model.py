"""A small causal transformer (GPT-2's arrangement) with a cache of keys and values.

Positions are an embedding looked up with a batch dimension, and input and output embeddings are
not tied: Opacus computes wrong or no gradients per chat otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["Config", "Memory", "Transformer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The shape of a model; ``context`` is the largest number of tokens it can look at."""

    vocabulary: int
    width: int = 64
    layers: int = 2
    heads: int = 4
    context: int = 160


class Memory:
    """Keys and values of the tokens seen so far, row by row; rows may differ in length."""

    def __init__(self, config: Config, rows: int) -> None:
        """Make room for ``rows`` texts of the full context."""
        shape = (rows, config.heads, config.context, config.width // config.heads)
        self.keys = [torch.zeros(shape) for _ in range(config.layers)]
        self.values = [torch.zeros(shape) for _ in range(config.layers)]
        #: tokens of each row that count; the caller sets it after each pass
        self.lengths = torch.zeros(rows, dtype=torch.long)

    def of(self, rows: Tensor) -> Memory:
        """Return the memory of some rows alone; a row may be taken several times."""
        taken = object.__new__(Memory)
        taken.keys = [keys[rows] for keys in self.keys]
        taken.values = [values[rows] for values in self.values]
        taken.lengths = self.lengths[rows]
        return taken

    def store(self, layer: int, keys: Tensor, values: Tensor, places: Tensor) -> None:
        """Write what a layer made of new tokens; ``places`` is (rows, tokens)."""
        rows = torch.arange(len(places))[:, None]
        self.keys[layer][rows, :, places] = keys.transpose(1, 2)
        self.values[layer][rows, :, places] = values.transpose(1, 2)


class _Block(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        self.heads = config.heads
        self.before = nn.LayerNorm(config.width)
        self.attend = nn.Linear(config.width, 3 * config.width)
        self.mix = nn.Linear(config.width, config.width)
        self.between = nn.LayerNorm(config.width)
        self.widen = nn.Linear(config.width, 4 * config.width)
        self.narrow = nn.Linear(4 * config.width, config.width)

    def forward(
        self, x: Tensor, places: Tensor, memory: Memory | None = None, layer: int = 0
    ) -> Tensor:
        rows, tokens, width = x.shape
        parts = self.attend(self.before(x)).view(rows, tokens, 3, self.heads, width // self.heads)
        queries, keys, values = parts.permute(2, 0, 3, 1, 4)
        if memory is None:
            seen = functional.scaled_dot_product_attention(queries, keys, values, is_causal=True)
        else:
            memory.store(layer, keys, values, places)
            reach = int(places.max()) + 1
            visible = torch.arange(reach) <= places[:, None, :, None]
            seen = functional.scaled_dot_product_attention(
                queries,
                memory.keys[layer][:, :, :reach],
                memory.values[layer][:, :, :reach],
                visible,
            )
        x = x + self.mix(seen.transpose(1, 2).reshape(rows, tokens, width))
        return x + self.narrow(functional.gelu(self.widen(self.between(x))))


class Transformer(nn.Module):
    """Tokens in, a score for each possible next token out."""

    def __init__(self, config: Config) -> None:
        """Draw the weights from torch's generator."""
        super().__init__()
        self.config = config
        self.words = nn.Embedding(config.vocabulary, config.width)
        self.places = nn.Embedding(config.context, config.width)
        self.blocks = nn.ModuleList(_Block(config) for _ in range(config.layers))
        self.after = nn.LayerNorm(config.width)
        self.guess = nn.Linear(config.width, config.vocabulary, bias=False)
        # words louder than places: 80 noisy steps are too few to find that out
        nn.init.normal_(self.words.weight, std=0.3)
        nn.init.normal_(self.places.weight, std=0.1)

    def forward(self, tokens: Tensor, memory: Memory | None = None) -> Tensor:
        """Return logits (rows, tokens, vocabulary); with a memory the tokens follow what it holds."""
        places = torch.arange(tokens.shape[1]).expand(tokens.shape)
        if memory is not None:
            places = places + memory.lengths[:, None]
        x = self.words(tokens) + self.places(places)
        for layer, block in enumerate(self.blocks):
            x = block(x, places, memory, layer)
        logits: Tensor = self.guess(self.after(x))
        return logits
