"""Runs a gate for a test: measures, records the evidence, raises."""

from __future__ import annotations

import dataclasses
import hashlib
import inspect
from collections.abc import Callable
from typing import Any

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
from pytest_mlgates.guard import on_unstoppable

__all__ = ["GateRunner", "Occasion", "seed_for"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """What a test is to its gate: everything about the evidence that is no measurement."""

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


def seed_for(run_seed: int, *names: object) -> int:
    """Return a seed of 63 bits for one gate of a run, the same on every machine.

    >>> seed_for(0, "test_a", "p99_latency", 1) == seed_for(0, "test_a", "p99_latency", 1)
    True
    """
    text = "\x1f".join(map(str, (run_seed, *names)))
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "replace")).digest()[:8]) >> 1


class GateRunner:
    """What a test gets from a gate's fixture: call it with what the gate's ``measure`` takes.

    It measures, records and returns the evidence, and raises :class:`GateFailed` where the
    verdict does not let the subject through. The fields of the policy can be read from it.
    """

    def __init__(self, gate: Gate, occasion: Occasion) -> None:
        self._gate = gate
        self._occasion = occasion
        self._seeded = "seed" in inspect.signature(gate.measure).parameters
        self.recorded: list[Evidence] = []

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_") and name in self._gate.policy():
            return getattr(self._gate, name)
        raise AttributeError(
            f"the fixture {self._gate.name!r} has no attribute {name!r}: call it, await its aio(), "
            "or read a field of its policy"
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Evidence:
        """Measure, record, and raise unless the subject may pass."""
        number = self._begin()
        with _LastWords(self, number):
            try:
                judged = self._gate.judge(*args, **self._extra(kwargs, number))
            except BaseException as stop:
                self._stopped(number, stop, args, kwargs)
                raise
        return self._end(number, judged, args, kwargs)

    async def aio(self, *args: Any, **kwargs: Any) -> Evidence:
        """Do the same inside a running event loop."""
        number = self._begin()
        with _LastWords(self, number):
            try:
                judged = await self._gate.ajudge(*args, **self._extra(kwargs, number))
            except BaseException as stop:
                self._stopped(number, stop, args, kwargs)
                raise
        return self._end(number, judged, args, kwargs)

    def never_called(self) -> Evidence:
        """Record that the test asked for the gate and did not use it."""
        reason = "the test asked for this gate and never called it"
        return self._keep(1, Judged(None, Verdict(Outcome.ERROR, reason)), (), {})

    def _begin(self) -> int:
        number = len(self.recorded) + 1
        at = self._occasion
        at.started(at.test, at.entry, number, at.attempt)
        return number

    def _extra(self, kwargs: dict[str, Any], number: int) -> dict[str, Any]:
        extra = {**kwargs, "on_look": self._occasion.progress}
        if self._seeded and "seed" not in kwargs:
            extra["seed"] = self._seed(number)
        return extra

    def _seed(self, number: int) -> int:
        at = self._occasion
        return seed_for(at.run_seed, at.test, at.entry, number)

    def _stopped(self, number: int, stop: BaseException, args: Any, kwargs: Any) -> None:
        reason = f"the measure was stopped by {type(stop).__name__}"
        self._keep(number, Judged(None, Verdict(Outcome.ERROR, reason)), args, kwargs)

    def _end(self, number: int, judged: Judged, args: Any, kwargs: Any) -> Evidence:
        evidence = self._keep(number, judged, args, kwargs)
        if self._occasion.role == Role.GATE and self._occasion.raises(evidence):
            raise GateFailed(evidence) from judged.cause
        return evidence

    def _keep(self, number: int, judged: Judged, args: Any, kwargs: Any) -> Evidence:
        at = self._occasion
        evidence = self._gate.evidence(
            judged,
            args,
            kwargs,
            test=at.test,
            claim=at.claim,
            system=at.system,
            entry=at.entry,
            source=at.source,
            role=at.role,
            seed=str(self._seed(number)),
            call=number,
            attempt=at.attempt,
        )
        self.recorded.append(evidence)
        at.record(evidence)
        return evidence


class _LastWords:
    """While a gate measures: a process that has to be ended leaves evidence first."""

    def __init__(self, runner: GateRunner, number: int) -> None:
        self._runner, self._number = runner, number

    def __enter__(self) -> None:
        self._off = on_unstoppable(self._say)

    def __exit__(self, *_: object) -> None:
        self._off()

    def _say(self, reason: str) -> None:
        self._runner._keep(self._number, Judged(None, Verdict(Outcome.ERROR, reason)), (), {})  # noqa: SLF001
