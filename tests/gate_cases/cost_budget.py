"""What the shared suites ask of ``cost_budget``."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from pytest_mlgates.core import Evidence
from pytest_mlgates.gates.cost_budget import CostBudget
from tests.costs import bills

SECRETS = ("ada.lovelace@example.org", "4111-1111-1111-1111")

GATE = CostBudget(
    currency="USD",
    max_cost=4000,
    max_waste=100,
    unattached_days=1,
    since="2026-11-01",
    daily_cap=150,
)
COST = CostBudget(currency="USD", max_cost=4000)
BY_TAG = CostBudget(currency="USD", max_cost=4000, by="tag:owner")
WASTE = CostBudget(currency="USD", max_waste=100, unattached_days=1)
SCOPED = CostBudget(currency="USD", max_cost=4000, scope=("namespace=nobody",))
DAILY = CostBudget(currency="USD", max_cost=4000, period="day")


def _secret(charges: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the charges with what no report may hold in their names."""
    return [{**charge, "ServiceName": f"{charge['ServiceName']} {SECRETS}"} for charge in charges]


def sound() -> Evidence:
    """Return the evidence on a month that runs on, with two whole months before it."""
    before = bills.month("2026-09-01", 30) + bills.month("2026-10-01", 31)
    return GATE.run(_secret(before + bills.month(count=20)), bills.sound())


def flawed() -> Evidence:
    """Return the evidence on a month with the weekend in it."""
    stock = bills.inventory()
    stock["pods"][0]["name"] += f" of {SECRETS[0]} {SECRETS[1]}"
    return GATE.run(_secret(bills.month() + bills.incident()), stock)


def _changed(**changes: Any) -> list[dict[str, Any]]:
    """Return a sound month in which one charge is not."""
    charges = bills.month()
    charges[17] = {**charges[17], **changes}
    return charges


def _without(*columns: str) -> list[dict[str, Any]]:
    return [{k: v for k, v in c.items() if k not in columns} for c in bills.month()]


def _all(**changes: Any) -> list[dict[str, Any]]:
    return [{**charge, **changes} for charge in bills.month()]


def _shifted() -> list[dict[str, Any]]:
    charges = bills.month()
    names = list(charges[0])
    values = list(charges[17].values())
    charges[17] = dict(zip(names, values[-1:] + values[:-1], strict=True))
    return charges


def _stock(kind: str = "pods", **changes: Any) -> dict[str, Any]:
    stock = bills.sound()
    stock[kind] = [{**stock[kind][0], **changes}]
    return stock


MONTH = bills.month()
EARLIER = bills.month("2026-09-01", 30) + bills.month("2026-10-01", 31)
CREDIT = bills.line("2026-11-30", "-9000", ChargeCategory="Credit", ResourceId=None)
CUR = {
    "lineItem/UnblendedCost": "1.5", "lineItem/CurrencyCode": "USD",
    "lineItem/UsageStartDate": "2026-11-07T00:00:00Z",
    "lineItem/UsageEndDate": "2026-11-08T00:00:00Z", "lineItem/LineItemType": "Usage",
    "identity/LineItemId": "a",
}  # fmt: skip

