"""What the rest of the company pays for: FOCUS charges by seed, or a real file's.

With ``MLGATES_DATA`` set, the normal background is the FOCUS 1.2 file in its folder
``cloud_bill``; its lines are taken as they are.
"""

from __future__ import annotations

import csv
import json
import os
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from reference_systems.cloud_bill.billing import row
from reference_systems.cloud_bill.month import END, START

__all__ = ["background", "data_file"]

#: service, category, mean USD a working day, share of it at a weekend
SERVICES = (
    ("AmazonEC2", "Compute", 190.0, 0.6),
    ("AmazonS3", "Storage", 62.0, 1.0),
    ("AmazonRDS", "Databases", 75.0, 0.9),
    ("AmazonEKS", "Compute", 14.4, 1.0),
    ("AWSLambda", "Compute", 9.0, 0.5),
    ("AmazonCloudWatch", "Management and Governance", 21.0, 0.8),
    ("AWSGlue", "Analytics", 38.0, 0.2),
)
NAMESPACES = ("web", "search", "payments", "data", "monitoring")
_CENT = Decimal("0.01")


def data_file() -> Path | None:
    """Return the FOCUS file in the folder named by MLGATES_DATA, if there is one."""
    root = os.environ.get("MLGATES_DATA")
    found = sorted(Path(root, "cloud_bill").glob("focus_*.csv")) if root else []
    return found[0] if found else None


def background(seed: int) -> Iterator[dict[str, str]]:
    """Yield the charges of everything but the cluster for training."""
    file = data_file()
    if file is None:
        yield from _drawn(seed)
        return
    with file.open(encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines)


def _drawn(seed: int) -> Iterator[dict[str, str]]:
    draw = random.Random(f"{seed}: background")
    taxed = Decimal(0)
    day = START
    while day < END:
        for service, category, mean, weekend in SERVICES:
            level = mean * (weekend if day.weekday() >= 5 else 1.0) * draw.lognormvariate(0, 0.06)
            for namespace, share in _split(draw):
                cost = Decimal(level * share).quantize(_CENT)
                taxed += cost if service == "AWSGlue" else 0
                yield _daily(day, cost, service, category, namespace)
        day += timedelta(days=1)
    credit = Decimal(draw.uniform(-900, -600)).quantize(_CENT)
    yield _monthly(credit, "Credit", "Promotional credit", "AmazonEC2")
    yield _monthly((taxed / 10).quantize(_CENT), "Tax", "Sales tax on data services", "AWSGlue")
    yield _monthly(Decimal("1000.00"), "Purchase", "Support plan, monthly fee", "AWSSupport")


def _split(draw: random.Random) -> list[tuple[str, float]]:
    weights = [draw.uniform(0.5, 1.5) for _ in NAMESPACES]
    return [(name, w / sum(weights)) for name, w in zip(NAMESPACES, weights, strict=True)]


def _daily(
    day: datetime, cost: Decimal, service: str, category: str, namespace: str
) -> dict[str, str]:
    return row(
        cost,
        day,
        day + timedelta(days=1),
        ChargeDescription=f"{service} usage of {namespace}",
        ServiceName=service,
        ServiceCategory=category,
        ResourceId=f"arn:aws:{service.lower()}:us-east-1:200000000007:{namespace}",
        ResourceName=namespace,
        SkuMeter=category,
        Tags=json.dumps({"kubernetes_namespace": namespace, "owner": f"team-{namespace}"}),
    )


def _monthly(cost: Decimal, category: str, words: str, service: str) -> dict[str, str]:
    return row(
        cost,
        START,
        END,
        ChargeCategory=category,
        ChargeFrequency="One-Time" if category != "Purchase" else "Recurring",
        ChargeDescription=words,
        ServiceName=service,
        ServiceCategory="Other",
        PricingCategory="",
    )
