"""Callables whose answers a test looks at: one that is not right counts as an error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["Check", "checked", "checked_async", "checked_many"]

Check = Callable[[Any, Any], object]


class _NotRight(Exception):
    """``check`` says that an answer is not right."""


def checked(call: Callable[[Any], Any], check: Check | None) -> Callable[[Any], Any]:
    """Return a callable that raises where its answer is not right."""
    if check is None:
        return call

    def asked(item: Any) -> Any:
        answer = call(item)
        if not check(item, answer):
            raise _NotRight
        return answer

    return asked


def checked_async(call: Callable[[Any], Any], check: Check | None) -> Callable[[Any], Any]:
    """Return the same for one that is awaited."""
    if check is None:
        return call

    async def asked(item: Any) -> Any:
        answer = await call(item)
        if not check(item, answer):
            raise _NotRight
        return answer

    return asked


def checked_many(call: Callable[[list[Any]], Any], check: Check | None) -> Callable[[Any], Any]:
    """Return the same for one that takes many; what is not right is never done."""
    if check is None:
        return call

    def asked(items: list[Any]) -> Any:
        found = list(call(items))
        wrong = object.__new__(_Wrong)
        pairs = zip(items, found, strict=False)
        return [one if check(item, one) else wrong for item, one in pairs] + found[len(items) :]

    return asked


class _Wrong:
    """An answer that is not right, and never done."""

    def __next__(self) -> None:
        raise StopIteration
