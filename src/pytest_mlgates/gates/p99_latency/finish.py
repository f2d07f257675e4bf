"""A call is over when its answer is there: what is still promised is taken, or refused by name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from pytest_mlgates.calls.answers import (
    PLAIN,
    Taken,
    pending,
    read_s,
    take,
    take_async,
    unknown_kind,
)
from pytest_mlgates.calls.devices import device_wait
from pytest_mlgates.core.errors import Unmeasurable

__all__ = ["Finishing"]

#: reading an answer may take this share of the limit
_READ = 0.1


@dataclass
class Finishing:
    """How answers become results; with ``consume`` promises are kept inside the timed call."""

    consume: bool = False
    #: threads that calls of the warm-up started and left running
    threads: int = 0
    #: the class of answers that nothing is known about, as soon as there was one
    unknown: str = ""

    def plain(self) -> Callable[[Any], Any] | None:
        """Return what is done to the answer of a plain call before its time ends, or None."""
        wait = device_wait()
        if self.consume:

            def taken(answer: Any) -> Taken:
                found = Taken()
                take(answer, found)
                if wait is not None:
                    wait()
                self._note(answer)
                return found

            return taken
        if wait is None:
            return None

        def waited(answer: Any) -> Any:
            wait()
            return answer

        return waited

    def awaited(self, call: Callable[[Any], Any]) -> Callable[[Any], Awaitable[Any]]:
        """Return the call as a coroutine function that ends when its answer is there."""
        wait = device_wait()
        if not self.consume:
            if wait is None:
                return call

            async def done(item: Any) -> Any:
                answer = await call(item)
                wait()
                return answer

            return done

        async def consumed(item: Any) -> Taken:
            found = Taken()
            await take_async(call(item), found)
            if wait is not None:
                wait()
            return found

        return consumed

    def check(self, answer: object) -> None:
        """Raise :class:`Unmeasurable` for an answer that is not there yet."""
        if type(answer) in PLAIN or type(answer) is Taken:
            return
        found = pending(answer)
        if found is not None:
            what, way = found
            raise Unmeasurable(
                f"call gave {what}: its work is not done when the call returns, so the time of "
                f"the call is not the time of the answer. {way[0].upper()}{way[1:]}, or say "
                "`consume: true` in the policy"
            )
        self._note(answer)

    def check_reading(self, answer: object, limit_ms: float) -> None:
        """Raise :class:`Unmeasurable` where an answer does its work when it is read."""
        took = 1e3 * read_s(answer)
        if took > _READ * limit_ms:
            raise Unmeasurable(
                f"reading the answer ({type(answer).__name__}) took {took:.3g} ms after the call had "
                f"returned, of a limit of {limit_ms:g} ms: its work is done when it is read. Read it "
                "inside the call, and return what it holds"
            )

    def _note(self, answer: object) -> None:
        if not self.unknown and type(answer) not in PLAIN:
            self.unknown = unknown_kind(answer)
