"""The same use of the same cluster, as three clouds bill it and spell its ids.

Every shape has the columns, the form of tags and the names of resources that its cloud's own export
has; amounts and prices are those of the AWS bill, so that what is found must be the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from reference_systems.cloud_bill.billing import PRICES
from reference_systems.cloud_bill.memory import HOUR, MemoryCluster, Pod, Used, Volume

__all__ = ["SHAPES", "Shape"]

_PROJECT, _ACCOUNT = "ml-platform", "200000000007"
_GROUP = "/subscriptions/0F3A/resourceGroups/MC_ml_training/providers/Microsoft.Compute"


@dataclass(frozen=True, slots=True)
class Shape:
    """How a cloud names a pod's node and a volume: to Kubernetes, and on its bill."""

    name: str
    node: Callable[[Pod], str]
    provider: Callable[[Pod], str]
    handle: Callable[[Volume], str]
    row: Callable[[Used, Decimal], dict[str, object]]

    def charges(self, cluster: MemoryCluster) -> Iterator[dict[str, object]]:
        """Yield a charge for each hour of each resource."""
        for used in cluster.used:
            yield self.row(used, Decimal(repr(used.amount)) * PRICES[used.kind])


def _times(hour: datetime) -> tuple[str, str]:
    return f"{hour:%Y-%m-%dT%H:%M:%SZ}", f"{hour + HOUR:%Y-%m-%dT%H:%M:%SZ}"


def _tags(item: Pod | Volume) -> dict[str, str]:
    return {"kubernetes_namespace": item.namespace, "owner": item.owner}


def _aws(used: Used, cost: Decimal) -> dict[str, object]:
    """Return a line of a Cost and Usage Report 2.0; volumes are named by their ARN."""
    item, (start, end) = used.item, _times(used.hour)
    meter = {"gpu": "BoxUsage:p4d", "volume": "EBS:VolumeUsage.gp3"}
    volume = f"arn:aws:ec2:us-east-1:{_ACCOUNT}:volume/" if isinstance(item, Volume) else ""
    name = item.name if isinstance(item, Volume) else item.instance
    return {
        "identity_line_item_id": f"{used.kind}-{name}-{start}",
        "bill_billing_period_start_date": "2026-05-01T00:00:00Z",
        "line_item_line_item_type": "Usage",
        "line_item_product_code": "AmazonEC2",
        "line_item_usage_type": meter.get(used.kind, "DataTransfer-Regional-Bytes"),
        "line_item_resource_id": f"{volume}{name}",
        "line_item_usage_start_date": start,
        "line_item_usage_end_date": end,
        "line_item_currency_code": "USD",
        "line_item_unblended_cost": f"{cost:f}",
        "resource_tags": [(f"user_{key}", value) for key, value in _tags(item).items()],
    }


def _focus(used: Used, cost: Decimal, resource: str) -> dict[str, object]:
    start, end = _times(used.hour)
    category = {"gpu": "Compute", "volume": "Storage"}.get(used.kind, "Networking")
    return {
        "BilledCost": f"{cost:f}",
        "EffectiveCost": f"{cost:f}",
        "BillingCurrency": "USD",
        "BillingPeriodStart": "2026-05-01T00:00:00Z",
        "ChargePeriodStart": start,
        "ChargePeriodEnd": end,
        "ChargeCategory": "Usage",
        "ChargeFrequency": "Usage-Based",
        "ResourceId": resource,
        "ServiceCategory": category,
        "SubAccountId": _PROJECT,
    }


def _google(used: Used, cost: Decimal) -> dict[str, object]:
    """Return a line of Google's FOCUS view; tags are a list of keys and values."""
    item = used.item
    sku = {"gpu": "A100 GPU running in Iowa", "volume": "SSD backed PD Capacity"}
    zone = f"//compute.googleapis.com/projects/{_PROJECT}/zones/{item.zone}"
    own = f"disks/{item.name}" if isinstance(item, Volume) else f"instances/{_gke(item)}"
    return {
        **_focus(used, cost, f"{zone}/{own}"),
        "ServiceName": "Compute Engine",
        "x_SkuDescription": sku.get(
            used.kind, f"Network Inter Zone Data Transfer {used.kind.title()}"
        ),
        "Tags": json.dumps([{"key": k, "value": v} for k, v in _tags(item).items()]),
    }


def _azure(used: Used, cost: Decimal) -> dict[str, object]:
    """Return a line of Azure's FOCUS export; ids are in small letters, tags without braces."""
    item = used.item
    meter = {"gpu": "NC24ads A100 v4", "volume": "P60 LRS Disk"}
    own = f"disks/{item.name}" if isinstance(item, Volume) else f"virtualMachines/{_aks(item)}"
    return {
        **_focus(used, cost, f"{_GROUP}/{own}".lower()),
        "ServiceName": "Bandwidth" if used.kind in ("in", "out") else "Virtual Machines",
        "x_SkuMeterName": meter.get(
            used.kind, f"Inter-Availability Zone Data Transfer {used.kind.title()}"
        ),
        "Tags": json.dumps(_tags(item))[1:-1],
    }


def _gke(pod: Pod) -> str:
    return f"gke-gpu-{pod.instance.removeprefix('i-')}"


def _aks(pod: Pod) -> str:
    return f"aks-gpu-{pod.instance.removeprefix('i-')}"


SHAPES = {
    "aws": Shape(
        "aws",
        node=lambda pod: f"{pod.instance}.ec2.internal",
        provider=lambda pod: f"aws:///{pod.zone}/{pod.instance}",
        handle=lambda volume: volume.name,
        row=_aws,
    ),
    "google": Shape(
        "google",
        node=_gke,
        provider=lambda pod: f"gce://{_PROJECT}/{pod.zone}/{_gke(pod)}",
        handle=lambda volume: f"projects/{_PROJECT}/zones/{volume.zone}/disks/{volume.name}",
        row=_google,
    ),
    "azure": Shape(
        "azure",
        node=_aks,
        provider=lambda pod: f"azure://{_GROUP}/virtualMachines/{_aks(pod)}",
        handle=lambda volume: f"{_GROUP}/disks/{volume.name}",
        row=_azure,
    ),
}
