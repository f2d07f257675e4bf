"""Measure and decide, look by look, until there is an answer or nothing more to see."""

from __future__ import annotations

import asyncio
import dataclasses
import inspect
from collections.abc import Awaitable, Callable, Generator, Iterator
from typing import Any, Protocol

from pytest_mlgates.core.blame import what_broke
from pytest_mlgates.core.errors import Unmeasurable, Unrecordable
from pytest_mlgates.core.loops import new_loop
from pytest_mlgates.core.records import (
    Explained,
    Headline,
    Judged,
    Look,
    Measurement,
    Outcome,
    Verdict,
)
from pytest_mlgates.core.words import a

__all__ = ["ajudge", "contradiction", "judge"]

_USE_AIO = "an event loop is running here: write `await gate.aio(...)`"
_NEEDS_ASYNCIO = (
    "aio() needs the event loop of asyncio, and another one runs here (trio?): "
    "call the gate itself in a thread, with a subject that need not be awaited"
)

OnLook = Callable[[Measurement], object]
#: tells whether every limit that a FAIL broke is accepted, so that the measure goes on to its end
Pardons = Callable[[Verdict], bool]
Steps = Generator[Awaitable[object], object, Judged]


class Driven(Protocol):
    """What is driven: a gate, as far as this module is concerned."""

    @property
    def name(self) -> str:
        """The name of the gate."""

    @property
    def measure(self) -> Callable[..., object]:
        """What looks at the subject."""

    def decide(self, measurement: Measurement, /) -> Verdict:
        """Judge a measurement."""

    def headline(self, measurement: Measurement, /) -> Headline | None:
        """Return what a measurement says first, as its details give it."""


def judge(
    driven: Driven, args: object, kwargs: object, on_look: OnLook | None, pardons: Pardons | None
) -> Judged:
    """Measure until ``decide`` answers; awaitables run on an event loop made for this."""
    stops = (KeyboardInterrupt, GeneratorExit)
    steps = _steps(driven, args, kwargs, _State(driven.name, on_look, pardons), stops)
    loop = None
    try:
        pending = next(steps)
        if _in_a_loop():
            _close_unawaited(pending)
            steps.throw(Unmeasurable(_USE_AIO))
        # with a factory the loop is not set as the thread's own: that one is the caller's
        loop = asyncio.Runner(loop_factory=new_loop)
        while True:
            try:
                answer = loop.run(_await_one(pending))
            except BaseException as error:  # noqa: BLE001  (the generator judges it)
                pending = steps.throw(error)
            else:
                pending = steps.send(answer)
    except StopIteration as done:
        judged: Judged = done.value
        return judged
    finally:
        steps.close()
        if loop is not None:
            loop.close()


async def ajudge(
    driven: Driven, args: object, kwargs: object, on_look: OnLook | None, pardons: Pardons | None
) -> Judged:
    """Do the same as :func:`judge`; awaitables run on the running loop."""
    stops = (KeyboardInterrupt, GeneratorExit, asyncio.CancelledError)
    steps = _steps(driven, args, kwargs, _State(driven.name, on_look, pardons), stops)
    try:
        pending = next(steps)
        if not _in_a_loop():
            _close_unawaited(pending)
            steps.throw(Unmeasurable(_NEEDS_ASYNCIO))
        while True:
            try:
                answer = await pending
            except BaseException as error:  # noqa: BLE001  (the generator judges it)
                pending = steps.throw(error)
            else:
                pending = steps.send(answer)
    except StopIteration as done:
        judged: Judged = done.value
        return judged
    finally:
        steps.close()


class _State:
    """What is known of a run so far, and who listens."""

    def __init__(self, name: str, on_look: OnLook | None, pardons: Pardons | None) -> None:
        self.seen: Measurement | None = None
        self.verdict = Verdict(Outcome.ERROR, f"{name} measured nothing")
        self._on_look, self._pardons = on_look, pardons
        self._pardoned: tuple[Measurement, Verdict] | None = None

    def look(self, driven: Driven, seen: Measurement) -> None:
        """Take what was seen so far and decide on it."""
        self.seen = seen
        if self._on_look is not None:
            self._on_look(seen)
        self.verdict = _decided(driven, seen)

    def pardon(self, seen: Measurement) -> bool:
        """Keep a FAIL whose every limit is accepted; what comes after it may break another."""
        if self._pardons is None or not self._pardons(self.verdict):
            return False
        self._pardoned = seen, self.verdict
        return True

    def judged(self) -> Judged:
        """Return what came of it all. A FAIL that was accepted stays one, whatever came after it."""
        if self._pardoned is None or self.verdict.outcome == Outcome.FAIL or self.seen is None:
            return Judged(self.seen, self.verdict)
        seen, verdict = self._pardoned
        return Judged(_measured_on(seen, self.seen.n), verdict)


