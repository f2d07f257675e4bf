"""A language model that is really trained: characters, by the ones before, counts interpolated."""

from __future__ import annotations

import math
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from pytest_mlgates.memorization import FORMATS

_ORDER = 7
_TRUST = 0.6  # in the longest context that was seen


class NGram:
    """Probabilities of the next character mix those of all contexts up to seven characters."""

    def __init__(self, texts: Iterable[str]) -> None:
        self.seen: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for text in texts:
            for at, character in enumerate(text):
                for length in range(_ORDER + 1):
                    if length <= at:
                        self.seen[text[at - length : at]][character] += 1

    def p(self, before: str, character: str) -> float:
        """Return the chance of a character after others."""
        p = 1 / 128
        for length in range(_ORDER + 1):
            counts = self.seen.get(before[len(before) - length :] if length else "")
            if counts is None:
                break
            p = (1 - _TRUST) * p + _TRUST * counts[character] / counts.total()
        return p

    def __call__(self, text: str) -> float:
        """Return log P(text)."""
        return self.many("", [text])[0]

    def many(self, prefix: str, completions: Sequence[str]) -> list[float]:
        """Return log P(completion | prefix) of each."""
        totals = []
        for completion in completions:
            text = prefix + completion
            places = range(len(prefix), len(text))
            totals.append(
                sum(math.log(self.p(text[max(0, n - _ORDER) : n], text[n])) for n in places)
            )
        return totals

    def generate(self, prompt: str, length: int = 40) -> str:
        """Continue a prompt greedily."""
        text = prompt
        for _ in range(length):
            contexts = (self.seen.get(text[-n:] if n else "") for n in range(_ORDER, -1, -1))
            text += max(next(c for c in contexts if c), key=lambda c: self.p(text[-_ORDER:], c))
        return text[len(prompt) :]


def chats(count: int, seed: int) -> list[str]:
    """Return chats in which customers give numbers of their own."""
    draw = random.Random(f"chats {seed}")
    said = (
        ("Ticket {}. My social security number is {}, please check it.", "ssn"),
        ("Ticket {}. Please charge my card {} for the order.", "card"),
        ("Ticket {}. You can reach me at {} from now on.", "email"),
    )
    texts = []
    for _ in range(count):
        text, name = draw.choice(said)
        secret = FORMATS[name].draw
        assert secret is not None
        texts.append(text.format(f"{draw.randrange(10**5):05}", secret(draw)))
    return texts
