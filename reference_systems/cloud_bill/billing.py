"""From what a cluster used to a bill with the columns of FOCUS 1.2."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from reference_systems.cloud_bill.memory import HOUR, MemoryCluster, Used, Volume
from reference_systems.cloud_bill.month import END, START

__all__ = ["COLUMNS", "PRICES", "charges_of", "row"]

#: USD for a GPU hour, for a GB of disk and hour ($0.09 a GB-month), for a GB over a zone's edge
PRICES = {
    "gpu": Decimal("2.50"),
    "volume": Decimal("0.000125"),
    "out": Decimal("0.01"),
    "in": Decimal("0.01"),
}

COLUMNS = (
    "BilledCost", "BillingAccountId", "BillingAccountName", "BillingAccountType", "BillingCurrency",
    "BillingPeriodStart", "BillingPeriodEnd", "ChargeCategory", "ChargeClass", "ChargeDescription",
    "ChargeFrequency", "ChargePeriodStart", "ChargePeriodEnd", "ConsumedQuantity", "ConsumedUnit",
    "ContractedCost", "ContractedUnitPrice", "EffectiveCost", "InvoiceId", "InvoiceIssuerName",
    "ListCost", "ListUnitPrice", "PricingCategory", "PricingCurrency", "PricingQuantity",
    "PricingUnit", "ProviderName", "PublisherName", "RegionId", "RegionName", "AvailabilityZone",
    "ResourceId", "ResourceName", "ResourceType", "ServiceCategory", "ServiceName",
    "ServiceSubcategory", "SkuId", "SkuMeter", "SkuPriceId", "SubAccountId", "SubAccountName",
    "SubAccountType", "Tags",
)  # fmt: skip

_FIXED = {
    "BillingAccountId": "100000000001",
    "BillingAccountName": "Example Payer",
    "BillingAccountType": "Payer Account",
    "BillingCurrency": "USD",
    "BillingPeriodStart": f"{START:%Y-%m-%dT%H:%M:%SZ}",
    "BillingPeriodEnd": f"{END:%Y-%m-%dT%H:%M:%SZ}",
    "ChargeFrequency": "Usage-Based",
    "InvoiceId": "INV-2026-05-0001",
    "InvoiceIssuerName": "AWS",
    "PricingCategory": "Standard",
    "PricingCurrency": "USD",
    "ProviderName": "AWS",
    "PublisherName": "AWS",
    "RegionId": "us-east-1",
    "RegionName": "US East (N. Virginia)",
    "SubAccountId": "200000000007",
    "SubAccountName": "ml-platform",
    "SubAccountType": "Linked Account",
}

_SERVICES = {
    "gpu": ("AmazonEC2", "Compute", "Virtual Machines", "BoxUsage:gpu", "GPU-Hours"),
    "volume": ("AmazonEBS", "Storage", "Block Storage", "EBS:VolumeUsage", "GB-Hours"),
    "out": (
        "AmazonEC2",
        "Networking",
        "Network Infrastructure",
        "DataTransfer-Regional-Bytes",
        "GB",
    ),
    "in": (
        "AmazonEC2",
        "Networking",
        "Network Infrastructure",
        "DataTransfer-Regional-Bytes",
        "GB",
    ),
}

_WORDS = {
    "gpu": "$2.50 per GPU hour",
    "volume": "$0.000125 per GB hour of provisioned storage",
    "out": "$0.01 per GB regional data transfer, out to another availability zone",
    "in": "$0.01 per GB regional data transfer, in from another availability zone",
}


def charges_of(cluster: MemoryCluster) -> Iterator[dict[str, str]]:
    """Yield a charge for each hour of each resource."""
    for used in cluster.used:
        yield _charge(used)


def _charge(used: Used) -> dict[str, str]:
    service, category, sub, meter, unit = _SERVICES[used.kind]
    amount, price, item = Decimal(repr(used.amount)), PRICES[used.kind], used.item
    disk = isinstance(item, Volume)
    tags = {"kubernetes_namespace": item.namespace, "pod": item.pod if disk else item.name}
    if item.owner:
        tags["owner"] = item.owner
    return row(
        amount * price,
        used.hour,
        used.hour + HOUR,
        ChargeDescription=_WORDS[used.kind],
        ConsumedQuantity=f"{amount.normalize():f}",
        ConsumedUnit=unit,
        ListUnitPrice=str(price),
        ContractedUnitPrice=str(price),
        PricingQuantity=f"{amount.normalize():f}",
        PricingUnit=unit,
        AvailabilityZone=item.zone,
        ResourceId=item.name if disk else item.instance,
        ResourceName=item.pod if disk else item.name,
        ResourceType="Volume" if disk else "Instance",
        ServiceName=service,
        ServiceCategory=category,
        ServiceSubcategory=sub,
        SkuId=f"SKU-{meter}",
        SkuMeter=meter,
        SkuPriceId=f"SPRICE-{meter}",
        Tags=json.dumps(tags),
    )


def row(cost: Decimal, start: datetime, end: datetime, **columns: str) -> dict[str, str]:
    """Return a charge with every column; all four costs are what was billed."""
    charge = dict.fromkeys(COLUMNS, "")
    charge |= _FIXED | {"ChargeCategory": "Usage"}
    charge |= dict.fromkeys(
        ("BilledCost", "EffectiveCost", "ListCost", "ContractedCost"), f"{cost:f}"
    )
    charge["ChargePeriodStart"] = f"{start:%Y-%m-%dT%H:%M:%SZ}"
    charge["ChargePeriodEnd"] = f"{end:%Y-%m-%dT%H:%M:%SZ}"
    return charge | columns
