"""Is every GPU that a container uses asked for by a limit?"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_mlgates.gates.infra_guardrails.check import Check, broken, kept, undecided
from pytest_mlgates.gates.infra_guardrails.resources import Resource, pod_specs
from pytest_mlgates.reading.node import Node, template_in

__all__ = ["limits", "uses_gpus"]

_GPU = re.compile(
    r"(/(gpu|mig-)|^gpu\.|\.gpu/|/gpu\.|habana\.ai/gaudi|google\.com/tpu|/neuron|gpu$)",
    re.IGNORECASE,
)
_GPU_NODE = re.compile(r"(gke-accelerator|/gpu|gpu\.|accelerator)", re.IGNORECASE)
_QUANTITY = re.compile(r"([0-9]{1,12})(m|k|)")
_AGENTS = ("DaemonSet", "Node", "CustomResourceDefinition")


def uses_gpus(resource: Resource) -> bool:
    """Tell whether a pod of the resource asks for GPUs, or for a node that has them."""
    return resource.kind not in _AGENTS and any(
        _selector(spec) or any(_asked(container) for container in _containers(spec))
        for spec, _ in pod_specs(resource)
    )


def limits(resource: Resource, *_: object) -> Iterator[Check]:
    """Ask for limits on GPUs, equal to the requests."""
    for spec, _labels in pod_specs(resource):
        containers = spec.get("containers")
        if containers is not None and containers.unknown:
            yield undecided(containers, "the list of containers")
            continue
        asked = [check for c in _containers(spec) for check in _of_container(resource, c)]
        yield from asked
        selector = _selector(spec)
        claims = spec.get("resourceClaims")  # dynamic resource allocation counts them elsewhere
        if selector is not None and not asked and not claims and resource.kind not in _AGENTS:
            word = f"it is sent to a GPU node ({selector[0]}), but no container has a GPU limit"
            yield broken(selector[1], word)


def _containers(spec: Node) -> list[Node]:
    found = []
    for key in ("containers", "initContainers"):
        node = spec.get(key)
        found += node.items if node is not None else []
    return found


def _asked(container: Node) -> list[str]:
    """Return the names of the GPU resources that a container asks for."""
    names: list[str] = []
    for part in ("requests", "limits"):
        node = container.get("resources", part)
        names += node.fields if node is not None and not node.unknown else []
    return [name for name in dict.fromkeys(names) if _GPU.search(name)]


def _of_container(resource: Resource, container: Node) -> Iterator[Check]:
    name = container.text("name") or "?"
    for part in ("requests", "limits"):
        node = container.get("resources", part)
        if node is not None and node.unknown:
            yield undecided(node, f"{part} of container {name}")
            return
    asked = _asked(container)
    for gpu in asked:
        yield _one(container, gpu, f"container {name}")
    if not asked and resource.kind not in _AGENTS:
        for env in (container.get("env") or Node([])).items:
            everything = env.text("value").lower() == "all"
            if env.text("name") == "NVIDIA_VISIBLE_DEVICES" and everything:
                word = f"container {name} takes all GPUs by NVIDIA_VISIBLE_DEVICES, without a limit"
                yield broken(env, word)


def _one(container: Node, gpu: str, name: str) -> Check:
    request = (container.get("resources", "requests") or Node({})).fields.get(gpu)
    limit = (container.get("resources", "limits") or Node({})).fields.get(gpu)
    if limit is None:
        at = request if request is not None else container
        return broken(at, f"{name} requests {gpu} without a limit: Kubernetes refuses it")
    for node in (limit, request) if request is not None else (limit,):
        if node.unknown or (isinstance(node.value, str) and template_in(node.value)):
            return undecided(node, f"{gpu} of {name}")
        if _quantity(node.value) is None:
            return broken(node, f"{gpu} of {name} is not a whole number >= 0")
    if request is not None and _quantity(request.value) != _quantity(limit.value):
        return broken(limit, f"{name} requests another number of {gpu} than its limit")
    return kept(limit)


def _quantity(value: object) -> int | None:
    """Return a Kubernetes quantity where it is a whole number: 1, "1", "1000m", "1k"."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    found = _QUANTITY.fullmatch(str(value)) if not isinstance(value, (bool, float)) else None
    if found is None:
        return None
    count, unit = int(found.group(1)), found.group(2)
    if unit == "m":
        return count // 1000 if count % 1000 == 0 else None
    return count * (1000 if unit else 1)


def _selector(spec: Node) -> tuple[str, Node] | None:
    """Return what sends a pod to a GPU node: a node selector, or NVIDIA's runtime."""
    node = spec.get("nodeSelector")
    for key, value in (node.fields if node is not None else {}).items():
        if _GPU_NODE.search(key) and value.value not in (False, "false"):
            return key, value
    runtime = spec.get("runtimeClassName")
    return ("runtimeClassName", runtime) if runtime and runtime.value == "nvidia" else None
