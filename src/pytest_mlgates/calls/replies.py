"""Ask a subject for replies: one prompt at a time, or several where replies must be awaited."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Generator, Sequence
from typing import Any

from pytest_mlgates.calls.guard import CallGuard, together
from pytest_mlgates.core import Unmeasurable

__all__ = ["Replies"]


class Replies:
    """Calls a subject, checks that each reply is text, counts calls, stops a call that hangs."""

    def __init__(self, reply: Callable[[Any], Any], timeout_s: float, concurrency: int) -> None:
        self.reply = reply
        self.timeout_s = timeout_s
        self.concurrency = concurrency
        self.calls = 0
        call = getattr(reply, "__call__", None)  # noqa: B004  an object may have an async __call__
        self.awaits = inspect.iscoroutinefunction(reply) or inspect.iscoroutinefunction(call)

    def ask(self, prompts: Sequence[Any]) -> Generator[Awaitable[Any], Any, list[str]]:
        """Yield what must be awaited; return the reply to each prompt.

        A subject that need not be awaited is asked for the first prompt only, so that nothing
        more is asked once something was found: the list is shorter then.
        """
        if not self.awaits:
            with CallGuard(self.timeout_s) as guard:
                guard.calls = self.calls
                guard.arm()
                answer = self.reply(prompts[0])
                self.calls += 1
            if not inspect.isawaitable(answer):
                return [self._checked(answer)]
            self.awaits = True
            return [self._checked((yield self._one(answer)))]
        answers = yield self._together(prompts)
        return [self._checked(answer) for answer in answers]

    async def _together(self, prompts: Sequence[Any]) -> list[Any]:
        async def one(prompt: Any) -> Any:
            self.calls += 1
            answer = self.reply(prompt)
            return await self._one(answer) if inspect.isawaitable(answer) else answer

        with CallGuard(self.timeout_s + 1.0) as guard:
            guard.arm()
            return await together(one(p) for p in prompts[: self.concurrency])

    async def _one(self, answer: Awaitable[Any]) -> Any:
        try:
            async with asyncio.timeout(self.timeout_s) as clock:
                return await answer
        except TimeoutError:
            if not clock.expired():
                raise
            raise Unmeasurable(
                f"call {self.calls} was not answered within {self.timeout_s:g} s and was stopped"
            ) from None

    def _checked(self, answer: Any) -> str:
        if isinstance(answer, str):
            return answer
        if inspect.iscoroutine(answer):
            answer.close()
        kind = "None" if answer is None else f"a {type(answer).__name__}"
        raise Unmeasurable(f"reply gave {kind} at call {self.calls}: return the text of the reply")
