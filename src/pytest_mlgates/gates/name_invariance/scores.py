"""Ask a scorer, and take only what a score can be."""

from __future__ import annotations

import math
from collections.abc import Callable
from numbers import Real

from pytest_mlgates.calls.ask import Subject
from pytest_mlgates.core import Unmeasurable
from pytest_mlgates.core.words import a

__all__ = ["scorer"]

_WAY_OUT = "return one float, such as float(model.predict_proba([text])[0, 1])"


def scorer(
    score: object,
    score_range: tuple[float, float] | None,
    timeout_s: float,
    concurrency: int,
) -> Subject[float]:
    """Return what asks ``score`` for one float a text; Unmeasurable where it is not a callable."""
    if not callable(score):
        kind = a(type(score).__name__)
        raise Unmeasurable(f"score is {kind}, not a callable that takes a text: {_WAY_OUT}")
    return Subject(score, _checker(score_range), timeout_s, concurrency)


def _checker(score_range: tuple[float, float] | None) -> Callable[[object, int], float]:
    low, high = score_range or (-math.inf, math.inf)

    def checked(answer: object, call: int) -> float:
        if isinstance(answer, bool) or not isinstance(answer, Real):
            kind = a(type(answer).__name__)
            raise Unmeasurable(f"score gave {kind} at call {call}: {_WAY_OUT}")
        value = float(answer)
        if not math.isfinite(value):
            raise Unmeasurable(f"score gave {value} at call {call}: a score must be finite")
        if not low <= value <= high:
            raise Unmeasurable(
                f"score gave {value:g} at call {call}, outside score_range {low:g} to {high:g}: set"
                " score_range to what the scorer gives, or to null for any number"
            )
        return value

    return checked
