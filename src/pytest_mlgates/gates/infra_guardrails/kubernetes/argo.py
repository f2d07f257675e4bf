"""Workflows of Argo: ``ttlStrategy`` and ``activeDeadlineSeconds``, their own or their template's.

Source: https://argo-workflows.readthedocs.io/en/latest/fields/#workflowspec
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pytest_mlgates.gates.infra_guardrails.check import Check, broken, in_doubt, undecided
from pytest_mlgates.gates.infra_guardrails.kubernetes.seconds import (
    DEADLINE,
    NO_DEADLINE,
    NO_TTL,
    seconds,
)
from pytest_mlgates.gates.infra_guardrails.world import Resource, World
from pytest_mlgates.reading.node import Node

__all__ = ["deadline", "ttl"]

_ADVICE = "set ttlStrategy.secondsAfterCompletion"


def ttl(*path: str) -> Callable[[Resource, World], Iterator[Check]]:
    """Return the rule of a kind whose workflow stands at a path."""

    def judge(resource: Resource, world: World) -> Iterator[Check]:
        spec = resource.body.get(*path)
        if _is_library(resource, spec):
            return
        where, doubt = _where(spec, "ttlStrategy", world)
        if doubt is not None:
            yield doubt
            return
        strategy = where.get("ttlStrategy") if where is not None else None
        if strategy is None or strategy.value is None:
            yield broken(spec or resource.body, f"no ttlStrategy: {NO_TTL} ({_ADVICE})")
        elif strategy.unknown:
            yield undecided(strategy, "ttlStrategy")
        elif "secondsAfterCompletion" in strategy.fields:
            yield from seconds(resource, strategy, "secondsAfterCompletion", NO_TTL)
        else:
            yield from _both(resource, strategy)

    return judge


def _both(resource: Resource, strategy: Node) -> Iterator[Check]:
    """Ask for a time after success and one after failure: each alone leaves the other's behind."""
    ends = (("secondsAfterSuccess", "succeeded"), ("secondsAfterFailure", "failed"))
    for name, end in ends:
        why = f"nothing deletes it when it has {end} ({_ADVICE})"
        yield from seconds(resource, strategy, name, why)


def deadline(*path: str) -> Callable[[Resource, World], Iterator[Check]]:
    """Return the rule of a kind whose workflow stands at a path."""

    def judge(resource: Resource, world: World) -> Iterator[Check]:
        spec = resource.body.get(*path)
        if _is_library(resource, spec):
            return
        where, doubt = _where(spec, DEADLINE, world)
        if doubt is not None:
            yield doubt
            return
        yield from seconds(resource, where, DEADLINE, NO_DEADLINE)

    return judge


def _is_library(resource: Resource, spec: Node | None) -> bool:
    """Tell a template without an entrypoint, of which others take parts: it can't be submitted."""
    template = resource.kind.endswith("WorkflowTemplate")
    return (
        template
        and spec is not None
        and not {"entrypoint", "workflowTemplateRef"} & set(spec.fields)
    )


def _where(spec: Node | None, name: str, world: World) -> tuple[Node | None, Check | None]:
    """Return the spec that sets a field: this one, or that of the template that it runs."""
    reference = spec.get("workflowTemplateRef") if spec is not None else None
    if spec is None or name in spec.fields or reference is None:
        return spec, None
    cluster = reference.get("clusterScope")
    kind = (
        "ClusterWorkflowTemplate"
        if cluster is not None and cluster.value is True
        else "WorkflowTemplate"
    )
    found = world.of_kind(kind, reference.text("name"))
    if found is None:
        named = reference.text("name") or "named by an expression"
        text = (
            f"no {name}, and its {kind} {named} is not in these files:"
            f" hand it in as well, or set {name} here"
        )
        return None, in_doubt(reference, text)
    return found.body.get("spec"), None
