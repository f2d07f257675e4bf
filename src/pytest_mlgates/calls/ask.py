"""Ask a subject: one item at a time, or many at once where its answers must be awaited.

One asker for scorers, models that reply and likelihoods. What an answer has to be is said by the
gate, as a function that checks it.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Generator, Sequence
from typing import Any, Generic, TypeVar

from pytest_mlgates.calls.guard import CallGuard, together
from pytest_mlgates.core.errors import Unmeasurable
from pytest_mlgates.core.words import a

__all__ = ["Steps", "Subject", "is_async", "text_from", "within"]

T = TypeVar("T")
Steps = Generator[Awaitable[Any], Any, T]

#: a subject that blocks its own event loop can't be timed out by that loop: it gets this much more
_BLOCKED_S = 1.0


def is_async(call: object) -> bool:
    """Tell whether a callable, or its ``__call__``, is a coroutine function."""
    inner = getattr(call, "__call__", None)  # noqa: B004  an object may have an async __call__
    return inspect.iscoroutinefunction(call) or inspect.iscoroutinefunction(inner)


def text_from(name: str) -> Callable[[object, int], str]:
    """Return what checks that the answers of the argument ``name`` are texts.

    >>> text_from("reply")(None, 3)
    Traceback (most recent call last):
        ...
    pytest_mlgates.core.errors.Unmeasurable: reply gave None at call 3: return the text of the reply
    """

    def checked(answer: object, call: int) -> str:
        if isinstance(answer, str):
            return answer
        kind = a(type(answer).__name__)
        raise Unmeasurable(f"{name} gave {kind} at call {call}: return the text of the reply")

    return checked


async def within(seconds: float, answer: Awaitable[object], call: int) -> Any:
    """Await an answer for so long; raise :class:`Unmeasurable` naming the call."""
    try:
        async with asyncio.timeout(seconds) as clock:
            return await answer
    except TimeoutError:
        if not clock.expired():
            raise
        raise Unmeasurable(
            f"call {call} was not answered within {seconds:g} s and was stopped"
        ) from None


class Subject(Generic[T]):
    """Calls what is gated, counts the calls, checks each answer, stops a call that hangs.

    A plain subject is called in this thread, in the order given. One whose answers are awaitable is
    called on the driver's event loop, ``concurrency`` at a time. ``checked(answer, call)`` returns
    what the gate counts, or raises :class:`Unmeasurable`.

    >>> length = Subject(len, lambda answer, call: answer, timeout_s=1.0, concurrency=8)
    >>> steps = length.ask(["a", "bb", "ccc"], stop=lambda size: size > 1)
    >>> try: next(steps)
    ... except StopIteration as done: print(done.value, length.calls)
    [1, 2] 2
    """

    def __init__(
        self,
        call: Callable[[Any], object],
        checked: Callable[[Any, int], T],
        timeout_s: float,
        concurrency: int,
    ) -> None:
        self.call = call
        self.checked = checked
        self.timeout_s = timeout_s
        self.concurrency = concurrency
        self.calls = 0
        self.awaits = is_async(call)

    def ask(
        self, items: Sequence[object], *, stop: Callable[[T], bool] | None = None
    ) -> Steps[list[T]]:
        """Yield what must be awaited; return the answers, fewer where one of them says ``stop``."""
        answers: list[T] = []
        while len(answers) < len(items):
            todo = items[len(answers) :]
            if self.awaits:
                # with a stop, what was not asked yet is not asked once an answer says so
                got: list[T] = yield self._together(todo[: self.concurrency] if stop else todo)
            else:
                got = yield from self._in_turn(todo, stop)
            answers += got
            if stop is not None and any(map(stop, got)):
                break
        return answers

    def ask_now(self, item: object) -> T:
        """Return the answer of a subject that need not be awaited."""
        with CallGuard(self.timeout_s) as guard:
            guard.calls = self.calls
            guard.arm()
            answer = self.call(item)
            self.calls += 1
        return self._check(answer, self.calls)

    async def ask_async(self, item: object) -> T:
        """Return the answer to one item inside the running loop."""
        return (await self._together([item]))[0]

    def _in_turn(self, items: Sequence[object], stop: Callable[[T], bool] | None) -> Steps[list[T]]:
        answers: list[T] = []
        with CallGuard(self.timeout_s) as guard:
            guard.calls = self.calls
            for item in items:
                guard.arm()
                answer = self.call(item)
                self.calls += 1
                if inspect.isawaitable(answer):
                    break
                answers.append(self._check(answer, self.calls))
                if stop is not None and stop(answers[-1]):
                    return answers
            else:
                return answers
        self.awaits = True  # found out with this call: the rest is awaited together
        awaited = yield within(self.timeout_s, answer, self.calls)
        return [*answers, self._check(awaited, self.calls)]

    async def _together(self, items: Sequence[object]) -> list[T]:
        places = asyncio.Semaphore(self.concurrency)
        with CallGuard(self.timeout_s + _BLOCKED_S) as guard:

            async def one(item: object) -> T:
                async with places:
                    guard.arm()
                    self.calls += 1
                    call = self.calls
                    answer = self.call(item)
                    if inspect.isawaitable(answer):
                        answer = await within(self.timeout_s, answer, call)
                    return self._check(answer, call)

            return await together(one(item) for item in items)

    def _check(self, answer: object, call: int) -> T:
        if inspect.iscoroutine(answer):
            answer.close()  # a coroutine is never an answer; closed, it needs no warning of its own
        return self.checked(answer, call)
