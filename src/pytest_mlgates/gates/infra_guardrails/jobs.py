"""Does what ends also go away, and does what is stuck end?"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

from pytest_mlgates.gates.infra_guardrails.check import Check, broken, kept, number, undecided
from pytest_mlgates.gates.infra_guardrails.resources import Resource
from pytest_mlgates.reading.node import Node, template_in, walk

__all__ = ["deadline", "is_job", "ttl"]

TTL = "ttlSecondsAfterFinished"
DEADLINE = "activeDeadlineSeconds"

#: where a kind has the two fields
_SPECS = {
    ("batch", "Job"): ("spec",),
    ("batch", "CronJob"): ("spec", "jobTemplate", "spec"),
    ("keda.sh", "ScaledJob"): ("spec", "jobTargetRef"),
    ("ray.io", "RayJob"): ("spec",),
}
_OPERATORS = {"kubeflow.org": ("spec", "runPolicy")}  # PyTorchJob, MPIJob, TFJob, …
_OTHER_JOB = re.compile(r"(Job|JobSet|Workflow|WorkflowTemplate)$")


def _spec_path(resource: Resource) -> tuple[str, ...] | None:
    if resource.group in _OPERATORS and resource.kind.endswith("Job"):
        return _OPERATORS[resource.group]
    return _SPECS.get((resource.group, resource.kind))


def is_job(resource: Resource) -> bool:
    """Tell whether a resource is work that ends."""
    return _spec_path(resource) is not None or _unknown_kind(resource)


def _unknown_kind(resource: Resource) -> bool:
    known = _spec_path(resource) is not None or resource.group == "terraform"
    return not known and bool(_OTHER_JOB.search(resource.kind))


def ttl(resource: Resource, *_: object) -> Iterator[Check]:
    """Ask for a time to live after the end."""
    path = _spec_path(resource)
    if path is None:
        yield from _of_unknown_kind(resource)
        return
    if resource.kind == "CronJob" and _keeps_no_history(resource):
        yield kept(resource.body)
        return
    for check in _seconds(resource, path, TTL, "nothing deletes it when it has ended"):
        if check.state == "number" and resource.kind == "RayJob":
            shuts = resource.body.get("spec", "shutdownAfterJobFinishes")
            if shuts is None or shuts.value is not True:
                text = f"{TTL} works only with shutdownAfterJobFinishes: true"
                yield Check("broken", check.place, text)
                return
        yield check


def deadline(resource: Resource, *_: object) -> Iterator[Check]:
    """Ask for the longest time that work may take, retries included."""
    path = _spec_path(resource)
    if path is not None:
        yield from _seconds(resource, path, DEADLINE, "nothing ends a stuck one")
    elif resource.kind == "Pod" and resource.group == "":
        restart = resource.body.get("spec", "restartPolicy")
        if restart is not None and restart.value in ("Never", "OnFailure"):
            why = "nothing ends a stuck one"
            yield from _seconds(resource, ("spec",), DEADLINE, why)
    else:
        yield from _of_unknown_kind(resource)


def _of_unknown_kind(resource: Resource) -> Iterator[Check]:
    if _unknown_kind(resource):
        text = f"no rule knows how a {resource.kind} of {resource.group or 'no group'} ends"
        yield Check("open", resource.body.place, text)


def _keeps_no_history(resource: Resource) -> bool:
    """Tell whether a CronJob's controller deletes each run at its end."""
    names = ("successfulJobsHistoryLimit", "failedJobsHistoryLimit")
    found = [resource.body.get("spec", name) for name in names]
    return all(node is not None and node.value == 0 and node.value is not False for node in found)


def _seconds(resource: Resource, path: tuple[str, ...], name: str, why: str) -> Iterator[Check]:
    """Judge a field that holds a positive whole number of seconds."""
    word, spec = resource.field(name), resource.body.get(*path)
    node = spec.get(name) if spec is not None else None
    if node is not None and node.unknown:
        yield undecided(node, word)
        return
    if node is None or node.value is None:
        at = node or (resource.body if spec is None else spec)
        nothing = f"{word} is null" if node is not None else f"no {word}"
        hint = _hint(resource, spec, name) if node is None else ""
        yield broken(at, f"{nothing}: {why}{hint}")
        return
    value = _whole_number(node.value, typed=resource.typed)
    if value is not None and value > 0:
        yield number(node, word, value)
    elif value is not None:
        bad = "must be positive" if value < 0 or name == DEADLINE else "leaves no time to look"
        yield broken(node, f"{word} is {value:.0f}: it {bad}")
    elif isinstance(node.value, str) and template_in(node.value):
        yield undecided(node, word)
    else:
        yield broken(node, f"{word} is {_job_kind(node.value)}, not a whole number of seconds")


def _whole_number(value: object, *, typed: bool) -> float | None:
    """Return a whole number; Terraform reads one from a text, Kubernetes does not."""
    if typed and isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,15}", value.strip()):
        return float(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if isinstance(value, int):
        return float(min(max(value, -(10**15)), 10**15))
    return value if value.is_integer() else None


def _job_kind(value: object) -> str:
    if isinstance(value, str):
        return "a text (in quotes?)" if value.strip().isdigit() else "a text"
    return {bool: "true or false", float: "a fraction", list: "a list", dict: "a mapping"}.get(
        type(value), "no number"
    )


def _hint(resource: Resource, spec: Node | None, name: str) -> str:
    """Say where the field stands instead, or how it is misspelled."""
    near = {resource.field(name).lower(), name.lower()}
    for key, node in walk(resource.body):
        if key.lower() in near:
            place = f" on line {node.line}" if node.line else ""
            return f" ({resource.field(key)}{place} stands where it does not count for the job)"
    for key in spec.fields if spec is not None else ():
        if difflib.get_close_matches(key.lower(), near, n=1, cutoff=0.85):
            return f" ({resource.field(key)} is not a field: {resource.field(name)} is meant)"
    return ""
