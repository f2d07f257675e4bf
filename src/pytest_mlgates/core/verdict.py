"""What a gate decides: an outcome, its sentence, and the limits that a FAIL rests on."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, NoReturn

from pytest_mlgates.core.canonical import Json, freeze
from pytest_mlgates.core.errors import Unrecordable
from pytest_mlgates.core.words import first

__all__ = ["BrokenLimit", "Outcome", "Verdict"]

#: broken limits that a verdict names one by one
MAX_BROKEN = 200
#: reasons that a FAIL gives for what is undecided beside it
MAX_UNDECIDED = 3


class Outcome(StrEnum):
    """What a gate decided. It has no truth value: compare it."""

    PASS = "pass"  # noqa: S105  (no password)
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    ERROR = "error"

    def __bool__(self) -> NoReturn:
        raise TypeError("an Outcome is neither true nor false: compare it, as in `== Outcome.PASS`")


@dataclasses.dataclass(frozen=True, slots=True)
class BrokenLimit:
    """A limit that did not hold: the field of the policy, what was measured against it, and where.

    ``value`` is in the unit of the field, None where no one number says how far it is off.
    ``slice`` is the part of the subject that broke it, empty for the whole. A waiver pardons by
    these, never by the sentence.

    >>> BrokenLimit("max_rate", 0.05, "highway")
    BrokenLimit(limit='max_rate', value=0.05, slice='highway')
    """

    limit: str
    value: float | None = None
    slice: str = ""

    def __post_init__(self) -> None:
        fixed = object.__setattr__
        fixed(self, "limit", str(freeze(str(self.limit))))
        fixed(self, "slice", str(freeze(str(self.slice))))
        if self.value is not None:
            if isinstance(self.value, bool) or not isinstance(self.value, (int, float)):
                raise Unrecordable(f"broken.value is a {type(self.value).__name__}, not a number")
            value = float(self.value)
            fixed(self, "value", value + 0.0 if math.isfinite(value) else None)

    def to_dict(self) -> dict[str, Json]:
        """Return it as a JSON object."""
        return {"limit": self.limit, "value": self.value, "slice": self.slice}


@dataclasses.dataclass(frozen=True, slots=True)
class Verdict:
    """An outcome and the sentence that explains it, with both numbers in it.

    A FAIL also says which limits broke (``broken``), all of them: a waiver that pardons one must
    not hide another. Where a gate leaves it out, that is filled in from its policy. ``undecided``
    is what a FAIL stands beside: limits that nothing is known of yet, which no waiver covers either.
    """

    outcome: Outcome
    reason: str
    broken: tuple[BrokenLimit, ...] = ()
    undecided: str = ""

    def __post_init__(self) -> None:
        fixed = object.__setattr__
        fixed(self, "outcome", Outcome(self.outcome))
        fixed(self, "reason", str(freeze(str(self.reason))))
        fixed(self, "broken", _in_order(self.broken))
        fixed(self, "undecided", str(freeze(str(self.undecided))))
        if (self.broken or self.undecided) and self.outcome != Outcome.FAIL:
            raise ValueError(f"a verdict that is {self.outcome} has no broken limit")

    def __bool__(self) -> NoReturn:
        raise TypeError("a Verdict is neither true nor false: compare its outcome")

    def to_dict(self) -> dict[str, Json]:
        """Return the verdict as a JSON object; ``broken`` and ``undecided`` only where something is."""
        plain: dict[str, Json] = {"outcome": self.outcome.value, "reason": self.reason}
        if self.broken:
            plain["broken"] = tuple(one.to_dict() for one in self.broken)
        if self.undecided:
            plain["undecided"] = self.undecided
        return plain

    @classmethod
    def gravest(cls, verdicts: Sequence[Verdict], most: int | None = None) -> Verdict:
        """Return the gravest of the verdicts on several limits, with the reasons of its kind.

        All of its reasons, or the first ``most`` and how many more; all broken limits in any case.

        >>> Verdict.gravest([Verdict("pass", "a"), Verdict("fail", "b"), Verdict("fail", "c")])
        Verdict(outcome=<Outcome.FAIL: 'fail'>, reason='b; c', broken=(), undecided='')
        """
        for outcome in (Outcome.FAIL, Outcome.ERROR, Outcome.INCONCLUSIVE, Outcome.PASS):
            alike = [verdict for verdict in verdicts if verdict.outcome == outcome]
            if alike:
                reasons = [verdict.reason for verdict in alike]
                told = reasons if most is None else first(reasons, most)
                beside = _undecided(verdicts) if outcome == Outcome.FAIL else ""
                return cls(outcome, "; ".join(told), _all_broken(alike), beside)
        return cls(Outcome.ERROR, "no limit was judged")


def _undecided(verdicts: Iterable[Verdict]) -> str:
    """Return what is not known of the limits that did not break."""
    open_ = (
        verdict.undecided if verdict.outcome == Outcome.FAIL else verdict.reason
        for verdict in verdicts
        if verdict.outcome != Outcome.PASS
    )
    return "; ".join(first(filter(None, open_), MAX_UNDECIDED))


def _all_broken(verdicts: Sequence[Verdict]) -> tuple[BrokenLimit, ...]:
    """Return what broke in any of them; where one does not say, a limit without a name for it."""
    if not any(verdict.broken for verdict in verdicts):
        return ()
    return tuple(one for verdict in verdicts for one in verdict.broken or (BrokenLimit(""),))


def _in_order(broken: Iterable[BrokenLimit | Mapping[str, Any]]) -> tuple[BrokenLimit, ...]:
    """Return what broke without repetitions; of very much, the limits alone for the rest.

    An entry without a value and a slice is pardoned by no waiver that names either.
    """
    every = [one if isinstance(one, BrokenLimit) else BrokenLimit(**one) for one in broken]
    unique = list(dict.fromkeys(every))
    kept, rest = unique[:MAX_BROKEN], unique[MAX_BROKEN:]
    return tuple(dict.fromkeys([*kept, *(BrokenLimit(one.limit) for one in rest)]))
