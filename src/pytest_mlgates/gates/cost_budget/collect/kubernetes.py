"""``kubectl get pods,nodes,pvc,pv -A -o json``: what there is, and what pods stand on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pytest_mlgates.gates.cost_budget.collect.records import Record, Records, dig, gpus_in, mappings
from pytest_mlgates.reading.devices import gpu_name

__all__ = ["collect", "is_kubernetes"]

_Item = Mapping[str, Any]
#: labels that say which part of a job a pod is, whoever's operator set them
_ROLE = re.compile(r"(role|type|component|task)[\w-]*$")
_DRIVERS = {"driver", "head", "launcher", "master", "chief", "scheduler", "coordinator"}
#: labels that say which job, the pods of one job having the same value
_JOB = re.compile(r"(job-name|job-id|cluster|cluster-name|app-selector|app-name|group-name)$")
#: where a PersistentVolume names what the cloud calls it
_HANDLES = (
    ("csi", "volumeHandle"), ("awsElasticBlockStore", "volumeID"), ("azureDisk", "diskURI"),
    ("gcePersistentDisk", "pdName"), ("vsphereVolume", "volumePath"), ("cinder", "volumeID"),
)  # fmt: skip


def is_kubernetes(document: object) -> bool:
    """Tell whether a document is an object of Kubernetes, or a list of them.

    >>> is_kubernetes({"apiVersion": "v1", "kind": "List", "items": []})
    True
    """
    return isinstance(document, Mapping) and isinstance(document.get("apiVersion"), str)


def collect(documents: Iterable[object]) -> Records:
    """Return the records of lists of Kubernetes objects: of several files, as of one.

    A pod's driver is the pod of its job that a label calls so; where there is none, its use is
    for DCGM to tell. A volume whose pods have all ended is attached to nothing since then.
    """
    by_kind: dict[str, list[_Item]] = {}
    for document in documents:
        if not isinstance(document, Mapping):
            continue
        kind_of_list = str(document.get("kind", "")).removesuffix("List")
        by_kind.setdefault(kind_of_list, [])  # an empty list of a kind says that there is none
        for item in mappings(document["items"]) if "items" in document else [document]:
            by_kind.setdefault(str(item.get("kind") or kind_of_list), []).append(item)
    pods = by_kind.get("Pod")
    records: Records = {}
    if pods is not None:
        records["pods"] = list(_pods(pods, _claims(by_kind.get("ResourceClaim", []))))
    if "Node" in by_kind:
        records["nodes"] = [_node(item) for item in by_kind["Node"]]
    if {"PersistentVolume", "PersistentVolumeClaim"} & set(by_kind):
        claims = by_kind.get("PersistentVolumeClaim", [])
        volumes = by_kind.get("PersistentVolume", [])
        attached = by_kind.get("VolumeAttachment", [])
        records["volumes"] = list(_volumes(volumes, claims, pods, attached))
    return records


def _name(item: _Item) -> tuple[str, str]:
    return str(dig(item, "metadata", "namespace") or ""), str(dig(item, "metadata", "name") or "")


def _ended(pod: _Item) -> str | None:
    """Return when a pod had ended: its last container, or None while it may still run."""
    if dig(pod, "status", "phase") not in ("Succeeded", "Failed"):
        return None
    finished = [
        str(at)
        for status in mappings(dig(pod, "status", "containerStatuses"))
        if (at := dig(status, "state", "terminated", "finishedAt"))
    ]
    finished += [
        str(condition["lastTransitionTime"])
        for condition in mappings(dig(pod, "status", "conditions"))
        if condition.get("type") == "Ready" and condition.get("lastTransitionTime")
    ][: not finished]
    return max(finished, default="") or None


def _gpus(pod: _Item) -> float:
    """Return the GPUs that a pod is scheduled with: side cars count, and the largest first step."""

    def asked(container: _Item) -> float:
        resources = container.get("resources")
        return max(gpus_in(dig(resources, "limits")), gpus_in(dig(resources, "requests")))

    first = list(mappings(dig(pod, "spec", "initContainers")))
    beside = [c for c in first if c.get("restartPolicy") == "Always"]
    running = sum(map(asked, [*mappings(dig(pod, "spec", "containers")), *beside]))
    return max([running, *(asked(c) for c in first if c not in beside)])


def _claims(claims: Iterable[_Item]) -> dict[tuple[str, str], float]:
    """Return how many GPUs each claim of devices was given."""
    found: dict[tuple[str, str], float] = {}
    for claim in claims:
        given = dig(claim, "status", "allocation", "devices", "results")
        if isinstance(given, list):
            drivers = (str(device.get("driver")) for device in mappings(given))
            found[_name(claim)] = float(sum(map(_drives_gpus, drivers)))
    return found


def _drives_gpus(driver: str) -> bool:
    """Tell of a driver's name, ``gpu.nvidia.com``, whether its devices are GPUs."""
    device, _, vendor = driver.partition(".")
    return gpu_name(f"{vendor or driver}/{device}") == "yes"


