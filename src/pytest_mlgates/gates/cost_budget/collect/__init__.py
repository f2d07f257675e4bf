"""Inventories from the files that commands write: each collector reads one kind of them.

A collector is a function from what a file holds to records of pods, nodes and volumes, or None
where the file is not of its kind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_mlgates.core import Unmeasurable
from pytest_mlgates.gates.cost_budget.collect import aws, azure, gcp, kubernetes, nise, prometheus
from pytest_mlgates.gates.cost_budget.collect.records import Records, dig, unfinished
from pytest_mlgates.reading.tables import KINDS, load_json
from pytest_mlgates.reading.text import kind_of

__all__ = ["COLLECTORS", "Collected", "collect"]


@dataclass(frozen=True, slots=True)
class Collected:
    """The records of a file, and the command that writes such."""

    file: str
    command: str
    records: Records


#: what a file's JSON is tried as, in turn
_OF_JSON: dict[str, Callable[[object], Records | None]] = {
    "a Prometheus range query (DCGM, kube-state-metrics)": prometheus.collect,
    "aws ec2 describe-…": aws.collect,
    "gcloud compute … list": gcp.collect,
    "az … list": azure.collect,
}
COLLECTORS = (
    "kubectl get pods,nodes,pvc,pv -A -o json, of a Prometheus range query of DCGM_FI_DEV_GPU_UTIL"
    " or kube_node_info, of aws ec2 describe-volumes or describe-instances, gcloud compute disks or"
    " instances list --format json, az disk or vm list, or OpenShift usage reports (CSV)"
)


def collect(files: Iterable[Path], how: str) -> tuple[list[Collected], list[Path], list[str]]:
    """Return what commands wrote into files, the files that no collector knows, and what lacks.

    What several files say of one cluster is read as if one of them said it. A listing lacks its
    end where each file of its command says that there is more.
    """
    ends: dict[str, list[tuple[str, str]]] = {}
    found: list[Collected] = []
    cluster: list[tuple[Path, object]] = []
    others: list[Path] = []
    for file in files:
        document = load_json(file) if kind_of(file) == ".json" else None
        if kubernetes.is_kubernetes(document):
            kind = f"kubectl {dig(document, 'kind')}"
            ends.setdefault(kind, []).append((file.name, unfinished(document)))
            cluster.append((file, document))
            continue
        one = _collected(file, document, how)
        if one is None:
            others.append(file)
        else:
            ends.setdefault(one.command, []).append((file.name, unfinished(document)))
            found.append(one)
    if cluster:
        names = " and ".join(file.name for file, _ in cluster[:3])
        records = kubernetes.collect(document for _, document in cluster)
        found.append(Collected(names, "kubectl get -o json", records))
    lacks = [
        f"{pages[-1][0]}: it says by {pages[-1][1]} that it is not all: hand in the rest of it"
        for pages in ends.values()
        if all(more for _, more in pages) or any(more == "warnings" for _, more in pages)
    ]
    return found, others, lacks


def _collected(file: Path, document: object, how: str) -> Collected | None:
    if kind_of(file) == ".json":
        for name, collector in _OF_JSON.items():
            found = collector(document)
            if found is not None:
                return Collected(file.name, name, found)
        if isinstance(document, Mapping) and not set(document) <= {"pods", "nodes", "volumes"}:
            raise Unmeasurable(f"{file.name} is of no command that is known: {how}")
        return None
    if kind_of(file) not in KINDS:
        raise Unmeasurable(f"{file.name} is of a kind that can't be read: {how}")
    records = nise.collect(file)
    return None if records is None else Collected(file.name, "an OpenShift usage report", records)
