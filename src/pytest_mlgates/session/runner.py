"""Runs a gate for a test: measures, records the evidence, raises."""

from __future__ import annotations

import dataclasses
import inspect
import itertools
import os
from collections.abc import Callable, Mapping
from typing import Any

from pytest_mlgates.calls.guard import before_exit
from pytest_mlgates.calls.held import HeldSignals
from pytest_mlgates.core import (
    Evidence,
    Gate,
    GateFailed,
    Judged,
    Measurement,
    Outcome,
    Role,
    Verdict,
)
from pytest_mlgates.core.blame import own_part
from pytest_mlgates.core.canonical import Json
from pytest_mlgates.core.errors import MlgatesError, UsageError
from pytest_mlgates.core.instants import steady_clock
from pytest_mlgates.core.seeds import seed_for
from pytest_mlgates.session.redact import redacted
from pytest_mlgates.session.suspects import train_mode

__all__ = ["GateRunner", "TestContext", "end_a_child"]


_clock = steady_clock()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TestContext:
    """What a gate needs to know of its test: all of the evidence that is not a measurement."""

    test: str
    claim: str
    system: str
    entry: str
    source: str
    role: Role
    run_seed: int
    attempt: int
    raises: Callable[[Evidence], bool]
    started: Callable[[str, str, int, int], object]
    #: takes a piece of evidence, and how many seconds it took to measure
    record: Callable[[Evidence, float], object]
    progress: Callable[[Measurement], object] | None = None
    #: tells whether waivers accept every limit that a FAIL broke; then the measure goes on
    pardons: Callable[[Verdict], bool] | None = None
    #: lets what is written next reach the terminal, past pytest's capture
    uncapture: Callable[[], object] = lambda: None
    #: the process that the test runs in
    pid: int = dataclasses.field(default_factory=os.getpid)


