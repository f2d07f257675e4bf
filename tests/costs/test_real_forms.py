"""Bills and ids as clouds really write them: each class that once passed, or failed, in silence."""

from __future__ import annotations

import csv
import gzip
import json
from decimal import Decimal
from pathlib import Path

import pytest

from pytest_mlgates.core import Outcome
from pytest_mlgates.gates.cost_budget import CostBudget
from pytest_mlgates.gates.cost_budget.ids import spellings
from pytest_mlgates.gates.cost_budget.kinds import is_in_inventory
from pytest_mlgates.gates.cost_budget.money import exactly
from pytest_mlgates.gates.cost_budget.tags import read_tags
from pytest_mlgates.gates.cost_budget.zones import is_zone_transfer
from tests.costs.bills import days, line

pytest.importorskip("duckdb", reason="the extra scale")

FAIL, PASS, OPEN, ERROR = Outcome.FAIL, Outcome.PASS, Outcome.INCONCLUSIVE, Outcome.ERROR
SAMPLE = Path(__file__).parent.parent / "data" / "focus_1_0_sample.csv.gz"


def month(cost=10, **more):
    """Return a charge for each day of May."""
    plain = {"Tags": "{}", "ResourceId": "", "ChargeDescription": "box usage"}
    return [line(day, str(cost), **{**plain, **more}) for day in days("2026-05-01", 31)]


def gate(**more):
    return CostBudget(**{"currency": "USD", "max_cost": 1000, **more})


# the standard


