"""Whether manifests carry what keeps a forgotten job, pool or volume from running up a bill."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pytest_mlgates.core import Gate, Headline, Measurement, Verdict
from pytest_mlgates.core.errors import Unfit
from pytest_mlgates.core.fields import FieldError, Limit
from pytest_mlgates.core.pictures import Intervals, Picture, Point
from pytest_mlgates.gates.infra_guardrails.details import Seen
from pytest_mlgates.gates.infra_guardrails.judge import faults_of, headline, judge

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

__all__ = ["InfraGuardrails"]

RuleName = Literal[
    "job_ttl", "job_deadline", "one_zone", "owner_label", "gpu_limits", "volume_reclaim"
]
ToolName = Literal["helm", "kustomize"]
_DEFAULT = ("job_ttl", "job_deadline", "one_zone", "owner_label", "gpu_limits")

#: what a policy says of sources; a measurement holds for these only
_SOURCES = ("trusted_modules", "harmless_kinds", "trusted_kinds", "rendered_by")


@dataclass(frozen=True, kw_only=True)
class InfraGuardrails(Gate):
    """Do Kubernetes and Terraform manifests carry TTL, deadline, one zone, owner and GPU limits?

    What the files say is a fact, so there is no chance of error in it. What they do not say (a
    variable without a value, a chart that is not rendered, a kind that no rule knows) is
    INCONCLUSIVE and names the field, command or line of the policy that settles it. The resolved
    truth of Terraform is its plan (``terraform show -json``).

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

    Not seen: text inside a script, what a Secret holds in base64, and what a controller or
    webhook changes in the cluster.

    To mend: each finding names the file, the line and the field; of what is open it names the
    command, or the line of the policy, that settles it.
    """

    name: ClassVar[str] = "infra_guardrails"
    #: two capitalised words name kinds and controllers there
    shows: ClassVar[frozenset[str]] = frozenset(["PERSON"])
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
    harmless_kinds: Annotated[
        tuple[str, ...],
        "kinds that start no pods and no nodes: Kind, Kind.group, *.group, a type of Terraform; or a"
        " device that is no GPU, a file (values.yaml) that starts none",
    ] = ()
    trusted_kinds: Annotated[
        tuple[str, ...],
        "kinds whose end, removal and zone are seen to elsewhere: defaults of a controller, a webhook",
    ] = ()
    rendered_by: Annotated[
        tuple[ToolName, ...],
        "tools that are run, where they are on the path, to gate what they make of charts and overlays",
    ] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        for field in ("rules", "owner_labels"):
            if getattr(self, field) == ():
                raise FieldError(field, "is empty: nothing would be asked")
        for field in ("owner_labels", "harmless_kinds", "trusted_kinds"):
            if any(not name.strip() for name in getattr(self, field)):
                raise FieldError(field, "holds a blank name")

    def limit_field(self) -> str:
        """Return no field: what is measured, the number of broken rules, has no limit but 0."""
        return ""

    @property
    def asked(self) -> tuple[str, ...]:
        """The rules that are applied."""
        return _DEFAULT if self.rules is None else tuple(dict.fromkeys(self.rules))

    def measure(
        self,
        manifests: str | os.PathLike[str] | Mapping[str, object] | Iterable[object],
    ) -> Measurement:
        """Read manifests: a path, a folder, or an iterable of paths and parsed mappings."""
        from pytest_mlgates.gates.infra_guardrails.files import Sources
        from pytest_mlgates.gates.infra_guardrails.measure import Plan, check_manifests

        plan = Plan(
            rules=self.asked,
            limits=self._limits,
            owner_labels=self.owner_labels,
            sources=Sources(**{name: getattr(self, name) for name in _SOURCES}),
        )
        return check_manifests(manifests, plan)

    def headline(self, measurement: Measurement, /) -> Headline:
        """Return the number that the policy is about, as the details give it."""
        return headline(measurement.read(Seen), self._limits)

    def decide(self, measurement: Measurement, /) -> Verdict:
        """FAIL where a rule is broken, PASS where each asked for is kept by all it applies to."""
        seen = measurement.read(Seen)
        for field in ("owner_labels", *_SOURCES):
            if getattr(seen, field) != getattr(self, field):
                raise Unfit(f"details.{field}: others than the policy's were used: measure again")
        return judge(seen, measurement.n, self.asked, self._limits, self.rules or ())

    def pictures(self, measurement: Measurement) -> Iterable[Picture]:
        """Draw for each rule the share of its checks that hold."""
        points = []
        for name, found in measurement.read(Seen).rules.items():
            bad = sum(times for times, _ in faults_of(name, found, self._limits))
            if total := found.checks:
                held = total - bad - found.open
                label = f"{name}: {held} of {total}"
                points.append(Point(label, 100 * held / total, bad=held < total))
        if points:
            yield Intervals("checks that hold, by rule", tuple(points), "%", (100.0,))

    @property
    def _limits(self) -> dict[str, int]:
        return {"job_ttl": self.max_ttl_s, "job_deadline": self.max_deadline_s}
