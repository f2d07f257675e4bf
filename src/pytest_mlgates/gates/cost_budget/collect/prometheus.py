"""Answers of Prometheus to a range query: use of GPUs (DCGM), and nodes (kube-state-metrics)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pytest_mlgates.core import Unmeasurable
from pytest_mlgates.gates.cost_budget.collect.records import Record, Records, dig, mappings
from pytest_mlgates.gates.cost_budget.shown import shown

__all__ = ["collect"]

#: metric of a GPU's use -> what is all of it
_USE = {
    "DCGM_FI_DEV_GPU_UTIL": 100.0,
    "DCGM_FI_PROF_GR_ENGINE_ACTIVE": 1.0,
    "gpu_gfx_activity": 100.0,
}
_NODES = "kube_node_info"
#: series of one pod on one node
_Key = tuple[str, str, str]


def collect(document: object) -> Records | None:
    """Return pods with the use of their GPUs from sample to sample, and nodes with their ids.

    A sample stands for the time up to the next one; GPUs of one pod count by their mean.
    """
    if dig(document, "status") == "error" and dig(document, "errorType"):
        raise Unmeasurable(
            f"Prometheus answered with an error ({shown(str(dig(document, 'errorType')))}): ask it again"
        )
    result = dig(document, "data", "result")
    if not isinstance(document, Mapping) or "status" not in document or result is None:
        return None
    if document["status"] != "success" or dig(document, "data", "resultType") != "matrix":
        raise Unmeasurable(
            "an answer of Prometheus is no range of values: ask /api/v1/query_range, with a step"
        )
    pods: dict[_Key, dict[float, list[float]]] = {}
    records: Records = {}
    for series in mappings(result):
        labels = series.get("metric") or {}
        name = labels.get("__name__")
        if name in _USE:
            key = _pod(labels)
            records.setdefault("pods", [])
            if not key[1]:
                continue  # a GPU that no pod has
            samples = pods.setdefault(key, {})
            for at, value in _samples(series):
                samples.setdefault(at, []).append(value / _USE[name])
        elif name == _NODES:
            node = {"name": labels.get("node"), "provider_id": labels.get("provider_id")}
            records.setdefault("nodes", []).append(node)
        else:
            raise Unmeasurable(
                f"a Prometheus answer holds series without a metric that is known ({', '.join(_USE)}"
                f" or {_NODES}): query the metric itself, without functions around it"
            )
    pods = {key: samples for key, samples in pods.items() if samples}  # all of one may be NaN
    step = _step(pods)
    for key, samples in pods.items():
        records["pods"] += _spans(key, samples, step)
    return records


def _step(pods: Mapping[_Key, Mapping[float, object]]) -> float:
    """Return the seconds from one sample to the next: the fewest that there are in any series."""
    gaps = (b - a for samples in pods.values() for a, b in itertools.pairwise(sorted(samples)))
    step = min(gaps, default=0.0)
    if pods and step <= 0:
        raise Unmeasurable(
            "a Prometheus answer has one sample of each pod: ask for a range of them"
        )
    return step


def _pod(labels: Mapping[str, Any]) -> _Key:
    """Return namespace, pod and node: what a scrape renamed goes before the exporter's own."""

    def first(*names: str) -> str:
        return next((str(labels[name]) for name in names if labels.get(name)), "")

    # the exporter's own pod is called `pod` where the scrape kept the workload's as `exported_pod`
    if labels.get("exported_pod"):
        return first("exported_namespace", "namespace"), str(labels["exported_pod"]), _host(labels)
    return first("namespace"), first("pod", "pod_name"), _host(labels)


def _host(labels: Mapping[str, Any]) -> str:
    return str(labels.get("Hostname") or labels.get("node") or labels.get("hostname") or "")


def _samples(series: Mapping[str, Any]) -> Iterator[tuple[float, float]]:
    for pair in series.get("values") or ():
        try:
            at, value = float(pair[0]), float(pair[1])
        except (TypeError, ValueError, LookupError):
            raise Unmeasurable("a Prometheus answer has a value that is no number") from None
        if value == value:  # noqa: PLR0124  (NaN: nothing was measured)
            yield at, value


def _spans(key: _Key, samples: Mapping[float, Sequence[float]], step: float) -> Iterator[Record]:
    """Yield the times of equal use."""
    namespace, pod, node = key
    times = sorted(samples)
    start = last = 0.0
    use, gpus = -1.0, 0

    def record() -> Record:
        return {
            "name": pod,
            "namespace": namespace,
            "node": node,
            "gpus": gpus,
            "start": _iso(start),
            "end": _iso(last + step),
            "gpu_utilization": min(use, 1.0),
        }

    for at in times:
        values = samples[at]
        mean = sum(values) / len(values)
        if gpus and (mean, len(values)) == (use, gpus) and at <= last + 1.5 * step:
            last = at
            continue
        if gpus:
            yield record()
        start, last, use, gpus = at, at, mean, len(values)
    yield record()


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
