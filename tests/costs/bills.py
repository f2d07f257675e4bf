"""Bills to test with: a month of normal charges, and a weekend that nobody watched."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

COMMON = {"BillingCurrency": "USD", "ChargeCategory": "Usage", "ChargeFrequency": "Usage-Based"}


def line(day: date | str, cost: object, **more: Any) -> dict[str, Any]:
    """Return a charge for a day."""
    first = date.fromisoformat(day) if isinstance(day, str) else day
    return {
        **COMMON,
        "ChargePeriodStart": f"{first}T00:00:00Z",
        "ChargePeriodEnd": f"{first + timedelta(days=1)}T00:00:00Z",
        "BillingPeriodStart": f"{first.replace(day=1)}T00:00:00Z",
        "BilledCost": cost,
        "ServiceName": "Amazon EC2",
        "ServiceCategory": "Compute",
        "ResourceId": "i-web",
        "ChargeDescription": "$0.10 per hour",
        **more,
    }


def days(first: str, count: int) -> Iterator[date]:
    """Yield days that follow each other."""
    start = date.fromisoformat(first)
    return (start + timedelta(days=n) for n in range(count))


def month(first: str = "2026-11-01", count: int = 30, seed: int = 1) -> list[dict[str, Any]]:
    """Return normal charges: about 105 USD on a weekday and 65 on others, of two teams."""
    draw = random.Random(seed)
    found = []
    for day in days(first, count):
        busy = 1 if day.weekday() < 5 else 0
        web = Decimal(f"{40 + 40 * busy + draw.uniform(-3, 3):.6f}")
        disk = Decimal(f"{25 + draw.uniform(-1, 1):.6f}")
        found += [
            line(day, web, ResourceId="i-web", Tags='{"namespace": "web", "team": "ads"}'),
            line(
                day, disk, ResourceId="vol-data", ServiceName="Amazon EBS",
                ServiceCategory="Storage", Tags='{"namespace": "training", "team": "ml"}',
            ),
        ]  # fmt: skip
    return found


def incident() -> list[dict[str, Any]]:
    """Return what a weekend cost besides: 8,000 + 5,000 + 2,000 USD, hour by hour."""
    found = []
    for pod in range(50):
        found += hours(f"arn:pod/{pod}", 64, "2.50", namespace="training")
    for node in range(4):
        found += hours(
            f"i-gpu-{node}", 50, "25.00", ChargeDescription="USE1-DataTransfer-Regional-Bytes"
        )
    for volume in range(10):
        found += hours(f"vol-{volume}", 50, "4.00", ServiceCategory="Storage")
    return found


def hours(resource: str, count: int, cost: str, namespace: str = "", **more: Any) -> list[Any]:
    """Return hourly charges from Friday 18:00 on, or from Saturday 00:00."""
    begin = 18 if count > 54 else 24
    found = []
    for hour in range(begin, begin + count):
        start, end = (
            f"{date(2026, 11, 6) + timedelta(days=h // 24)}T{h % 24:02}:00:00Z"
            for h in (hour, hour + 1)
        )
        tags = {"namespace": namespace} if namespace else {}
        found.append(
            line("2026-11-06", cost, ResourceId=resource, Tags=tags, **more)
            | {"ChargePeriodStart": start, "ChargePeriodEnd": end}
        )
    return found


def inventory() -> dict[str, list[dict[str, Any]]]:
    """Return what ran in that month."""
    pods = [
        {
            "name": f"worker-{n}", "namespace": "training", "resource_id": f"arn:pod/{n}",
            "gpus": 1, "start": "2026-11-06T10:00:00Z", "end": "2026-11-09T10:00:00Z",
            "driver": "launcher", "driver_end": "2026-11-06T18:00:00Z",
        }
        for n in range(50)
    ]  # fmt: skip
    volumes = [
        {
            "name": f"scratch-{n}", "namespace": "training", "resource_id": f"vol-{n}",
            "attached_to": "", "detached_at": "2026-11-07T00:00:00Z", "end": "2026-11-09T12:00:00Z",
        }
        for n in range(10)
    ]  # fmt: skip
    return {"pods": [*pods, *sound()["pods"]], "volumes": [*volumes, *sound()["volumes"]]}


def sound() -> dict[str, list[dict[str, Any]]]:
    """Return an inventory in which nothing idles."""
    web = {
        "name": "web", "namespace": "web", "resource_id": "i-web", "gpus": 2,
        "start": "2026-10-01", "driver": "deployment/web", "gpu_utilization": 0.7,
    }  # fmt: skip
    disk = {"name": "data", "resource_id": "vol-data", "attached_to": "web", "start": "2026-10-01"}
    return {"pods": [web], "volumes": [disk]}
