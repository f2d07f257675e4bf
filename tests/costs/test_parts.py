"""Money, periods, layouts, OpenCost and inventories, one by one."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlgates.core import Unmeasurable
from pytest_mlgates.gates.cost_budget.inventory import read_inventory
from pytest_mlgates.gates.cost_budget.kinds import category_of
from pytest_mlgates.gates.cost_budget.layouts import layout
from pytest_mlgates.gates.cost_budget.money import Fault, exactly, format_money, money, text
from pytest_mlgates.gates.cost_budget.opencost import allocations
from pytest_mlgates.gates.cost_budget.periods import day_of, instant, iso, period_of
from pytest_mlgates.gates.cost_budget.shown import shown
from pytest_mlgates.gates.cost_budget.zones import is_zone_transfer

AMOUNTS = st.decimals(min_value=-(10**12), max_value=10**12, places=6)


@given(AMOUNTS)
def test_money_comes_back_as_it_was_written(amount):
    assert money(str(amount)) == amount
    assert money(f"{amount:,.6f}") == amount
    assert money(f"$ {amount}") == amount
    european = f"{amount:,.6f}".translate(str.maketrans(",.", ".,"))
    assert money(european, ",") == amount
    assert Decimal(text(amount)) == amount


@given(st.lists(AMOUNTS, max_size=50))
def test_sums_are_exact(amounts):
    with exactly():
        total = sum(amounts, Decimal(0))
    assert Fraction(total) == sum(map(Fraction, amounts))


@pytest.mark.parametrize(
    ("written", "mark", "value"),
    [
        ("1e-7", ".", "1e-7"), ("1.5E+3", ".", "1500"), (".5", ".", "0.5"), ("-0", ".", "0"),
        ("+3", ".", "3"), ("1 234.5", ".", "1234.5"), ("1\u00a0234,5", ",", "1234.5"),
        ("1'234.50", ".", "1234.50"), ("\u221212", ".", "-12"), ("(3.20)", ".", "-3.20"),
        ("-$5.00", ".", "-5"), ("0,07", ",", "0.07"), ("12", ",", "12"), (" 7 ", ".", "7"),
        (3, ".", "3"), (0.1, ".", "0.1"), (Decimal("0.30"), ".", "0.30"),
    ],
)  # fmt: skip
def test_ways_to_write_money(written, mark, value):
    assert money(written, mark) == Decimal(value)


@pytest.mark.parametrize(
    ("written", "mark", "why"),
    [
        ("12,5", ".", "decimal comma"), ("1.234,50", ".", "decimal comma"),
        ("12.50", ",", "decimal point"), ("1,234.50", ",", "decimal point"),
        ("1,23,456", ".", "not a number"), ("USD", ".", "currency code"), ("abc", ".", "not a number"),
        ("2026-11-07", ".", "a date"), ("", ".", "empty"), (None, ".", "empty"),
        (float("nan"), ".", "empty"), ("nan", ".", "not a number"), ("inf", ".", "not a number"),
        (Decimal("Infinity"), ".", "not finite"), (True, ".", "not a number"), ([], ".", "not a number"),
        ("1e16", ".", "10^15"), ("1e-60", ".", "decimals"), ("0x10", ".", "not a number"),
        ("1_000", ".", "not a number"), ("\u0661\u0662,5", ",", "."),
    ],
)  # fmt: skip
def test_what_is_no_money(written, mark, why):
    if why == ".":  # digits of another script are digits
        assert money(written, mark) == Decimal("12.5")
        return
    with pytest.raises(Fault, match=why.replace("^", r"\^")):
        money(written, mark)


def test_money_as_it_is_shown():
    assert format_money(Decimal("-1234.005"), "EUR") == "-1,234.00 EUR"
    assert text(Decimal("0E-18")) == "0.00"
    assert text(Decimal("0.1234567890123456789012345678901")).endswith("8901")


@given(st.integers(day_of("2000-01-01"), day_of("2099-12-30")))
def test_periods_tile_the_days(day):
    for kind in ("day", "week", "month", "quarter", "year"):
        period = period_of(day, kind)
        assert period.start <= day < period.end
        assert period_of(period.start, kind) == period == period_of(period.end - 1, kind)
        assert period_of(period.end, kind).start == period.end
    assert (date(1970, 1, 1) + timedelta(days=period_of(day, "week").start)).weekday() == 0


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-07T00:00:00Z", "2026-11-07T00:00:00.000Z", "2026-11-07", "2026-11-07 00:00:00",
        "2026-11-07 00:00:00 +0000 UTC", "2026-11-06T19:00:00-05:00", date(2026, 11, 7),
        datetime(2026, 11, 7), datetime(2026, 11, 7, tzinfo=UTC),
        datetime(2026, 11, 7, 5, 30, tzinfo=timezone(timedelta(hours=5, minutes=30))),
    ],
)  # fmt: skip
def test_one_instant(value):
    assert iso(instant(value)) == "2026-11-07 00:00 UTC"


@pytest.mark.parametrize("value", ["", None, "11/07/2026", "yesterday", 20261107, "0001-01-01"])
def test_no_instant(value):
    with pytest.raises(Fault):
        instant(value)


def test_versions_and_formats():
    needed = ["BilledCost", "BillingCurrency", "ChargePeriodStart"]
    assert layout([*needed, "ChargeCategory"], "billed").name == "FOCUS 1.0"
    assert layout([*needed, "SkuMeter"], "billed").name == "FOCUS 1.1"
    assert layout([*needed, "InvoiceId"], "billed").name == "FOCUS 1.2"
    assert layout([*needed, "HostProviderName"], "billed").name == "FOCUS 1.3"
    assert layout([name.lower() for name in needed], "billed").at["cost"] == 0
    snake = ["line_item_unblended_cost", "line_item_currency_code", "line_item_usage_start_date"]
    assert layout(snake, "billed").name == "AWS CUR 2.0"
    with pytest.raises(Unmeasurable, match="no column of effective cost"):
        layout(snake, "effective")
    with pytest.raises(Unmeasurable, match="is it 'BilledCosts'"):
        layout(["BilledCosts", *needed[1:]], "billed")


@pytest.mark.parametrize(
    ("line", "negative", "name"),
    [("Usage", False, "Usage"), ("SavingsPlanNegation", True, "Usage"), ("Refund", True, "Credit"),
     ("EdpDiscount", True, "Credit"), ("RIFee", False, "Purchase"), ("Tax", True, "Tax")],
)  # fmt: skip
def test_lines_of_aws(line, negative, name):
    found = category_of(line, aws=True)
    assert (found.negative, found.name) == (negative, name)
    assert category_of(line, aws=False) is None or line in ("Usage", "Tax")


@pytest.mark.parametrize(
    "words",
    [
        "USE1-DataTransfer-Regional-Bytes", "EU-DataTransfer-xAZ-Out-Bytes", "InterZone-In",
        "Network Inter Zone Data Transfer Out", "Inter-AZ transfer", "cross-zone network transfer",
        "$0.010 per GB - regional data transfer - in/out/between EC2 AZs",
        "Inter Availability Zone Data Transfer In", "data between availability zones",
    ],
)  # fmt: skip
def test_transfer_between_zones(words):
    assert is_zone_transfer(words)


@pytest.mark.parametrize(
    "words",
    ["DataTransfer-Out-Bytes", "InterRegion Outbound", "BoxUsage:p4d.24xlarge", "Hosted Zone",
     "Network Internet Egress", "EBS:VolumeUsage.gp3", "DNS-Queries zone", "PublicIP-In"],
)  # fmt: skip
def test_other_charges(words):
    assert not is_zone_transfer(words)


def test_opencost_splits_off_the_transfer():
    found = {
        "name": "w", "properties": {"namespace": "training", "pod": "w", "labels": {"team": "ml"}},
        "window": {"start": "2026-11-07T00:00:00Z", "end": "2026-11-08T00:00:00Z"},
        "totalCost": Decimal("10.5"), "networkCrossZoneCost": Decimal("0.5"),
    }  # fmt: skip
    across, rest = allocations({"data": [{"w": found}, None]}, "USD")
    assert (across["BilledCost"], rest["BilledCost"]) == (Decimal("0.5"), Decimal("10.0"))
    assert is_zone_transfer(across["ChargeDescription"])
    assert rest["x_Namespace"] == "training"
    assert rest["ChargePeriodStart"] == "2026-11-07T00:00:00Z"


POD = {"name": "w", "namespace": "t", "gpus": 2, "start": "2026-11-07", "end": "2026-11-08"}


def windows(*pods, min_utilization=0.05, **more):
    found = read_inventory({"pods": list(pods), **more}, min_utilization=min_utilization)
    return [
        (w.name, iso(w.start), iso(w.end) if w.end < 1 << 39 else "", w.why) for w in found.windows
    ]


def test_a_pod_idles_once_its_driver_is_gone():
    pod = {**POD, "driver": "launcher", "driver_end": "2026-11-07T06:00:00Z"}
    since = "2026-11-07 06:00 UTC"
    assert windows(pod) == [("t/w", since, "2026-11-08 00:00 UTC", f"no driver since {since}")]
    assert windows({**pod, "end": None}) == [("t/w", since, "", f"no driver since {since}")]
    assert windows({**pod, "driver_end": "2026-11-08"}) == []
    assert windows({**pod, "driver_end": None}) == []
    assert windows({**pod, "gpus": 0}) == []


def test_use_decides_where_no_driver_is_known():
    assert windows({**POD, "gpu_utilization": 0.04})[0][3].startswith("4.0% of its GPUs in use")
    assert windows({**POD, "gpu_utilization": 0.05}) == []
    assert windows({**POD, "gpu_utilization": 0.04, "driver": "job"}, min_utilization=None) == []
    assert windows({**POD, "gpu_utilization": 0.0, "driver": "job"}) != []


def test_observations_that_follow_each_other_are_one_time():
    def seen(start, end, use):
        times = {"start": f"2026-11-07T{start}:00:00Z", "end": f"2026-11-07T{end}:59:59Z"}
        return {**POD, **times, "gpu_utilization": use}

    rows = [
        seen("00", "03", 0.9),
        seen("04", "05", 0),
        seen("06", "07", 0.01),
        seen("08", "09", 0.6),
    ]
    assert windows(*rows[::-1]) == [
        ("t/w", "2026-11-07 04:00 UTC", "2026-11-07 07:59 UTC",
         "0.0% of its GPUs in use since 2026-11-07 04:00 UTC")
    ]  # fmt: skip
    busy = {
        **POD,
        "start": "2026-11-07T05:00:00Z",
        "end": "2026-11-07T06:00:00Z",
        "gpu_utilization": 1,
    }
    idle = {**POD, "end": "2026-11-07T10:00:00Z", "gpu_utilization": 0}
    assert [w[1:3] for w in windows(idle, busy)] == [
        ("2026-11-07 00:00 UTC", "2026-11-07 05:00 UTC"),
        ("2026-11-07 06:00 UTC", "2026-11-07 10:00 UTC"),
    ]


def test_what_a_pod_has_of_its_node():
    nodes = [{"name": "n", "resource_id": "i-1", "gpus": 8}]
    pods = [{**POD, "name": f"w{n}", "node": "n", "driver": ""} for n in range(2)]
    found = read_inventory({"pods": pods, "nodes": nodes}, min_utilization=None)
    assert [(w.node, w.share) for w in found.windows] == [("i-1", Fraction(1, 4))] * 2
    assert {"t/w0", "n", "i-1"} <= found.known
    # the id of what they run on is no pod's own
    pods = [{**POD, "name": f"w{n}", "resource_id": "i-1", "driver": ""} for n in range(2)]
    found = read_inventory({"pods": pods}, min_utilization=None)
    assert [(w.node, w.share, w.resources) for w in found.windows] == [
        ("i-1", None, ("t/w0",)),
        ("i-1", None, ("t/w1",)),
    ]


def test_an_inventory_in_a_folder(tmp_path):
    (tmp_path / "pods.csv").write_text(
        "name,namespace,gpus,start,end,driver\nw,t,2,2026-11-07,2026-11-08,\nv,t,,2026-11-07,,\n"
    )
    (tmp_path / "volumes.json").write_text(
        json.dumps([{"volume_id": "vol-1", "attached_to": None, "detached_at": "2026-11-07"}])
    )
    (tmp_path / ".DS_Store").write_text("")
    found = read_inventory(tmp_path, min_utilization=None)
    assert [w.name for w in found.windows] == ["t/w", "vol-1"]
    assert found.kinds == {"pods": 2, "volumes": 1}
    whole = tmp_path / "all.json"
    whole.write_text(json.dumps({"pods": [POD]}))
    assert read_inventory(whole, min_utilization=None).gpu_pods == 1
    (tmp_path / "pods.jsonl").write_text("")
    (tmp_path / "all.json").unlink()
    with pytest.raises(Unmeasurable, match="more than one file of pods"):
        read_inventory(tmp_path, min_utilization=None)


def test_names_as_they_are_shown():
    assert shown("a\x1b[31m\nb") == "a\\x1b[31m\\nb"
    assert (
        shown("arn:aws:eks:us-east-1:123456789012:pod/w")
        == "arn:aws:eks:us-east-1:123456789012:pod/w"
    )
    assert shown("x" * 200) == "x" * 79 + "…"
    assert shown("caf\udce9") == "caf?"


def test_instants_are_of_this_century():
    assert instant("2000-01-01") == 946_684_800
    assert instant("2099-12-31T23:59:59Z") == 4_102_444_799
    for outside in ("1999-12-31T23:59:59Z", "2100-01-01"):
        with pytest.raises(Fault, match="between 2000 and 2100"):
            instant(outside)
