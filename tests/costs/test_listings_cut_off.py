"""Listings that are not whole, GPUs by claims, bills under names of their clouds: told, never silent."""

from __future__ import annotations

import gzip
import json

import pytest

from pytest_mlgates.core import Outcome, Unmeasurable
from pytest_mlgates.gates.cost_budget import CostBudget
from pytest_mlgates.gates.cost_budget.collect.records import gpus_in, unfinished
from pytest_mlgates.gates.cost_budget.inventory import read_inventory

VOLUMES = {
    "Volumes": [{"VolumeId": "vol-1", "State": "in-use", "Attachments": [{"InstanceId": "i-1"}]}]
}


def read(tmp_path, **files):
    for name, document in files.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(document))
    return read_inventory(tmp_path, min_utilization=0.05)


@pytest.mark.parametrize(
    ("pages", "lacks"),
    [
        ([VOLUMES], False),
        ([{**VOLUMES, "NextToken": "a"}], True),
        ([{**VOLUMES, "NextToken": "a"}, VOLUMES], False),
        ([{**VOLUMES, "NextToken": "a"}, {**VOLUMES, "NextToken": "b"}], True),
        ([{"apiVersion": "v1", "kind": "PodList", "metadata": {"continue": "a"}, "items": []}], True),
        ([{"value": [{"id": "/subscriptions/s/providers/Microsoft.Compute/disks/d"}], "nextLink": "a"}], True),
    ],
)  # fmt: skip
def test_a_listing_without_its_end(tmp_path, pages, lacks):
    found = read(tmp_path, **{f"p{i}": page for i, page in enumerate(pages)})
    assert bool(found.unjudged) is lacks
    assert not lacks or "hand in the rest of it" in found.unjudged[0]


def use(value, **more):
    series = [{"metric": {"__name__": "DCGM_FI_DEV_GPU_UTIL", "namespace": "a", "pod": "p"},
               "values": [[1780000000 + 60 * i, value] for i in range(3)]}]  # fmt: skip
    return {"status": "success", "data": {"resultType": "matrix", "result": series}, **more}


def test_what_prometheus_could_not_say(tmp_path):
    assert unfinished(use("0", warnings=["partial response"])) == "warnings"
    assert read(tmp_path, u=use("NaN")).gpu_pods == 0
    with pytest.raises(Unmeasurable, match=r"answered with an error \(bad_data\)"):
        read(tmp_path, u={"status": "error", "errorType": "bad_data", "error": "x"})


def claimed(**status):
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "a"},
           "spec": {"nodeName": "n", "resourceClaims": [{"name": "g", "resourceClaimTemplateName": "t"}]},
           "status": {"phase": "Running", **status}}  # fmt: skip
    return {"apiVersion": "v1", "kind": "List", "items": [pod]}


def claim(driver):
    given = {"devices": {"results": [{"driver": driver}, {"driver": driver}]}}
    one = {"apiVersion": "resource.k8s.io/v1", "kind": "ResourceClaim", "metadata": {"name": "c", "namespace": "a"},
           "status": {"allocation": given}}  # fmt: skip
    return {"apiVersion": "v1", "kind": "List", "items": [one]}


def test_gpus_by_a_claim_are_not_silent(tmp_path):
    made = {"resourceClaimStatuses": [{"name": "g", "resourceClaimName": "c"}]}
    found = read(tmp_path, p=claimed())
    assert found.gpu_pods == 0
    assert "kubectl get resourceclaims" in found.unjudged[0]
    found = read(tmp_path, p=claimed(**made), c=claim("gpu.nvidia.com"))
    assert found.gpu_pods == 1
    assert "neither a driver nor a utilization" in found.unjudged[0]
    found = read(tmp_path, p=claimed(**made), c=claim("dra.net"))
    assert (found.gpu_pods, found.unjudged) == (0, [])
    found = read(tmp_path, p=claimed(), u=use("0"))  # its use tells of it all the same
    assert (found.gpu_pods, found.unjudged) == (1, [])