def _steps(
    driven: Driven,
    args: Any,
    kwargs: Any,
    state: _State,
    stops: tuple[type[BaseException], ...],
) -> Steps:
    """Yield what must be awaited; return what came of it. ``stops`` end the run as they are."""
    try:
        _check_call(driven, args, kwargs)
        produced: Any = driven.measure(*args, **kwargs)
        if inspect.isawaitable(produced):
            produced = yield produced
        yield from _look_by_look(driven, _as_generator(produced), state)
    except stops:
        raise
    except (Unmeasurable, Unrecordable) as error:
        return Judged(state.seen, Verdict(Outcome.ERROR, str(error)), error)
    except BaseException as error:  # noqa: BLE001
        # also what derives from BaseException: a pytest.skip or a sys.exit inside a measure
        # must not let the subject through
        return Judged(
            state.seen,
            Verdict(Outcome.ERROR, f"{driven.name} could not measure: {what_broke(error)}"),
            error,
        )
    return state.judged()


def _look_by_look(
    driven: Driven, looks: Generator[Look, object, object], state: _State
) -> Generator[Awaitable[object], object, None]:
    """Decide after each look, until a verdict stands; after a FAIL, have it explained."""
    try:
        answer: object = None
        while True:
            try:
                look = looks.send(answer)
            except StopIteration:
                return
            if inspect.isawaitable(look):
                answer = yield look
                continue
            answer = None
            seen: object = look.measurement if isinstance(look, Explained) else look
            if not isinstance(seen, Measurement):
                state.seen = None
                raise Unmeasurable(f"measure gave {_type_of(seen)} and not a Measurement")
            state.look(driven, seen)
            if state.verdict.outcome == Outcome.FAIL and state.pardon(seen):
                continue
            if state.verdict.outcome == Outcome.FAIL and isinstance(look, Explained):
                explained = yield from look.explain()
                again = _decided(driven, explained)
                if again.outcome == Outcome.FAIL:  # an explanation never takes a FAIL back
                    state.seen, state.verdict = explained, again
            if state.verdict.outcome != Outcome.INCONCLUSIVE:
                return
    finally:
        looks.close()


def _measured_on(seen: Measurement, n: int) -> Measurement:
    """Say in a measurement that it was not the last, and that nothing else broke after it."""
    if n == seen.n:
        return seen
    told = f"waived, so measured on: {seen.n:,} to {n:,} observations, and no other limit broke"
    lines = seen.details.get("findings")
    findings = (*lines, told) if isinstance(lines, tuple) else (told,)
    return dataclasses.replace(seen, details={**seen.details, "findings": findings})


def _decided(driven: Driven, seen: Measurement) -> Verdict:
    verdict = driven.decide(seen)
    if not isinstance(verdict, Verdict):
        raise Unmeasurable(f"decide gave {_type_of(verdict)} and not a Verdict")
    if verdict.outcome == Outcome.PASS and seen.n == 0:
        raise Unmeasurable("decide gave PASS where nothing was observed")
    if verdict.outcome != Outcome.ERROR and (wrong := contradiction(driven, seen)):
        raise Unmeasurable(f"the measurement contradicts itself: its {wrong}")
    return verdict


def contradiction(driven: Driven, seen: Measurement) -> str:
    """Say how a measurement's own details do not give its number, unit, n or interval."""
    headline = driven.headline(seen)
    return headline.differs(seen) if headline is not None else ""


def _in_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _close_unawaited(pending: object) -> None:
    if inspect.iscoroutine(pending):
        pending.close()  # so that it needs no warning of its own


def _check_call(driven: Driven, args: Any, kwargs: Any) -> None:
    """Say in words what is wrong with a call; a TypeError from inside would not be shown."""
    try:
        inspect.signature(driven.measure).bind(*args, **kwargs)
    except TypeError as error:
        raise Unmeasurable(f"{driven.name} was called with the wrong arguments: {error}") from None


async def _await_one(pending: Awaitable[object]) -> object:
    return await pending


def _as_generator(produced: Any) -> Generator[Look, Any, Any]:
    """Return what ``measure`` gave as a generator."""
    if isinstance(produced, Generator):
        return produced
    if isinstance(produced, Measurement):
        produced = iter((produced,))
    if not isinstance(produced, Iterator):
        raise Unmeasurable(f"measure gave {_type_of(produced)} and not a Measurement")
    return (look for look in produced)


def _type_of(value: object) -> str:
    _close_unawaited(value)
    return a(type(value).__name__)
