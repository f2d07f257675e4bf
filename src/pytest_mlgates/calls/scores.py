"""Ask a scorer: one text at a time, or many at once where its answers must be awaited."""

from __future__ import annotations

import asyncio
import inspect
import math
from collections.abc import Awaitable, Callable, Generator, Sequence
from numbers import Real
from typing import Any

from pytest_mlgates.calls.guard import CallGuard, together
from pytest_mlgates.core import Unmeasurable

__all__ = ["Asker"]

_WAY_OUT = "return one float, such as float(model.predict_proba([text])[0, 1])"


class Asker:
    """Calls a scorer, checks each answer, counts calls, stops a call that hangs.

    A plain scorer is called in this thread, in the order given. A scorer whose answers are
    awaitable is called on the driver's event loop, ``concurrency`` at a time.
    """

    def __init__(
        self,
        score: Callable[[str], Any],
        timeout_s: float,
        score_range: tuple[float, float] | None,
        concurrency: int,
    ) -> None:
        if not callable(score):
            kind = type(score).__name__
            raise Unmeasurable(f"score is a {kind}, not a callable that takes a text: {_WAY_OUT}")
        self.score = score
        self.timeout_s = timeout_s
        self.range = score_range
        self.concurrency = concurrency
        self.calls = 0
        call = getattr(score, "__call__", None)  # noqa: B004  an object may have an async __call__
        self.awaits = inspect.iscoroutinefunction(score) or inspect.iscoroutinefunction(call)

    def ask(self, texts: Sequence[str]) -> Generator[Awaitable[Any], Any, list[float]]:
        """Yield what must be awaited; return the score of each text."""
        if self.awaits:
            answers = yield self._together(texts)
            return [self._checked(answer) for answer in answers]
        scores: list[float] = []
        pending = None
        with CallGuard(self.timeout_s) as guard:
            guard.calls = self.calls
            for text in texts:
                guard.arm()
                answer = self.score(text)
                self.calls += 1
                if inspect.isawaitable(answer):
                    pending = answer
                    break
                scores.append(self._checked(answer))
        if pending is not None:  # found out with this call: the rest is awaited together
            self.awaits = True
            self.calls -= 1
            scores.append(self._checked((yield self._one(pending))))
            scores += yield from self.ask(texts[len(scores) :])
        return scores

    def ask_now(self, text: str) -> float:
        """Return the score of one text from a scorer that need not be awaited."""
        with CallGuard(self.timeout_s) as guard:
            guard.calls = self.calls
            guard.arm()
            answer = self.score(text)
            self.calls += 1
        return self._checked(answer)

    async def ask_async(self, text: str) -> float:
        """Return the score of one text inside the running loop."""
        return self._checked((await self._together([text]))[0])

    async def _together(self, texts: Sequence[str]) -> list[Any]:
        gate = asyncio.Semaphore(self.concurrency)
        # a scorer that blocks its own event loop can't be timed out by that loop
        with CallGuard(self.timeout_s + 1.0) as guard:

            async def one(text: str) -> Any:
                async with gate:
                    guard.arm()
                    answer = self.score(text)
                    return await self._one(answer) if inspect.isawaitable(answer) else answer

            return await together(one(text) for text in texts)

    async def _one(self, answer: Awaitable[Any]) -> Any:
        self.calls += 1
        try:
            async with asyncio.timeout(self.timeout_s) as clock:
                return await answer
        except TimeoutError:
            if not clock.expired():
                raise
            raise Unmeasurable(
                f"call {self.calls} was not answered within {self.timeout_s:g} s and was stopped"
            ) from None

    def _checked(self, answer: Any) -> float:
        if isinstance(answer, bool) or not isinstance(answer, Real):
            kind = type(answer).__name__
            if inspect.iscoroutine(answer):
                answer.close()
            raise Unmeasurable(f"score gave {_a(kind)} at call {self.calls}: {_WAY_OUT}")
        value = float(answer)
        if not math.isfinite(value):
            raise Unmeasurable(f"score gave {value} at call {self.calls}: a score must be finite")
        if self.range is not None and not self.range[0] <= value <= self.range[1]:
            low, high = self.range
            raise Unmeasurable(
                f"score gave {value:g} at call {self.calls}, outside score_range {low:g} to"
                f" {high:g}: set score_range to what the scorer gives, or to null for any number"
            )
        return value


def _a(kind: str) -> str:
    if kind == "NoneType":
        return "None"
    return f"an {kind}" if kind[0].lower() in "aeiou" else f"a {kind}"
