"""OpenCost (and Kubecost) allocations as charges in FOCUS columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from pytest_mlgates.core import Unmeasurable
from pytest_mlgates.gates.cost_budget.money import Fault, money

__all__ = ["allocations", "is_response"]


def is_response(source: object) -> bool:
    """Tell whether ``source`` is what OpenCost's allocation API answers.

    >>> is_response({"code": 200, "data": [{}]})
    True
    """
    return isinstance(source, Mapping) and isinstance(source.get("data"), (list, tuple, Mapping))


def allocations(response: Mapping[str, Any], currency: str) -> Iterator[dict[str, Any]]:
    """Yield a charge for each allocation, and one for its cross-zone transfer.

    OpenCost names no currency: its prices are taken to be in ``currency``.

    >>> pod = {"totalCost": 2.5, "start": "2026-11-07T00:00:00Z", "end": "2026-11-08T00:00:00Z"}
    >>> pod["properties"] = {"namespace": "training", "pod": "worker-1"}
    >>> [charge] = allocations({"code": 200, "data": [{"worker-1": pod}]}, "USD")
    >>> charge["ResourceId"], charge["BilledCost"]
    ('training/worker-1', Decimal('2.5'))
    """
    if response.get("code", 200) != 200:
        raise Unmeasurable("OpenCost answered with an error: ask it again")
    data = response["data"]
    for step in [data] if isinstance(data, Mapping) else data:
        if step is None:  # a step of the window in which nothing ran
            continue
        if not isinstance(step, Mapping):
            raise Unmeasurable("an OpenCost response holds something that is not an allocation set")
        for name, found in step.items():
            if not isinstance(found, Mapping) or "totalCost" not in found:
                raise Unmeasurable("an OpenCost allocation has no totalCost")
            yield from _charges(str(name), found, currency)


def _charges(name: str, found: Mapping[str, Any], currency: str) -> Iterator[dict[str, Any]]:
    about = found.get("properties") or {}
    window = found.get("window") or {}
    namespace, pod = about.get("namespace"), about.get("pod")
    charge: dict[str, Any] = {
        "BilledCost": _amount(found["totalCost"]),
        "EffectiveCost": _amount(found["totalCost"]),
        "BillingCurrency": currency,
        "ChargePeriodStart": found.get("start") or window.get("start"),
        "ChargePeriodEnd": found.get("end") or window.get("end"),
        "ChargeCategory": "Usage",
        "ServiceName": "Kubernetes",
        "ServiceCategory": "Compute",
        "SubAccountId": about.get("cluster"),
        "ResourceId": f"{namespace}/{pod}" if pod else about.get("providerID"),
        "x_Namespace": namespace or (name if name.startswith("__") else None),
        "Tags": about.get("labels"),
        "ChargeDescription": None,
    }
    across = _amount(found.get("networkCrossZoneCost") or 0)
    if across:
        rest = charge["BilledCost"] - across
        charge |= {"BilledCost": rest, "EffectiveCost": rest}
        yield {
            **charge,
            "BilledCost": across,
            "EffectiveCost": across,
            "ChargeDescription": "cross-zone network transfer",
        }
    yield charge


def _amount(value: object) -> Decimal:
    try:
        return money(value)
    except Fault as fault:
        raise Unmeasurable(f"an OpenCost allocation has a cost that {fault}") from None