class GateRunner:
    """What a test gets from a gate's fixture: call it with what the gate's ``measure`` takes.

    It measures, records and returns the evidence, and raises :class:`GateFailed` where the
    verdict does not let the subject through. The fields of the policy can be read from it.
    """

    def __init__(self, gate: Gate, context: TestContext) -> None:
        self._gate = gate
        self._context = context
        self._seeded = "seed" in inspect.signature(gate.measure).parameters
        self._numbers = itertools.count(1)
        self._begun: dict[int, float] = {}
        self._handed_in: dict[int, tuple[object, ...]] = {}
        self.gate_name = gate.name
        self.recorded: list[Evidence] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name in self._gate.policy():
            return getattr(self._gate, name)
        raise AttributeError(
            f"the fixture {self._gate.name!r} has no attribute {name!r}: call it, await its aio(), "
            "or read a field of its policy"
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Evidence:
        """Measure, record, and raise unless the subject may pass."""
        __tracebackhide__ = True  # pytest would print the arguments: inputs are not ours to show
        number, about = self._begin(args, kwargs)
        held = HeldSignals()
        with RecordIfKilled(self, number, about):
            try:
                judged = self._gate.judge(*args, **self._extra(kwargs, number))
                held.hold()  # whatever comes now comes after the record
            except BaseException as stop:
                self._stopped(number, stop, about, held)
                raise
        return self._end(number, judged, about, held)

    async def aio(self, *args: Any, **kwargs: Any) -> Evidence:
        """Do the same inside a running event loop."""
        __tracebackhide__ = True
        number, about = self._begin(args, kwargs)
        held = HeldSignals()
        with RecordIfKilled(self, number, about):
            try:
                judged = await self._gate.ajudge(*args, **self._extra(kwargs, number))
                held.hold()
            except BaseException as stop:
                self._stopped(number, stop, about, held)
                raise
        return self._end(number, judged, about, held)

    def never_called(self, reason: str) -> Evidence:
        """Record that the test asked for the gate and did not use it."""
        return self._keep(1, Judged(None, Verdict(Outcome.ERROR, reason)), {})

    def _begin(
        self, args: tuple[object, ...], kwargs: Mapping[str, object]
    ) -> tuple[int, dict[str, Json]]:
        at = self._context
        if os.getpid() != at.pid:
            raise UsageError(
                f"{at.entry} was called in a child process of its test, from where its evidence "
                "does not reach the report: call it in the test itself"
            )
        number = next(self._numbers)  # calls may be under way at once
        self._begun[number] = _clock()
        self._handed_in[number] = (*args, *kwargs.values())
        at.started(at.test, at.entry, number, at.attempt)
        about = self._gate.subject_in(args, kwargs)
        if self._seeded and "seed" in kwargs:  # the test's own choice, told as such
            about |= {"seed": str(kwargs["seed"]), "seed_by": "test"}
        return number, about

    def _extra(self, kwargs: dict[str, Any], number: int) -> dict[str, Any]:
        extra = {**kwargs, "on_look": self._context.progress, "pardons": self._context.pardons}
        if self._seeded and "seed" not in kwargs:
            extra["seed"] = self._seed(number)
        return extra

    def _seed(self, number: int) -> int:
        at = self._context
        return seed_for(at.run_seed, at.test, at.entry, number)

    def _stopped(
        self,
        number: int,
        stop: BaseException,
        about: Mapping[str, Json],
        held: HeldSignals,
    ) -> None:
        held.hold()
        end_a_child(self._context.pid)
        reason = f"the measure was stopped by {type(stop).__name__}"
        self._keep(number, Judged(None, Verdict(Outcome.ERROR, reason)), about)
        held.release()

    def _end(
        self, number: int, judged: Judged, about: Mapping[str, Json], held: HeldSignals
    ) -> Evidence:
        __tracebackhide__ = True
        end_a_child(self._context.pid)
        evidence = self._keep(number, judged, about)
        held.release()
        if self._context.role == Role.GATE and self._context.raises(evidence):
            failed = GateFailed(evidence)
            if hint := train_mode(self._handed_in.pop(number, ())):
                failed.add_note(hint)
            raise failed from self._shown(judged.cause)
        return evidence

    def _shown(self, cause: BaseException | None) -> BaseException | None:
        """Return what broke the measure, for pytest to print; evidence has its type and place.

        Nothing of it where its text or its frames may hold what the gate guards.
        """
        if cause is None or isinstance(cause, MlgatesError) or self._gate.guards_texts:
            return None
        return own_part(cause)

    def _keep(self, number: int, judged: Judged, about: Mapping[str, Json]) -> Evidence:
        at = self._context
        known = {"seed": str(self._seed(number)), **about}
        evidence = self._gate.evidence(
            judged,
            **known,
            test=at.test,
            claim=at.claim,
            system=at.system,
            entry=at.entry,
            source=at.source,
            role=at.role,
            call=number,
            attempt=at.attempt,
        )
        evidence = redacted(self._gate, evidence)
        self.recorded.append(evidence)
        begun = self._begun.pop(number, None)
        at.record(evidence, 0.0 if begun is None else _clock() - begun)
        return evidence


def end_a_child(pid: int) -> None:
    """End this process if a subject forked it off and let it come back into the test.

    It would run the rest of the session a second time, and write a report of its own over the
    first.
    """
    if os.getpid() != pid:
        os.write(2, b"mlgates: a child process came back into its test, and was ended\n")
        os._exit(1)


class RecordIfKilled:
    """While a gate measures: a process that has to be ended leaves evidence first."""

    def __init__(self, runner: GateRunner, number: int, about: Mapping[str, Json]) -> None:
        self._runner, self._number, self._about = runner, number, about

    def __enter__(self) -> None:
        self._forget = before_exit(self._record)

    def __exit__(self, *_: object) -> None:
        self._forget()

    def _record(self, reason: str) -> None:
        judged = Judged(None, Verdict(Outcome.ERROR, reason))
        self._runner._keep(self._number, judged, self._about)  # noqa: SLF001  (one class in two)
        self._runner._context.uncapture()  # noqa: SLF001
