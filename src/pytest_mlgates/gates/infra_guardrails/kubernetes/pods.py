"""Where a resource asks for GPUs, whatever operator owns it and however deep that stands."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pytest_mlgates.gates.infra_guardrails.machines import Answer, gathered
from pytest_mlgates.gates.infra_guardrails.world import Resource, World, below
from pytest_mlgates.reading.devices import GPU_WORDS, gpu_name, whole
from pytest_mlgates.reading.node import Node, template_in

__all__ = [
    "GPU_NODE", "Asker", "askers", "holds_gpus", "is_template", "pod_specs", "selector",
]  # fmt: skip

GPU_NODE = re.compile(
    r"(gke-accelerator|/gpu|gpu\.|accelerator|gke-tpu|instance-gpu)", re.IGNORECASE
)
_INSTANCE_KEYS = ("node.kubernetes.io/instance-type", "beta.kubernetes.io/instance-type")
_SHARE = re.compile(r"(.*/)?gpu-(fraction|memory|count|fraction-num-devices)")
#: kinds that run beside GPUs, or only count them
_AGENTS = ("DaemonSet", "Node", "CustomResourceDefinition", "NodePool", "Provisioner")


@dataclass(frozen=True, slots=True)
class Asker:
    """What asks for resources: a container, or what an operator makes one of."""

    name: str
    node: Node
    requests: Node | None
    limits: Node | None

    def gpus(self) -> list[str]:
        """Return the GPU resources that it names, or may name."""
        names: list[str] = []
        for part in (self.requests, self.limits):
            names += part.fields if part is not None and not part.unknown else []
        return [name for name in dict.fromkeys(names) if gpu_name(name) != "no"]

    def amount(self, gpu: str) -> Node | None:
        """Return how many of a GPU resource it asks for."""
        for part in (self.limits, self.requests):
            found = part.fields.get(gpu) if part is not None else None
            if found is not None:
                return found
        return None


def pod_specs(resource: Resource) -> Iterator[tuple[Node, Node | None]]:
    """Yield each pod spec below a resource with its pod's labels, whatever operator owns it."""
    left: list[tuple[Node, Node | None]] = [(resource.body, None)]
    seen = set(resource.inside)
    while left:
        node, labels = left.pop()
        if id(node.value) in seen or not isinstance(node.value, (dict, list)):
            continue
        seen.add(id(node.value))
        if isinstance(node.value, list):
            left += [(item, None) for item in reversed(node.value)]
            continue
        containers = node.value.get("containers")
        if containers is not None and (containers.items or containers.unknown):
            yield node, labels
            continue
        deeper: Iterable[tuple[Node, Node | None]] = (
            (inner, node.get("metadata", "labels") if key == "spec" else None)
            for key, inner in reversed(node.value.items())
        )
        left += deeper


def askers(resource: Resource) -> Iterator[Asker]:
    """Yield all below a resource that has ``limits`` or ``requests``, or may have them."""
    if resource.kind in ("NodePool", "Provisioner", "CustomResourceDefinition"):
        return  # their limits bound a pool
    for key, node, parent in below(resource):
        if not isinstance(node.value, dict) or not {"limits", "requests"} & set(node.value):
            continue
        parts = {word: node.value.get(word) for word in ("requests", "limits")}
        if any(
            p is not None and not (p.unknown or isinstance(p.value, dict)) for p in parts.values()
        ):
            continue
        name = parent.text("name")
        yield Asker(
            f"container {name}" if name else key, parent, parts["requests"], parts["limits"]
        )


def holds_gpus(resource: Resource, world: World) -> Answer:
    """Tell whether a resource asks for GPUs, or for a node that has them; 0 GPUs are none."""
    if resource.kind in _AGENTS:
        return "no"
    answer: Answer = "no"
    for found in _signs(resource, world):
        if found == "yes":
            return "yes"
        answer = "maybe" if found == "maybe" else answer
    return answer


def _signs(resource: Resource, world: World) -> Iterator[Answer]:
    for asker in askers(resource):
        for gpu in asker.gpus():
            amount = asker.amount(gpu)
            if amount is not None and not (not amount.unknown and whole(amount.value) == 0):
                yield gpu_name(gpu)
    for spec, _ in pod_specs(resource):
        if selector(spec) is not None:
            yield "yes"
        for claim in (spec.get("resourceClaims") or Node([])).items:
            yield _claimed(claim, world)
    if resource.group == "resource.k8s.io":
        yield _devices(resource.body)
    for key, node, _parent in below(resource):
        yield _elsewhere(key, node)


def _elsewhere(key: str, node: Node) -> Answer:
    """Read the other ways to ask for GPUs: Spark's, KubeVirt's, a profile's name."""
    if key == "gpu" and isinstance(node.value, dict) and "quantity" in node.value:
        return "no" if whole(node.value["quantity"].value) == 0 else "yes"
    if _SHARE.fullmatch(key):  # an annotation that a scheduler shares GPUs by
        return "yes"
    if key == "gpus" and node.items:
        return "yes"
    if key.endswith("resource.gpu.amount"):
        return "no" if whole(node.value) == 0 else "yes"
    if key in ("resourceProfile", "acceleratorType") and isinstance(node.value, str):
        return "yes" if GPU_WORDS.search(node.value) or key == "acceleratorType" else "no"
    return "no"


def _claimed(claim: Node, world: World) -> Answer:
    """Tell what a pod's claim holds, where the claim or its template is in sight."""
    for kind, field in (
        ("ResourceClaimTemplate", "resourceClaimTemplateName"),
        ("ResourceClaim", "resourceClaimName"),
    ):
        name = claim.text(field) or claim.text("source", field)
        found = world.of_kind(kind, name) if name else None
        if found is not None:
            return _devices(found.body)
    return "maybe"


def _devices(body: Node) -> Answer:
    """Tell whether a claim is for GPUs, by the class of its devices."""
    classes = []
    for key, node in ((k, n) for k, n, _ in below(Resource("", "", "", body))):
        if key in ("deviceClassName", "resourceClassName") and isinstance(node.value, str):
            classes.append(node.value)
    answers = [
        gpu_name(f"{name.partition('.')[2] or name}/{name.partition('.')[0]}") for name in classes
    ]
    return gathered(answers) if classes else "maybe"


def selector(spec: Node) -> tuple[str, Node] | None:
    """Return what sends a pod to a GPU node: a node selector, or NVIDIA's runtime."""
    node = spec.get("nodeSelector")
    for key, value in (node.fields if node is not None else {}).items():
        if GPU_NODE.search(key) and value.value not in (False, "false"):
            return key, value
    runtime = spec.get("runtimeClassName")
    return ("runtimeClassName", runtime) if runtime and runtime.value == "nvidia" else None


def is_template(node: Node) -> bool:
    """Tell whether a value is not known, or a text with a template in it."""
    return node.unknown or (isinstance(node.value, str) and bool(template_in(node.value)))
