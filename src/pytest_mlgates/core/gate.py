"""Gate, and what everything else speaks: Outcome, Measurement, Verdict, Evidence.

A gate is a frozen dataclass whose fields are the policy. ``measure`` looks at the world and
decides nothing; ``decide`` is pure and touches nothing, so that recorded evidence can be decided
again without the model.
"""

from __future__ import annotations

import dataclasses
import functools
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pytest_mlgates.core import drive
from pytest_mlgates.core.canonical import Json, freeze
from pytest_mlgates.core.errors import Unfit, Unmeasurable
from pytest_mlgates.core.fields import (
    Checked,
    FieldError,
    Limit,
    describe,
    hints,
    limit_of,
    meant,
    required,
)
from pytest_mlgates.core.pictures import Picture
from pytest_mlgates.core.records import (
    BrokenLimit,
    Evidence,
    Explained,
    GateFailed,
    Headline,
    Identity,
    Judged,
    Look,
    Measurement,
    Needs,
    Outcome,
    Role,
    Verdict,
)

__all__ = [
    "BrokenLimit",
    "Evidence",
    "Explained",
    "Gate",
    "GateFailed",
    "Headline",
    "Identity",
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
class Gate(Checked, ABC):
    """One check: its fields are the policy, ``measure`` looks, ``decide`` judges.

    Subclasses are ``@dataclass(frozen=True, kw_only=True)`` with annotated fields; their values
    are checked and converted when an instance is made. See CONTRIBUTING.md for a gate in one file.
    """

    name: ClassVar[str]
    #: the extra of this package that the gate's imports come from
    extra: ClassVar[str | None] = None
    #: the field that the measured value is held against; by default the first that tightens
    limit: ClassVar[str] = ""
    #: the field that says how many observations a run makes at most, counted as ``needs`` does
    cap: ClassVar[str] = ""
    #: whether a larger or a smaller measured value is the worse one
    worse: ClassVar[Literal["up", "down"]] = "up"
    #: whether an exception of the subject may hold what the gate guards: pytest then prints none of it
    guards_texts: ClassVar[bool] = False

    #: kinds of identifiers that its evidence is about, so that they are not masked in it
    shows: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "decide" in vars(cls):
            cls.decide = _answering_always(cls.decide)  # type: ignore[method-assign]

    @abstractmethod
    def measure(self, *args: Any, **kwargs: Any) -> Measurement | Iterator[Look]:
        """Look at the subject; return one measurement, or yield one after each look."""

    @abstractmethod
    def decide(self, measurement: Measurement, /) -> Verdict:
        """Judge a measurement. Pure: same measurement, same verdict, nothing touched."""

    def headline(self, measurement: Measurement, /) -> Headline | None:  # noqa: ARG002
        """Return value, unit, n and interval as the details give them.

        None (the default) where a measurement holds nothing else that they could follow from: the
        number is the record then. Pure, as :meth:`decide` is; ``measure`` takes them from the same
        place, the run is an ERROR where the two differ, and a replay finds a number that was changed.
        """
        return None

    def needs(self) -> Needs | None:
        """Return how many observations a verdict needs, or None where that is not fixed."""
        return None

    def pictures(self, measurement: Measurement) -> Iterable[Picture]:  # noqa: ARG002
        """Return what a report draws of a measurement; of none, its value against the limit."""
        return ()

    def limit_field(self) -> str:
        """Return the field that the measured value is held against: the first limit that is set."""
        limits = list(self.directions())
        given = (name for name in limits if getattr(self, name) is not None)
        return self.limit or next(given, limits[0] if limits else "")

    @classmethod
    def directions(cls) -> dict[str, Literal["up", "down"]]:
        """Return whether a larger or a smaller value is the worse one, for each field that tightens."""
        tightens = {name: limit_of(kind).tighten for name, kind in hints(cls).items()}
        return {
            name: "up" if tighten == "down" else "down"
            for name, tighten in tightens.items()
            if tighten and name != "beta"
        }

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

    def subject_in(self, args: Any, kwargs: Any) -> dict[str, Json]:
        """Return name and digest of what a call gates, and of what else it was given.

        Asked before the call can change any of it. The keys are those of :class:`Evidence`.
        """
        from pytest_mlgates.core.digests import about_call

        return about_call(self, args, kwargs)

    def evidence(self, judged: Judged, **about: Any) -> Evidence:
        """Return the record of a run; ``about`` adds its subject and what a test knows of it."""
        from pytest_mlgates.core.rules import rules_of

        return Evidence(
            gate=self.name,
            policy=self.policy(),
            limit=self.limit_field(),
            measurement=judged.measurement,
            verdict=judged.verdict,
            rules=rules_of(type(self)),
            **about,
        )

    def judge(
        self,
        *args: Any,
        on_look: drive.OnLook | None = None,
        pardons: drive.Pardons | None = None,
        **kwargs: Any,
    ) -> Judged:
        """Measure until ``decide`` answers; awaitables run on an event loop of the gate's own.

        After a FAIL that ``pardons`` accepts, the measure goes on to its end.
        """
        return drive.judge(self, args, kwargs, on_look, pardons)

    async def ajudge(
        self,
        *args: Any,
        on_look: drive.OnLook | None = None,
        pardons: drive.Pardons | None = None,
        **kwargs: Any,
    ) -> Judged:
        """Do the same as :meth:`judge`; awaitables run on the running loop."""
        return await drive.ajudge(self, args, kwargs, on_look, pardons)


def _answering_always(
    decide: Callable[[Any, Measurement], Verdict],
) -> Callable[[Any, Measurement], Verdict]:
    """Have a ``decide`` answer to any measurement: one whose details do not fit is an ERROR."""

    @functools.wraps(decide)
    def total(self: Any, measurement: Measurement, /) -> Verdict:
        try:
            return _naming_limits(self, measurement, decide(self, measurement))
        except Unfit as fault:
            return Verdict(Outcome.ERROR, f"the measurement can't be judged: {fault}")
        except ArithmeticError as error:  # forged numbers can be too large to reckon with
            kind = type(error).__name__
            return Verdict(Outcome.ERROR, f"the measurement can't be judged: {kind} in its numbers")

    return total


def _naming_limits(gate: Gate, measurement: Measurement, verdict: Verdict) -> Verdict:
    """Return a FAIL that does not say which limits broke as one of every limit that is set.

    Which one it was can't be told, so that no waiver of a single limit covers it; the measured
    value is about one of them.
    """
    if not isinstance(verdict, Verdict) or verdict.outcome != Outcome.FAIL or verdict.broken:
        return verdict
    held = gate.limit_field()
    given = [name for name in gate.directions() if getattr(gate, name) is not None]
    broken = [BrokenLimit(held, measurement.value)]
    broken += [BrokenLimit(name) for name in given if name != held]
    return dataclasses.replace(verdict, broken=tuple(broken))


def make(cls: type[Gate], values: Mapping[str, object]) -> Gate:
    """Return ``cls`` with ``values``, or raise :class:`FieldError` naming the field at fault."""
    known = hints(cls)
    for field in values:
        if field not in known:
            hint = meant(field, values[field], known)
            raise FieldError(field, f"is not a field of {cls.name}{hint}")
    for field in required(cls):
        if field not in values:
            raise FieldError("", f"{cls.name} needs {field}: {describe(known[field])}")
    try:
        return cls(**values)
    except FieldError:
        raise
    except (TypeError, ValueError) as error:  # a check of the gate's own
        raise FieldError("", f"{cls.name}: {error}") from None


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
