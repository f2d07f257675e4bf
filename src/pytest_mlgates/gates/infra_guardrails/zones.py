"""Do the GPUs of one pool, or of one workload, share a zone?"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_mlgates.gates.infra_guardrails.check import Check
from pytest_mlgates.gates.infra_guardrails.kubernetes.pods import holds_gpus
from pytest_mlgates.gates.infra_guardrails.kubernetes.zones import is_pool, pod_zones
from pytest_mlgates.gates.infra_guardrails.kubernetes.zones import pool_zones as own_pool_zones
from pytest_mlgates.gates.infra_guardrails.terraform.pools import pool_zones
from pytest_mlgates.gates.infra_guardrails.world import Resource, World

__all__ = ["one_zone"]


def one_zone(resource: Resource, world: World, _: object) -> Iterator[Check]:
    """Ask for one zone."""
    if resource.group == "terraform":
        yield from pool_zones(resource, world)
    elif is_pool(resource):
        yield from own_pool_zones(resource)
    elif holds_gpus(resource, world) != "no":
        yield from pod_zones(resource)