def test_the_sample_of_the_finops_foundation_to_the_cent():
    """1,000 lines of four providers; 12 are Usage of less than nothing, as the standard allows."""
    with gzip.open(SAMPLE, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for column, name in (("BilledCost", "billed"), ("EffectiveCost", "effective")):
        evidence = gate(by="account", cost=name, period="year", complete_until="2025-01-01").run(
            SAMPLE
        )
        assert evidence.outcome == PASS, evidence.verdict
        wanted: dict[str, Decimal] = {}
        for row in rows:
            wanted[row["SubAccountId"]] = wanted.get(row["SubAccountId"], Decimal(0)) + Decimal(
                row[column]
            )
        seen: dict[str, Decimal] = {}
        for entry in evidence.measurement.details["entries"]:
            seen[entry["group"]] = seen.get(entry["group"], Decimal(0)) + Decimal(entry["billed"])
        assert sum(seen.values()) == sum(wanted.values())
        assert {g: c for g, c in seen.items() if g in wanted} == {
            g: c for g, c in wanted.items() if g in seen
        }
        assert evidence.measurement.details["cost_column"] == column
    told = [text for text in evidence.findings if "negative usage" in text]
    assert len(told) == (1 if name == "billed" else len(told))


@pytest.mark.parametrize("category", ["Usage", "Purchase", "Tax", "Credit", "Adjustment"])
def test_a_charge_may_be_negative(category):
    refund = line("2026-05-03", "-5", ChargeCategory=category, ResourceId="r")
    evidence = gate(max_cost=305).run([*month(), refund])
    assert (evidence.outcome, evidence.measurement.value) == (PASS, 305)


@pytest.mark.parametrize("word", ["CreditPlan", "Other", "", None, "Usage of ada@example.org"])
def test_a_category_that_is_not_known_is_counted_and_leaves_the_verdict_open(word):
    strange = line("2026-05-03", "70", ChargeCategory=word, ResourceId="r")
    evidence = gate().run([*month(), strange])
    assert evidence.outcome == OPEN
    assert "1 line of 70.00 USD were added to nothing" in evidence.verdict.reason
    assert "ada@example.org" not in evidence.verdict.reason
    assert evidence.measurement.details["unread"][0]["cost"] == "70.00"
    # what is read is over alone; but not where the rest may be a credit
    assert gate(max_cost=300).run([*month(), strange]).outcome == FAIL
    credit = {**strange, "BilledCost": "-70"}
    assert gate(max_cost=300).run([*month(), credit]).outcome == OPEN


# tags

ADS = {"team": "ads"}
FORMS = {
    "an object": json.dumps(ADS),
    "Google's list": [{"key": "team", "value": "ads", "inherited": False}],
    "the same as text": json.dumps([{"key": "team", "value": "ads"}]),
    "pairs": [("env", "p"), ("team", "ads")],
    "a mapping": ADS,
    "Azure without braces": '"team": "ads","env": "prod"',
    "another case": '{"Team": "ads"}',
    "whose it is": '{"user:team": "ads"}',
    "a key that is alike comes first": '{"te-am": "web", "team": "ads"}',
    "AWS's keys": json.dumps([{"Key": "team", "Value": "ads"}]),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_tags_in_every_form_are_in_the_scope(form):
    charges = month(Tags=json.dumps(ADS)) + month(1000, Tags=FORMS[form], ServiceName="other")
    evidence = gate(scope=("tag:team=ads",)).run(charges)
    assert (evidence.outcome, evidence.measurement.value) == (FAIL, 31_310)


@pytest.mark.parametrize(
    "cell",
    ['{"team":"ads","note":"cut off at 1024 charac', "team:ads;env:p", "{'team': 'ads'}", "7"],
)
def test_tags_that_can_not_be_read_leave_the_verdict_open(cell):
    charges = month(Tags=json.dumps(ADS)) + month(1000, Tags=cell, ServiceName="other")
    for policy in ({"scope": ("tag:team=ads",)}, {"by": "tag:team"}):
        evidence = gate(**policy).run(charges)
        assert evidence.outcome == OPEN
        assert "31 lines of 31,000.00 USD were added to nothing: their tags can't be read" in (
            evidence.verdict.reason
        )
    alone = gate(scope=("tag:team=ads",)).run(charges[31:])
    assert "their tags can't be read" in alone.verdict.reason
    assert gate(max_cost=1e6).run(charges).outcome == PASS  # no tag matters


def test_parquet_keeps_tags_as_maps_and_lists(tmp_path):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    charges = month(1000)
    tags = {
        "map": pa.array([[("team", "ads")]] * 31, pa.map_(pa.string(), pa.string())),
        "list": pa.array([[{"key": "team", "value": "ads"}]] * 31),
        "struct": pa.array([{"team": "ads", "env": None}] * 31),
    }
    for name, column in tags.items():
        table = pa.table({k: [str(c[k]) for c in charges] for k in charges[0] if k != "Tags"})
        pq.write_table(table.append_column("Tags", column), tmp_path / f"{name}.parquet")
        evidence = gate(scope=("tag:team=ads",)).run(tmp_path / f"{name}.parquet")
        assert (evidence.outcome, evidence.measurement.value) == (FAIL, 31_000), name


def test_tags_by_themselves():
    assert read_tags("NULL") == {}
    assert read_tags('{"a": null, "b": 1}') == {"a": "", "b": "1"}
    assert read_tags("[1, 2]") is None


# AWS


def cur(day, cost, resource, **more):
    end = f"2026-05-{day + 1:02}" if day < 31 else "2026-06-01"
    return {
        "identity/LineItemId": f"{resource}{day}", "lineItem/UnblendedCost": cost,
        "lineItem/CurrencyCode": "USD", "lineItem/UsageStartDate": f"2026-05-{day:02}T00:00:00Z",
        "lineItem/UsageEndDate": f"{end}T00:00:00Z", "lineItem/LineItemType": "Usage",
        "bill/BillingPeriodStartDate": "2026-05-01T00:00:00Z", "lineItem/ProductCode": "AmazonEC2",
        "lineItem/ResourceId": resource, "lineItem/UsageType": "BoxUsage:p4d.24xlarge",
        "splitLineItem/SplitCost": "", "splitLineItem/UnusedCost": "0",
        "splitLineItem/ParentResourceId": "", "resourceTags/aws:eks:namespace": "", **more,
    }  # fmt: skip


def split_bill():
    """Return a node of 786 USD a day; a pod of training has 700 of it, one of web 56 + 10 unused."""
    rows = []
    for day in range(1, 32):
        rows.append(cur(day, "786", "i-1"))
        for space, part, unused in (("training", "700", "0"), ("web", "56", "10")):
            pod = f"arn:aws:eks:us-east-1:123456789012:pod/c/{space}/w0/uid"
            rows.append(cur(day, "0", pod, **{
                "splitLineItem/SplitCost": part, "splitLineItem/UnusedCost": unused,
                "splitLineItem/ParentResourceId": "i-1", "resourceTags/aws:eks:namespace": space,
            }))  # fmt: skip
    return rows


@pytest.mark.parametrize("snake", [False, True])
@pytest.mark.parametrize("parent", [True, False])
def test_split_cost_goes_to_the_pods_and_is_counted_once(snake, parent):
    rows = split_bill()
    if not parent:
        rows = [
            {k: v for k, v in row.items() if not k.endswith("ParentResourceId")} for row in rows
        ]
    if snake:
        names = {
            "lineItem/": "line_item_", "splitLineItem/": "split_line_item_", "bill/": "bill_",
            "identity/": "identity_", "resourceTags/": "resource_tags_",
        }  # fmt: skip
        rows = [{_snake(key, names): v for key, v in row.items()} for row in rows]
    evidence = gate(by="namespace", max_cost=21_700).run(rows)
    assert evidence.outcome == PASS, evidence.verdict
    spent = {e["group"]: e["billed"] for e in evidence.measurement.details["entries"]}
    assert spent == {"training": "21700.00", "web": "2046.00", "no namespace": "620.00"}
    assert evidence.measurement.details["totals"][0]["billed"] == "24366.00"
    assert gate(scope=("namespace=training",)).run(rows).outcome == FAIL


def _snake(key, names):
    import re

    for prefix, other in names.items():
        if key.startswith(prefix):
            rest = key.removeprefix(prefix).replace(":", "_")
            return other + re.sub(r"(?<=[a-z])(?=[A-Z])", "_", rest).lower()
    return key


AMORTISED = [
    ("DiscountedUsage", "0", {"reservation/EffectiveCost": "6"}),
    ("RIFee", "100", {
        "reservation/UnusedAmortizedUpfrontFeeForBillingPeriod": "2", "reservation/UnusedRecurringFee": "1",
    }),
    ("SavingsPlanCoveredUsage", "10", {"savingsPlan/SavingsPlanEffectiveCost": "7"}),
    ("SavingsPlanNegation", "-10", {}),
    ("SavingsPlanRecurringFee", "20", {
        "savingsPlan/TotalCommitmentToDate": "20", "savingsPlan/UsedCommitment": "16",
    }),
    ("SavingsPlanUpfrontFee", "500", {}),
    ("Fee", "900", {"reservation/ReservationARN": "arn:ri"}),
    ("Usage", "5", {}),
]  # fmt: skip


def test_costs_by_name():
    """Billed 1,525; amortised 6 + 3 + 7 + 0 + 4 + 0 + 0 + 5."""
    keys = {k for _, _, more in AMORTISED for k in more}
    rows = [
        {**cur(1, cost, f"r{n}"), "lineItem/LineItemType": kind, **dict.fromkeys(keys, ""), **more}
        for n, (kind, cost, more) in enumerate(AMORTISED)
    ]
    for name, wanted in (("billed", 1525), ("amortised", 25), ("effective", 25)):
        evidence = gate(cost=name, period="day", max_cost=2000).run(rows)
        assert (evidence.outcome, evidence.measurement.value) == (PASS, wanted), evidence.verdict
    assert "amortised" in evidence.measurement.details["cost_column"]
    assert (
        "no column of amortised cost"
        in gate(cost="amortised").run([cur(1, "5", "i-1")]).verdict.reason
    )


# ids

SPELLINGS = [
    ("vol-0a1b", "arn:aws:ec2:us-east-1:123456789012:volume/vol-0a1b"),
    ("vol-0a1b", "aws://us-east-1a/vol-0a1b"),
    ("i-0abc", "aws:///us-east-1a/i-0abc"),
    ("//compute.googleapis.com/projects/p/zones/us-central1-a/disks/d1",
     "projects/p/zones/us-central1-a/disks/d1"),
    ("https://www.googleapis.com/compute/v1/projects/p/zones/z/instances/n1", "gce://p/z/n1"),
    ("//compute.googleapis.com/projects/123/zones/z/disk/98765", "projects/-/zones/-/disks/98765"),
    ("/subscriptions/x/resourcegroups/mc/providers/microsoft.compute/disks/pvc-1",
     "/subscriptions/X/resourceGroups/MC/providers/Microsoft.Compute/disks/pvc-1"),
    ("/subscriptions/x/resourcegroups/mc/providers/microsoft.compute/virtualmachinescalesets/gpu",
     "azure:///subscriptions/x/resourceGroups/mc/providers/Microsoft.Compute/virtualMachineScaleSets/gpu/virtualMachines/0"),
    ("arn:aws:eks:us-east-1:1:pod/cluster/training/w0/uid", "training/w0"),
]  # fmt: skip


@pytest.mark.parametrize(("bill", "listed"), SPELLINGS)
def test_one_resource_in_two_spellings(bill, listed):
    assert set(spellings(bill)) & set(spellings(listed))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("vol-1", "vol-10"), ("projects/p/zones/a/disks/d", "projects/p/zones/b/disks/d"),
        ("projects/p/zones/a/disks/d", "projects/p/zones/a/instances/d"), ("web/w0", "training/w0"),
        ("/subscriptions/x/a/disks/1", "/subscriptions/y/a/disks/1"), ("I-0ABC", "i-0abc"),
    ],
)  # fmt: skip
def test_two_resources(one, other):
    assert not set(spellings(one)) & set(spellings(other))


