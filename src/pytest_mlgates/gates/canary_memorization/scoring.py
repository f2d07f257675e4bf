"""Ask a model how likely completions are: one text at a time, or many under one prefix."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Real

from pytest_mlgates.calls.ask import Steps, Subject
from pytest_mlgates.core import Unmeasurable
from pytest_mlgates.core.words import a

__all__ = ["BATCH", "Scorer"]

#: completions in one call of ``many``
BATCH = 512
#: by how much rounding may lift the logarithm of a probability above 0
_ROUNDING = 1e-4


class Scorer:
    """Natural-log likelihoods of ``prefix + completion``, checked; ``-inf`` is one.

    Where ``log_likelihood`` has an attribute ``many(prefix, completions)``, that is asked: it gives
    log P(completion | prefix) for each completion.
    """

    def __init__(self, log_likelihood: object, timeout_s: float, concurrency: int) -> None:
        if not callable(log_likelihood):
            kind = a(type(log_likelihood).__name__)
            raise Unmeasurable(f"log_likelihood is {kind}, not a callable that takes a text")
        self._texts = Subject(log_likelihood, _log_likelihood, timeout_s, concurrency)
        self._batches: Subject[list[float]] | None = None
        if (many := getattr(log_likelihood, "many", None)) is not None:
            self._batches = Subject(lambda asked: many(*asked), _checked_list, timeout_s, 1)

    @property
    def is_conditional(self) -> bool:
        """Whether scores are of completions alone, so that they are chances to be sampled."""
        return self._batches is not None

    @property
    def calls(self) -> int:
        """How often the model was called."""
        return self._texts.calls + (self._batches.calls if self._batches is not None else 0)

    def under(self, prefix: str, completions: Sequence[str]) -> Steps[list[float]]:
        """Yield what must be awaited; return the log-likelihood of each completion."""
        if self._batches is None:
            return (yield from self._texts.ask([prefix + one for one in completions]))
        scores: list[float] = []
        for at in range(0, len(completions), BATCH):
            batch = list(completions[at : at + BATCH])
            (answers,) = yield from self._batches.ask([(prefix, batch)])
            if len(answers) != len(batch):
                raise _not_a_list(f"{len(answers)} numbers for {len(batch)}", self._batches.calls)
            scores += answers
        return scores


def _not_a_list(given: str, call: int) -> Unmeasurable:
    return Unmeasurable(
        f"log_likelihood.many gave {given} completions at call {call}: return a list with one"
        " number for each"
    )


def _checked_list(answer: object, call: int) -> list[float]:
    listed = answer.tolist() if hasattr(answer, "tolist") else answer
    if not isinstance(listed, (list, tuple)):
        raise _not_a_list(f"{a(type(answer).__name__)} for a list of", call)
    return [_log_likelihood(value, call) for value in listed]


def _log_likelihood(answer: object, call: int) -> float:
    plain = answer.item() if hasattr(answer, "item") and _is_scalar(answer) else answer
    if isinstance(plain, bool) or not isinstance(plain, Real):
        raise Unmeasurable(
            f"log_likelihood gave {a(type(answer).__name__)} at call {call}: return one float, the"
            " natural logarithm of the probability of the text"
        )
    value = float(plain)
    if math.isnan(value) or value > _ROUNDING:
        raise Unmeasurable(
            f"log_likelihood gave {value:g} at call {call}: the logarithm of a probability is 0 or"
            " less (a loss has the other sign; a density is not a probability)"
        )
    return min(value, 0.0)


def _is_scalar(answer: object) -> bool:
    return getattr(answer, "shape", None) == ()
