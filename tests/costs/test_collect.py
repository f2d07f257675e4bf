"""Inventories from the files that commands write."""

from __future__ import annotations

import csv
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pytest_mlgates.core import Outcome, Unmeasurable
from pytest_mlgates.gates.cost_budget import CostBudget
from pytest_mlgates.gates.cost_budget.collect.records import gpus_in
from pytest_mlgates.gates.cost_budget.inventory import read_inventory
from pytest_mlgates.gates.cost_budget.periods import iso
from tests.costs.bills import hours


def read(source, min_utilization=0.05):
    return read_inventory(source, min_utilization=min_utilization)


def windows(source):
    return [(w.rule, w.name, iso(w.start)[:16]) for w in read(source).windows]


def put(folder, name, content):
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


# Kubernetes


def pod(name, phase="Running", *, labels=None, gpus="1", ended=None, claims=(), space="training"):
    status = {"phase": phase, "startTime": "2026-05-14T17:00:00Z"}
    if ended:
        status["containerStatuses"] = [{"state": {"terminated": {"finishedAt": ended}}}]
    limits = {"nvidia.com/gpu": gpus} if gpus else {}
    return {
        "kind": "Pod", "apiVersion": "v1",
        "metadata": {"name": name, "namespace": space, "labels": labels or {}},
        "spec": {
            "nodeName": f"node-{name}",
            "containers": [{"name": "main", "resources": {"limits": limits}}],
            "volumes": [
                *({"name": c, "persistentVolumeClaim": {"claimName": c}} for c in claims),
                {"name": "cache", "emptyDir": {}},
            ],
        },
        "status": status,
    }  # fmt: skip


def node(name, provider, gpus="8"):
    capacity = {"cpu": "96", "nvidia.com/gpu": gpus}
    return {
        "kind": "Node", "metadata": {"name": name}, "spec": {"providerID": provider},
        "status": {"capacity": capacity, "allocatable": capacity},
    }  # fmt: skip


def volume(name, phase, claim="data", since=None, **source):
    status = {"phase": phase} | ({"lastPhaseTransitionTime": since} if since else {})
    return {
        "kind": "PersistentVolume", "metadata": {"name": name}, "status": status,
        "spec": {"claimRef": {"namespace": "training", "name": claim}, **source},
    }  # fmt: skip


def listed(*items):
    return {"apiVersion": "v1", "kind": "List", "items": list(items)}


@pytest.mark.parametrize(
    ("role", "job"),
    [
        ({"spark-role": "driver"}, "spark-app-selector"),
        ({"ray.io/node-type": "head"}, "ray.io/cluster"),
        ({"training.kubeflow.org/replica-type": "master"}, "training.kubeflow.org/job-name"),
        ({"dask.org/component": "scheduler"}, "dask.org/cluster-name"),
    ],
)
def test_the_driver_is_what_a_label_calls_so(role, job, tmp_path):
    [(key, _)] = role.items()
    worker = pod("w", labels={key: "worker", job: "x"})
    other = pod("other", labels={key: "worker", job: "y"})
    for phase, ended, wanted in (
        ("Running", None, []),
        ("Failed", "2026-05-15T16:00:00Z", [("idle_gpu_pods", "training/w", "2026-05-15 16:00")]),
    ):
        driver = pod("d", phase, labels={**role, job: "x"}, gpus="", ended=ended)
        path = put(tmp_path, "k.json", listed(driver, worker, other))
        assert windows(path) == wanted
        # of the other job no driver is known, and that is not "none"
        [text] = read(path).unjudged
        assert text.startswith("pod training/other: neither a driver nor a utilization")