def test_ids_that_do_not_meet_are_shown_side_by_side():
    bill = month(100, ResourceId="disk-in-the-bill", ServiceCategory="Storage")
    stock = {
        "volumes": [
            {"resource_id": "disk-in-the-list", "attached_to": "", "detached_at": "2026-05-01"}
        ]
    }
    evidence = gate(max_cost=None, max_waste=500, idle_hours=None).run(bill, stock)
    assert evidence.outcome == OPEN
    assert "it says 'disk-in-the-list', and they 'disk-in-the-bill'" in evidence.verdict.reason


# transfer between zones


@pytest.mark.parametrize(
    "words",
    [
        "USE1-VpcEndpoint-XZ-Bytes", "USE1-DataTransfer-AZ-Out-Bytes", "Networking - Inter-AD Data Transfer",
        "data transferred across availability zones", "traffic between AZs", "Cross-zone traffic",
        "from one availability zone to another", "Intra-Region Availability Zone data transfer",
        "Bandwidth - Inter-Availability Zone - Inter-Availability Zone Data Transfer Out - US East",
        "Network Data Transfer Out Inter Zone within Americas", "Inter-zone network traffic",
    ],
)  # fmt: skip
def test_texts_of_transfer(words):
    assert is_zone_transfer(words)


@pytest.mark.parametrize(
    "words",
    [
        "Cross-zone load balancing enabled LCU hours", "ElastiCache inter-AZ replica node hours",
        "Hyperdisk Balanced High Availability Capacity in Iowa, inter-zone replication",
        "USE1-Multi-AZUsage:db.m5.large", "Network Inter Region Data Transfer Out", "ZRS Data Stored",
        "Network Intra Zone Data Transfer Out", "USE1-NatGateway-Bytes", "pod cross-zone-balancer",
        "TimedStorage-ZIA-ByteHrs One Zone-IA", "Intra-AWS-DNS-Queries",
    ],
)  # fmt: skip
def test_texts_of_something_else(words):
    assert not is_zone_transfer(words)


