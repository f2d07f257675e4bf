"""The bill against its budget: facts, forecasts and waste, to the cent."""

from __future__ import annotations

import csv
import dataclasses
import json
import os
import random
from decimal import Decimal
from pathlib import Path

import pytest

from pytest_mlgates.core import Measurement, Outcome
from pytest_mlgates.core.fields import FieldError
from pytest_mlgates.gates.cost_budget import CostBudget
from pytest_mlgates.gates.cost_budget.details import Seen
from pytest_mlgates.gates.cost_budget.judge import ends
from tests.costs.bills import COMMON, days, hours, incident, inventory, line, month, sound

MONTH = CostBudget(currency="USD", max_cost=3000)
DAY = CostBudget(currency="USD", max_cost=100, period="day")
WASTE = CostBudget(currency="USD", max_waste=0, unattached_days=1)


def details(evidence):
    assert evidence.measurement is not None, evidence.verdict
    return evidence.measurement.details


def rules(evidence):
    return {name: rule["cost"] for name, rule in details(evidence)["waste"]["rules"].items()}


def write(path, charges):
    names = dict.fromkeys(key for charge in charges for key in charge)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(charges)
    return path


# the policy


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({}, "sets no limit"),
        ({"max_cost": 1, "currency": "dollars"}, "three letters"),
        ({"max_cost": 0}, "greater than 0"),
        ({"max_cost": 1, "by": "team"}, "tag:KEY"),
        ({"max_cost": 1, "by": "tag:"}, "tag:KEY"),
        ({"max_cost": 1, "scope": ("training",)}, "namespace=training"),
        ({"max_cost": 1, "scope": ("pod=a",)}, "tag:KEY"),
        ({"max_cost": 1, "since": "November"}, "a date as in"),
        ({"max_cost": 1, "complete_until": "2026-13-01"}, "a date as in"),
        ({"max_waste": 1, "idle_hours": None, "unattached_days": None, "cross_zone_floor": None},
         "has no rule"),
    ],
)  # fmt: skip
def test_policies_that_say_nothing(fields, why):
    with pytest.raises(FieldError, match=why):
        CostBudget(**{"currency": "USD", **fields})


def test_the_currency_is_a_code():
    assert CostBudget(currency=" usd ", max_cost=1).currency == "USD"


# facts


def test_a_cent_decides():
    charges = [line("2026-11-07", cost) for cost in ("33.33", "33.33", "33.34")]
    charges = [{**charge, "ResourceId": str(n)} for n, charge in enumerate(charges)]
    evidence = DAY.run(charges)
    assert evidence.outcome == Outcome.PASS
    assert details(evidence)["entries"][0]["billed"] == "100.00"
    charges[0]["BilledCost"] = "33.340000000000000000001"
    assert DAY.run(charges).outcome == Outcome.FAIL


def test_ten_cents_ten_thousand_times():
    """Floats would come to 1000.0000000001588."""
    charges = [line("2026-11-07", 0.1, ResourceId=str(n)) for n in range(10_000)]
    gate = CostBudget(currency="USD", max_cost=1000, period="day")
    evidence = gate.run(charges)
    assert details(evidence)["entries"][0]["billed"] == "1000.00"
    assert evidence.outcome == Outcome.PASS


@pytest.mark.parametrize(
    ("period", "totals"),
    [
        ("day", {"2026-10-31": "100.00", "2026-11-01": "100.00", "2026-11-08": "100.00"}),
        ("week", {"the week of 2026-11-02": "700.00"}),
        ("month", {"2026-11": "800.00"}),
        ("quarter", {"2026-Q4": "900.00"}),
        ("year", {"2026": "900.00"}),
    ],
)
def test_periods(period, totals):
    """From Saturday 2026-10-31 to Sunday 2026-11-08; what had begun before is not whole."""
    charges = [line(day, 100) for day in days("2026-10-31", 9)]
    evidence = CostBudget(currency="USD", max_cost=5000, period=period).run(charges)
    seen = {total["period"]: total["billed"] for total in details(evidence)["totals"]}
    assert totals.items() <= seen.items()
    assert len(seen) == (9 if period == "day" else 1)


