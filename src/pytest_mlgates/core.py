"""The five types that everything else speaks: Outcome, Measurement, Verdict, Gate, Evidence.

A gate is a frozen dataclass whose fields are the policy. ``measure`` looks at the world and
decides nothing; ``decide`` is pure and touches nothing, so that recorded evidence can be decided
again without the model.
"""

from __future__ import annotations

import asyncio
import dataclasses
import inspect
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Generator, Iterator, Mapping
from enum import StrEnum
from pathlib import PurePath
from typing import Annotated, Any, ClassVar, Literal, NoReturn

from pytest_mlgates.canonical import (
    Json,
    Unrecordable,
    canonical,
    freeze,
    parse,
    printable,
    sha256,
)
from pytest_mlgates.fields import Limit, convert, hints, limit_of

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


class Outcome(StrEnum):
    """What a gate decided. It has no truth value: compare it."""

    PASS = "pass"  # noqa: S105  (no password)
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    ERROR = "error"

    def __bool__(self) -> NoReturn:
        raise TypeError("an Outcome is neither true nor false: compare it, as in `== Outcome.PASS`")


class Role(StrEnum):
    """What a piece of evidence is for: to let a subject through, or to prove that a gate bites."""

    GATE = "gate"
    KNOWN_BAD = "known_bad"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """What a gate saw: the one number the policy is about, and what is behind it.

    ``details`` are proved JSON-serialisable at birth, can't be changed, and hold nothing in clear
    that the gate guards. By convention ``details["findings"]`` lists short lines that a person can
    act on; every report shows them.

    >>> Measurement(value=8.1, unit="ms", n=5000, details={"looks": [500]}).details["looks"]
    (500,)
    """

    value: float
    unit: str
    n: int
    interval: tuple[float, float] | None = None
    details: Mapping[str, Json] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        fixed = object.__setattr__
        fixed(self, "value", _finite(self.value, "value"))
        fixed(self, "unit", str(freeze(str(self.unit))))
        count = freeze(self.n, "n")
        if not isinstance(count, int) or isinstance(count, bool) or count < 0:
            raise Unrecordable(
                f"n is {self.n!r}: the number of observations is a whole number >= 0"
            )
        fixed(self, "n", count)
        if self.interval is not None:
            low, high = (_finite(end, "interval") for end in self.interval)
            if low > high:
                raise Unrecordable(f"interval ({low}, {high}) is upside down")
            fixed(self, "interval", (low, high))
        if not isinstance(self.details, Mapping):
            raise Unrecordable(f"details is a {type(self.details).__name__}, not a mapping")
        fixed(self, "details", freeze(self.details, "details"))

    def to_dict(self) -> dict[str, Json]:
        """Return the measurement as a JSON object."""
        return {name: getattr(self, name) for name in ("value", "unit", "n", "interval", "details")}


def _finite(value: object, name: str) -> float:
    plain = value.item() if getattr(value, "shape", None) == () else value  # type: ignore[attr-defined]
    if isinstance(plain, bool) or not isinstance(plain, (int, float)):
        raise Unrecordable(f"{name} is a {type(value).__name__}, not a number")
    try:
        number = float(plain)
    except OverflowError:
        raise Unrecordable(f"{name} is too large to record") from None
    freeze(number, name)  # refuses what is not finite
    return number + 0.0  # a zero has no sign in a record


@dataclasses.dataclass(frozen=True, slots=True)
class Verdict:
    """An outcome and the sentence that explains it, with both numbers in it."""

    outcome: Outcome
    reason: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "outcome", Outcome(self.outcome))
        object.__setattr__(self, "reason", str(freeze(str(self.reason))))

    def __bool__(self) -> NoReturn:
        raise TypeError("a Verdict is neither true nor false: compare its outcome")


class Unmeasurable(Exception):
    """Raised inside ``measure`` when the subject can't be measured.

    Its text enters the evidence, so it must hold nothing that the subject said. Any other
    exception enters the evidence by its type and place alone.
    """


