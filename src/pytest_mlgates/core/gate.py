"""Gate, and what everything else speaks: Outcome, Measurement, Verdict, Evidence.

A gate is a frozen dataclass whose fields are the policy. ``measure`` looks at the world and
decides nothing; ``decide`` is pure and touches nothing, so that recorded evidence can be decided
again without the model.
"""

from __future__ import annotations

import asyncio
import dataclasses
import inspect
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Generator, Iterable, Iterator
from pathlib import PurePath
from typing import Annotated, Any, ClassVar, Literal

from pytest_mlgates.core.canonical import Json, Unrecordable, freeze
from pytest_mlgates.core.fields import Limit, convert, hints, limit_of
from pytest_mlgates.core.pictures import Picture
from pytest_mlgates.core.records import (
    Evidence,
    GateFailed,
    Judged,
    Look,
    Measurement,
    Needs,
    Outcome,
    Role,
    Unmeasurable,
    Verdict,
)

__all__ = [
    "Evidence",
    "Gate",
    "GateFailed",
    "Judged",
    "Look",
    "Measurement",
    "Needs",
    "Outcome",
    "Role",
    "StatisticalGate",
    "Unmeasurable",
    "Verdict",
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Gate(ABC):
    """One check: its fields are the policy, ``measure`` looks, ``decide`` judges.

    Subclasses are ``@dataclass(frozen=True, kw_only=True)`` with annotated fields; their values
    are checked and converted when an instance is made. See CONTRIBUTING.md for a gate in one file.
    """

    name: ClassVar[str]
    #: the extra of this package that the gate's imports come from
    extra: ClassVar[str | None] = None
    #: the field that the measured value is held against; by default the first that tightens
    limit: ClassVar[str] = ""
    #: whether a larger or a smaller measured value is the worse one
    worse: ClassVar[Literal["up", "down"]] = "up"

    def __post_init__(self) -> None:
        for field, annotation in hints(type(self)).items():
            value = convert(annotation, getattr(self, field), field)
            object.__setattr__(self, field, value)

    @abstractmethod
    def measure(self, *args: Any, **kwargs: Any) -> Measurement | Iterator[Look]:
        """Look at the subject; return one measurement, or yield one after each look."""

    @abstractmethod
    def decide(self, measurement: Measurement, /) -> Verdict:
        """Judge a measurement. Pure: same measurement, same verdict, nothing touched."""

    def needs(self) -> Needs | None:
        """Return how many observations a verdict needs, or None where that is not fixed."""
        return None

    def pictures(self, measurement: Measurement) -> Iterable[Picture]:  # noqa: ARG002
        """Return what a report draws of a measurement; of none, its value against the limit."""
        return ()

    @classmethod
    def limit_field(cls) -> str:
        """Return the name of the field that the measured value is held against."""
        tightening = (name for name, kind in hints(cls).items() if limit_of(kind).tighten)
        return cls.limit or next((name for name in tightening if name != "beta"), "")

    def policy(self) -> dict[str, Json]:
        """Return the fields as JSON; ``type(gate)(**gate.policy())`` gives an equal gate."""
        return {field: freeze(getattr(self, field)) for field in hints(type(self))}

    def __call__(self, *args: Any, **kwargs: Any) -> Evidence:
        """Do the same as :meth:`run`, and raise :class:`GateFailed` unless the subject passed."""
        evidence = self.run(*args, **kwargs)
        if evidence.outcome != Outcome.PASS:
            raise GateFailed(evidence)
        return evidence

    def run(self, *args: Any, **kwargs: Any) -> Evidence:
        """Measure and decide without pytest.

        Takes what :meth:`measure` takes. Never raises for a verdict or a broken measure: that is
        evidence with the outcome ERROR.
        """
        about = self.subject_in(args, kwargs)
        return self.evidence(self.judge(*args, **kwargs), **about)

    async def aio(self, *args: Any, **kwargs: Any) -> Evidence:
        """Do the same as :meth:`run` inside a running event loop."""
        about = self.subject_in(args, kwargs)
        return self.evidence(await self.ajudge(*args, **kwargs), **about)

    def subject_in(self, args: Any, kwargs: Any) -> dict[str, str | None]:
        """Return the name and the digest of what a call gates, before the call can change it."""
        from pytest_mlgates.core.digests import subject_of

        name, digest = subject_of(self, args, kwargs)
        return {"subject": name, "subject_digest": digest}

    def evidence(self, judged: Judged, **about: Any) -> Evidence:
        """Return the record of a run; ``about`` adds its subject and what a test knows of it."""
        return Evidence(
            gate=self.name,
            policy=self.policy(),
            limit=self.limit_field(),
            measurement=judged.measurement,
            verdict=judged.verdict,
            **about,
        )

    def judge(
        self, *args: Any, on_look: Callable[[Measurement], object] | None = None, **kwargs: Any
    ) -> Judged:
        """Measure until ``decide`` answers; awaitables run on an event loop of the gate's own."""
        steps = self._steps(on_look, args, kwargs, (KeyboardInterrupt, GeneratorExit))
        loop = None
        try:
            pending = next(steps)
            if _in_a_loop():
                _close(pending)
                steps.throw(Unmeasurable(_USE_AIO))
            loop = asyncio.Runner()
            while True:
                try:
                    answer = loop.run(_awaited(pending))
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
        self, *args: Any, on_look: Callable[[Measurement], object] | None = None, **kwargs: Any
    ) -> Judged:
        """Do the same as :meth:`judge`; awaitables run on the running loop."""
        stops = (KeyboardInterrupt, GeneratorExit, asyncio.CancelledError)
        steps = self._steps(on_look, args, kwargs, stops)
        try:
            pending = next(steps)
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

    def _steps(  # noqa: C901  (one loop, read from top to bottom)
        self,
        on_look: Callable[[Measurement], object] | None,
        args: Any,
        kwargs: Any,
        stops: tuple[type[BaseException], ...],
    ) -> Generator[Awaitable[Any], Any, Judged]:
        """Yield what must be awaited; return what came of it. ``stops`` end the run as they are."""
        seen: Measurement | None = None
        verdict = Verdict(Outcome.ERROR, f"{self.name} measured nothing")
        looks: Generator[Look, Any, Any] | None = None
        try:
            _check_call(self, args, kwargs)
            produced: Any = self.measure(*args, **kwargs)
            if inspect.isawaitable(produced):
                produced = yield produced
            looks = _looks(produced)
            answer: Any = None
            while True:
                try:
                    look = looks.send(answer)
                except StopIteration:
                    break
                if inspect.isawaitable(look):
                    answer = yield look
                    continue
                answer = None
                if not isinstance(look, Measurement):
                    raise Unmeasurable(f"measure gave {_a(look)} and not a Measurement")
                seen = look
                if on_look is not None:
                    on_look(seen)
                verdict = self.decide(seen)
                if not isinstance(verdict, Verdict):
                    raise Unmeasurable(f"decide gave {_a(verdict)} and not a Verdict")
                if verdict.outcome == Outcome.PASS and seen.n == 0:
                    raise Unmeasurable("decide gave PASS where nothing was observed")
                if verdict.outcome != Outcome.INCONCLUSIVE:
                    break
        except stops:
            raise
        except (Unmeasurable, Unrecordable) as error:
            return Judged(seen, Verdict(Outcome.ERROR, str(error)), error)
        except BaseException as error:  # noqa: BLE001
            # also what derives from BaseException: a pytest.skip or a sys.exit inside a measure
            # must not let the subject through
            return Judged(seen, Verdict(Outcome.ERROR, _broke(self.name, error)), error)
        finally:
            if looks is not None:
                looks.close()
        return Judged(seen, verdict)


