"""OpenShift's usage reports, as koku-metrics-operator and nise write them: pods, GPUs, storage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from pytest_mlgates.gates.cost_budget.collect.records import Record, Records
from pytest_mlgates.reading.tables import missing, tables

__all__ = ["collect"]

#: a column that only that report has -> what it lists
_REPORTS = {
    "gpu_uuid": "gpus",
    "pod_usage_cpu_core_seconds": "pods",
    "persistentvolumeclaim": "storage",
}


def collect(file: Path) -> Records | None:
    """Return the records of a report, or None where the file is none.

    Who holds a GPU is told there, and not whether it was in use: that is for DCGM.
    """
    read = tables(file, "a table")  # closes its file when it goes
    table = next(read, None)
    if table is None or "interval_start" not in table.header:
        return None
    report = next((kind for column, kind in _REPORTS.items() if column in table.header), None)
    if report is None:
        return None
    records = list(table.records())
    if report == "gpus":
        return {"pods": list(_gpus(records))}
    if report == "pods":
        nodes = {(str(row["node"]), str(row.get("resource_id") or "")) for row in records}
        return {
            "nodes": [{"name": node, "provider_id": id_ or None} for node, id_ in sorted(nodes)]
        }
    return {"volumes": list(_volumes(records))}


def _gpus(records: list[Mapping[str, object]]) -> Iterator[Record]:
    """Yield each pod in each interval with the GPUs that it held."""
    held: dict[tuple[object, ...], set[object]] = {}
    for row in records:
        times = row["interval_start"], row["interval_end"]
        held.setdefault((*times, row["namespace"], row["pod"], row["node"]), set()).add(
            (row["gpu_uuid"], row.get("mig_instance_id"))
        )
    for (start, end, namespace, pod, node), gpus in held.items():
        names = {"name": pod, "namespace": namespace, "node": node}
        yield {**names, "gpus": len(gpus), "start": start, "end": end}


def _volumes(records: list[Mapping[str, object]]) -> Iterator[Record]:
    for row in records:
        yield {
            "name": row["persistentvolumeclaim"],
            "namespace": row["namespace"],
            "volume_id": row.get("csi_volume_handle"),
            "also_id": row.get("persistentvolume"),
            "attached_to": "" if missing(row.get("pod")) else row["pod"],
            "start": row["interval_start"],
            "end": row["interval_end"],
        }
