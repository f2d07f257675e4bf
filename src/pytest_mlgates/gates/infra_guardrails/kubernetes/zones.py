"""Where GPU pods and the pools that Kubernetes itself makes are put."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_mlgates.gates.infra_guardrails.check import (
    Check,
    broken,
    in_doubt,
    kept,
    undecided,
    way_out,
)
from pytest_mlgates.gates.infra_guardrails.kubernetes.pods import is_template, pod_specs
from pytest_mlgates.gates.infra_guardrails.machines import (
    Answer,
    aws,
    azure,
    gathered,
    google,
    is_gpu,
)
from pytest_mlgates.gates.infra_guardrails.world import Resource
from pytest_mlgates.reading.devices import gpu_name
from pytest_mlgates.reading.node import Node, Unknown

__all__ = ["is_pool", "pod_zones", "pool_holds_gpus", "pool_zones", "zone_list"]

_ZONE_KEYS = (
    "topology.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/zone",
    "topology.gke.io/zone",
    "topology.ebs.csi.aws.com/zone",
    "topology.k8s.aws/zone-id",
)
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_TYPES = (
    "instance-type",
    "machine-type",
    "instance-family",
    "machine-family",
    "sku-name",
    "sku-family",
)


def zone_list(node: Node, word: str) -> Check:
    """Judge a list of zones."""
    if node.unknown:
        return undecided(node, word)
    if not isinstance(node.value, list):
        return broken(node, f"{word} is not a list of zones")
    doubt = [item for item in node.items if is_template(item)]
    named = [item.value for item in node.items if not is_template(item)]
    if any(not isinstance(zone, str) or not zone.strip() for zone in named):
        return broken(node, f"{word} holds something that is not a zone")
    known = set(named)
    if len(known) > 1:
        shown = ", ".join(sorted(known)[:4])
        return broken(node, f"{word} are {len(known)} zones ({shown}): name one")
    if len({str(item.value) for item in doubt}) + len(known) > 1:
        value = doubt[0].value
        shown = value.expression if isinstance(value, Unknown) else str(value)
        text = f"{word} may be several: {shown} can't be told from the files"
        return in_doubt(doubt[0], f"{text} ({way_out(doubt[0], shown)})")
    return kept(node)


# pods


def pod_zones(resource: Resource) -> Iterator[Check]:
    """Judge GPU pods that say where they run; those that don't are judged by their pool."""
    for spec, _ in pod_specs(resource):
        for say in (_selected, _affinity, _apart, _spread):
            yield from say(spec)


def _selected(spec: Node) -> Iterator[Check]:
    node = spec.get("nodeSelector")
    for key in _ZONE_KEYS:
        zone = node.fields.get(key) if node is not None else None
        if zone is None:
            continue
        if is_template(zone):
            yield undecided(zone, f"nodeSelector {key}")
        elif isinstance(zone.value, str) and zone.value.strip():
            yield kept(zone)
        else:
            yield broken(zone, f"nodeSelector {key} is not a zone")


def _affinity(spec: Node) -> Iterator[Check]:
    terms = spec.get("affinity", "nodeAffinity", _REQUIRED, "nodeSelectorTerms")
    found: list[Node] = []
    for term in terms.items if terms is not None else []:
        for expression in (term.get("matchExpressions") or Node([])).items:
            values = expression.get("values")
            if expression.text("key") not in _ZONE_KEYS or values is None:
                continue
            if values.unknown:
                yield undecided(values, "the zones of its nodeAffinity")
            elif expression.text("operator") == "In":
                found += values.items
    if found:
        yield zone_list(Node(found, found[0].file, found[0].line), "the zones of its nodeAffinity")


def _apart(spec: Node) -> Iterator[Check]:
    """Find pods that keep away from each other by zone, and such that stay together."""
    affinity = spec.get("affinity")
    for kind in ("podAntiAffinity", "podAffinity"):
        for strength in (_REQUIRED, "preferredDuringSchedulingIgnoredDuringExecution"):
            terms = affinity.get(kind, strength) if affinity is not None else None
            for term in terms.items if terms is not None else []:
                key = term.text("topologyKey") or term.text("podAffinityTerm", "topologyKey")
                if key in _ZONE_KEYS and kind == "podAntiAffinity":
                    yield broken(term, f"{kind} on {key} puts its GPU pods into different zones")
                elif key in _ZONE_KEYS and strength == _REQUIRED:
                    yield kept(term)


def _spread(spec: Node) -> Iterator[Check]:
    constraints = spec.get("topologySpreadConstraints")
    for constraint in constraints.items if constraints is not None else []:
        if constraint.text("topologyKey") in _ZONE_KEYS:
            yield broken(constraint, "topologySpreadConstraints spread its GPU pods over zones")


# pools that Kubernetes makes


def is_pool(resource: Resource) -> bool:
    """Tell whether a resource makes nodes: Karpenter's pools, eksctl's clusters."""
    return (resource.group, resource.kind) in _POOLS


