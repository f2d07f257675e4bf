"""How each kind of work ends, and goes: the fields that its controller has for it.

Kinds of the table are work that ends; a kind that is not in it has no such fields, or is not known
(then :mod:`documents` leaves it open).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pytest_mlgates.gates.infra_guardrails.check import Check, broken, in_doubt, kept, undecided
from pytest_mlgates.gates.infra_guardrails.kubernetes import argo, operators, ray
from pytest_mlgates.gates.infra_guardrails.kubernetes.seconds import (
    DEADLINE,
    NO_DEADLINE,
    NO_TTL,
    TTL,
    seconds,
)
from pytest_mlgates.gates.infra_guardrails.world import Resource, World
from pytest_mlgates.reading.node import Node

__all__ = ["ends_of"]

Judge = Callable[[Resource, World], Iterator[Check]]


@dataclass(frozen=True, slots=True)
class Ends:
    """What removes a kind of work after its end, and what ends it when it is stuck."""

    ttl: Judge
    deadline: Judge


def ends_of(resource: Resource) -> Ends | None:
    """Return how a kind ends, or None where it is not work that ends."""
    if resource.group == "kubeflow.org" and resource.kind.endswith("Job"):
        return _KUBEFLOW  # PyTorchJob, MPIJob, TFJob, …
    return _ENDS.get((resource.group, resource.kind))


def _nothing(_resource: Resource, _world: World) -> Iterator[Check]:
    """Ask nothing: what it starts is asked."""
    return iter(())


def _at(*path: str) -> Ends:
    """Return the two fields of a Job at a path."""

    def ttl(resource: Resource, _world: World) -> Iterator[Check]:
        if (gone := _goes_otherwise(resource)) is not None:
            yield gone
            return
        yield from seconds(resource, resource.body.get(*path), TTL, NO_TTL)

    def deadline(resource: Resource, _world: World) -> Iterator[Check]:
        yield from seconds(resource, resource.body.get(*path), DEADLINE, NO_DEADLINE)

    return Ends(ttl, deadline)


def _goes_otherwise(resource: Resource) -> Check | None:
    """Return the check of what deletes a job without a TTL, or None."""
    for hook, policy, words in _HOOKS:
        notes = resource.body.get("metadata", "annotations")
        found = notes.fields.get(policy) if notes is not None and hook in notes.fields else None
        if found is not None and isinstance(found.value, str):
            said = {word.strip() for word in found.value.split(",")}
            if set(words) <= said:
                return kept(found)
    around = resource.around
    if around is not None and (around.group, around.kind) == ("kubeflow.org", "Experiment"):
        retain = around.body.get("spec", "trialTemplate", "retain")
        if retain is None or retain.value is False:
            return kept(resource.body)  # Katib deletes what a trial ran when the trial is over
        if retain.unknown:
            return undecided(retain, "trialTemplate.retain")
    return None


#: hooks whose tool deletes them, whether they succeed or fail
_HOOKS = (
    ("helm.sh/hook", "helm.sh/hook-delete-policy", ("hook-succeeded", "hook-failed")),
    (
        "argocd.argoproj.io/hook",
        "argocd.argoproj.io/hook-delete-policy",
        ("HookSucceeded", "HookFailed"),
    ),
)


def _by_history(ends: Ends, names: tuple[str, str], *, default: int | None = None) -> Ends:
    """Take a schedule whose controller keeps at most one ended run of each sort for one that goes."""

    def ttl(resource: Resource, world: World) -> Iterator[Check]:
        spec = resource.body.get("spec") or Node({})
        limits = [spec.get(name) for name in names]
        counts = [default if node is None else node.value for node in limits]
        if all(type(count) is int and 0 <= count <= 1 for count in counts):
            yield kept(resource.body)
        elif any(node is not None and node.unknown for node in limits):
            yield undecided(next(n for n in limits if n is not None and n.unknown), names[0])
        else:
            yield from ends.ttl(resource, world)

    return Ends(ttl, ends.deadline)


def _katib(resource: Resource, _world: World) -> Iterator[Check]:
    """Leave an Experiment to its trials; one whose trial can't be seen is open."""
    if not resource.inside:
        text = "its trial can't be seen in trialTemplate.trialSpec: write it there, or gate what it runs"
        yield in_doubt(resource.body, text)


def _of_metrics(resource: Resource, _world: World) -> Iterator[Check]:
    """Judge the Jobs that an analysis of Argo Rollouts runs."""
    metrics = resource.body.get("spec", "metrics")
    for metric in metrics.items if metrics is not None else []:
        job = metric.get("provider", "job", "spec")
        if job is not None:
            yield from seconds(resource, job, DEADLINE, NO_DEADLINE)