def test_periods_end_at_midnight_utc():
    charge = line("2026-11-07", 60)
    late = {
        **charge,
        "ChargePeriodStart": "2026-11-07T23:30:00-05:00",
        "ChargePeriodEnd": "2026-11-09",
    }
    evidence = DAY.run([charge, late])
    assert [total["period"] for total in details(evidence)["totals"]] == [
        "2026-11-07",
        "2026-11-08",
    ]


def test_every_period_counts():
    charges = [line(day, 150 if day.day == 12 else 90) for day in days("2026-11-01", 20)]
    evidence = DAY.run(charges)
    assert evidence.outcome == Outcome.FAIL
    assert "2026-11-12 cost 150.00 USD (budget 100.00 USD)" in evidence.verdict.reason
    assert evidence.findings[0] == "2026-11-12: 150.00 USD, 50.00 USD over the budget"
    assert dataclasses.replace(DAY, since="2026-11-13").run(charges).outcome == Outcome.PASS


def test_a_bill_that_begins_within_a_month_does_not_pass_that_month_nor_fail_for_it():
    charges = month("2026-10-20", 12) + month()
    evidence = MONTH.run(charges)
    assert evidence.outcome == Outcome.PASS
    assert "not judged, since the bill does not hold all of it: 2026-10" in evidence.findings
    charges.append(line("2026-10-25", 5000, ResourceId="x"))
    assert MONTH.run(charges).outcome == Outcome.FAIL


def test_over_the_budget_is_a_fact_before_the_month_is_over():
    evidence = CostBudget(currency="USD", max_cost=1000).run(month(count=15))
    assert evidence.outcome == Outcome.FAIL
    assert "so far" in evidence.verdict.reason


def test_groups_have_a_budget_each():
    gate = CostBudget(currency="USD", max_cost=2100, by="tag:team")
    evidence = gate.run(month())
    assert evidence.outcome == Outcome.PASS
    assert {entry["group"] for entry in details(evidence)["entries"]} == {"ads", "ml"}
    worse = gate.run([*month(), line("2026-11-30", 2000, Tags={"team": "ml"})])
    assert worse.verdict.reason.startswith("ml in 2026-11 cost 2,7")
    no_tag = gate.run([*month(), line("2026-11-30", 3000)])
    assert "no team in 2026-11" in no_tag.verdict.reason


@pytest.mark.parametrize(
    ("by", "groups"),
    [
        ("service", {"Amazon EC2", "Amazon EBS"}),
        ("category", {"Compute", "Storage"}),
        ("namespace", {"web", "training"}),
        ("tag:Team", {"ads", "ml"}),
    ],
)
def test_what_groups_there_are(by, groups):
    evidence = CostBudget(currency="USD", max_cost=9000, by=by).run(month())
    assert {entry["group"] for entry in details(evidence)["entries"]} == groups


def test_a_scope_leaves_the_rest_out():
    gate = CostBudget(currency="USD", max_cost=800, scope=("namespace=training", "tag:team=ml"))
    evidence = gate.run(month())
    assert evidence.outcome == Outcome.PASS
    assert evidence.measurement.n == 30
    foreign = [*month(), line("2026-11-30", 1, BillingCurrency="EUR")]
    assert gate.run(foreign).outcome == Outcome.PASS  # what is not judged is not mixed in
    # a shifted line can't tell whether it is in the scope
    assert gate.run([*month(), line("2026-11-30", "USD")]).outcome == Outcome.ERROR


def test_the_namespace_may_be_known_by_the_inventory_alone():
    charges = [{k: v for k, v in charge.items() if k != "Tags"} for charge in month()]
    gate = CostBudget(currency="USD", max_cost=9000, by="namespace")
    evidence = gate.run(charges, sound())
    assert {entry["group"] for entry in details(evidence)["entries"]} == {"web", "no namespace"}


