"""Is every GPU that a container uses asked for by a limit?"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_mlgates.gates.infra_guardrails.check import Check, broken, in_doubt, kept, undecided
from pytest_mlgates.gates.infra_guardrails.kubernetes.pods import (
    Asker,
    askers,
    is_template,
    pod_specs,
    selector,
)
from pytest_mlgates.gates.infra_guardrails.world import Resource, World
from pytest_mlgates.reading.devices import gpu_name, whole
from pytest_mlgates.reading.node import Node

__all__ = ["limits"]

_AGENTS = ("DaemonSet", "Node", "CustomResourceDefinition")


def limits(resource: Resource, world: World, _: object) -> Iterator[Check]:
    """Ask for limits on GPUs, equal to the requests."""
    if resource.group == "terraform":
        return
    asked: set[int] = set()
    for asker in askers(resource):
        for check in _of_asker(asker, world):
            asked.add(id(asker.node.value))
            yield check
    for spec, _labels in pod_specs(resource):
        containers = spec.get("containers")
        if containers is not None and containers.unknown:
            yield undecided(containers, "the list of containers")
        elif resource.kind not in _AGENTS:
            yield from _unasked(spec, asked)


def _unasked(spec: Node, asked: set[int]) -> Iterator[Check]:
    """Find pods that use GPUs and ask for none."""
    containers = [
        item
        for key in ("containers", "initContainers")
        for item in (spec.get(key) or Node([])).items
    ]
    for container in containers:
        if id(container.value) in asked:
            continue
        for env in (container.get("env") or Node([])).items:
            everything = env.text("value").lower() == "all"
            if env.text("name") == "NVIDIA_VISIBLE_DEVICES" and everything:
                name = container.text("name") or "?"
                word = f"container {name} takes all GPUs by NVIDIA_VISIBLE_DEVICES, without a limit"
                yield broken(env, word)
    sent = selector(spec)
    claims = spec.get("resourceClaims")  # dynamic resource allocation counts them elsewhere
    if sent is not None and not claims and not any(id(c.value) in asked for c in containers):
        word = f"it is sent to a GPU node ({sent[0]}), but no container has a GPU limit"
        yield broken(sent[1], word)


def _of_asker(asker: Asker, world: World) -> Iterator[Check]:
    name = asker.name
    for word, part in (("requests", asker.requests), ("limits", asker.limits)):
        if part is not None and part.unknown:
            yield undecided(part, f"{word} of {name}")
            return
    for gpu in asker.gpus():
        check = _one(asker, gpu, name)
        if gpu_name(gpu) == "yes" or check.state != "broken":
            yield check
        elif gpu not in world.harmless:
            yield in_doubt(
                asker.amount(gpu) or asker.node,
                f"{check.text}; if {gpu} is no GPU, name it in harmless_kinds",
            )


def _one(asker: Asker, gpu: str, name: str) -> Check:
    request = (asker.requests or Node({})).fields.get(gpu)
    limit = (asker.limits or Node({})).fields.get(gpu)
    if limit is None:
        at = request if request is not None else asker.node
        if request is not None and not request.unknown and whole(request.value) == 0:
            return kept(request)
        return broken(at, f"{name} requests {gpu} without a limit: Kubernetes refuses it")
    for node in (limit, request) if request is not None else (limit,):
        if is_template(node):
            return undecided(node, f"{gpu} of {name}")
        if whole(node.value) is None:
            return broken(node, f"{gpu} of {name} is not a whole number >= 0")
    if request is not None and whole(request.value) != whole(limit.value):
        return broken(limit, f"{name} requests another number of {gpu} than its limit")
    return kept(limit)
