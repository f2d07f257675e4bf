"""Inventories from the files that commands write: each collector reads one kind of them.

A collector is a function from what a file holds to records of pods, nodes and volumes, or None
where the file is not of its kind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from pytest_mlgates.core import Unmeasurable
from pytest_mlgates.gates.cost_budget.collect import aws, azure, gcp, kubernetes, nise, prometheus
from pytest_mlgates.gates.cost_budget.collect.records import Records
from pytest_mlgates.reading.tables import KINDS
from pytest_mlgates.reading.text import kind_of

__all__ = ["COLLECTORS", "Records", "collect"]

#: what a file's JSON is tried as, in turn
_OF_JSON: dict[str, Callable[[object], Records | None]] = {
    "kubectl get -o json": kubernetes.collect,
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


def collect(file: Path, document: object, how: str) -> tuple[str, Records] | None:
    """Return which command wrote a file and its records, or None where no collector knows it.

    ``document`` is what it holds where that is JSON.
    """
    if kind_of(file) == ".json":
        for name, collector in _OF_JSON.items():
            found = collector(document)
            if found is not None:
                return name, found
        if isinstance(document, Mapping):
            raise Unmeasurable(f"{file.name} is of no command that is known: {how}")
        return None
    if kind_of(file) not in KINDS:
        raise Unmeasurable(f"{file.name} is of a kind that can't be read: {how}")
    found = nise.collect(file)
    return None if found is None else ("an OpenShift usage report", found)
