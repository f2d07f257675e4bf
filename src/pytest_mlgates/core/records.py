"""What a run of a gate leaves: Outcome, Measurement, Verdict, Evidence. Data, and nothing else."""

from __future__ import annotations

import dataclasses
import hashlib
import math
import typing
from collections.abc import Awaitable, Callable, Generator, Mapping
from enum import StrEnum
from typing import Any, NoReturn, TypeVar

from pytest_mlgates.core.canonical import Json, canonical, freeze, parse, sha256
from pytest_mlgates.core.details import read
from pytest_mlgates.core.errors import MlgatesError, Unmeasurable, Unrecordable
from pytest_mlgates.core.verdict import BrokenLimit, Outcome, Verdict
from pytest_mlgates.core.words import printable

__all__ = [
    "BrokenLimit",
    "Evidence",
    "Explained",
    "GateFailed",
    "Headline",
    "Identity",
    "Judged",
    "Look",
    "Measurement",
    "Needs",
    "Outcome",
    "Role",
    "Unmeasurable",
    "Verdict",
]


T = TypeVar("T")


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

    def read(self, details: type[T]) -> T:
        """Return the details as the dataclass that wrote them; raises Unfit where they do not fit."""
        return read(details, self.details)

    def to_dict(self) -> dict[str, Json]:
        """Return the measurement as a JSON object."""
        return {name: getattr(self, name) for name in ("value", "unit", "n", "interval", "details")}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """What a measurement says first: the number that the policy is about, and what is behind it.

    A gate makes it from what its details hold, in one place; ``measure`` records it, and a replay
    makes it again, so that no number can be shown that the recorded facts do not give.

    >>> Headline(value=0.5, unit="of texts", n=2).measurement({"leaky": 1}).n
    2
    """

    value: float
    unit: str
    n: int
    interval: tuple[float, float] | None = None

    def measurement(self, details: Mapping[str, object]) -> Measurement:
        """Return it as a measurement, with the details that it follows from."""
        return Measurement(
            value=self.value,
            unit=self.unit,
            n=self.n,
            interval=self.interval,
            details=typing.cast("Mapping[str, Json]", details),
        )

    def differs(self, recorded: Measurement) -> str:
        """Say what of a measurement does not follow from its details, or nothing.

        >>> Headline(value=2, unit="ms", n=5).differs(Measurement(value=1, unit="ms", n=5))
        'value is 1, its details come to 2'
        """
        own = self.measurement({})
        for name in ("value", "unit", "n", "interval"):
            was, comes = getattr(recorded, name), getattr(own, name)
            if not _agree(was, comes):
                return f"{name} is {_short(was)}, its details come to {_short(comes)}"
        return ""


def _agree(was: object, comes: object) -> bool:
    """Tell whether two values are equal; sums may differ in the last digits between libraries."""
    if isinstance(was, tuple) and isinstance(comes, tuple):
        return len(was) == len(comes) and all(map(_agree, was, comes))
    if isinstance(was, float) and isinstance(comes, float):
        return math.isclose(was, comes, rel_tol=1e-10)
    return was == comes


def _short(value: object) -> str:
    if isinstance(value, tuple):
        return " to ".join(map(_short, value))
    return f"{value:.10g}" if isinstance(value, float) else str(value)


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
class Needs:
    """How many observations the earliest PASS and the earliest FAIL take (for ``mlgates plan``).

    ``usual`` is what a PASS takes where the instrument is no better than it usually is.
    """

    to_pass: int
    to_fail: int
    unit: str = "calls"
    usual: int | None = dataclasses.field(default=None, repr=False)


@dataclasses.dataclass(frozen=True, slots=True)
class Explained:
    """A measurement that can be explained: after a FAIL ``explain`` is run.

    It may call the subject again, for a smaller counter-example, and gives the same measurement
    with that in its details. ``measure`` itself never knows what was decided.
    """

    measurement: Measurement
    explain: Callable[[], Generator[Awaitable[Any], Any, Measurement]]


#: What ``measure`` may yield: a measurement of all seen so far, or something to be awaited.
Look = Measurement | Explained | Awaitable[Any]


@dataclasses.dataclass(frozen=True, slots=True)
class Judged:
    """What came of one run of a gate; ``cause`` is what broke the measure, if anything did."""

    measurement: Measurement | None
    verdict: Verdict
    cause: BaseException | None = None


