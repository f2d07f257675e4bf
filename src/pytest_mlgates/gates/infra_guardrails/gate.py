"""Whether manifests carry what keeps a forgotten job, pool or volume from running up a bill."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pytest_mlgates.core import Gate, Measurement, Outcome, Verdict
from pytest_mlgates.core.fields import FieldError, Limit
from pytest_mlgates.core.pictures import Intervals, Picture, Point

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

__all__ = ["InfraGuardrails"]

RuleName = Literal[
    "job_ttl", "job_deadline", "one_zone", "owner_label", "gpu_limits", "volume_reclaim"
]
_DEFAULT = ("job_ttl", "job_deadline", "one_zone", "owner_label", "gpu_limits")


@dataclass(frozen=True, kw_only=True)
class InfraGuardrails(Gate):
    """Do Kubernetes and Terraform manifests carry TTL, deadline, one zone, owner and GPU limits?

    What the files say is a fact, so there is no chance of error in it. What they do not say (a
    variable without a default, a chart that is not rendered, a module from a registry) is
    INCONCLUSIVE and names the expression. The resolved truth of Terraform is its plan
    (``terraform show -json``).

    * ``job_ttl``: a finished job and its pods are deleted (``ttlSecondsAfterFinished``)
    * ``job_deadline``: a stuck job ends (``activeDeadlineSeconds`` of the job, not of its pods)
    * ``one_zone``: the nodes of a GPU pool are in one zone; GPU pods are not spread over zones
    * ``owner_label``: jobs, and whatever holds GPUs, name an owner
    * ``gpu_limits``: a container that uses GPUs has a limit on them, equal to its request
    * ``volume_reclaim``: volumes go with what they were made for (only where asked for by name)

    >>> spec = {"ttlSecondsAfterFinished": 3600, "activeDeadlineSeconds": 86400}
    >>> job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "a"}, "spec": spec}
    >>> gate = InfraGuardrails(rules=("job_ttl", "job_deadline"))
    >>> gate.run([job]).outcome.value
    'pass'
    >>> gate.run([{**job, "spec": {**spec, "ttlSecondsAfterFinished": None}}]).outcome.value
    'fail'
    """

    name: ClassVar[str] = "infra_guardrails"
    extra: ClassVar[str | None] = "infra"

    rules: Annotated[
        tuple[RuleName, ...] | None,
        "the rules asked for, each of which must then meet a resource; null: all but volume_reclaim",
    ] = None
    max_ttl_s: Annotated[
        int,
        Limit(tighten="down", gt=0, unit="s"),
        "longest time that a finished job may stay",
    ] = 86_400
    max_deadline_s: Annotated[
        int,
        Limit(tighten="down", gt=0, unit="s"),
        "longest time that a job may be active",
    ] = 604_800
    owner_labels: Annotated[
        tuple[str, ...], "labels or tags that name an owner; one is enough, case does not count"
    ] = ("owner",)
    trusted_modules: Annotated[
        tuple[str, ...],
        "sources of Terraform modules known to create nothing that a rule is about",
    ] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        for field in ("rules", "owner_labels"):
            if getattr(self, field) == ():
                raise FieldError(field, "is empty: nothing would be asked")
        if any(not label.strip() for label in self.owner_labels):
            raise FieldError("owner_labels", "holds a blank name")

    @classmethod
    def limit_field(cls) -> str:
        """Return no field: what is measured, the number of broken rules, has no limit but 0."""
        return ""

    @property
    def asked(self) -> tuple[str, ...]:
        """The rules that are applied."""
        return _DEFAULT if self.rules is None else tuple(dict.fromkeys(self.rules))

    def measure(
        self,
        manifests: str | os.PathLike[str] | Mapping[str, Any] | Iterable[Any],
    ) -> Measurement:
        """Read manifests: a path, a folder, or an iterable of paths and parsed mappings."""
        from pytest_mlgates.gates.infra_guardrails.measure import account

        return account(self, manifests)

    def fault(self, rule: str, state: str, number: float) -> str | None:
        """Return what is wrong with a check under this policy (may be empty), or None."""
        limits = {"job_ttl": self.max_ttl_s, "job_deadline": self.max_deadline_s}
        if state == "broken":
            return f" (set it, at most {limits[rule]})" if rule in limits else ""
        if state == "number" and number > limits.get(rule, math.inf):
            return f" is {number:.0f}, at most {limits[rule]} is allowed"
        return None

    def decide(self, measurement: Measurement, /) -> Verdict:
        """FAIL where a rule is broken, PASS where each asked for is kept by all it applies to."""
        details: Any = measurement.details
        try:
            same = tuple(details["owner_labels"]) == self.owner_labels
            if not same or tuple(details["trusted_modules"]) != self.trusted_modules:
                return Verdict(Outcome.ERROR, "other labels or modules were measured: do it again")
            found = {name: _read(details["rules"][name]) for name in self.asked}
            not_seen = _count(details["not_seen"])
            faults = [fault for name, tally in found.items() for fault in self._faults(name, tally)]
        except (TypeError, ValueError, LookupError, ArithmeticError) as error:
            wrong = f"its details do not fit together ({type(error).__name__})"
            return Verdict(Outcome.ERROR, f"the measurement can't be judged: {wrong}")
        applied = {name: _applied(tally) for name, tally in found.items()}
        if measurement.n == 0 or sum(applied.values()) == 0:
            seen = f"; {not_seen} could not be judged" if not_seen else ""
            return Verdict(
                Outcome.INCONCLUSIVE, f"no resource that a rule applies to was found{seen}"
            )
        total = sum(applied.values())
        if faults:
            count = sum(times for times, _ in faults)
            return Verdict(
                Outcome.FAIL, f"{count} of {total} checks are broken, first {faults[0][1]}"
            )
        doubts = not_seen + sum(tally["open"] for tally in found.values())
        if doubts:
            return Verdict(
                Outcome.INCONCLUSIVE,
                f"nothing is broken in {total} checks, but {doubts} can't be decided from the files",
            )
        idle = [name for name in self.rules or () if not applied[name]]
        if idle:
            return Verdict(Outcome.INCONCLUSIVE, f"no resource was met by {', '.join(idle)}")
        unmet = [name for name, times in applied.items() if not times]
        note = f" ({', '.join(unmet)} met none)" if unmet else ""
        return Verdict(Outcome.PASS, f"all {total} checks of {measurement.n} resources hold{note}")

    def pictures(self, measurement: Measurement) -> Iterable[Picture]:
        """Draw for each rule the share of its checks that hold."""
        details: Any = measurement.details
        points = []
        for name, tally in details["rules"].items():
            total, bad = _applied(tally), sum(times for times, _ in self._faults(name, tally))
            if total:
                held = total - bad - tally["open"]
                label = f"{name}: {held} of {total}"
                points.append(Point(label, 100 * held / total, bad=held < total))
        if points:
            yield Intervals("checks that hold, by rule", tuple(points), "%", (100.0,))

    def _faults(self, rule: str, tally: Any) -> list[tuple[int, str]]:
        """Return how often a rule is broken, with an example each."""
        found = []
        if tally["broken"]:
            words = self.fault(rule, "broken", 0)
            found.append((tally["broken"], f"{tally['example']}{words}"))
        field = {"job_ttl": "the TTL", "job_deadline": "the deadline"}.get(rule, rule)
        for number, times, place in tally["numbers"]:
            words = self.fault(rule, "number", number)
            if words is not None:
                found.append((times, f"{place}: {field}{words}"))
        return found


def _read(tally: Any) -> Any:
    """Return recorded counts of a rule; ValueError where they are none."""
    for key in ("kept", "broken", "open"):
        _count(tally[key])
    for number, times, place in tally["numbers"]:
        if isinstance(number, bool) or not number > 0 or not isinstance(place, str):
            raise ValueError("no number of seconds")
        if _count(times) == 0:
            raise ValueError("a number that nobody set")
    return tally


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError("no count")
    return value


def _applied(tally: Any) -> int:
    times = sum(times for _, times, _ in tally["numbers"])
    return int(tally["kept"] + tally["broken"] + tally["open"] + times)