def _karpenter_requirements(resource: Resource) -> list[Node]:
    found: list[Node] = []
    for path in (("spec", "template", "spec", "requirements"), ("spec", "requirements")):
        node = resource.body.get(*path)
        found += node.items if node is not None else []
    return found


def _karpenter_gpus(resource: Resource) -> Answer:
    """Tell by what instances a pool asks for; what it does not bound may be anything."""
    answers: list[Answer] = []
    for need in _karpenter_requirements(resource):
        key, values = need.text("key"), need.get("values")
        if need.text("operator") not in ("In", "Gt", "Exists", "Gte"):
            continue
        if "gpu" in key or "accelerator" in key:
            return "yes"
        if values is None or not key.endswith(_TYPES):
            if key.endswith("instance-category") and values is not None:
                letters = {str(item.value) for item in values.items}
                answers.append("yes" if letters & {"p", "g", "gr", "trn", "inf", "dl"} else "no")
            continue
        if values.unknown:
            answers.append("maybe")
        answers += [is_gpu(item.value, (aws, azure, google)) for item in values.items]
    bounds = resource.body.get("spec", "limits")
    if bounds is not None and any(gpu_name(name) == "yes" for name in bounds.fields):
        return "yes"
    labels = resource.body.get("spec", "template", "metadata", "labels")
    if labels is not None and any(gpu_name(name) == "yes" for name in labels.fields):
        return "yes"
    return "yes" if "yes" in answers else "no" if answers and set(answers) == {"no"} else "maybe"


def _karpenter_zones(resource: Resource) -> Iterator[Check]:
    for need in _karpenter_requirements(resource):
        values = need.get("values")
        if need.text("key") in _ZONE_KEYS and need.text("operator") == "In" and values is not None:
            yield zone_list(values, "the zones of its requirements")
            return
    text = "no requirement on topology.kubernetes.io/zone: its nodes are spread over the zones of its subnets"
    yield broken(resource.body, f"{text} (name one zone)")


def _eksctl_groups(resource: Resource) -> Iterator[Node]:
    for word in ("nodeGroups", "managedNodeGroups"):
        groups = resource.body.get(word)
        if groups is not None and groups.unknown:
            yield groups
        yield from groups.items if groups is not None else []


def _eksctl_group(group: Node) -> Answer:
    if group.unknown:
        return "maybe"
    kinds = [group.get("instanceType")] + [
        item
        for path in (("instanceTypes",), ("instancesDistribution", "instanceTypes"))
        for item in (group.get(*path) or Node([])).items
    ]
    answers = [
        is_gpu(kind.value, (aws,)) for kind in kinds if kind is not None and kind.value != "mixed"
    ]
    if group.get("instanceSelector", "gpus") is not None:
        return "yes"
    return gathered(answers)


def _eksctl_gpus(resource: Resource) -> Answer:
    return gathered(_eksctl_group(group) for group in _eksctl_groups(resource))


def _eksctl_zones(resource: Resource) -> Iterator[Check]:
    everywhere = resource.body.get("availabilityZones")
    for group in _eksctl_groups(resource):
        answer = _eksctl_group(group)
        if answer == "no":
            continue
        subnets = group.get("subnets")
        zones = group.get("availabilityZones") or everywhere
        if subnets is not None and len(subnets.items) == 1:
            check = kept(subnets)
        elif zones is not None:
            check = zone_list(zones, "availabilityZones")
        elif subnets is not None:
            check = in_doubt(subnets, "whether its subnets are one zone (name availabilityZones)")
        else:
            check = broken(group, "no availabilityZones: its GPUs are spread over zones (name one)")
        yield _if_gpus(check, answer)


def pool_holds_gpus(resource: Resource) -> Answer:
    """Tell whether a pool's nodes have GPUs: yes, no, or maybe."""
    return _POOLS[resource.group, resource.kind][0](resource)


def pool_zones(resource: Resource) -> Iterator[Check]:
    """Ask a pool with GPUs for one zone."""
    answer = pool_holds_gpus(resource)
    if answer != "no":
        for check in _POOLS[resource.group, resource.kind][1](resource):
            yield _if_gpus(check, answer)


def _if_gpus(check: Check, answer: Answer) -> Check:
    """Leave open what is broken only if a pool has GPUs, where that is not known."""
    if answer == "yes" or check.state != "broken":
        return check
    text = f"{check.text}, if it has GPUs: bound its instance types, or name its kind in harmless_kinds"
    return Check("open", check.place, text)


_POOLS = {
    ("karpenter.sh", "NodePool"): (_karpenter_gpus, _karpenter_zones),
    ("karpenter.sh", "Provisioner"): (_karpenter_gpus, _karpenter_zones),
    ("eksctl.io", "ClusterConfig"): (_eksctl_gpus, _eksctl_zones),
}
