"""How work of other operators ends: JobSet, Volcano, Kubeflow Trainer, Spark and Tekton.

Sources: the types of each project's API (``jobset_types.go``, ``batch/v1alpha1/job.go``,
``trainjob_types.go``, ``sparkapplication_types.go``) and Tekton's page on PipelineRuns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pytest_mlgates.gates.infra_guardrails.check import (
    Check,
    broken,
    in_doubt,
    kept,
    number,
    undecided,
)
from pytest_mlgates.gates.infra_guardrails.kubernetes.seconds import (
    DEADLINE,
    NO_DEADLINE,
    NO_TTL,
    TTL,
    duration,
    seconds,
    whole_number,
)
from pytest_mlgates.gates.infra_guardrails.world import Resource, World
from pytest_mlgates.reading.node import Node

__all__ = [
    "jobset_deadline",
    "spark_deadline",
    "spark_ttl",
    "tekton_deadline",
    "tekton_ttl",
    "train_deadline",
    "train_ttl",
    "volcano_deadline",
]

Judge = Callable[[Resource, World], Iterator[Check]]

#: Tekton's own, where config-defaults does not say otherwise
_TEKTON_DEFAULT_S = 3600.0
#: Volcano's, of the whole job
_VOLCANO_RETRIES = 3


def jobset_deadline(resource: Resource, _world: World) -> Iterator[Check]:
    """Ask each replicated job for a deadline; a restart of the set begins it anew."""
    yield from _of_replicated(resource, resource.body.get("spec"))


def _of_replicated(resource: Resource, spec: Node | None) -> Iterator[Check]:
    jobs = spec.get("replicatedJobs") if spec is not None else None
    if jobs is not None and jobs.unknown:
        yield undecided(jobs, "replicatedJobs")
        return
    restarts = spec.get("failurePolicy", "maxRestarts") if spec is not None else None
    tries = 1 + _count(restarts, 0)
    for job in jobs.items if jobs is not None else []:
        why = f"{NO_DEADLINE} (set it in template.spec of the replicated job)"
        yield from seconds(resource, job.get("template", "spec"), DEADLINE, why, tries=tries)
    if jobs is None or not jobs.items:
        yield broken(spec or resource.body, f"no replicatedJobs with {DEADLINE}: {NO_DEADLINE}")


def volcano_deadline(*path: str) -> Judge:
    """Return the rule for Volcano, which has no deadline of the job: each task's pods need one."""

    def judge(resource: Resource, _world: World) -> Iterator[Check]:
        spec = resource.body.get(*path)
        tasks = spec.get("tasks") if spec is not None else None
        if tasks is not None and tasks.unknown:
            yield undecided(tasks, "tasks")
            return
        for task in tasks.items if tasks is not None else []:
            tries = 1
            if _restarts(spec) or _restarts(task):
                tries += _count(spec.get("maxRetry") if spec else None, _VOLCANO_RETRIES)
            why = f"{NO_DEADLINE} (set it in template.spec of the task)"
            yield from seconds(resource, task.get("template", "spec"), DEADLINE, why, tries=tries)
        if tasks is None or not tasks.items:
            yield broken(spec or resource.body, f"no tasks with {DEADLINE}: {NO_DEADLINE}")

    return judge


def _restarts(node: Node | None) -> bool:
    policies = node.get("policies") if node is not None else None
    return (
        any(p.text("action").startswith("Restart") for p in policies.items) if policies else False
    )


def _count(node: Node | None, default: int) -> int:
    value = whole_number(node.value) if node is not None else None
    return default if value is None else int(max(value, 0))


def train_ttl(resource: Resource, world: World) -> Iterator[Check]:
    """Judge the TTL of the JobSet that a TrainJob's runtime is a template of."""
    runtime, doubt = _runtime(resource, world, TTL)
    if doubt is not None:
        yield doubt
    else:
        yield from seconds(resource, runtime, TTL, NO_TTL)


def train_deadline(resource: Resource, world: World) -> Iterator[Check]:
    """Judge a TrainJob's own deadline, or that of its runtime's jobs."""
    spec = resource.body.get("spec")
    if spec is not None and DEADLINE in spec.fields:
        yield from seconds(resource, spec, DEADLINE, NO_DEADLINE)
        return
    runtime, doubt = _runtime(resource, world, DEADLINE)
    if doubt is not None:
        yield doubt
    else:
        yield from _of_replicated(resource, runtime)


def _runtime(resource: Resource, world: World, word: str) -> tuple[Node | None, Check | None]:
    reference = resource.body.get("spec", "runtimeRef")
    name = reference.text("name") if reference is not None else ""
    kind = (reference.text("kind") if reference is not None else "") or "ClusterTrainingRuntime"
    found = world.of_kind(kind, name)
    if found is not None:
        return found.body.get("spec", "template", "spec"), None
    here = f", or set {DEADLINE} here" if word == DEADLINE else ""
    text = (
        f"no {word}, and its {kind} {name or '?'} is not in these files: hand it in as well{here}"
    )
    return None, in_doubt(reference or resource.body, text)


def spark_ttl(*path: str) -> Judge:
    """Return the rule for ``timeToLiveSeconds``."""

    def judge(resource: Resource, _world: World) -> Iterator[Check]:
        yield from seconds(resource, resource.body.get(*path), "timeToLiveSeconds", NO_TTL)

    return judge


def spark_deadline(*path: str) -> Judge:
    """Return the rule for the driver's pod: an application ends with its driver."""

    def judge(resource: Resource, _world: World) -> Iterator[Check]:
        driver = resource.body.get(*path, "driver")
        pod = driver.get("template", "spec") if driver is not None else None
        why = f"{NO_DEADLINE} (set driver.template.spec.{DEADLINE}: the rest ends with the driver)"
        yield from seconds(resource, pod if pod is not None else driver, DEADLINE, why)

    return judge


def tekton_ttl(resource: Resource, world: World) -> Iterator[Check]:
    """Ask for a pruner: a run has no field for its removal."""
    config = world.of_kind("TektonConfig", "config")
    pruner = config.body.get("spec", "pruner") if config is not None else None
    off = pruner.get("disabled") if pruner is not None else None
    if pruner is not None and not pruner.unknown and (off is None or off.value is False):
        yield kept(pruner)
        return
    text = (
        f"a {resource.kind} has no field for its removal: hand in the TektonConfig whose spec.pruner"
        f" deletes it, or name {resource.named} in trusted_kinds"
    )
    yield in_doubt(resource.body, text)


def tekton_deadline(resource: Resource, _world: World) -> Iterator[Check]:
    """Judge the timeout: an hour where none is set, none at all where it is 0."""
    spec = resource.body.get("spec") or Node({})
    node = spec.get("timeouts", "pipeline") or spec.get("timeout")
    if node is None:
        yield number(resource.body, "Tekton's default timeout", _TEKTON_DEFAULT_S)
        return
    time = duration(str(node.value)) if not node.unknown else None
    if node.unknown:
        yield undecided(node, "timeout")
    elif str(node.value) in ("0", "0s", "0h0m0s", "0m0s"):
        yield broken(node, f"timeout is {node.value}: {NO_DEADLINE}")
    elif time is None:
        yield broken(node, 'timeout is no duration such as "1h30m"')
    else:
        yield number(node, "timeout", time)
