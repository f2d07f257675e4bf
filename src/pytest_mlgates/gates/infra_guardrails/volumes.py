"""Does a volume go when what it was made for goes?"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_mlgates.gates.infra_guardrails.check import Check, broken, kept, undecided
from pytest_mlgates.gates.infra_guardrails.resources import Resource
from pytest_mlgates.reading.node import Node, template_in

__all__ = ["reclaim"]


def reclaim(resource: Resource, *_: object) -> Iterator[Check]:
    """Ask for reclaim by deletion."""
    body = resource.body
    if resource.kind == "StorageClass" and resource.group in ("storage.k8s.io", ""):
        policy = body.get("reclaimPolicy")
        yield _reclaim_policy(policy, resource.field("reclaimPolicy"), body, default="Delete")
    elif resource.kind == "PersistentVolume" and resource.group == "":
        name = "persistentVolumeReclaimPolicy"
        yield _reclaim_policy(body.get("spec", name), resource.field(name), body, default="Retain")
    elif resource.kind == "aws_instance":
        for name in ("root_block_device", "ebs_block_device"):
            for block in (body.get(name) or Node([])).items:
                yield _deleted(block, block, default=True)
    elif resource.kind == "aws_launch_template":
        for mapping in (body.get("block_device_mappings") or Node([])).items:
            ebs = mapping.get("ebs")
            if ebs is not None:
                yield _deleted(ebs, mapping, default=None)


def _reclaim_policy(node: Node | None, word: str, body: Node, *, default: str) -> Check:
    if node is not None and (node.unknown or template_in(str(node.value))):
        return undecided(node, word)
    value = default if node is None or node.value is None else node.value
    at = node if node is not None else body
    if value == "Delete":
        return kept(at)
    how = "is Retain" if value == "Retain" else "is not Delete"
    unsaid = " (where it is not set)" if node is None else ""
    return broken(
        at, f"{word} {how}{unsaid}: the volume stays, and is billed, when its claim is gone"
    )


def _deleted(block: Node, place: Node, *, default: bool | None) -> Check:
    node = block.get("delete_on_termination")
    if node is not None and node.unknown:
        return undecided(node, "delete_on_termination")
    value = default if node is None or node.value is None else node.value
    at = node if node is not None else place
    if value in (True, "true"):
        return kept(at)
    if value is None:
        return Check(
            "open", at.place, "no delete_on_termination: its default is the image's (set it)"
        )
    return broken(at, "delete_on_termination is false: the volume stays, and is billed")