#: what tells a piece of evidence from every other: system, test, entry, call and attempt
Identity = tuple[str, str, str, int, int]

#: fields that evidence of version 0.2 and before does not have: its digest is that without them
_LATER = frozenset({"rules", "digest_from", "inputs", "seed_by"})


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One run of a gate, as an auditor reads it and replays it.

    Identified by ``system``, ``test``, ``entry``, ``call`` and ``attempt``. It holds no time and no
    worker, so that the same run gives the same evidence.

    ``rules`` is the digest of the code that decided (``core/rules.py``). ``digest_from`` says how
    ``subject_digest`` was got: ``code`` (a walk over code and state), ``files`` (what was read) or
    ``declared`` (what the subject says of itself). ``inputs`` are the digests of what was handed in
    beside it. ``seed_by`` is ``test`` where the test chose the seed itself. What an older version
    did not record is empty, and left out of the JSON.
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
    rules: str = ""
    digest_from: str = ""
    inputs: Mapping[str, Json] = dataclasses.field(default_factory=dict)
    seed_by: str = ""
    _digest: str = dataclasses.field(default="", init=False, repr=False, compare=False)

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
            "rules",
            "digest_from",
            "seed_by",
        ):
            fixed(self, name, str(freeze(str(getattr(self, name)))))
        fixed(self, "inputs", freeze(self.inputs, "inputs"))
        fixed(self, "subject_digest", freeze(self.subject_digest, "subject_digest"))

    def __bool__(self) -> NoReturn:
        raise TypeError("Evidence is neither true nor false: compare its outcome")

    @property
    def outcome(self) -> Outcome:
        """What the gate decided."""
        return self.verdict.outcome

    @property
    def identity(self) -> Identity:
        """What tells this piece of evidence from every other one of a run."""
        return self.system, self.test, self.entry, self.call, self.attempt

    @property
    def limits(self) -> tuple[float, ...]:
        """The limit that the measured value is held against, or nothing where it is not a number."""
        value = self.policy.get(self.limit)
        counts = isinstance(value, (int, float)) and not isinstance(value, bool)
        return (float(value),) if counts else ()  # type: ignore[arg-type]

    @property
    def broken(self) -> tuple[BrokenLimit, ...]:
        """The limits that broke; where that was not recorded, the one that the value is held to."""
        if self.outcome != Outcome.FAIL or self.verdict.broken:
            return self.verdict.broken
        return (BrokenLimit(self.limit, self.measurement.value if self.measurement else None),)

    @property
    def findings(self) -> tuple[str, ...]:
        """The short lines that a person can act on."""
        details = self.measurement.details if self.measurement else {}
        lines = details.get("findings", ())
        return tuple(map(str, lines)) if isinstance(lines, tuple) else ()

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON (RFC 8785), in hex."""
        if not self._digest:
            object.__setattr__(self, "_digest", sha256(self.to_dict()))
        return self._digest

    def to_dict(self) -> dict[str, Json]:
        """Return the evidence as a JSON object."""
        plain = {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.init}
        plain["measurement"] = self.measurement.to_dict() if self.measurement else None
        plain["verdict"] = self.verdict.to_dict()
        plain["role"] = self.role.value
        return {k: v for k, v in plain.items() if v or k not in _LATER}

    def to_json(self) -> str:
        """Return the canonical JSON; :meth:`from_json` gives an equal evidence back."""
        return canonical(self.to_dict()).decode()

    @classmethod
    def from_json(cls, text: str) -> Evidence:
        """Read what :meth:`to_json` wrote."""
        return cls.from_dict(parse(text))

    @classmethod
    def from_canonical(cls, text: str) -> Evidence:
        """Do the same with a text known to be from this run: its own hash is the digest."""
        evidence = cls.from_json(text)
        object.__setattr__(evidence, "_digest", hashlib.sha256(text.encode()).hexdigest())
        return evidence

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Evidence:
        """Read what :meth:`to_dict` gave; an unknown or missing key is an error."""
        plain = dict(data)
        plain["verdict"] = Verdict(**plain["verdict"])
        if plain.get("measurement") is not None:
            plain["measurement"] = Measurement(**plain["measurement"])
        return cls(**plain)


class GateFailed(MlgatesError, AssertionError):
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