VACUOUS: dict[str, Callable[[], Evidence]] = {
    "no charges": lambda: COST.run([]),
    "an exhausted iterator": lambda: COST.run(iter(())),
    "one charge for a list": lambda: COST.run(MONTH[0]),
    "not an iterable": lambda: COST.run(7),
    "nothing": lambda: COST.run(None),
    "records of another kind": lambda: COST.run([1, 2]),
    "a file of unknown kind": lambda: COST.run("bill.xlsx"),
    "a file that is not there": lambda: COST.run("no-such-folder/bill.csv"),
    "no cost column": lambda: COST.run(_without("BilledCost")),
    "no effective cost": lambda: CostBudget(currency="USD", max_cost=9, cost="effective").run(
        MONTH
    ),
    "no currency column": lambda: COST.run(_without("BillingCurrency")),
    "no start column": lambda: COST.run(_without("ChargePeriodStart")),
    "columns of FOCUS before 1.0": lambda: COST.run(
        [{"BilledCost": 1, "ChargeType": "Usage", "Provider": "AWS", "BillingCurrency": "USD"}]
    ),
    "columns of nothing known": lambda: COST.run([{"amount": 5, "when": "2026-11-07"}]),
    "a cost left empty": lambda: COST.run(_changed(BilledCost="")),
    "a cost that is None": lambda: COST.run(_changed(BilledCost=None)),
    "a cost that is NaN": lambda: COST.run(_changed(BilledCost=math.nan)),
    "all costs NaN": lambda: COST.run(_all(BilledCost=math.nan)),
    "an infinite cost": lambda: COST.run(_changed(BilledCost=math.inf)),
    "a cost that is true": lambda: COST.run(_changed(BilledCost=True)),
    "words for a cost": lambda: COST.run(_changed(BilledCost=SECRETS[0])),
    "a currency for a cost": lambda: COST.run(_changed(BilledCost="USD")),
    "a date for a cost": lambda: COST.run(_changed(BilledCost="2026-11-07T00:00:00Z")),
    "a cost beyond all money": lambda: COST.run(_changed(BilledCost="1e300")),
    "a decimal comma": lambda: COST.run(_changed(BilledCost="12,5")),
    "shifted by a column": lambda: COST.run(_shifted()),
    "a number for a currency": lambda: COST.run(_changed(BillingCurrency="0.096")),
    "a currency left empty": lambda: COST.run(_changed(BillingCurrency="")),
    "one charge in another currency": lambda: COST.run(_changed(BillingCurrency="EUR")),
    "all in another currency": lambda: COST.run(_all(BillingCurrency="EUR")),
    "a start that is no time": lambda: COST.run(_changed(ChargePeriodStart=SECRETS[0])),
    "a start left empty": lambda: COST.run(_changed(ChargePeriodStart=None)),
    "a start in seconds": lambda: COST.run(_changed(ChargePeriodStart=1794009600)),
    "a start in the year 1926": lambda: COST.run(_changed(ChargePeriodStart="1926-11-07")),
    "an end before its start": lambda: COST.run(_changed(ChargePeriodEnd="2026-11-01T00:00:00Z")),
    "a category of no known kind": lambda: COST.run(_changed(ChargeCategory=SECRETS[0])),
    "a category left empty": lambda: COST.run(_changed(ChargeCategory="")),
    "the month twice": lambda: COST.run(MONTH + MONTH),
    "one line twice": lambda: COST.run([*MONTH, MONTH[3]]),
    "one id twice": lambda: COST.run([CUR, {**CUR, "lineItem/UnblendedCost": "1.6"}]),
    "an AWS line of no known type": lambda: COST.run([{**CUR, "lineItem/LineItemType": "Gift"}]),
    "nothing was paid": lambda: COST.run(_all(BilledCost="0")),
    "credits cancel all": lambda: COST.run([*MONTH, CREDIT]),
    "only credits": lambda: COST.run([CREDIT]),
    "half a month left out": lambda: COST.run(MONTH[:20] + MONTH[40:]),
    "the first days left out": lambda: COST.run(MONTH[10:]),
    "a month that runs on, without history": lambda: COST.run(MONTH[:40]),
    "a month that runs on, without the one before": lambda: COST.run(MONTH[:56]),
    "a month that runs on, and could end anywhere": lambda: CostBudget(
        currency="USD", max_cost=2800, since="2026-11-01"
    ).run(EARLIER + MONTH[:40]),
    "a month that ends with the charges, unsettled": lambda: CostBudget(
        currency="USD", max_cost=4000, settle_days=2
    ).run(MONTH),
    "the bill of another month": lambda: GATE.run(EARLIER, bills.sound()),
    "a namespace that nobody has": lambda: SCOPED.run(MONTH),
    "a namespace where none is known": lambda: SCOPED.run(_without("Tags")),
    "a group that no column tells": lambda: BY_TAG.run(_without("Tags")),
    "a day that runs on": lambda: DAILY.run(
        [{**MONTH[0], "ChargePeriodEnd": "2026-11-01T01:00:00Z"}]
    ),
    "OpenCost with an error": lambda: COST.run({"code": 500, "data": []}),
    "OpenCost with nothing": lambda: COST.run({"code": 200, "data": []}),
    "OpenCost without costs": lambda: COST.run({"code": 200, "data": [{"pod": {}}]}),
    "waste without an inventory": lambda: WASTE.run(MONTH),
    "an inventory of nothing": lambda: WASTE.run(MONTH, {}),
    "an inventory of empty lists": lambda: WASTE.run(MONTH, {"pods": [], "volumes": []}),
    "an inventory without volumes": lambda: WASTE.run(MONTH, {"pods": bills.sound()["pods"]}),
    "an inventory without pods": lambda: WASTE.run(MONTH, {"volumes": bills.sound()["volumes"]}),
    "an inventory of strange kinds": lambda: WASTE.run(MONTH, {"pots": []}),
    "an inventory that is a list": lambda: WASTE.run(MONTH, bills.sound()["pods"]),
    "an inventory that is not there": lambda: WASTE.run(MONTH, "no-such-folder"),
    "an inventory that joins nothing": lambda: WASTE.run(
        MONTH,
        {
            "pods": _stock(resource_id="other")["pods"],
            "volumes": _stock("volumes", resource_id="another")["volumes"],
        },
    ),
    "an inventory that knows little": lambda: WASTE.run(
        MONTH, {**bills.sound(), "pods": _stock(resource_id="other")["pods"]}
    ),
    "pods that do not say their GPUs": lambda: WASTE.run(
        MONTH, {**bills.sound(), "pods": [{"name": "web", "resource_id": "i-web"}]}
    ),
    "a pod without name": lambda: WASTE.run(MONTH, _stock(name="", resource_id="")),
    "a pod with words for GPUs": lambda: WASTE.run(MONTH, _stock(gpus="many")),
    "a pod with NaN seconds in use": lambda: WASTE.run(MONTH, _stock(gpu_utilization=math.inf)),
    "a pod in use by 70": lambda: WASTE.run(MONTH, _stock(gpu_utilization=70)),
    "a pod that ends before it starts": lambda: WASTE.run(MONTH, _stock(end="2026-09-01")),
    "a pod that started at no time": lambda: WASTE.run(MONTH, _stock(start="yesterday")),
    "a pod of which nothing is known": lambda: WASTE.run(
        MONTH,
        {**bills.sound(), "pods": [{"name": "w", "resource_id": "i-web", "gpus": 8}]},
    ),
    "a pod that idles since nobody knows when": lambda: WASTE.run(
        MONTH, _stock(driver="", start=None, gpu_utilization=None)
    ),
    "an idle pod that no charge names": lambda: WASTE.run(
        MONTH,
        {**bills.sound(), "pods": [*bills.sound()["pods"], *bills.inventory()["pods"][:1]]},
    ),
    "an unattached volume that no charge names": lambda: WASTE.run(
        MONTH,
        {
            **bills.sound(),
            "volumes": [*bills.sound()["volumes"], *bills.inventory()["volumes"][:1]],
        },
    ),
    "a volume of which nothing is known": lambda: WASTE.run(
        MONTH, {**bills.sound(), "volumes": [{"resource_id": "vol-data"}]}
    ),
    "a volume unattached since nobody knows when": lambda: WASTE.run(
        MONTH, _stock("volumes", attached_to="", start=None)
    ),
    "pods that share a node beyond its GPUs": lambda: WASTE.run(
        MONTH,
        {
            **bills.sound(),
            "nodes": [{"name": "n1", "resource_id": "i-web", "gpus": 8}],
            "pods": [
                {"name": f"p{n}", "node": "n1", "gpus": 5, "start": "2026-11-02", "driver": ""}
                for n in range(2)
            ],
        },
    ),
}