ZONES = {"max_cost": None, "max_waste": 500, "idle_hours": None, "unattached_days": None}


@pytest.mark.parametrize(
    "column", ["ChargeDescription", "SkuMeter", "x_SkuMeterName", "x_SkuDescription", "x_UsageType",
               "SkuPriceDetails", "x_SkuMeterSubcategory", "SkuDescription"],
)  # fmt: skip
def test_transfer_is_told_by_any_of_these_columns(column):
    quiet = month(**{column: "box usage"})
    loud = month(
        100, ResourceId="i-2", **{"ChargeDescription": "", column: "Inter-AZ data transfer out"}
    )
    evidence = gate(**ZONES).run(quiet + loud)
    assert evidence.outcome == FAIL
    assert "3,100.00 USD of 2026-05 were wasted" in evidence.verdict.reason


def test_charges_without_a_text_may_be_transfer():
    bare = [{k: v for k, v in c.items() if k != "ChargeDescription"} for c in month(1000)]
    for charges in (bare, month(1000, ChargeDescription=""), month(1000, ChargeDescription="NULL")):
        evidence = gate(**ZONES).run(charges)
        assert evidence.outcome == OPEN
        assert "31,000.00 USD of charges say nothing that tells transfer" in evidence.verdict.reason
    # by arithmetic: 310 USD can't break a limit of 500
    assert gate(**ZONES).run(month(10, ChargeDescription="")).outcome == PASS