_USE_AIO = "an event loop is running here: write `await gate.aio(...)`"


def _in_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _close(pending: object) -> None:
    if inspect.iscoroutine(pending):
        pending.close()  # so that it needs no warning of its own


def _check_call(gate: Gate, args: Any, kwargs: Any) -> None:
    """Say in words what is wrong with a call; a TypeError from inside would not be shown."""
    try:
        inspect.signature(gate.measure).bind(*args, **kwargs)
    except TypeError as error:
        raise Unmeasurable(f"{gate.name} was called with the wrong arguments: {error}") from None


async def _awaited(pending: Awaitable[Any]) -> Any:
    return await pending


def _looks(produced: Any) -> Generator[Look, Any, Any]:
    """Return what ``measure`` gave as a generator."""
    if isinstance(produced, Generator):
        return produced
    if isinstance(produced, Measurement):
        produced = iter((produced,))
    if not isinstance(produced, Iterator):
        raise Unmeasurable(f"measure gave {_a(produced)} and not a Measurement")
    return (look for look in produced)


def _a(value: object) -> str:
    _close(value)
    return f"a {type(value).__name__}" if value is not None else "None"


def _broke(name: str, error: BaseException) -> str:
    """Name an exception by type and place; its text may hold what the gate guards."""
    place = ""
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_next is None:
            code = trace.tb_frame.f_code
            place = f" at {PurePath(code.co_filename).name}:{trace.tb_lineno} in {code.co_name}"
        trace = trace.tb_next
    return f"{name} could not measure: {type(error).__name__} was raised{place}"


@dataclasses.dataclass(frozen=True, kw_only=True)
class StatisticalGate(Gate):
    """A gate whose verdict can be wrong, with the chances of that declared."""

    alpha: Annotated[
        float, Limit(ge=1e-9, le=0.1), "largest chance to FAIL a subject that meets the limit"
    ] = 1e-4
    beta: Annotated[
        float,
        Limit(tighten="down", ge=1e-9, le=0.1),
        "largest chance to PASS a subject that does not meet the limit",
    ] = 1e-3