# what bills do


def test_credits_are_told():
    credit = line("2026-11-15", "-500", ChargeCategory="Credit", ResourceId=None)
    evidence = CostBudget(currency="USD", max_cost=2500).run([*month(), credit])
    assert evidence.outcome == Outcome.PASS
    assert "after credits of 500.00 USD" in evidence.verdict.reason


def test_a_correction_belongs_to_the_bill_it_stands_on():
    late = line("2026-10-20", "-40", ChargeClass="Correction")
    late["BillingPeriodStart"] = "2026-11-01T00:00:00Z"
    evidence = MONTH.run([*month(), late])
    [total] = details(evidence)["totals"]
    assert (total["period"], total["credits"]) == ("2026-11", "-40.00")
    assert any("1 line about an earlier bill" in text for text in evidence.findings)


def test_equal_lines_may_be_counted():
    charges = [*month(), month()[3]]
    evidence = MONTH.run(charges)
    assert evidence.outcome == Outcome.ERROR
    assert "1 of 61 lines say the same as one before: record 60 is record 3 again" in (
        evidence.verdict.reason
    )
    evidence = dataclasses.replace(MONTH, duplicates="count").run(charges)
    assert evidence.outcome == Outcome.PASS
    assert "each was counted" in evidence.findings[0]


def test_equal_lines_without_cost_do_no_harm():
    free = line("2026-11-03", 0)
    assert MONTH.run([*month(), free, free]).outcome == Outcome.PASS


def test_broken_lines_are_named_by_file_and_line(tmp_path):
    charges = month()
    names, values = list(charges[0]), list(charges[17].values())
    charges[17] = dict(zip(names, ["", *values[:-1]], strict=True))
    path = write(tmp_path / "bill.csv", charges)
    reason = MONTH.run(path).verdict.reason
    assert "1 of 60 lines can't be read" in reason
    assert "bill.csv line 19: its" in reason
    text = path.read_text().splitlines()
    text[30] += ",1"
    path.write_text("\n".join(text))
    assert (
        "bill.csv line 31: it has 13 columns, the header has 12" in MONTH.run(path).verdict.reason
    )


def test_decimal_commas(tmp_path):
    charges = [{**c, "BilledCost": str(c["BilledCost"]).replace(".", ",")} for c in month()]
    assert MONTH.run(charges).outcome == Outcome.ERROR
    gate = dataclasses.replace(MONTH, decimal=",")
    assert gate.run(charges).measurement.value == MONTH.run(month()).measurement.value


def test_every_kind_of_table_says_the_same(tmp_path):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    charges = month()
    frame = pandas.DataFrame(charges)
    moments = frame.assign(
        ChargePeriodStart=pandas.to_datetime(frame.ChargePeriodStart),
        ChargePeriodEnd=pandas.to_datetime(frame.ChargePeriodEnd),
    )
    moments.to_parquet(tmp_path / "bill.parquet")
    (tmp_path / "bill.jsonl").write_text("\n".join(json.dumps(c, default=str) for c in charges))
    wanted = details(MONTH.run(charges))["totals"]
    for source in (
        frame,
        moments,
        iter(charges),
        tmp_path / "bill.parquet",
        tmp_path / "bill.jsonl",
        write(tmp_path / "bill.csv", charges),
    ):
        assert details(MONTH.run(source))["totals"] == wanted


def test_months_of_files_that_are_one_bill(tmp_path):
    write(tmp_path / "2026-10.csv", month("2026-10-01", 31))
    write(tmp_path / "2026-11.csv", month())
    evidence = MONTH.run(tmp_path)
    assert [total["period"] for total in details(evidence)["totals"]] == ["2026-10", "2026-11"]
    write(tmp_path / "again.csv", month())
    assert "again.csv line 2 is 2026-11.csv line 2 again" in MONTH.run(tmp_path).verdict.reason


