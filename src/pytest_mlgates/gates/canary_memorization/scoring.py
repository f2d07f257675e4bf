"""Ask a model how likely completions are: one text at a time, or many under one prefix."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Generator, Sequence
from numbers import Real
from typing import Any

from pytest_mlgates.calls.guard import CallGuard
from pytest_mlgates.calls.scores import Asker
from pytest_mlgates.core import Unmeasurable

__all__ = ["BATCH", "Scorer"]

#: completions in one call of ``many``
BATCH = 512
_ROUNDING = 1e-4


class Scorer(Asker):
    """Natural-log likelihoods of ``prefix + completion``, checked; ``-inf`` is one.

    Where ``log_likelihood`` has an attribute ``many(prefix, completions)``, that is asked: it gives
    log P(completion | prefix) for each completion.
    """

    def __init__(self, log_likelihood: Any, timeout_s: float, concurrency: int) -> None:
        if not callable(log_likelihood):
            kind = type(log_likelihood).__name__
            raise Unmeasurable(f"log_likelihood is a {kind}, not a callable that takes a text")
        super().__init__(log_likelihood, timeout_s, None, concurrency)
        self.many = getattr(log_likelihood, "many", None)

    def under(
        self, prefix: str, completions: Sequence[str]
    ) -> Generator[Awaitable[Any], Any, list[float]]:
        """Yield what must be awaited; return the log-likelihood of each completion."""
        if self.many is None:
            return (yield from self.ask([prefix + completion for completion in completions]))
        scores: list[float] = []
        for at in range(0, len(completions), BATCH):
            batch = list(completions[at : at + BATCH])
            with CallGuard(self.timeout_s) as guard:
                guard.calls = self.calls
                guard.arm()
                answer = self.many(prefix, batch)
            if isinstance(answer, Awaitable):
                answer = yield self._one(answer)
            else:
                self.calls += 1
            scores += self._all(answer, len(batch))
        return scores

    def _all(self, answer: Any, wanted: int) -> list[float]:
        listed = answer.tolist() if hasattr(answer, "tolist") else answer
        if not isinstance(listed, (list, tuple)) or len(listed) != wanted:
            raise Unmeasurable(
                f"log_likelihood.many gave no list of {wanted} numbers for {wanted} completions at"
                f" call {self.calls}"
            )
        return [self._checked(value) for value in listed]

    def _checked(self, answer: Any) -> float:
        plain = answer.item() if getattr(answer, "shape", None) == () else answer
        if isinstance(plain, bool) or not isinstance(plain, Real):
            kind = type(answer).__name__
            if hasattr(answer, "close"):
                answer.close()
            raise Unmeasurable(
                f"log_likelihood gave a {kind} at call {self.calls}: return one float, the natural"
                " logarithm of the probability of the text"
            )
        value = float(plain)
        if math.isnan(value) or value > _ROUNDING:
            raise Unmeasurable(
                f"log_likelihood gave {value:g} at call {self.calls}: the logarithm of a probability"
                " is 0 or less (a loss has the other sign; a density is no probability)"
            )
        return min(value, 0.0)
