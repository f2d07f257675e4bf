"""Runs a gate for a test: measures, records the evidence, raises."""

from __future__ import annotations

import dataclasses
import inspect
import itertools
from collections.abc import Callable, Mapping
from typing import Any

from pytest_mlgates.calls.guard import before_exit
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
from pytest_mlgates.core.canonical import Json
from pytest_mlgates.core.seeds import seed_for
from pytest_mlgates.session.redact import redacted

__all__ = ["GateRunner", "TestContext"]


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
    record: Callable[[Evidence], object]
    progress: Callable[[Measurement], object] | None = None
    #: tells whether waivers accept every limit that a FAIL broke; then the measure goes on
    pardons: Callable[[Verdict], bool] | None = None
    #: lets what is written next reach the terminal, past pytest's capture
    uncapture: Callable[[], object] = lambda: None


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
        with RecordIfKilled(self, number, about):
            try:
                judged = self._gate.judge(*args, **self._extra(kwargs, number))
            except BaseException as stop:
                self._stopped(number, stop, about)
                raise
        return self._end(number, judged, about)

    async def aio(self, *args: Any, **kwargs: Any) -> Evidence:
        """Do the same inside a running event loop."""
        __tracebackhide__ = True
        number, about = self._begin(args, kwargs)
        with RecordIfKilled(self, number, about):
            try:
                judged = await self._gate.ajudge(*args, **self._extra(kwargs, number))
            except BaseException as stop:
                self._stopped(number, stop, about)
                raise
        return self._end(number, judged, about)

    def never_called(self) -> Evidence:
        """Record that the test asked for the gate and did not use it."""
        reason = "the test asked for this gate and never called it"
        return self._keep(1, Judged(None, Verdict(Outcome.ERROR, reason)), {})

    def _begin(self, args: object, kwargs: Mapping[str, object]) -> tuple[int, dict[str, Json]]:
        number = next(self._numbers)  # calls may be under way at once
        at = self._context
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

    def _stopped(self, number: int, stop: BaseException, about: Mapping[str, Json]) -> None:
        reason = f"the measure was stopped by {type(stop).__name__}"
        self._keep(number, Judged(None, Verdict(Outcome.ERROR, reason)), about)

    def _end(self, number: int, judged: Judged, about: Mapping[str, Json]) -> Evidence:
        __tracebackhide__ = True
        evidence = self._keep(number, judged, about)
        if self._context.role == Role.GATE and self._context.raises(evidence):
            # not from judged.cause: its text and its frames may hold what the gate guards
            raise GateFailed(evidence) from None
        return evidence

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
        at.record(evidence)
        return evidence


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