def aws(**changes):
    return {
        "lineItem/UnblendedCost": "1.25", "lineItem/CurrencyCode": "USD",
        "lineItem/UsageStartDate": "2026-11-07 00:00:00+00:00",
        "lineItem/UsageEndDate": "2026-11-08 00:00:00+00:00", "lineItem/LineItemType": "Usage",
        "lineItem/ProductCode": "AmazonEC2", "lineItem/ResourceId": "i-1",
        "resourceTags/user:team": "ml", **changes,
    }  # fmt: skip


def test_aws_reports():
    charges = [
        aws(**{"identity/LineItemId": str(n), "lineItem/LineItemType": kind})
        for n, kind in enumerate(["Usage", "SavingsPlanCoveredUsage", "Usage"])
    ]
    charges.append(
        aws(**{
            "identity/LineItemId": "n", "lineItem/LineItemType": "SavingsPlanNegation",
            "lineItem/UnblendedCost": "-1.25",
        })
    )  # fmt: skip
    evidence = CostBudget(currency="USD", max_cost=3, period="day", by="tag:team").run(charges)
    assert evidence.outcome == Outcome.PASS
    assert details(evidence)["format"] == "AWS CUR"
    assert [(e["group"], e["billed"]) for e in details(evidence)["entries"]] == [("ml", "2.50")]
    snake = [
        {
            "line_item_unblended_cost": 2.5, "line_item_currency_code": "USD",
            "line_item_usage_start_date": "2026-11-07", "line_item_usage_end_date": "2026-11-08",
            "line_item_line_item_type": "Usage", "resource_tags": [("user_team", "ml")],
        }
    ]  # fmt: skip
    again = CostBudget(currency="USD", max_cost=3, period="day", by="tag:team").run(snake)
    assert details(again)["entries"] == details(evidence)["entries"]
    assert details(again)["format"] == "AWS CUR 2.0"


def test_bills_of_two_kinds_are_not_one():
    evidence = DAY.run([aws(), *[aws()] * 9_999, line("2026-11-07", 1)])
    assert evidence.outcome == Outcome.ERROR


def test_a_bill_by_the_month():
    charge = line("2026-11-01", 2500, ChargePeriodEnd="2026-12-01T00:00:00Z")
    evidence = MONTH.run([charge])
    assert evidence.outcome == Outcome.PASS
    assert "that it is final is taken from its end" in evidence.findings[0]


def test_versions_of_focus():
    assert MONTH.run([{**c, "x_FocusVersion": "1.2"} for c in month()]).outcome == Outcome.PASS
    evidence = MONTH.run([{**c, "x_FocusVersion": "9.9"} for c in month()])
    assert evidence.outcome == Outcome.ERROR
    assert "x_FocusVersion is not one of 1.0 to 1.3" in evidence.verdict.reason
    lean = [
        {k: c[k] for k in ("BilledCost", "BillingCurrency", "ChargePeriodStart")} for c in month()
    ]
    evidence = MONTH.run(lean)
    assert evidence.outcome == Outcome.PASS
    assert any("no ChargeCategory" in text for text in evidence.findings)
    assert any("do not tell which version of FOCUS" in text for text in evidence.findings)


# forecasts


BEFORE = month("2026-09-01", 30, seed=2) + month("2026-10-01", 31, seed=3)


@pytest.mark.parametrize("budget", [2600, 2800, 3100, 1e6])
def test_a_month_that_runs_on_is_not_judged_by_its_forecast(budget):
    """It would come to 2,790: that is told, and neither passes nor fails it."""
    gate = CostBudget(currency="USD", max_cost=budget, since="2026-11-01")
    evidence = gate.run(BEFORE + month(count=20))
    assert evidence.outcome == Outcome.INCONCLUSIVE
    assert "10 days left: what they may cost is not declared (daily_cap" in evidence.verdict.reason
    low, high = evidence.measurement.interval
    assert low < 2790 < high
    assert f"forecast, not judged: 2026-11 is heading for {low:,.2f} USD" in evidence.findings[0]


