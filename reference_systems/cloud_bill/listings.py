"""What people have of a cluster: the files that kubectl and Prometheus write.

``kubectl get pods,nodes,pvc -A -o json`` was asked on Monday morning, before anybody cleaned up,
and ``kubectl get --raw /api/v1/persistentvolumes``, whose list says so where there is none: they
know what was there then. Prometheus was asked for the whole month, an hour a step. What
neither of them saw, such as a volume that lived for an hour on Thursday, no gate can find.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from reference_systems.cloud_bill.memory import HOUR, Listing, MemoryCluster, Pod, Volume
from reference_systems.cloud_bill.shapes import Shape

__all__ = ["write"]


def write(cluster: MemoryCluster, shape: Shape, folder: Path) -> Path:
    """Write the files; return their folder."""
    folder.mkdir(parents=True, exist_ok=True)
    if cluster.listing is not None:
        _put(folder / "kubectl.json", _kubectl(cluster.listing, shape))
        _put(folder / "persistentvolumes.json", _volumes(cluster.listing, shape))
    pods = [pod for pod in cluster.pods if pod.gpus]
    use = [series for pod in pods for series in _use(pod, shape, cluster.clock)]
    _put(folder / "dcgm_gpu_util.json", _answer(use))
    _put(folder / "kube_node_info.json", _answer([_node_info(pod, shape) for pod in pods]))
    return folder


def _put(path: Path, document: object) -> None:
    path.write_text(json.dumps(document), encoding="utf-8")


def _stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


# kubectl


def _kubectl(listing: Listing, shape: Shape) -> dict[str, Any]:
    running = [pod for pod in listing.pods if pod.end is None]
    items = [*map(_named_pod(listing, shape), listing.pods)]
    items += [_node(pod, shape) for pod in running]
    items += [_claim(volume) for volume in listing.volumes if volume.released is None]
    return {"apiVersion": "v1", "kind": "List", "items": items}


def _named_pod(listing: Listing, shape: Shape) -> Any:
    scratch = {volume.pod for volume in listing.volumes if volume.released is None}

    def made(pod: Pod) -> dict[str, Any]:
        status: dict[str, Any] = {"phase": "Running", "startTime": _stamp(pod.start)}
        if pod.end is not None:
            ended = {"state": {"terminated": {"finishedAt": _stamp(pod.end)}}}
            status |= {"phase": "Succeeded", "containerStatuses": [ended]}
        volumes = [{"name": "scratch", "ephemeral": {}}] if pod.name in scratch else []
        limits = {"nvidia.com/gpu": str(pod.gpus)} if pod.gpus else {}
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": pod.name, "namespace": pod.namespace, "labels": {}},
            "spec": {
                "nodeName": shape.node(pod),
                "containers": [{"name": "main", "resources": {"limits": limits}}],
                "volumes": volumes,
            },
            "status": status,
        }

    return made


def _node(pod: Pod, shape: Shape) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": shape.node(pod)},
        "spec": {"providerID": shape.provider(pod)},
        "status": {"capacity": {"nvidia.com/gpu": str(pod.gpus)}},
    }


def _volumes(listing: Listing, shape: Shape) -> dict[str, Any]:
    items = [_volume(volume, shape) for volume in listing.volumes]
    return {"apiVersion": "v1", "kind": "PersistentVolumeList", "items": items}


def _of(volume: Volume) -> dict[str, str]:
    return {"namespace": volume.namespace, "name": f"{volume.pod}-scratch"}


def _volume(volume: Volume, shape: Shape) -> dict[str, Any]:
    status = {"phase": "Bound"}
    if volume.released is not None:
        status = {"phase": "Released", "lastPhaseTransitionTime": _stamp(volume.released)}
    return {
        "metadata": {"name": f"pvc-{volume.name}"},
        "spec": {"claimRef": _of(volume), "csi": {"volumeHandle": shape.handle(volume)}},
        "status": status,
    }


def _claim(volume: Volume) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": _of(volume),
        "spec": {"volumeName": f"pvc-{volume.name}"},
    }


# Prometheus


def _answer(result: list[dict[str, Any]]) -> dict[str, Any]:
    return {"status": "success", "data": {"resultType": "matrix", "result": result}}


def _use(pod: Pod, shape: Shape, until: datetime) -> Iterator[dict[str, Any]]:
    """Yield the use of each GPU of a pod, hour by hour: none once its driver is gone."""
    samples = []
    hour = pod.start
    while hour < (pod.end or until):
        idle = pod.driver_end is not None and hour >= pod.driver_end
        samples.append([hour.timestamp(), "0" if idle else f"{100 * pod.utilization:.0f}"])
        hour += HOUR
    for gpu in range(pod.gpus):
        metric = {
            "__name__": "DCGM_FI_DEV_GPU_UTIL",
            "Hostname": shape.node(pod),
            "namespace": pod.namespace,
            "pod": pod.name,
            "gpu": str(gpu),
        }
        yield {"metric": metric, "values": samples}


def _node_info(pod: Pod, shape: Shape) -> dict[str, Any]:
    metric = {
        "__name__": "kube_node_info",
        "node": shape.node(pod),
        "provider_id": shape.provider(pod),
    }
    return {"metric": metric, "values": [[pod.start.timestamp(), "1"]]}
