"""What the manifests of a build say: jobs with TTL and deadline, volumes, and the zones of a pool."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hcl2
import yaml
from hcl2.utils import SerializationOptions

__all__ = ["FOLDER", "JobSpec", "Spec", "read"]

FOLDER = Path(__file__).parent / "manifests"


@dataclass(frozen=True, slots=True)
class JobSpec:
    """A Job (or the Deployment that serves) as its manifest has it."""

    kind: str
    namespace: str
    name: str
    pods: int
    gpus: int
    scratch_gb: int
    ttl_s: int | None
    deadline_s: int | None
    owner: str


@dataclass(frozen=True, slots=True)
class Spec:
    """One build: its jobs by name, the zones of its GPU nodes, whether volumes are deleted."""

    jobs: dict[str, JobSpec]
    zones: tuple[str, ...]
    volumes_go: bool


def read(build: str) -> Spec:
    """Read the manifests of ``incident`` or ``fixed``."""
    folder = FOLDER / build
    jobs: dict[str, JobSpec] = {}
    volumes_go = True
    for file in sorted((folder / "kubernetes").glob("*.yaml")):
        for manifest in yaml.safe_load_all(file.read_text(encoding="utf-8")):
            if manifest["kind"] == "StorageClass":
                volumes_go = manifest.get("reclaimPolicy", "Delete") == "Delete"
            else:
                job = _job(manifest)
                jobs[job.name] = job
    return Spec(jobs, _zones(folder / "terraform"), volumes_go)


def _job(manifest: dict[str, Any]) -> JobSpec:
    spec = manifest["spec"]
    if manifest["kind"] == "CronJob":
        spec = spec["jobTemplate"]["spec"]
    pod = spec["template"]["spec"]
    limits = pod["containers"][0].get("resources", {}).get("limits", {})
    scratch = [volume["ephemeral"] for volume in pod.get("volumes", []) if "ephemeral" in volume]
    size = (
        scratch[0]["volumeClaimTemplate"]["spec"]["resources"]["requests"]["storage"]
        if scratch
        else "0"
    )
    return JobSpec(
        kind=manifest["kind"],
        namespace=manifest["metadata"]["namespace"],
        name=manifest["metadata"]["name"],
        pods=spec.get("parallelism", spec.get("replicas", 1)),
        gpus=int(limits.get("nvidia.com/gpu", 0)),
        scratch_gb=int(size.removesuffix("G")),
        ttl_s=spec.get("ttlSecondsAfterFinished"),
        deadline_s=spec.get("activeDeadlineSeconds"),
        owner=manifest["metadata"].get("labels", {}).get("owner", ""),
    )


def _zones(folder: Path) -> tuple[str, ...]:
    """Return the zones of the subnets that the GPU node group names."""
    options = SerializationOptions(strip_string_quotes=True)
    files = [
        hcl2.loads(f.read_text(encoding="utf-8"), serialization_options=options)
        for f in sorted(folder.glob("*.tf"))
    ]
    resources = [resource for file in files for resource in file.get("resource", [])]
    subnets = {
        f"${{aws_subnet.{name}.id}}": body["availability_zone"]
        for resource in resources
        for name, body in resource.get("aws_subnet", {}).items()
    }
    groups = [resource.get("aws_eks_node_group", {}) for resource in resources]
    (group,) = [each["gpu"] for each in groups if "gpu" in each]
    return tuple(subnets[each] for each in group["subnet_ids"])