@pytest.mark.parametrize(
    ("cap", "wanted"),
    [(110, Outcome.PASS), (120.88, Outcome.PASS), (120.89, Outcome.INCONCLUSIVE), (60, Outcome.INCONCLUSIVE)],
)  # fmt: skip
def test_arithmetic_passes_a_month_that_runs_on(cap, wanted):
    """1,891.13 are billed, 10 days are left, and a budget of 3,100 leaves 120.887 a day."""
    gate = CostBudget(currency="USD", max_cost=3100, since="2026-11-01", daily_cap=cap)
    evidence = gate.run(BEFORE + month(count=20))
    assert evidence.outcome == wanted, evidence.verdict
    if cap == 60:
        assert "so that daily_cap does not hold" in evidence.verdict.reason
    over = dataclasses.replace(gate, max_cost=1800).run(BEFORE + month(count=20))
    assert over.outcome == Outcome.FAIL
    assert "cost 1,891.13 USD so far" in over.verdict.reason


def test_no_cap_is_worth_anything_without_the_fees_to_come():
    gate = CostBudget(currency="USD", max_cost=1e6, daily_cap=200)
    evidence = gate.run(month(count=25))
    assert evidence.outcome == Outcome.INCONCLUSIVE
    assert "fees" in evidence.verdict.reason


def test_a_record_of_a_version_that_judged_forecasts_is_judged_as_then():
    gate = CostBudget(currency="USD", max_cost=3100, since="2026-11-01")
    measured = gate.run(BEFORE + month(count=20)).measurement
    old = dict(measured.details)
    for name in ("forecast", "unread", "cost_column"):
        del old[name]
    then = dataclasses.replace(measured, details=old)
    assert gate.decide(measured).outcome == Outcome.INCONCLUSIVE
    assert gate.decide(then).outcome == Outcome.PASS
    assert dataclasses.replace(gate, max_cost=2600).decide(then).outcome == Outcome.FAIL


def test_fees_of_the_month_before_are_still_to_come():
    fee = line("2026-10-31", 900, ChargeCategory="Tax", ResourceId=None)
    gate = CostBudget(currency="USD", max_cost=3100, since="2026-11-01", daily_cap=110)
    evidence = gate.run([*BEFORE, fee, *month(count=20)])
    assert evidence.outcome == Outcome.INCONCLUSIVE
    assert "900.00 USD of fees it could come to 3,891.13 USD" in evidence.verdict.reason
    came = line("2026-11-10", 900, ChargeCategory="Tax", ResourceId=None)
    evidence = dataclasses.replace(gate, max_cost=4000).run([*BEFORE, fee, *month(count=20), came])
    assert evidence.outcome == Outcome.PASS


def test_a_purchase_is_no_day_that_comes_again():
    bought = line("2026-11-05", 3000, ChargeCategory="Purchase", ResourceId="ri")
    gate = CostBudget(currency="USD", max_cost=6200, since="2026-11-01", daily_cap=110)
    assert gate.run([*BEFORE, *month(count=20), bought]).outcome == Outcome.PASS


def test_unsettled_days_are_foreseen_again():
    """The last two days hold a tenth of their charges."""
    charges = month(count=20)
    for charge in charges[-4:]:
        charge["BilledCost"] /= 10
    gate = CostBudget(currency="USD", max_cost=3100, since="2026-11-01", settle_days=2)
    settled = gate.run(BEFORE + charges).measurement.interval
    whole = gate.run(BEFORE + month(count=20)).measurement.interval
    assert settled == pytest.approx(whole, rel=0.02)


def test_hours_of_a_day_are_no_day():
    charges = BEFORE + month(count=20)
    part = line("2026-11-21", 3, ResourceId="i-web", ChargePeriodEnd="2026-11-21T01:00:00Z")
    gate = CostBudget(currency="USD", max_cost=3100, since="2026-11-01")
    assert gate.run([*charges, part]).measurement.interval == pytest.approx(
        gate.run(charges).measurement.interval, rel=1e-6
    )


