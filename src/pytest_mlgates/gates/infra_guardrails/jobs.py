"""Does what ends also go away, and does what is stuck end?"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_mlgates.gates.infra_guardrails.check import Check
from pytest_mlgates.gates.infra_guardrails.kubernetes.ends import ends_of
from pytest_mlgates.gates.infra_guardrails.kubernetes.kinds import runs_on
from pytest_mlgates.gates.infra_guardrails.kubernetes.seconds import DEADLINE, NO_DEADLINE, seconds
from pytest_mlgates.gates.infra_guardrails.world import Resource, World

__all__ = ["deadline", "is_job", "ttl"]

_LIKE_A_JOB = re.compile(r"(Job|JobSet|Workflow|WorkflowTemplate)$")


def is_job(resource: Resource) -> bool:
    """Tell whether a resource is work that ends; one of an unknown kind is told by its name."""
    if resource.group == "terraform" or runs_on(resource):
        return False
    return ends_of(resource) is not None or bool(_LIKE_A_JOB.search(resource.kind))


def ttl(resource: Resource, world: World, _: object) -> Iterator[Check]:
    """Ask for a time to live after the end."""
    ends = ends_of(resource)
    if ends is not None:
        yield from ends.ttl(resource, world)


def deadline(resource: Resource, world: World, _: object) -> Iterator[Check]:
    """Ask for the longest time that work may take, retries included."""
    ends = ends_of(resource)
    if ends is not None:
        yield from ends.deadline(resource, world)
    elif resource.kind == "Pod" and resource.group == "":
        spec = resource.body.get("spec")
        restart = spec.get("restartPolicy") if spec is not None else None
        if restart is not None and restart.value in ("Never", "OnFailure"):
            yield from seconds(resource, spec, DEADLINE, NO_DEADLINE)