def test_a_released_volume_and_one_whose_pods_have_ended(tmp_path):
    items = [
        volume("pv-1", "Released", since="2026-05-16T00:00:00Z", csi={"volumeHandle": "vol-1"}),
        volume("pv-2", "Bound", "scratch", csi={"volumeHandle": "vol-2"}),
        volume("pv-3", "Bound", "used", csi={"volumeHandle": "vol-3"}),
        volume("pv-4", "Bound", "nobody", csi={"volumeHandle": "vol-4"}),
        pod("done", "Succeeded", ended="2026-05-16T02:00:00Z", claims=["scratch"]),
        pod("busy", claims=["used"], gpus=""),
    ]
    path = put(tmp_path, "k.json", listed(*items))
    found = read(path)
    assert [(w.name, iso(w.start)[:16], w.resources[0]) for w in found.windows] == [
        ("training/data", "2026-05-16 00:00", "vol-1"),
        ("training/scratch", "2026-05-16 02:00", "vol-2"),
    ]
    assert any(
        "volume training/nobody: it is unattached, and since when is not known" in t
        for t in found.unjudged
    )
    # without the pods nothing can be said of a bound volume
    found = read(put(tmp_path, "k.json", listed(*items[:4])))
    assert len(found.windows) == 1
    assert sum("whether it is attached is not known" in text for text in found.unjudged) == 3


def test_accelerators_of_any_maker():
    for name in (
        "nvidia.com/gpu", "nvidia.com/mig-3g.20gb", "nvidia.com/gpu.shared", "amd.com/gpu",
        "gpu.intel.com/i915", "gpu.intel.com/xe", "google.com/tpu", "aws.amazon.com/neuron",
        "habana.ai/gaudi", "huawei.com/Ascend910", "volcano.sh/vgpu-number", "cambricon.com/mlu",
        "aws.amazon.com/neuroncore", "hygon.com/dcunum", "tencent.com/vcuda-core",
    ):  # fmt: skip
        assert gpus_in({name: "2"}) == 2, name
    for name in ("cpu", "memory", "ephemeral-storage", "hugepages-2Mi", "example.com/dongle",
                 "vpc.amazonaws.com/pod-eni", "volcano.sh/vgpu-memory", "smarter-devices/fuse"):  # fmt: skip
        assert gpus_in({name: "2"}) == 0, name


# Prometheus


def series(metric, values, **labels):
    return {"metric": {"__name__": metric, **labels}, "values": values}


def answer(*result, kind="matrix"):
    return {"status": "success", "data": {"resultType": kind, "result": list(result)}}


BEGIN = int(datetime(2026, 5, 15, tzinfo=UTC).timestamp())


def use(*values, gpu="0", name="w", metric="DCGM_FI_DEV_GPU_UTIL", **labels):
    samples = [[BEGIN + 3600 * n, str(v)] for n, v in enumerate(values)]
    about = {"namespace": "training", "pod": name, "Hostname": "n1", "gpu": gpu, **labels}
    return series(metric, samples, **about)


def test_use_is_the_mean_over_the_gpus_of_a_pod(tmp_path):
    path = put(tmp_path, "dcgm.json", answer(use(90, 0, 0, 9, 0), use(80, 0, 0, 9, 0, gpu="1")))
    found = read(path)
    assert [(iso(w.start)[11:16], iso(w.end)[11:16], w.gpus) for w in found.windows] == [
        ("01:00", "03:00", 2), ("04:00", "05:00", 2),
    ]  # fmt: skip
    # one of two in use: 4.5 % of both
    path = put(tmp_path, "dcgm.json", answer(use(9), use(0, gpu="1")))
    with pytest.raises(Unmeasurable, match="one sample"):
        read(path)
    path = put(tmp_path, "dcgm.json", answer(use(9, 9), use(0, 0, gpu="1")))
    assert len(read(path).windows) == 1
    assert read(path, min_utilization=0.04).windows == []


def test_a_share_and_a_renamed_label(tmp_path):
    quiet = use(0.01, 0.01, metric="DCGM_FI_PROF_GR_ENGINE_ACTIVE", pod="dcgm-exporter-x",
                exported_pod="real", exported_namespace="ml")  # fmt: skip
    free = use(0, 0, name="")
    assert windows(put(tmp_path, "p.json", answer(quiet, free)))[0][1] == "ml/real"


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (answer(kind="vector"), "no range of values"),
        ({"status": "error", "data": {"result": []}}, "no range of values"),
        (answer(use(1, 2, metric="up")), "without a metric that is known"),
        (answer(use("x", 2)), "no number"),
        ({"what": "ever"}, "of no command that is known"),
    ],
)
def test_answers_that_say_nothing(document, why, tmp_path):
    with pytest.raises(Unmeasurable, match=why):
        read(put(tmp_path, "a.json", document))