@dataclasses.dataclass(frozen=True, slots=True)
class Needs:
    """How many observations the earliest PASS and the earliest FAIL take (for ``mlgates plan``)."""

    to_pass: int
    to_fail: int
    unit: str = "calls"


#: What ``measure`` may yield: a measurement of all seen so far, or something to be awaited.
Look = Measurement | Awaitable[Any]


@dataclasses.dataclass(frozen=True, slots=True)
class Judged:
    """What came of one run of a gate; ``cause`` is what broke the measure, if anything did."""

    measurement: Measurement | None
    verdict: Verdict
    cause: BaseException | None = None


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
        from pytest_mlgates.digests import subject_of

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


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One run of a gate, as an auditor reads it and replays it.

    Identified by ``test``, ``entry``, ``call`` and ``attempt``. It holds no time and no worker, so
    that the same run gives the same evidence.
    """

    gate: str
    policy: Mapping[str, Json]
    verdict: Verdict
    measurement: Measurement | None = None
    limit: str = ""
    entry: str = ""
    system: str = ""
    test: str = ""
    claim: str = ""
    source: str = ""
    subject: str = ""
    subject_digest: str | None = None
    role: Role = Role.GATE
    seed: str = "0"
    call: int = 1
    attempt: int = 1

    def __post_init__(self) -> None:
        fixed = object.__setattr__
        fixed(self, "policy", freeze(self.policy, "policy"))
        fixed(self, "role", Role(self.role))
        fixed(self, "entry", self.entry or self.gate)
        for name in (
            "gate",
            "limit",
            "entry",
            "system",
            "test",
            "claim",
            "source",
            "subject",
            "seed",
        ):
            fixed(self, name, str(freeze(str(getattr(self, name)))))
        fixed(self, "subject_digest", freeze(self.subject_digest, "subject_digest"))

    def __bool__(self) -> NoReturn:
        raise TypeError("Evidence is neither true nor false: compare its outcome")

    @property
    def outcome(self) -> Outcome:
        """What the gate decided."""
        return self.verdict.outcome

    @property
    def identity(self) -> tuple[str, str, int, int]:
        """What tells this piece of evidence from every other one of a run."""
        return self.test, self.entry, self.call, self.attempt

    @property
    def findings(self) -> tuple[str, ...]:
        """The short lines that a person can act on."""
        details = self.measurement.details if self.measurement else {}
        lines = details.get("findings", ())
        return tuple(map(str, lines)) if isinstance(lines, tuple) else ()

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON (RFC 8785), in hex."""
        return sha256(self.to_dict())

    def to_dict(self) -> dict[str, Json]:
        """Return the evidence as a JSON object."""
        plain = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        plain["measurement"] = self.measurement.to_dict() if self.measurement else None
        plain["verdict"] = {"outcome": self.outcome.value, "reason": self.verdict.reason}
        plain["role"] = self.role.value
        return plain

    def to_json(self) -> str:
        """Return the canonical JSON; :meth:`from_json` gives an equal evidence back."""
        return canonical(self.to_dict()).decode()

    @classmethod
    def from_json(cls, text: str) -> Evidence:
        """Read what :meth:`to_json` wrote."""
        return cls.from_dict(parse(text))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Evidence:
        """Read what :meth:`to_dict` gave; an unknown or missing key is an error."""
        plain = dict(data)
        plain["verdict"] = Verdict(**plain["verdict"])
        if plain.get("measurement") is not None:
            plain["measurement"] = Measurement(**plain["measurement"])
        return cls(**plain)


class GateFailed(AssertionError):
    """Raised in a test when a gate did not let its subject through."""

    def __init__(self, evidence: Evidence) -> None:
        super().__init__(evidence)
        self.evidence = evidence

    def __str__(self) -> str:
        evidence = self.evidence
        name = f"{evidence.system}: {evidence.entry}" if evidence.system else evidence.entry
        lines = [f"{name} {evidence.outcome.upper()}: {printable(evidence.verdict.reason)}"]
        lines += [f"  {printable(finding)}" for finding in evidence.findings]
        if evidence.source:
            lines.append(f"  policy: {evidence.source}")
        return "\n".join(lines)