# what an inventory must know of


def test_managed_machine_learning_counts():
    known = month(1, ResourceId="i-1")
    managed = month(
        5000,
        ResourceId="",
        ServiceName="Amazon SageMaker",
        ServiceCategory="AI and Machine Learning",
    )
    stock = {
        "pods": [
            {"name": "p", "resource_id": "i-1", "gpus": 8, "start": "2026-05-01", "driver": "d"}
        ],
        "volumes": [{"name": "v", "resource_id": "v1", "attached_to": "p"}],
    }
    evidence = gate(max_cost=None, max_waste=10).run(known + managed, stock)
    assert evidence.outcome == OPEN
    assert "most of the rest is Amazon SageMaker (min_known 50%)" in evidence.verdict.reason
    [service] = evidence.measurement.details["waste"]["unknown_services"]
    assert (service["name"], service["cost"]) == ("Amazon SageMaker", "155000.00")
    harmless = [{**c, "ServiceCategory": "Databases"} for c in managed]
    assert gate(max_cost=None, max_waste=10).run(known + harmless, stock).outcome == PASS
    assert is_in_inventory("a category of tomorrow")


# exports that overlap


def test_two_exports_of_one_month(tmp_path):
    def write(name, charges):
        path = tmp_path / name / "part_0.csv"
        path.parent.mkdir(parents=True)
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(charges[0]))
            writer.writeheader()
            writer.writerows(charges)

    write("20260501-20260531/run1", month(ResourceId="vm", ChargeDescription="box"))
    assert gate().run(tmp_path).outcome == PASS
    write("20260501-20260531/run2", month(11, ResourceId="vm", ChargeDescription="box"))
    evidence = gate().run(tmp_path)
    assert evidence.outcome == ERROR
    assert "two exports of one time: 31 lines (341.00 USD" in evidence.verdict.reason
    counted = gate(duplicates="count").run(tmp_path)
    assert (counted.outcome, counted.measurement.value) == (PASS, 651)


def test_parts_of_one_export_do_not_overlap(tmp_path):
    for part in range(3):
        with (tmp_path / f"part_{part}.csv").open("w", newline="") as file:
            charges = [c for n, c in enumerate(month(ResourceId="vm")) if n % 3 == part]
            charges += month(1, ResourceId=f"vm-{part}")
            writer = csv.DictWriter(file, list(charges[0]))
            writer.writeheader()
            writer.writerows(charges)
    evidence = gate().run(tmp_path)
    assert (evidence.outcome, evidence.measurement.value) == (PASS, 310 + 93)


# OpenCost and Kubecost


def allocation(day, cost=10, name="w0", space="training", **more):
    times = {"start": f"2026-05-{day:02}T00:00:00Z", "end": f"2026-05-{day + 1:02}T00:00:00Z"}
    about = {"cluster": "c", "namespace": space, "pod": name, "labels": {"team": "ads"}}
    return {"properties": about, "window": times, **times, "totalCost": cost, **more}