def test_groups_share_alpha():
    charges = BEFORE + month(count=20)
    alone = CostBudget(currency="USD", max_cost=1e4, since="2026-11-01", scope=("tag:team=ml",))
    both = CostBudget(currency="USD", max_cost=1e4, since="2026-11-01", by="tag:team")
    one = alone.run(charges).measurement
    entries = both.run(charges).measurement.read(Seen).entries
    ahead = next(entry.forecast for entry in entries if entry.group == "ml")
    low, high = ends(ahead, entries, both.alpha, both.beta)
    assert low < one.interval[0]
    assert high == pytest.approx(one.interval[1])


def test_many_groups_are_not_all_told():
    charges = [
        line(day, 10, ResourceId=str(n), Tags={"team": f"t{n}"})
        for day in days("2026-10-01", 50)
        for n in range(9)
    ]
    gate = CostBudget(currency="USD", max_cost=1e4, since="2026-11-01", by="tag:team")
    reason = gate.run(charges).verdict.reason
    assert reason.count("is not declared") == 4
    assert reason.endswith("; and 5 more")


def test_a_record_of_another_policy_is_measured_again():
    measurement = (
        CostBudget(currency="USD", max_cost=3100, since="2026-11-01")
        .run(BEFORE + month(count=20))
        .measurement
    )
    other = CostBudget(currency="EUR", max_cost=3100, since="2026-11-01").decide(measurement)
    assert other.outcome == Outcome.ERROR
    assert "another currency than the policy's" in other.reason


# waste


def test_the_weekend_to_the_dollar():
    gate = CostBudget(currency="USD", max_cost=4000, max_waste=100, unattached_days=1)
    evidence = gate.run(month() + incident(), inventory())
    assert evidence.outcome == Outcome.FAIL
    assert rules(evidence) == {
        "idle_gpu_pods": "8000.00",
        "cross_zone_transfer": "5000.00",
        "unattached_volumes": "2000.00",
    }
    assert details(evidence)["waste"]["cost"] == "15000.00"
    assert (
        "pod training/worker-0: 160.00 USD: 1 GPU idle for 64.0 h,"
        " no driver since 2026-11-06 18:00 UTC" in evidence.findings
    )
    assert "idle GPU pods in 2026-11: 8,000.00 USD, 50 in all" in evidence.findings
    assert gate.run(month(), sound()).outcome == Outcome.PASS


def test_only_the_idle_time_is_waste():
    """A daily charge counts by the part of the day that idled."""
    charges = [*month(), *(line(day, 240, ResourceId="p") for day in days("2026-11-07", 3))]
    pod = {
        "name": "w", "namespace": "t", "resource_id": "p", "gpus": 8, "driver": "job",
        "start": "2026-11-07", "end": "2026-11-09T12:00:00Z", "driver_end": "2026-11-08T18:00:00Z",
    }  # fmt: skip
    stock = {**sound(), "pods": [*sound()["pods"], pod]}
    evidence = WASTE.run(charges, stock)
    assert rules(evidence) == {"idle_gpu_pods": "180.00"}  # 6 h of one day, 12 h of the next
    assert "8 GPUs idle for 18.0 h" in evidence.findings[1]
    assert dataclasses.replace(WASTE, idle_hours=18.5).run(charges, stock).outcome == Outcome.PASS


def test_a_pod_has_its_share_of_the_node():
    charges = [*month(), *(line(day, 30, ResourceId="i-gpu") for day in days("2026-11-07", 2))]
    pod = {"name": "w", "node": "n", "gpus": 1, "driver": "", "start": "2026-11-07"}
    stock = {
        "pods": [
            *sound()["pods"],
            pod,
            {**pod, "name": "v"},
            {**pod, "name": "busy", "driver": "j"},
        ],
        "nodes": [{"name": "n", "resource_id": "i-gpu", "gpus": 3}],
        "volumes": sound()["volumes"],
    }
    evidence = WASTE.run(charges, stock)
    assert rules(evidence) == {"idle_gpu_pods": "40.00"}
    stock["nodes"] = []
    evidence = WASTE.run(charges, stock)
    assert evidence.outcome == Outcome.INCONCLUSIVE
    assert "no charge names 2 idle resources" in evidence.verdict.reason