def test_use_beats_a_driver_that_is_there(tmp_path):
    """kubectl says that the driver runs; DCGM that nothing is computed."""
    labels = {"ray.io/node-type": "worker", "ray.io/cluster": "x"}
    head = pod("head", labels={**labels, "ray.io/node-type": "head"}, gpus="")
    put(tmp_path, "kubectl.json", listed(head, pod("w", labels=labels)))
    put(tmp_path, "dcgm.json", answer(use(0, 0, 0, 0, 0, 0)))
    assert [name for _, name, _ in windows(tmp_path)] == ["training/w"]


def test_use_that_is_known_of_a_part_only(tmp_path):
    put(tmp_path, "kubectl.json", listed(pod("w")))
    put(tmp_path, "dcgm.json", answer(use(90, 90)))
    [text] = read(tmp_path).unjudged  # it began 7 hours before the first sample
    assert "its use is known of 22% of the time that it ran" in text


def test_nodes_from_metrics(tmp_path):
    info = series("kube_node_info", [[BEGIN, "1"]], node="n1", provider_id="aws:///us-east-1a/i-1")
    put(tmp_path, "nodes.json", answer(info))
    put(tmp_path, "dcgm.json", answer(use(0, 0)))
    [window] = read(tmp_path).windows
    assert (window.node, window.share) == ("i-1", 1)  # the only pod on it


# the clouds' own


def test_listings_of_aws(tmp_path):
    put(tmp_path, "volumes-aws.json", {"Volumes": [
        {"VolumeId": "vol-1", "State": "available", "Attachments": [], "CreateTime": "2026-05-01T00:00:00Z"},
        {"VolumeId": "vol-2", "State": "in-use", "Attachments": [{"InstanceId": "i-1", "State": "attached"}]},
    ]})  # fmt: skip
    found = read(tmp_path)
    assert found.windows == []
    [text] = found.unjudged
    assert text.startswith("volume vol-1: it is unattached, and since when is not known")
    put(tmp_path, "kubectl.json", listed(
        volume("pv-1", "Released", since="2026-05-16T00:00:00Z", csi={"volumeHandle": "vol-1"}),
        # Kubernetes has let go of it, the instance has not
        volume("pv-2", "Released", since="2026-05-16T00:00:00Z", csi={"volumeHandle": "vol-2"}),
    ))  # fmt: skip
    found = read(tmp_path)
    assert [(w.name, w.resources[0]) for w in found.windows] == [("training/data", "vol-1")]
    assert found.unjudged == []
    assert found.kinds == {"volumes": 2}


def test_listings_of_google(tmp_path):
    link = "https://www.googleapis.com/compute/v1/projects/p/zones/z"
    disks = [
        {"kind": "compute#disk", "id": "98765", "name": "a", "selfLink": f"{link}/disks/a",
         "lastAttachTimestamp": "2026-05-01T00:00:00.000-07:00", "lastDetachTimestamp": "2026-05-15T17:00:00.000-07:00"},
        {"kind": "compute#disk", "id": "2", "name": "b", "selfLink": f"{link}/disks/b", "users": [f"{link}/instances/n"]},
        {"kind": "compute#disk", "id": "3", "name": "c", "selfLink": f"{link}/disks/c",
         "creationTimestamp": "2026-05-02T00:00:00.000-07:00"},
    ]  # fmt: skip
    found = read(put(tmp_path, "disks.json", disks))
    assert [(w.name, iso(w.start)[:16]) for w in found.windows] == [
        ("a", "2026-05-16 00:00"), ("c", "2026-05-02 07:00"),
    ]  # fmt: skip
    assert {"projects/p/z/disks/a", "disks/98765"} <= set(found.windows[0].resources)
    machines = [{"kind": "compute#instance", "id": "7", "name": "n", "selfLink": f"{link}/instances/n",
                 "guestAccelerators": [{"acceleratorCount": 4}]}]  # fmt: skip
    assert {"projects/p/z/instances/n", "instances/7", "n"} <= read(
        put(tmp_path, "i.json", machines)
    ).known


