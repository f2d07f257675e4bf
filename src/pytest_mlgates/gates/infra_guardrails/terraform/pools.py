"""Do the GPUs of a pool that Terraform makes share a zone?"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_mlgates.gates.infra_guardrails.check import (
    AFTER_APPLY,
    Check,
    broken,
    in_doubt,
    kept,
    undecided,
)
from pytest_mlgates.gates.infra_guardrails.kubernetes.zones import zone_list
from pytest_mlgates.gates.infra_guardrails.terraform.holders import (
    default_pools,
    holds_gpus,
    pool_answer,
)
from pytest_mlgates.gates.infra_guardrails.world import Resource, World, below, snake
from pytest_mlgates.reading.node import Node, Unknown

__all__ = ["pool_zones"]

_ZONE = re.compile(r".*\d-[a-z]$|.*-\d[a-z]$")
#: one machine in one place, or a template that a pool is judged by
_ALONE = re.compile(
    r"(_instance|_template|_launch_configuration|_virtual_machine|_vm|_tpu_node|queued_resource|"
    r"notebook_instance|workbench_instance|_job|_job_definition|task_definition|_runtime)(_v\d+)?$"
)
#: where one machine, or one entry of a list of them, is
_PLACE = re.compile(r"(availability_)?zone|subnet_id|subnetwork")
_SPREADS = re.compile(r"(zones|subnets|subnet_ids|vpc_zone_identifier|subnetworks?)$")


def pool_zones(resource: Resource, world: World) -> Iterator[Check]:
    """Ask a pool with GPUs for one zone."""
    answer = holds_gpus(resource, world)
    if answer == "no":
        return
    for check in _judged(resource, world):
        if answer == "yes" or check.state != "broken":
            yield check
        else:
            text = f"{check.text}, if it has GPUs: its machine type can't be told from the files"
            way = "set it in terraform.tfvars, or gate `terraform show -json` of the plan"
            yield Check("open", check.place, f"{text} ({way})")


def _judged(resource: Resource, world: World) -> Iterator[Check]:
    kind, body = resource.kind, resource.body
    if kind == "google_container_cluster":
        yield from _google_cluster(resource)
    elif kind == "google_container_node_pool":
        cluster = world.find("google_container_cluster", body.get("cluster"), resource.module)
        yield _google(body, body.get("node_locations"), cluster)
    elif kind in ("aws_eks_node_group", "aws_autoscaling_group"):
        yield _aws(resource, world)
    elif kind == "aws_batch_compute_environment":
        yield _subnets(body.get("compute_resources", "subnets"), "subnets", resource, world)
    elif kind == "google_compute_instance_group_manager":
        yield kept(body)  # it is of one zone
    elif kind == "google_compute_region_instance_group_manager":
        zones = body.get("distribution_policy_zones")
        text = "no distribution_policy_zones: its GPUs are spread over the region (name one zone)"
        if zones is not None and _said(zones):
            yield zone_list(zones, "distribution_policy_zones")
        else:
            yield broken(body, text)
    elif kind.startswith("azurerm_kubernetes_cluster"):
        pool = body.get("default_node_pool") if kind == "azurerm_kubernetes_cluster" else body
        yield _azure(pool if pool is not None else body)
    elif kind.startswith("azurerm") and kind.endswith("scale_set"):
        yield _azure(body)
    elif not _ALONE.search(kind):
        yield from _elsewhere(resource)


def _elsewhere(resource: Resource) -> Iterator[Check]:
    """Judge what is called zones, however deep it stands; leave open what may be several."""
    places: dict[str, Node] = {}
    for key, node, _ in below(resource):
        word = key if key.islower() else snake(key)
        if _SPREADS.search(word) and _said(node):
            yield from _several(resource, key, node)
            return
        if _PLACE.fullmatch(word) and isinstance(node.value, str) and node.value:
            places.setdefault(node.value, node)
    if len(places) > 1:
        node = next(iter(places.values()))
        found = Node([Node(name, node.file, node.line) for name in places], node.file, node.line)
        if all(_ZONE.fullmatch(name) for name in places):
            yield zone_list(found, "its zones")
        else:
            shown = ", ".join(places)
            way = f"name one, or name {resource.named} in trusted_kinds"
            yield in_doubt(node, f"its machines are in {shown}, which may be several zones: {way}")


def _several(resource: Resource, key: str, node: Node) -> Iterator[Check]:
    blocks = [item for item in node.items if isinstance(item.value, dict)]
    if blocks and len(blocks) == len(node.items):  # zones { name = "a" }
        names = [item.get("name") or item.get("zone") or item.get("id") or item for item in blocks]
        if len(names) == 1:
            return
        if all(name.unknown or isinstance(name.value, str) for name in names):
            yield zone_list(Node(names, node.file, node.line), key)
            return
    elif "zone" in key.lower() and isinstance(node.value, list):
        yield zone_list(node, key)
        return
    if not (isinstance(node.value, list) and len(node.items) == 1):
        text = f"no rule knows whether {key} of {resource.kind} are one zone"
        yield in_doubt(node, f"{text}: name one, or name {resource.named} in trusted_kinds")


def _said(node: Node | None) -> bool:
    return node is not None and node.value not in (None, [], "")


# Google


def _google_cluster(resource: Resource) -> Iterator[Check]:
    for pool in default_pools(resource):
        answer = pool_answer(pool, resource)
        own = pool.get("node_locations") if pool is not resource.body else None
        if answer != "no":
            yield _google(pool, own, resource)
    limits = resource.body.get("cluster_autoscaling", "resource_limits")
    kinds = [limit.text("resource_type") for limit in (limits.items if limits is not None else [])]
    if any(kind not in ("", "cpu", "memory") for kind in kinds):
        own = resource.body.get("cluster_autoscaling", "auto_provisioning_locations")
        yield _google(resource.body, own, resource)


def _google(pool: Node, own: Node | None, cluster: Resource | None) -> Check:
    """Judge a pool: its own zones, else those of its cluster, else its location."""
    computed = (
        own is not None and isinstance(own.value, Unknown) and own.value.expression == AFTER_APPLY
    )
    if own is not None and _said(own) and not computed:
        return zone_list(own, "node_locations")
    places = [pool.get("location"), pool.get("zone")]
    if cluster is not None:
        places.append(cluster.body.get("location"))
    location = next((p for p in places if p is not None and p.value is not None), None)
    shared = cluster.body.get("node_locations") if cluster is not None else None
    if location is not None and isinstance(location.value, str) and _ZONE.fullmatch(location.value):
        return _zonal(pool, location, shared)
    if shared is not None and _said(shared):
        return zone_list(shared, "node_locations of the cluster")
    if computed and own is not None:
        return undecided(own, "node_locations")
    if location is not None and location.unknown:
        return undecided(location, "no node_locations, and the location")
    where = f" in every zone of {location.value}" if location is not None else " in every zone"
    return broken(pool, f"no node_locations: its GPUs are spread{where} (name one zone)")


def _zonal(pool: Node, location: Node, shared: Node | None) -> Check:
    extra = [z for z in (shared.items if shared else []) if z.value != location.value]
    if (
        shared is not None
        and isinstance(shared.value, Unknown)
        and shared.value.expression != AFTER_APPLY
    ):
        return undecided(shared, "node_locations of the cluster")
    if extra:
        return broken(pool, f"its cluster has nodes in {len(extra) + 1} zones and it sets none")
    return kept(location)


# Azure


def _azure(pool: Node) -> Check:
    zones = next((pool.get(k) for k in ("zones", "availability_zones") if pool.get(k)), None)
    if zones is not None and _said(zones):
        return zone_list(zones, "zones")
    return in_doubt(pool, 'no zones: Azure says of no node where it is (set zones = ["1"])')


# AWS


def _aws(resource: Resource, world: World) -> Check:
    """Judge the subnets of a node group, or the zones of a scaling group."""
    body = resource.body
    zones = body.get("availability_zones")
    if zones is not None and _said(zones):
        return zone_list(zones, "availability_zones")
    word = "subnet_ids" if resource.kind == "aws_eks_node_group" else "vpc_zone_identifier"
    return _subnets(body.get(word), word, resource, world)


def _subnets(subnets: Node | None, word: str, resource: Resource, world: World) -> Check:
    if subnets is None or not _said(subnets):
        text = f"no {word}: nothing keeps its GPUs in one zone (name one subnet)"
        return broken(resource.body, text)
    if subnets.unknown or not isinstance(subnets.value, list):
        return undecided(subnets, word)
    if len(subnets.items) == 1:
        return kept(subnets)
    found = [_zone_of(s, resource, world) for s in subnets.items]
    return zone_list(Node(found, subnets.file, subnets.line), f"the zones of {word}")


def _zone_of(subnet: Node, resource: Resource, world: World) -> Node:
    found = world.find("aws_subnet", subnet, resource.module)
    zone = found.body.get("availability_zone") if found is not None else None
    if zone is not None:
        return zone
    shown = (
        subnet.value.expression
        if isinstance(subnet.value, Unknown)
        else f"the zone of {subnet.value}"
    )
    return Node(Unknown(shown), subnet.file, subnet.line)
