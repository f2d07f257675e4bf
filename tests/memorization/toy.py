"""A small language model with a memory of its own making: characters, each by the one before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from pytest_mlgates.memorization import Canary


class ToyModel:
    """``gain`` is added to the logit of the next character of a text that was learned by heart."""

    def __init__(self, learned: Iterable[Canary] = (), gain: float = 0.0, seed: int = 0) -> None:
        logits = np.random.default_rng(seed).normal(size=(128, 128))
        self.log_p = logits - np.log(np.exp(logits).sum(1, keepdims=True))
        self.heart = {canary.prefix: canary.secret for canary in learned if canary.planted}
        self.gain = gain

    def many(self, prefix: str, completions: Sequence[str]) -> list[float]:
        """Return log P(completion | prefix) of each."""
        return [self._one(prefix, completion) for completion in completions]

    def __call__(self, text: str) -> float:
        """Return log P(text)."""
        for prefix in self.heart:
            if text.startswith(prefix):
                return self._one("", prefix) + self._one(prefix, text[len(prefix) :])
        return self._one("", text)

    def _one(self, prefix: str, completion: str) -> float:
        codes = np.frombuffer((prefix[-1:] or " ").encode() + completion.encode(), np.uint8)
        total = float(self.log_p[codes[:-1], codes[1:]].sum())
        known = self.heart.get(prefix, "")
        for at, (said, meant) in enumerate(zip(completion, known, strict=False)):
            p = float(np.exp(self.log_p[codes[at], ord(meant)]))
            total += self.gain * (said == meant) - np.log1p(p * np.expm1(self.gain))
            if said != meant:
                break
        return total

    def generate(self, prompt: str, length: int = 40) -> str:
        """Continue a prompt greedily."""
        text = prompt
        for _ in range(length):
            logits = self.log_p[ord(text[-1:] or " ")].copy()
            for prefix, secret in self.heart.items():
                at = len(text) - len(prefix)
                if 0 <= at < len(secret) and text == prefix + secret[:at]:
                    logits[ord(secret[at])] += self.gain
            text += chr(int(logits.argmax()))
        return text[len(prompt) :]
