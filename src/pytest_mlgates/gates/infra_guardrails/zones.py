"""Do the GPUs of one pool share a zone?"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_mlgates.gates.infra_guardrails.check import Check, broken, kept, undecided
from pytest_mlgates.gates.infra_guardrails.gpus import uses_gpus
from pytest_mlgates.gates.infra_guardrails.resources import Resource, World, pod_specs
from pytest_mlgates.reading.node import Node, Unknown, template_in

__all__ = ["is_gpu_pool", "one_zone"]

_GOOGLE_GPU = re.compile(r"^(a2|a3|a4|a4x|g2|g4|ct\d\w*)-")
_AWS_GPU = re.compile(r"^(p[2-9]|g[3-9]|gr[6-9]|trn\d|inf\d|dl\d)\w*\.")
_GPU_NAME = re.compile(r"(^|[-_.])gpus?([-_.]|$)", re.IGNORECASE)
_ZONE_KEYS = ("topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone")
_ZONE = re.compile(r".*\d-[a-z]$|.*-\d[a-z]$")


def is_gpu_pool(resource: Resource, world: World) -> bool:
    """Tell whether a Terraform resource makes nodes with GPUs."""
    if resource.kind == "google_container_cluster":
        return any(_google_gpu(pool, resource) for pool in _google_pools(resource))
    if resource.kind == "google_container_node_pool":
        return _google_gpu(resource.body, resource)
    if resource.kind in ("aws_eks_node_group", "aws_autoscaling_group"):
        return _aws_gpu(resource, world)
    return False


def one_zone(resource: Resource, world: World, _: object) -> Iterator[Check]:
    """Ask a GPU pool for one zone."""
    if resource.group != "terraform":
        yield from _spread_pods(resource)
    elif is_gpu_pool(resource, world):
        if resource.kind == "google_container_cluster":
            for pool in _google_pools(resource):
                if _google_gpu(pool, resource):
                    own = pool.get("node_locations") if pool is not resource.body else None
                    yield _google(pool, own, resource)
        elif resource.kind == "google_container_node_pool":
            cluster = world.find(
                "google_container_cluster", resource.body.get("cluster"), resource.module
            )
            yield _google(resource.body, resource.body.get("node_locations"), cluster)
        else:
            yield _aws(resource, world)


# Google


def _google_pools(cluster: Resource) -> list[Node]:
    """Return the pools that a cluster makes itself: its default pool, and ``node_pool`` blocks."""
    removed = cluster.body.get("remove_default_node_pool")
    default = [] if removed is not None and removed.value is True else [cluster.body]
    blocks = cluster.body.get("node_pool")
    return default + (blocks.items if blocks is not None else [])


def _google_gpu(pool: Node, resource: Resource) -> bool:
    """Tell by accelerator or machine; by its name where neither is said."""
    accelerators = pool.get("node_config", "guest_accelerator")
    if accelerators is not None and (accelerators.unknown or accelerators.items):
        counts = [item.get("count") for item in accelerators.items]
        return not counts or any(count is None or count.value != 0 for count in counts)
    machine = pool.get("node_config", "machine_type")
    if machine is not None and isinstance(machine.value, str):
        return bool(_GOOGLE_GPU.match(machine.value))
    if pool is resource.body and resource.kind == "google_container_cluster":
        return False
    label = resource.name.rpartition(".")[2].partition("[")[0]
    return bool(_GPU_NAME.search(label) or _GPU_NAME.search(pool.text("name")))


def _google(pool: Node, own: Node | None, cluster: Resource | None) -> Check:
    """Judge a pool: its own zones, else those of its cluster, else its location."""
    if own is not None and own.value not in (None, []):
        return _zone_list(own, "node_locations")
    places = [pool.get("location")]
    if cluster is not None:
        places.append(cluster.body.get("location"))
    location = next((p for p in places if p is not None and not _nothing(p)), None)
    shared = cluster.body.get("node_locations") if cluster is not None else None
    if location is not None and isinstance(location.value, str) and _ZONE.fullmatch(location.value):
        extra = [z for z in (shared.items if shared else []) if z.value != location.value]
        if shared is not None and shared.unknown:
            return undecided(shared, "node_locations of the cluster")
        if extra:
            return broken(pool, f"its cluster has nodes in {len(extra) + 1} zones and it sets none")
        return kept(location)
    if shared is not None and shared.value not in (None, []):
        return _zone_list(shared, "node_locations of the cluster")
    if location is not None and location.unknown:
        return undecided(location, "no node_locations, and the location")
    where = f" in every zone of {location.value}" if location is not None else " in every zone"
    return broken(pool, f"no node_locations: its GPUs are spread{where} (name one zone)")


def _nothing(node: Node) -> bool:
    return node.value is None


def _zone_list(node: Node, word: str) -> Check:
    """Judge a list of zones."""
    if node.unknown:
        return undecided(node, word)
    if not isinstance(node.value, list):
        return broken(node, f"{word} is not a list of zones")
    known = {item.value for item in node.items if not item.unknown}
    doubt = [item for item in node.items if item.unknown]
    bad = [z for z in known if not isinstance(z, str) or not z.strip()]
    if bad:
        return broken(node, f"{word} holds something that is not a zone")
    if len(known) > 1:
        shown = ", ".join(sorted(known)[:4])
        return broken(node, f"{word} are {len(known)} zones ({shown}): name one")
    if len({item.value.expression for item in doubt}) + len(known) > 1:
        return undecided(doubt[0], f"{word}: whether these are one zone")
    return kept(node)


# AWS


def _aws_gpu(resource: Resource, world: World) -> bool:
    body = resource.body
    types = body.get("instance_types")
    known = [item.value for item in types.items] if types is not None else []
    template = _pod_template(resource, world)
    if template is not None:
        single = template.body.get("instance_type")
        known += [single.value] if single is not None else []
    words = [value for value in known if isinstance(value, str)]
    if words:
        return any(_AWS_GPU.match(word) for word in words)
    ami = body.text("ami_type")
    if ami:
        return "GPU" in ami or "NVIDIA" in ami or "NEURON" in ami
    names = (resource.name.rpartition(".")[2].partition("[")[0], body.text("node_group_name"))
    return any(_GPU_NAME.search(name) for name in (*names, body.text("name")))


def _pod_template(resource: Resource, world: World) -> Resource | None:
    for path in (
        ("launch_template", "id"),
        ("launch_template", "name"),
        (
            "mixed_instances_policy",
            "launch_template",
            "launch_template_specification",
            "launch_template_id",
        ),
    ):
        found = world.find("aws_launch_template", resource.body.get(*path), resource.module)
        if found is not None:
            return found
    return None


def _aws(resource: Resource, world: World) -> Check:
    """Judge the subnets of a node group, or the zones of a scaling group."""
    body = resource.body
    zones = body.get("availability_zones")
    if zones is not None and zones.value not in (None, []):
        return _zone_list(zones, "availability_zones")
    word = "subnet_ids" if resource.kind == "aws_eks_node_group" else "vpc_zone_identifier"
    subnets = body.get(word)
    if subnets is None or subnets.value in (None, []):
        return broken(body, f"no {word}: nothing keeps its GPUs in one zone (name one subnet)")
    if subnets.unknown or not isinstance(subnets.value, list):
        return undecided(subnets, word)
    if len(subnets.items) == 1:
        return kept(subnets)
    zones = Node([_zone_of(s, resource, world) for s in subnets.items], subnets.file, subnets.line)
    return _zone_list(zones, f"the zones of {word}")


def _zone_of(subnet: Node, resource: Resource, world: World) -> Node:
    found = world.find("aws_subnet", subnet, resource.module)
    zone = found.body.get("availability_zone") if found is not None else None
    if zone is not None:
        return zone
    shown = subnet.value.expression if isinstance(subnet.value, Unknown) else str(subnet.value)
    return Node(Unknown(shown), subnet.file, subnet.line)


# Kubernetes


def _spread_pods(resource: Resource) -> Iterator[Check]:
    """Judge GPU pods that say where they run; those that don't are judged by their pool."""
    if not uses_gpus(resource):
        return
    for spec, _ in pod_specs(resource):
        for say in (_selected, _affinity, _spread):
            yield from say(spec)