@pytest.mark.parametrize(
    ("name", "gpus"),
    [("nvidia.com/gpu", 2), ("cloud-tpus.google.com/v3", 2), ("qualcomm.com/qaic", 2), ("furiosa.ai/rngd", 2),
     ("nvidia.com/GA102GL_A10", 2), ("nvidia.com/mig-1g.5gb", 2), ("gpu.intel.com/xe", 2), ("aws.amazon.com/neuroncore", 2),
     ("nvidia.com/gpumem", 0), ("nvidia.com/gpucores", 0), ("rdma/hca", 0), ("cpu", 0), ("vpc.amazonaws.com/efa", 0)],
)  # fmt: skip
def test_gpus_of_all_vendors_count(name, gpus):
    assert gpus_in({name: "2"}) == gpus


def test_side_cars_and_first_steps_hold_gpus(tmp_path):
    asks = {"resources": {"limits": {"nvidia.com/gpu": 4}}}
    pods = [
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"p{i}", "namespace": "a"},
         "spec": {"nodeName": "n", "containers": [{}], "initContainers": [{**asks, **more}]}, "status": {"phase": "Running"}}
        for i, more in enumerate(({"restartPolicy": "Always"}, {}))
    ]  # fmt: skip
    assert read(tmp_path, p={"apiVersion": "v1", "kind": "List", "items": pods}).gpu_pods == 2


HEAD = "BilledCost,BillingCurrency,ChargePeriodStart,ChargePeriodEnd,ChargeCategory"


def days(first, last):
    return "".join(
        f"\n1,USD,2026-05-{d:02}T00:00:00Z,2026-05-{d + 1:02}T00:00:00Z,Usage"
        for d in range(first, last)
    )


def run(tmp_path, text, name="a.csv", **policy):
    file = tmp_path / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return CostBudget(**{"currency": "USD", "max_cost": 100.0, **policy}).run(file)


def test_a_week_that_runs_on_needs_no_forecast(tmp_path):
    """Eight days, the first a whole week: arithmetic decides, however few days a forecast would take."""
    bill = HEAD + days(4, 13)  # Monday, 4 May, to Tuesday of the week after
    passed = run(tmp_path, bill, period="week", daily_cap=2.0)
    assert passed.outcome == Outcome.PASS, passed.verdict
    first = run(tmp_path, HEAD + days(4, 8), period="week", daily_cap=2.0)
    assert "no week before is whole" in first.verdict.reason


def test_what_is_wrong_with_a_file_is_said(tmp_path):
    packed = run(tmp_path, gzip.compress((HEAD + days(1, 3)).encode()))
    assert "a.csv is packed with gzip: name it a.csv.gz" in packed.verdict.reason
    assert "a.csv is empty" in run(tmp_path, "").findings
    american = run(tmp_path, HEAD + "\n1,USD,5/1/2026,5/2/2026,Usage")
    assert "it is written as 9/9/9999" in american.verdict.reason
    assert "5/1" not in american.verdict.reason
    strange = run(tmp_path, HEAD + days(1, 3).replace("Usage", "Odd"))
    assert "write it as Usage, Purchase" in strange.verdict.reason


@pytest.mark.parametrize(
    ("header", "word"),
    [
        (
            "billing_account_id,service,sku,usage_start_time,usage_end_time,cost,currency",
            "FOCUS view",
        ),
        (
            "date,meterCategory,costInBillingCurrency,billingCurrency,ResourceId",
            "usage details (FOCUS)",
        ),
        ("UsageDate,MeterCategory,PreTaxCost,Currency,InstanceId", "usage details (FOCUS)"),
    ],
)
def test_the_clouds_own_exports_are_named(tmp_path, header, word):
    line = ",".join("1" for _ in header.split(","))
    assert word in run(tmp_path, f"{header}\n{line}").verdict.reason