def test_a_charge_is_wasted_once():
    """Transfer of an idle pod's own resource is transfer, and no idle time, too."""
    pod = {"name": "w", "resource_id": "p", "gpus": 1, "driver": "", "start": "2026-11-06"}
    stock = {**sound(), "pods": [*sound()["pods"], pod]}
    charges = (
        month() + hours("p", 10, "1.00") + hours("p", 10, "2.00", SkuMeter="Inter-AZ transfer")
    )
    evidence = WASTE.run(charges, stock)
    assert rules(evidence) == {"idle_gpu_pods": "10.00", "cross_zone_transfer": "20.00"}
    floor = dataclasses.replace(WASTE, cross_zone_floor=20)
    assert rules(floor.run(charges, stock)) == {"idle_gpu_pods": "10.00"}


def test_an_attached_volume_and_a_young_one_are_no_waste():
    charges = [*month(), *(line(day, 5, ResourceId="v") for day in days("2026-11-20", 11))]
    volume = {"resource_id": "v", "attached_to": "", "detached_at": "2026-11-30T06:00:00Z"}
    stock = {**sound(), "volumes": [*sound()["volumes"], volume]}
    assert WASTE.run(charges, stock).outcome == Outcome.PASS
    stock["volumes"][1]["detached_at"] = "2026-11-29T12:00:00Z"
    evidence = WASTE.run(charges, stock)
    assert rules(evidence) == {"unattached_volumes": "7.50"}
    assert (
        "volume v: 7.50 USD: unattached since 2026-11-29 12:00 UTC, for 36.0 h" in evidence.findings
    )
    stock["volumes"][1]["attached_to"] = "pod/x"
    assert WASTE.run(charges, stock).outcome == Outcome.PASS


def test_a_resource_that_costs_nothing_has_a_charge():
    charges = [*month(), *(line(day, 0, ResourceId="p") for day in days("2026-11-07", 3))]
    pod = {"name": "w", "resource_id": "p", "gpus": 1, "driver": "", "start": "2026-11-07"}
    stock = {**sound(), "pods": [*sound()["pods"], pod]}
    assert WASTE.run(charges, stock).outcome == Outcome.PASS


def test_no_charge_for_the_time_that_it_idled_is_not_zero():
    charges = [*month(), line("2026-11-03", 9, ResourceId="p")]
    pod = {"name": "w", "resource_id": "p", "gpus": 1, "driver": "", "start": "2026-11-07"}
    evidence = WASTE.run(charges, {**sound(), "pods": [*sound()["pods"], pod]})
    assert evidence.outcome == Outcome.INCONCLUSIVE
    assert "no charge names 1 idle resource" in evidence.verdict.reason
    pod |= {"start": "2026-09-01", "end": "2026-10-01"}  # before the bill
    evidence = WASTE.run(charges, {**sound(), "pods": [*sound()["pods"], pod]})
    assert evidence.outcome == Outcome.PASS


def test_rules_that_are_off_need_no_inventory():
    gate = CostBudget(currency="USD", max_waste=0, idle_hours=None, unattached_days=None)
    assert gate.run(month()).outcome == Outcome.PASS
    assert gate.run(month() + incident()).outcome == Outcome.FAIL


def test_waste_in_the_worst_period():
    gate = dataclasses.replace(WASTE, period="day", max_waste=3000)
    evidence = gate.run(month() + incident(), inventory())
    # Saturday: 24 h of 125 + 100 + 40 USD an hour
    assert details(evidence)["waste"]["cost"] == "6360.00"
    assert details(evidence)["waste"]["period"] in ("2026-11-07", "2026-11-08")