def _selected(spec: Node) -> Iterator[Check]:
    node = spec.get("nodeSelector")
    for key in _ZONE_KEYS:
        zone = node.fields.get(key) if node is not None else None
        if zone is None:
            continue
        if zone.unknown or (isinstance(zone.value, str) and template_in(zone.value)):
            yield undecided(zone, f"nodeSelector {key}")
        elif isinstance(zone.value, str) and zone.value.strip():
            yield kept(zone)
        else:
            yield broken(zone, f"nodeSelector {key} is not a zone")


def _affinity(spec: Node) -> Iterator[Check]:
    required = "requiredDuringSchedulingIgnoredDuringExecution"
    terms = spec.get("affinity", "nodeAffinity", required, "nodeSelectorTerms")
    found: list[Node] = []
    for term in terms.items if terms is not None else []:
        for expression in (term.get("matchExpressions") or Node([])).items:
            values = expression.get("values")
            if expression.text("key") in _ZONE_KEYS and expression.text("operator") == "In":
                found += values.items if values is not None else []
    if found:
        yield _zone_list(Node(found, found[0].file, found[0].line), "the zones of its nodeAffinity")


def _spread(spec: Node) -> Iterator[Check]:
    constraints = spec.get("topologySpreadConstraints")
    for constraint in constraints.items if constraints is not None else []:
        if constraint.text("topologyKey") in _ZONE_KEYS:
            yield broken(constraint, "topologySpreadConstraints spread its GPU pods over zones")
