"""Answers of a search as ids: each once, the best first, at most ``k``."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from pytest_mlgates.core.errors import Unmeasurable
from pytest_mlgates.core.words import a
from pytest_mlgates.reading.equality import unwrapped

__all__ = ["Answer", "AnswerReader", "Item", "asked_with", "items_of", "kind_of_ids"]

Item = Hashable

#: what the number of answers is called
_NAMES = ("k", "top_k", "topk", "n", "limit")
_HOW = "return the ids of the items, the best first"


@dataclass(frozen=True, slots=True)
class Answer:
    """Ids in their order, each once; ``given`` is how many there were, repeats and all."""

    items: tuple[Item, ...]
    given: int
    repeats: int


class AnswerReader:
    """Checks the answers of one search, named for messages."""

    def __init__(self, name: str, k: int) -> None:
        self.name, self.k = name, k

    def __call__(self, answer: object, call: int) -> Answer:
        """Return the first ``k`` ids, each once."""
        found = items_of(answer, f"{self.name} at call {call}")
        first = found[: self.k]  # what comes later is not looked at, and repeats take their places
        unique = tuple(dict.fromkeys(first))
        return Answer(unique, len(found), len(first) - len(unique))


def asked_with(call: Callable[..., Any], k: int) -> Callable[[Any], Any]:
    """Return a call of a query alone: ``k`` goes with it where the search takes it.

    >>> asked_with(lambda query, k: query * k, 3)("a"), asked_with(lambda query: query, 3)("a")
    ('aaa', 'a')
    """
    try:
        parameters = inspect.signature(call).parameters
    except (TypeError, ValueError):  # built in, or of another language
        return lambda query: call(query, k)
    if named := next((name for name in _NAMES if name in parameters), None):
        return lambda query: call(query, **{named: k})
    needed = sum(
        one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD) and one.default is one.empty
        for one in parameters.values()
    )
    several = any(one.kind is one.VAR_POSITIONAL for one in parameters.values())
    return (lambda query: call(query, k)) if needed >= 2 or several else call


def items_of(answer: object, where: str) -> list[Item]:
    """Return the ids in an answer or a label, -1 of faiss left out; Unmeasurable where it is not clear.

    >>> items_of([3, "a", -1], "search")
    [3, 'a']
    >>> items_of(3, "labels")
    Traceback (most recent call last):
        ...
    pytest_mlgates.core.errors.Unmeasurable: labels gave an int: return the ids of the items, the \
best first
    """
    held: Any = answer
    if hasattr(held, "detach"):
        held = held.detach().cpu().numpy()
    if hasattr(held, "ndim") and hasattr(held, "tolist"):
        held = _only_row(held, where)
    elif hasattr(held, "to_list"):
        held = held.to_list()
    if not isinstance(held, (list, tuple)):
        raise Unmeasurable(f"{where} gave {a(type(answer).__name__)}: {_HOW}")
    found = [_id_of(one, where) for one in held]
    return [one for one in found if one != -1]


def _only_row(array: Any, where: str) -> list[object]:
    """Return the only row of an array; faiss gives one for each of several queries."""
    shape = tuple(array.shape)
    if len(shape) == 2 and shape[0] == 1:
        array = array[0]
    if len(array.shape) != 1:
        raise Unmeasurable(f"{where} gave an array of shape {shape}: {_HOW}")
    found: list[object] = array.tolist()
    return found


def _id_of(value: object, where: str) -> Item:
    held = unwrapped(value)
    if isinstance(held, float):
        if not math.isfinite(held) or not held.is_integer():
            raise Unmeasurable(f"{where} gave a number that is not an id: {_HOW}, not their scores")
        return int(held)
    if isinstance(held, bool) or not isinstance(held, (str, int, bytes)):
        kind = a(type(held).__name__)
        more = " (ids and scores? return the ids alone)" if isinstance(held, (list, tuple)) else ""
        raise Unmeasurable(
            f"{where} gave {kind} for an item{more}: an id is a text or whole number"
        )
    return held


def kind_of_ids(items: Mapping[Item, object]) -> str:
    """Return what the ids are, where they are all alike.

    >>> kind_of_ids({1: 2, 2: 2}), kind_of_ids({"1": 2}), kind_of_ids({"1": 2, 2: 1}), kind_of_ids({})
    ('whole numbers', 'texts', '', '')
    """
    kinds = {type(item) for item in items}
    names = {int: "whole numbers", str: "texts", bytes: "bytes"}
    return names[kinds.pop()] if len(kinds) == 1 else ""
