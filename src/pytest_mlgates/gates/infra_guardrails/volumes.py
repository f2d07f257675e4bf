"""Does a volume go when what it was made for goes?"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_mlgates.gates.infra_guardrails.check import Check, broken, in_doubt, kept, undecided
from pytest_mlgates.gates.infra_guardrails.kubernetes.pods import is_template
from pytest_mlgates.gates.infra_guardrails.world import Resource
from pytest_mlgates.reading.node import Node

__all__ = ["reclaim"]

_GOOGLE = {
    "google_compute_instance": ("boot_disk",),
    "google_compute_instance_template": ("disk",),
    "google_compute_region_instance_template": ("disk",),
}
#: volumes that stand by themselves in a configuration
_OWN = {
    "aws_ebs_volume", "google_compute_disk", "google_compute_region_disk", "azurerm_managed_disk",
    "oci_core_volume", "openstack_blockstorage_volume", "digitalocean_volume", "hcloud_volume",
}  # fmt: skip


def reclaim(resource: Resource, *_: object) -> Iterator[Check]:
    """Ask for reclaim by deletion."""
    body = resource.body
    if resource.kind == "StorageClass" and resource.group in ("storage.k8s.io", ""):
        policy = body.get("reclaimPolicy")
        yield _reclaim_policy(policy, resource.field("reclaimPolicy"), body, default="Delete")
    elif resource.kind == "PersistentVolume" and resource.group == "":
        name = "persistentVolumeReclaimPolicy"
        yield _reclaim_policy(body.get("spec", name), resource.field(name), body, default="Retain")
    elif resource.kind == "VolumeSnapshotClass":
        yield _reclaim_policy(body.get("deletionPolicy"), "deletionPolicy", body, default="Retain")
    elif resource.kind == "StatefulSet" and body.get("spec", "volumeClaimTemplates") is not None:
        name = "persistentVolumeClaimRetentionPolicy"
        when = body.get("spec", name, "whenDeleted")
        yield _reclaim_policy(when, f"{name}.whenDeleted", body, default="Retain")
    elif resource.group == "terraform":
        yield from _of_terraform(resource)


def _of_terraform(resource: Resource) -> Iterator[Check]:
    body = resource.body
    if resource.kind == "aws_instance":
        for name in ("root_block_device", "ebs_block_device"):
            for block in (body.get(name) or Node([])).items:
                yield _deleted(block, block, "delete_on_termination", default=True)
    elif resource.kind == "aws_launch_template":
        for mapping in (body.get("block_device_mappings") or Node([])).items:
            ebs = mapping.get("ebs")
            if ebs is not None:
                yield _deleted(ebs, mapping, "delete_on_termination", default=None)
    elif resource.kind in _GOOGLE:
        for name in _GOOGLE[resource.kind]:
            for block in (body.get(name) or Node([])).items:
                yield _deleted(block, block, "auto_delete", default=True)
    elif resource.kind in _OWN:
        text = "a volume of its own: nothing deletes it with the machine that it was made for"
        way = f"declare it in the machine's block, or name {resource.kind} in harmless_kinds"
        yield in_doubt(body, f"{text} ({way})")


def _reclaim_policy(node: Node | None, word: str, body: Node, *, default: str) -> Check:
    if node is not None and is_template(node):
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


def _deleted(block: Node, place: Node, word: str, *, default: bool | None) -> Check:
    node = block.get(word)
    if node is not None and node.unknown:
        return undecided(node, word)
    value = default if node is None or node.value is None else node.value
    at = node if node is not None else place
    if value in (True, "true"):
        return kept(at)
    if value is None:
        return in_doubt(at, f"no {word}: its default is the image's (set it)")
    return broken(at, f"{word} is false: the volume stays, and is billed")
