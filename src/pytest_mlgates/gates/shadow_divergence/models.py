"""Ask the control and the shadow: each on inputs of its own, one at a time, in batches, or awaited.

What a model raises and a call that hangs is an answer, too: a fault.
"""

from __future__ import annotations

import asyncio
import copy
import inspect
import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pytest_mlgates.calls.ask import Steps, is_async
from pytest_mlgates.calls.guard import CallGuard, CallTimeout, together
from pytest_mlgates.core.errors import Unmeasurable
from pytest_mlgates.core.words import a
from pytest_mlgates.reading.records import records

__all__ = ["Answer", "Model", "is_flat", "own_answer"]

_ATOMS = (type(None), bool, int, float, complex, str, bytes)
_PLAIN = frozenset(_ATOMS)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model answered to one input, or what went wrong."""

    value: Any = None
    fault: str = ""


class Model:
    """One of the two models.

    With ``batch`` it takes a list of inputs and returns as many answers. A batch that breaks is
    asked again one by one, so that one bad input is told from its neighbours.
    """

    def __init__(
        self,
        name: str,
        call: Callable[[Any], object],
        timeout_s: float,
        guard: CallGuard,
        *,
        batch: bool,
    ) -> None:
        if not callable(call):
            raise Unmeasurable(f"{name} is {a(type(call).__name__)}, not a callable of one input")
        self.name = name
        self.call = call
        self.timeout_s = timeout_s
        self.guard = guard
        self.batch = batch
        self.awaits = is_async(call)

    def ask(self, inputs: Sequence[object]) -> Steps[list[Answer]]:
        """Yield what must be awaited; return the answer to each input."""
        if not self.batch:
            return (yield from self._calls([_own_copy(item) for item in inputs]))
        (whole,) = yield from self._calls([[_own_copy(item) for item in inputs]])
        answers = self._split(whole, len(inputs))
        if answers is not None:
            return answers
        if len(inputs) == 1:
            return [Answer(fault=whole.fault or "another number of answers than inputs")]
        each = []
        for item in inputs:
            (one,) = yield from self._calls([[_own_copy(item)]])
            part = self._split(one, 1)
            fault = one.fault or "another number of answers than inputs"
            each.append(part[0] if part else Answer(fault=fault))
        return each

    def _split(self, whole: Answer, count: int) -> list[Answer] | None:
        if whole.fault or isinstance(whole.value, (str, os.PathLike)):
            return None
        try:
            answers = [Answer(item) for item in records(whole.value, "the answers")]
        except (TypeError, Unmeasurable):
            return None
        return answers if len(answers) == count else None

    def _calls(self, payloads: list[Any]) -> Steps[list[Answer]]:
        answers: list[Answer] = []
        if not self.awaits:
            for payload in payloads:
                answer = self._call(payload, self.guard)
                self.guard.disarm()
                if not inspect.isawaitable(answer.value):
                    answers.append(answer)
                    continue
                self.awaits = True  # found out with this call: the rest is awaited together
                answers.append((yield self._awaited(answer.value)))
                break
        if rest := payloads[len(answers) :]:
            answers += yield self._together(rest)
        return answers

    def _call(self, payload: Any, guard: CallGuard) -> Answer:
        try:
            guard.arm()
            return Answer(self.call(payload))
        except CallTimeout:
            return self._late()
        except (Exception, SystemExit) as error:  # noqa: BLE001  (a fault of the model)
            return Answer(fault=f"raised {type(error).__name__}")

    async def _together(self, payloads: list[Any]) -> list[Answer]:
        # a model that blocks its own event loop can't be timed out by that loop
        with CallGuard(self.timeout_s + 1.0) as guard:

            async def one(payload: Any) -> Answer:
                answer = self._call(payload, guard)
                if inspect.isawaitable(answer.value):
                    return await self._awaited(answer.value)
                return answer

            return await together(one(payload) for payload in payloads)

    async def _awaited(self, answer: Awaitable[Any]) -> Answer:
        try:
            async with asyncio.timeout(self.timeout_s) as clock:
                return Answer(await answer)
        except CallTimeout:
            return self._late()
        except TimeoutError:
            return self._late() if clock.expired() else Answer(fault="raised TimeoutError")
        except (Exception, SystemExit) as error:  # noqa: BLE001  (a fault of the model)
            return Answer(fault=f"raised {type(error).__name__}")

    def _late(self) -> Answer:
        return Answer(fault=f"no answer within {self.timeout_s:g} s")


def _own_copy(item: Any) -> Any:
    """Return an input that no other model can change."""
    if is_flat(item):
        return copy.copy(item)
    kind = type(item)
    if kind is dict:
        return {key: _own_copy(value) for key, value in item.items()}
    if kind in (list, tuple):
        return kind(map(_own_copy, item))
    if hasattr(item, "detach") and hasattr(item, "clone"):
        # of a row of a tensor, a deep copy would copy all rows
        return item.detach().clone()
    try:
        return copy.deepcopy(item)
    except Exception as error:  # noqa: BLE001  (any reason is the same to the user)
        raise Unmeasurable(
            f"an input of the kind {kind.__name__} can't be copied ({type(error).__name__}),"
            " so the shadow could change what the control sees: give what it is made from (a path,"
            " an index) and open it inside the models"
        ) from None


def is_flat(item: Any) -> bool:
    """Tell whether an input is a plain value, or a list or dict of nothing else: quick to copy."""
    kind = type(item)
    if kind in _PLAIN:
        return True
    if kind is dict:
        return _PLAIN.issuperset(map(type, item.values())) and _PLAIN.issuperset(map(type, item))
    return kind in (list, tuple) and _PLAIN.issuperset(map(type, item))


def own_answer(value: object) -> Any:
    """Return an answer that its model can't change any more: some reuse one buffer for all."""
    if isinstance(value, _ATOMS):
        return value
    if isinstance(value, np.ndarray):
        return value.copy()
    if hasattr(value, "detach") and hasattr(value, "clone"):
        return value.detach().clone()
    try:
        return copy.deepcopy(value)
    except Exception:  # noqa: BLE001  (then it is compared as it is)
        return value