def test_listings_of_azure(tmp_path):
    disk = "/subscriptions/X/resourceGroups/MC/providers/Microsoft.Compute/disks/"
    disks = [
        {"id": f"{disk}a", "name": "a", "diskState": "Unattached", "LastOwnershipUpdateTime": "2026-05-16T00:00:00Z"},
        {"id": f"{disk}b", "name": "b", "diskState": "Attached", "managedBy": "/subscriptions/X/vm"},
        {"id": f"{disk}c", "name": "c", "properties": {"diskState": "Reserved"}},
        {"id": f"{disk}d", "name": "d"},
    ]  # fmt: skip
    for document in (disks, {"value": disks}):
        found = read(put(tmp_path, "disks.json", document))
        assert [(w.name, iso(w.start)[:16]) for w in found.windows] == [("a", "2026-05-16 00:00")]
        assert found.unjudged == ["volume d: whether it is attached is not known"]


def test_an_instance_of_a_scale_set_is_billed_with_the_set(tmp_path):
    path = (
        "/subscriptions/x/resourceGroups/mc/providers/Microsoft.Compute/virtualMachineScaleSets/gpu"
    )
    nodes = [node(f"node-w{n}", f"azure://{path}/virtualMachines/{n}") for n in range(2)]
    worker = {"labels": {"role": "worker", "job-name": "x"}, "gpus": "8"}
    driver = pod(
        "d",
        "Failed",
        labels={"role": "driver", "job-name": "x"},
        gpus="",
        ended="2026-05-15T00:00:00Z",
    )
    put(tmp_path, "kubectl.json", listed(driver, *nodes, pod("w0", **worker)))
    [window] = read(tmp_path).windows
    assert window.share == 1
    assert (window.pool, window.pool_share) == (path.lower(), 0.5)


# OpenShift


REPORTS = Path(os.environ.get("MLGATES_DATA", "no-data")) / "cloud_bill"


@pytest.mark.skipif(not REPORTS.is_dir(), reason="set MLGATES_DATA to the folder of real samples")
def test_usage_reports_of_openshift():
    found = read([REPORTS / f"nise_ocp_{name}_usage_600.csv" for name in ("pod", "gpu", "storage")])
    assert found.gpu_pods > 5
    assert found.kinds["nodes"] > 0
    assert any(identity.startswith("i-") for identity in found.known)
    assert len(found.unjudged) >= found.gpu_pods  # who holds a GPU is told, and not its use


def test_a_volume_is_unattached_between_two_intervals(tmp_path):
    rows = [
        {"interval_start": f"2026-05-15 {h:02}:00:00 +0000 UTC", "interval_end": f"2026-05-15 {h:02}:59:59 +0000 UTC",
         "namespace": "ml", "pod": "w" if h in (0, 5) else "", "node": "n", "persistentvolumeclaim": "c",
         "persistentvolume": "pv", "csi_volume_handle": "vol-1"}
        for h in range(8)
    ]  # fmt: skip
    with (tmp_path / "storage.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    assert [(iso(w.start)[11:16], iso(w.end)[11:16]) for w in read(tmp_path).windows] == [
        ("01:00", "04:59"), ("06:00", "07:59"),
    ]  # fmt: skip


# and the gate


def test_idle_pods_are_priced_by_the_node_that_kubectl_names(tmp_path):
    pytest.importorskip("duckdb", reason="the extra scale")
    charges = hours("i-1", 50, "8.00", ChargeDescription="p4d hours")
    labels = {"role": "worker", "job-name": "x"}
    driver = pod(
        "d", "Failed", labels={**labels, "role": "driver"}, gpus="", ended="2026-11-07T00:00:00Z"
    )
    worker = pod("w", labels=labels, gpus="2")
    worker["spec"]["nodeName"] = "n1"
    put(tmp_path, "kubectl.json", listed(driver, worker, node("n1", "aws:///us-east-1a/i-1")))
    gate = CostBudget(currency="USD", max_waste=50, unattached_days=None, period="month")
    evidence = gate.run(charges, tmp_path)
    assert evidence.outcome == Outcome.FAIL
    # 2 of its 8 GPUs, 50 hours of 8 USD
    assert evidence.measurement.details["waste"]["cost"] == "100.00"
    assert evidence.measurement.details["waste"]["sources"] == ("kubectl get -o json",)
