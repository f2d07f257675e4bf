"""Run sequences on a store until one breaks a promise, or enough have not."""

from __future__ import annotations

import random
import secrets
from collections.abc import Awaitable, Generator, Sequence
from dataclasses import dataclass

from pytest_mlgates.calls.guard import CallGuard
from pytest_mlgates.core import Look, Measurement
from pytest_mlgates.core.details import plain
from pytest_mlgates.core.errors import Unmeasurable
from pytest_mlgates.core.records import Explained
from pytest_mlgates.core.words import a, plural
from pytest_mlgates.gates.artifact_immutability.details import BrokenPromise, Fault, Seen
from pytest_mlgates.gates.artifact_immutability.judge import headline
from pytest_mlgates.gates.artifact_immutability.ledger import Acknowledged, ViolationError
from pytest_mlgates.gates.artifact_immutability.protocol import Store, offered
from pytest_mlgates.gates.artifact_immutability.sequences import (
    Material,
    Operation,
    draw_sequence,
    tell,
)
from pytest_mlgates.gates.artifact_immutability.shrink import shrink
from pytest_mlgates.gates.artifact_immutability.trial import SequenceTrial

__all__ = ["Plan", "measure_store"]

#: sequences between two looks
_LOOK = 100
#: a store that has acknowledged nothing after so many is not asked further
_MUTE = 50
#: artifacts of earlier sequences that are read again at each look
_AUDIT = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How many sequences, of how many operations at most, and how long a call may take."""

    sequences: int
    longest: int
    timeout_s: float
    seed: int


def measure_store(store: Store, plan: Plan) -> Generator[Look, object, None]:
    """Yield what was seen after every hundred sequences."""
    for method in ("put", "get"):
        if not callable(getattr(store, method, None)):
            kind = a(type(store).__name__)
            raise Unmeasurable(f"a store has put(stream, name) and get(reference): {kind} has not")
    run = _Sequences(store, plan)
    while not run.ended:
        with CallGuard(plan.timeout_s) as guard:
            run.some(guard)
        if run.failed is None:
            yield run.measurement()
        else:
            yield Explained(run.measurement(), run.explain)


class _Sequences:
    """What is known so far."""

    def __init__(self, store: Store, plan: Plan) -> None:
        self.store, self.plan = store, plan
        self.offers = offered(store)
        self.mark = secrets.token_hex(6)  # what is left of an earlier run is another run's
        self.draw = random.Random(f"artifact_immutability:{plan.seed}")
        self.ledger = Acknowledged()
        self.clean = self.idle = self.calls = 0
        self.failed: tuple[ViolationError, tuple[Operation, ...]] | None = None
        self.broken: BrokenPromise | None = None

    @property
    def ended(self) -> bool:
        """Whether there is nothing more to see."""
        done = self.clean + self.idle
        mute = not self.clean and done >= _MUTE
        enough = self.clean >= self.plan.sequences or done >= 2 * self.plan.sequences
        return self.failed is not None or mute or enough

    def some(self, guard: CallGuard) -> None:
        """Run some sequences, and read earlier artifacts again."""
        for _ in range(min(_LOOK, self.plan.sequences)):
            operations = draw_sequence(self.draw, self.offers, self.plan.longest)
            self._one(operations, guard)
            if self.ended:
                break
        if self.failed is None:
            self._audit(guard)
        self.calls = guard.calls + self.calls

    def _one(self, operations: tuple[Operation, ...], guard: CallGuard) -> None:
        number = self.clean + self.idle
        material = self._material(f"{self.mark}x{number}", number)
        trial = SequenceTrial(self.store, self.ledger, material, guard)
        before = self.ledger.read_back
        try:
            trial.run(operations)
        except ViolationError as broken:
            self._fail(broken, operations)
            return
        if trial.acknowledged and self.ledger.read_back > before:
            self.clean += 1
        else:
            self.idle += 1

    def _material(self, mark: str, number: int) -> Material:
        return Material(mark, random.Random(f"{self.plan.seed}:{number}"))

    def _audit(self, guard: CallGuard) -> None:
        """Read artifacts of all sequences so far, those that are owed, and the store's list."""
        sound = self.ledger.sound()
        chosen = sound[: _AUDIT // 2] + self.draw.sample(sound, min(_AUDIT // 2, len(sound)))
        trial = SequenceTrial(self.store, self.ledger, self._material("audit", 0), guard)
        try:
            trial.audit(chosen)
            if "list" in self.offers:
                trial.hold_against_list()
        except ViolationError as broken:
            self._fail(broken, ())

    def _fail(self, broken: ViolationError, operations: tuple[Operation, ...]) -> None:
        self.failed = broken, operations
        told = tuple(map(tell, operations)) or ("read artifacts of earlier sequences again",)
        self.broken = BrokenPromise(how=str(broken), operations=told, shrunk=False)

    def explain(self) -> Generator[Awaitable[object], object, Measurement]:
        """Return the same with the fewest operations that break the same promise."""
        assert self.failed is not None  # it failed
        broken, operations = self.failed
        if operations:
            with CallGuard(self.plan.timeout_s) as guard:
                found, shrunk = shrink(operations, lambda rest: self._breaks(rest, broken, guard))
            again = found if shrunk and self._reproduced else operations
            told = tuple(map(tell, again))
            self.broken = BrokenPromise(how=str(broken), operations=told, shrunk=again is found)
        yield from ()
        return self.measurement()

    _reproduced = False

    def _breaks(
        self, operations: Sequence[Operation], broken: ViolationError, guard: CallGuard
    ) -> bool:
        """Run operations on names and contents of their own; tell whether the same breaks."""
        material = self._material(f"{self.mark}y{secrets.token_hex(6)}", self.clean + self.idle)
        try:
            SequenceTrial(self.store, Acknowledged(), material, guard).run(operations)
        except ViolationError as found:
            self._reproduced = self._reproduced or str(found) == str(broken)
            return str(found) == str(broken)
        return False

    def measurement(self) -> Measurement:
        """Return everything as a record."""
        ledger = self.ledger
        seen = Seen(
            clean=self.clean,
            idle=self.idle,
            broken=self.broken,
            plain_puts=ledger.plain_puts,
            refused=ledger.refused,
            refusals=dict(sorted(ledger.refusals.items())),
            done=dict(sorted(ledger.done.items())),
            faults={
                kind: Fault(done=c["done"], refused=c["refused"], harmless=c["harmless"])
                for kind, c in ledger.faults.items()
            },
            audited=ledger.audited,
            offered=self.offers,
            calls=self.calls,
            findings=tuple(self._findings()),
        )
        return headline(seen).measurement(plain(seen))

    def _findings(self) -> list[str]:
        if self.broken is not None:
            steps = [f"{n}. {text}" for n, text in enumerate(self.broken.operations, 1)]
            return [*steps, f"then: {self.broken.how}"]
        bitten = [
            f"{kind} {c['done']} (refused {c['refused']})"
            for kind, c in self.ledger.faults.items()
            if c["done"]
        ]
        done = ", ".join(
            f"{kind} {times}" for kind, times in sorted(self.ledger.done.items()) if times
        )
        lines = [f"done to acknowledged artifacts: {done}"] if done else []
        if bitten:
            lines.append(f"behind the store's back: {', '.join(bitten)}")
        if self.idle:
            lines.append(
                f"{plural(self.idle, 'sequence')} acknowledged nothing and count for nothing"
            )
        return lines