def test_pods_of_opencost():
    pods = {
        f"w{n}": {
            "properties": {"namespace": "training", "pod": f"w{n}"}, "totalCost": 12.0,
            "start": "2026-11-07T00:00:00Z", "end": "2026-11-08T00:00:00Z",
        }
        for n in range(3)
    }  # fmt: skip
    gate = CostBudget(currency="USD", max_waste=20, period="day", unattached_days=None)
    pod = {"namespace": "training", "gpus": 1, "start": "2026-11-07", "end": "2026-11-09"}
    stock = {"pods": [{**pod, "name": f"w{n}", "driver": "job" if n else ""} for n in range(3)]}
    evidence = gate.run({"code": 200, "data": [pods]}, stock)
    assert evidence.outcome == Outcome.PASS
    assert details(evidence)["waste"]["cost"] == "12.00"
    assert details(evidence)["format"] == "OpenCost"
    assert "OpenCost names no currency: taken for USD" in evidence.findings


# what is recorded


def test_money_is_recorded_as_text():
    evidence = CostBudget(currency="USD", max_cost=4000, max_waste=0).run(month(), sound())
    recorded = details(evidence)
    assert recorded["totals"][0]["billed"] == str(sum(Decimal(c["BilledCost"]) for c in month()))
    assert all(isinstance(part["cost"], str) for part in recorded["shares"])
    assert evidence.measurement.value == pytest.approx(2789.23, abs=0.01)


def test_a_gate_on_a_doctored_record():
    """Numbers that no bill gives, in a record that was changed by hand."""
    measurement = MONTH.run(month()).measurement
    huge = [{**measurement.details["entries"][0], "billed": "1E+999999999"}]
    changed = Measurement(
        value=1, unit="USD", n=5, details={**measurement.details, "entries": huge}
    )
    assert MONTH.decide(changed).outcome == Outcome.ERROR


def test_order_does_not_matter():
    charges = month() + incident()
    gate = CostBudget(currency="USD", max_cost=4000, max_waste=100, unattached_days=1)
    one = gate.run(charges, inventory())
    random.Random(0).shuffle(charges)
    again = gate.run(charges, inventory())
    assert details(again)["totals"] == details(one)["totals"]
    assert again.verdict == one.verdict


def test_fewer_columns_than_most_bills_have():
    charges = [
        {**COMMON, "BilledCost": 1, "ChargePeriodStart": day, "ChargePeriodEnd": None}
        for day in days("2026-11-01", 30)
    ]
    assert MONTH.run(charges).outcome == Outcome.ERROR  # an end that is there and empty


DATA = Path(os.environ.get("MLGATES_DATA", "no-data")) / "cloud_bill"


@pytest.mark.skipif(not DATA.is_dir(), reason="set MLGATES_DATA to the folder of real samples")
def test_real_samples():
    focus = DATA / "focus_1_2_aws_generated_seed7_500.csv"
    gate = CostBudget(currency="USD", max_cost=12_000, complete_until="2026-06-01")
    evidence = gate.run(focus)
    assert evidence.outcome == Outcome.PASS
    assert details(evidence)["format"] == "FOCUS 1.2"
    with focus.open(newline="") as file:
        total = sum(Decimal(row["BilledCost"]) for row in csv.DictReader(file))
    assert Decimal(details(evidence)["totals"][0]["billed"]) == total
    cur = CostBudget(currency="USD", max_waste=1, period="day").run(
        DATA / "nise_aws_cur_extract.csv"
    )
    assert cur.outcome == Outcome.FAIL
    assert details(cur)["format"] == "AWS CUR"
    told = json.loads((DATA / "opencost_swagger_with_allocation_example.json").read_text())
    answer = told["paths"]["/allocation/compute"]["get"]["responses"]["200"]["content"]
    example = json.loads(answer["application/json"]["examples"]["0"]["value"])
    spent = CostBudget(
        currency="USD", max_cost=1, by="namespace", period="week", complete_until="2023-01-23"
    ).run(example)
    assert spent.outcome == Outcome.PASS
    assert {e["group"] for e in details(spent)["entries"]} == {
        "kube-system",
        "opencost",
        "prometheus",
    }