STEPS = [{"a": allocation(d), "b": allocation(d, 5, "w1", "web")} for d in range(1, 11)]
ANSWERS = {
    "steps": {"code": 200, "data": STEPS},
    "a list of answers": [{"code": 200, "data": [step]} for step in STEPS],
    "sets": {"code": 200, "data": {"sets": [{"allocations": step} for step in STEPS]}},
    "Kubecost's sets": {"code": 200, "data": {"allocationSets": [{"allocations": s} for s in STEPS]}},
}  # fmt: skip


@pytest.mark.parametrize("form", ANSWERS)
@pytest.mark.parametrize("kept", ["memory", "json", "json.gz", "folder"])
def test_answers_in_every_form(form, kept, tmp_path):
    source = answer = ANSWERS[form]
    if kept != "memory":
        source = tmp_path / ("answers" if kept == "folder" else f"answer.{kept}")
        file = source
        if kept == "folder":
            source.mkdir()
            file = source / "may.json"
        data = json.dumps(answer).encode()
        file.write_bytes(gzip.compress(data) if kept == "json.gz" else data)
    evidence = gate(by="namespace", period="day").run(source)
    assert evidence.outcome == PASS, evidence.verdict
    assert sum(Decimal(t["billed"]) for t in evidence.measurement.details["totals"]) == 150
    assert evidence.measurement.details["format"] == "OpenCost"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ({"code": 400, "status": "error", "data": None, "message": "window"}, "code 400"),
        ({"code": 500, "message": "x"}, "code 500"),
        ({"code": 200, "data": [{"a": {"properties": {}}}]}, "no totalCost"),
        ({"code": 200, "data": [{"a": allocation(1, 1, networkCrossZoneCost=2)}]}, "above its totalCost"),
        ({"code": 200, "data": [STEPS[0], STEPS[0]]}, "say the same"),
        ({"code": 200, "data": [*STEPS, {"a": allocation(1, 100) | {"end": "2026-05-11T00:00:00Z"}}]},
         "overlap"),
    ],
)  # fmt: skip
def test_answers_that_are_refused(answer, why):
    evidence = gate(period="day").run(answer)
    assert evidence.outcome == ERROR
    assert why in evidence.verdict.reason


def test_cloud_costs_and_assets():
    times = {"start": "2026-05-01T00:00:00Z", "end": "2026-05-02T00:00:00Z"}
    cloud = {"x": {"properties": {"service": "EC2"}, "window": times, "netCost": {"cost": 3}}}
    assets = {"n": {"type": "Node", "totalCost": 4, **times, "properties": {}}}
    answer = {"code": 200, "data": [{"sets": [{"cloudCosts": cloud}]}, assets]}
    evidence = gate(period="day").run(answer)
    assert (evidence.outcome, evidence.measurement.value) == (PASS, 7)


# files


def test_a_broken_gzip_is_named(tmp_path):
    path = tmp_path / "bill.csv.gz"
    text = (
        ",".join(month()[0])
        + "\n"
        + "\n".join(",".join(f'"{v}"' for v in c.values()) for c in month())
    )
    path.write_bytes(gzip.compress(text.encode())[:-40])
    evidence = gate().run(path)
    assert evidence.outcome == ERROR
    assert "bill.csv.gz" in evidence.verdict.reason


@pytest.mark.parametrize(
    "cost", ["0.0000000000000000000000000000001", "1234567.890123456789012345678901"]
)
def test_digits_beyond_the_engines_are_kept(cost):
    charges = month() + [line("2026-05-03", cost, ResourceId=str(n)) for n in range(3)]
    evidence = gate(max_cost=1e7).run(charges)
    with exactly():
        wanted = 310 + 3 * Decimal(cost)
    assert Decimal(evidence.measurement.details["totals"][0]["billed"]) == wanted


def test_a_name_that_is_a_pattern_is_one_file(tmp_path):
    for name in ("bill[1].csv", "bill1.csv"):
        with (tmp_path / name).open("w", newline="") as file:
            writer = csv.DictWriter(file, list(month()[0]))
            writer.writeheader()
            writer.writerows(month(10 if "[" in name else 99))
    assert gate().run(tmp_path / "bill[1].csv").measurement.value == 310