def _claimed(pod: _Item, claims: Mapping[tuple[str, str], float]) -> float | None:
    """Return the GPUs that a pod has by claims, None where that is not known."""
    made = {
        dig(status, "name"): dig(status, "resourceClaimName")
        for status in mappings(dig(pod, "status", "resourceClaimStatuses"))
    }
    total = 0.0
    for claim in mappings(dig(pod, "spec", "resourceClaims")):
        name = claim.get("resourceClaimName") or made.get(claim.get("name"))
        gpus = claims.get((_name(pod)[0], str(name)))
        if gpus is None:
            return None
        total += gpus
    return total


def _role(pod: _Item) -> tuple[bool, set[tuple[str, str]]]:
    """Return whether labels call a pod the driver of its job, and which jobs they name."""
    labels = dig(pod, "metadata", "labels") or {}
    drives = any(_ROLE.search(str(k)) and str(v).lower() in _DRIVERS for k, v in labels.items())
    return drives, {(str(k), str(v)) for k, v in labels.items() if _JOB.search(str(k))}


def _pods(pods: list[_Item], claims: Mapping[tuple[str, str], float]) -> Iterator[Record]:
    drivers: dict[tuple[str, str, str], _Item] = {}
    for pod in pods:
        drives, jobs = _role(pod)
        for key, job in jobs if drives else ():
            drivers.setdefault((_name(pod)[0], key, job), pod)
    for pod in pods:
        namespace, name = _name(pod)
        claimed = _claimed(pod, claims)
        record: Record = {
            "name": name,
            "namespace": namespace,
            "node": dig(pod, "spec", "nodeName"),
            "gpus": _gpus(pod) + (claimed or 0.0),
            "claims": claimed is None,
            "start": dig(pod, "status", "startTime"),
            "end": _ended(pod),
        }
        drives, jobs = _role(pod)
        found = (drivers.get((namespace, *job)) for job in sorted(jobs))
        driver = None if drives else next((each for each in found if each is not None), None)
        if driver is not None:
            gone = _ended(driver)
            if gone is not None or dig(driver, "status", "phase") == "Running":
                record |= {"driver": _name(driver)[1], "driver_end": gone}
        yield record


def _node(node: _Item) -> Record:
    status = dig(node, "status") or {}
    return {
        "name": _name(node)[1],
        "provider_id": dig(node, "spec", "providerID"),
        "gpus": max(gpus_in(dig(status, "capacity")), gpus_in(dig(status, "allocatable"))),
    }


def _volumes(
    volumes: Iterable[_Item],
    claims: Iterable[_Item],
    pods: list[_Item] | None,
    attached: Iterable[_Item],
) -> Iterator[Record]:
    users = _users(pods or [])
    held = {
        str(dig(each, "spec", "source", "persistentVolumeName")): str(dig(each, "spec", "nodeName"))
        for each in attached
        if dig(each, "status", "attached")
    }
    named: set[tuple[str, str]] = set()
    for volume in volumes:
        own = _name(volume)[1]
        claim = (
            str(dig(volume, "spec", "claimRef", "namespace") or ""),
            str(dig(volume, "spec", "claimRef", "name") or ""),
        )
        named.add(claim)
        record: Record = {
            "name": claim[1] or own,
            "namespace": claim[0],
            "volume_id": _handle(volume),
            "also_id": own,
        }
        phase = dig(volume, "status", "phase")
        if own in held:
            record["attached_to"] = held[own]
        elif phase in ("Released", "Available", "Failed"):
            record |= {
                "attached_to": "",
                "detached_at": dig(volume, "status", "lastPhaseTransitionTime"),
            }
        elif pods is not None:
            record |= _use(users.get(claim, []))
        yield record
    for item in claims:
        claim = _name(item)
        if claim in named:
            continue
        record = {
            "name": claim[1],
            "namespace": claim[0],
            "also_id": dig(item, "spec", "volumeName"),
        }
        if pods is not None:
            record |= _use(users.get(claim, []))
        yield record


def _handle(volume: _Item) -> str | None:
    found = (dig(volume, "spec", *keys) for keys in _HANDLES)
    return next((str(handle) for handle in found if handle), None)


def _users(pods: Iterable[_Item]) -> dict[tuple[str, str], list[_Item]]:
    """Return the pods of each claim."""
    users: dict[tuple[str, str], list[_Item]] = {}
    for pod in pods:
        namespace, name = _name(pod)
        for volume in mappings(dig(pod, "spec", "volumes")):
            claim = dig(volume, "persistentVolumeClaim", "claimName")
            if claim is None and isinstance(volume.get("ephemeral"), Mapping):
                claim = f"{name}-{volume.get('name')}"
            if claim:
                users.setdefault((namespace, str(claim)), []).append(pod)
    return users


def _use(users: list[_Item]) -> Record:
    """Return what the pods of a claim say: in use, or by nobody since they ended."""
    ends = [_ended(pod) for pod in users]
    running = [pod for pod, end in zip(users, ends, strict=True) if end is None]
    if running:
        return {"attached_to": _name(running[0])[1]}
    return {"attached_to": "", "detached_at": max((end for end in ends if end), default=None)}