def _job_flow(resource: Resource, _world: World) -> Iterator[Check]:
    policy = resource.body.get("spec", "jobRetainPolicy")
    if policy is not None and policy.unknown:
        yield undecided(policy, "jobRetainPolicy")
    elif policy is not None and policy.value == "delete":
        yield kept(policy)
    else:
        yield broken(policy or resource.body, f"no jobRetainPolicy: delete: {NO_TTL}")


def _flows(resource: Resource, world: World) -> Iterator[Check]:
    flows = resource.body.get("spec", "flows")
    for flow in flows.items if flows is not None else []:
        name = flow.text("name")
        if world.of_kind("JobTemplate", name) is None:
            text = f"its JobTemplate {name} is not in these files: hand it in as well"
            yield in_doubt(flow, text)


_JOB = _at("spec")
_CRON_HISTORY = ("successfulJobsHistoryLimit", "failedJobsHistoryLimit")
_SPARK_HISTORY = ("successfulRunHistoryLimit", "failedRunHistoryLimit")
_KUBEFLOW = _at("spec", "runPolicy")
_ANALYSIS = Ends(_nothing, _of_metrics)
_SPARK = Ends(operators.spark_ttl("spec"), operators.spark_deadline("spec"))
_SCHEDULED_SPARK = Ends(
    operators.spark_ttl("spec", "template"), operators.spark_deadline("spec", "template")
)

_ENDS: dict[tuple[str, str], Ends] = {
    ("batch", "Job"): _JOB,
    ("batch", "CronJob"): _by_history(_at("spec", "jobTemplate", "spec"), _CRON_HISTORY),
    ("keda.sh", "ScaledJob"): _by_history(_at("spec", "jobTargetRef"), _CRON_HISTORY),
    ("ray.io", "RayJob"): Ends(ray.ttl("spec"), ray.deadline("spec")),
    ("ray.io", "RayCronJob"): Ends(
        ray.ttl("spec", "jobTemplate"), ray.deadline("spec", "jobTemplate")
    ),
    ("argoproj.io", "Workflow"): Ends(argo.ttl("spec"), argo.deadline("spec")),
    ("argoproj.io", "WorkflowTemplate"): Ends(argo.ttl("spec"), argo.deadline("spec")),
    ("argoproj.io", "ClusterWorkflowTemplate"): Ends(argo.ttl("spec"), argo.deadline("spec")),
    ("argoproj.io", "CronWorkflow"): _by_history(
        Ends(argo.ttl("spec", "workflowSpec"), argo.deadline("spec", "workflowSpec")), _CRON_HISTORY
    ),
    ("argoproj.io", "AnalysisTemplate"): _ANALYSIS,
    ("argoproj.io", "ClusterAnalysisTemplate"): _ANALYSIS,
    ("argoproj.io", "AnalysisRun"): _ANALYSIS,
    ("jobset.x-k8s.io", "JobSet"): Ends(_JOB.ttl, operators.jobset_deadline),
    ("batch.volcano.sh", "Job"): Ends(_JOB.ttl, operators.volcano_deadline("spec")),
    ("batch.volcano.sh", "CronJob"): _by_history(
        Ends(
            _at("spec", "jobTemplate", "spec").ttl,
            operators.volcano_deadline("spec", "jobTemplate", "spec"),
        ),
        _CRON_HISTORY,
    ),
    ("flow.volcano.sh", "JobTemplate"): Ends(_JOB.ttl, operators.volcano_deadline("spec")),
    ("flow.volcano.sh", "JobFlow"): Ends(_job_flow, _flows),
    ("trainer.kubeflow.org", "TrainJob"): Ends(operators.train_ttl, operators.train_deadline),
    ("kubeflow.org", "Experiment"): Ends(_nothing, _katib),
    ("kubeflow.org", "Trial"): Ends(_nothing, _nothing),
    ("sparkoperator.k8s.io", "SparkApplication"): _SPARK,
    ("sparkoperator.k8s.io", "ScheduledSparkApplication"): _by_history(
        _SCHEDULED_SPARK, _SPARK_HISTORY, default=1
    ),
    ("tekton.dev", "TaskRun"): Ends(operators.tekton_ttl, operators.tekton_deadline),
    ("tekton.dev", "PipelineRun"): Ends(operators.tekton_ttl, operators.tekton_deadline),
    ("sinks.knative.dev", "JobSink"): _at("spec", "job", "spec"),
    ("apps.kruise.io", "BroadcastJob"): _at("spec", "completionPolicy"),
}
