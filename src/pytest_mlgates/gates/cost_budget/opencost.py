"""OpenCost (and Kubecost) answers as charges in FOCUS columns: allocations, assets, cloud costs."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from pytest_mlgates.core import Unmeasurable
from pytest_mlgates.gates.cost_budget.money import Fault, money
from pytest_mlgates.gates.cost_budget.periods import instant
from pytest_mlgates.gates.cost_budget.shown import shown

__all__ = ["allocations", "is_response"]

_SETS = ("sets", "allocationSets", "assetSets", "cloudCostSets")
_INSIDE = ("allocations", "assets", "cloudCosts")
#: what cloud costs are told by: the first that is there
_CLOUD_COSTS = ("netCost", "amortizedNetCost", "invoicedCost", "listCost")
#: what an allocation's text says, so that it is known to be no transfer between zones
_WHAT = "allocated cost"


def is_response(source: object) -> bool:
    """Tell whether ``source`` is what the APIs of OpenCost and Kubecost answer.

    >>> is_response({"code": 200, "data": [{}]}), is_response({"code": 400, "message": "window"})
    (True, True)
    """
    return isinstance(source, Mapping) and (
        isinstance(source.get("data"), (list, tuple, Mapping))
        or (
            isinstance(source.get("code"), int)
            and bool({"data", "message", "status"} & set(source))
        )
    )


def allocations(
    responses: Iterable[Mapping[str, Any]] | Mapping[str, Any], currency: str
) -> Iterator[dict[str, Any]]:
    """Yield a charge for each allocation, and one for its cross-zone transfer.

    No currency is named: prices are taken to be in ``currency``. Windows of one allocation that
    overlap, as of days and of their sum, are refused.

    >>> pod = {"totalCost": 2.5, "start": "2026-11-07T00:00:00Z", "end": "2026-11-08T00:00:00Z"}
    >>> pod["properties"] = {"namespace": "training", "pod": "worker-1"}
    >>> [charge] = allocations({"code": 200, "data": [{"worker-1": pod}]}, "USD")
    >>> charge["ResourceId"], charge["BilledCost"]
    ('training/worker-1', Decimal('2.5'))
    """
    windows: dict[str, list[tuple[int, int]]] = {}
    for response in [responses] if isinstance(responses, Mapping) else responses:
        if response.get("code", 200) != 200 or response.get("data") is None:
            raise Unmeasurable(
                f"OpenCost answered with an error (code {response.get('code')}): ask it again"
            )
        for name, found in _each(response["data"]):
            for charge in _charges(name, found, currency):
                _note_window(windows, name, found, charge)
                yield charge
    _refuse_overlaps(windows)


def _each(data: object) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield allocations by name, out of sets, lists of sets and steps."""
    if data is None:  # a step of the window in which nothing ran
        return
    if isinstance(data, (list, tuple)):
        for step in data:
            yield from _each(step)
        return
    if not isinstance(data, Mapping):
        raise Unmeasurable("an OpenCost response holds something that is not an allocation set")
    nested = [data[key] for key in (*_SETS, *_INSIDE) if isinstance(data.get(key), (list, Mapping))]
    if nested:
        for each in nested:
            yield from _each(each)
        return
    for name, found in data.items():
        if not isinstance(found, Mapping) or _cost(found) is None:
            raise Unmeasurable("an OpenCost allocation has no totalCost")
        yield str(name), found


def _cost(found: Mapping[str, Any]) -> object:
    if "totalCost" in found:
        return found["totalCost"]
    costs = (found.get(name) for name in _CLOUD_COSTS)
    return next((c.get("cost") for c in costs if isinstance(c, Mapping)), None)


def _charges(name: str, found: Mapping[str, Any], currency: str) -> Iterator[dict[str, Any]]:
    about = found.get("properties") or {}
    window = found.get("window") or {}
    namespace, pod = about.get("namespace"), about.get("pod")
    total = _amount(_cost(found))
    charge: dict[str, Any] = {
        "BilledCost": total,
        "EffectiveCost": total,
        "BillingCurrency": currency,
        "ChargePeriodStart": found.get("start") or window.get("start"),
        "ChargePeriodEnd": found.get("end") or window.get("end"),
        "ChargeCategory": "Usage",
        "ServiceName": about.get("service") or "Kubernetes",
        "ServiceCategory": about.get("category") or "Compute",
        "SubAccountId": about.get("cluster") or about.get("accountID"),
        "ResourceId": f"{namespace}/{pod}" if pod else about.get("providerID"),
        "x_Namespace": namespace or (name if name.startswith("__") else None),
        "Tags": about.get("labels"),
        "ChargeDescription": f"{_WHAT} of {name}" if not namespace else _WHAT,
    }
    across = _amount(found.get("networkCrossZoneCost") or 0)
    if across > total > 0:
        raise Unmeasurable("an OpenCost allocation has a networkCrossZoneCost above its totalCost")
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


def _note_window(
    windows: dict[str, list[tuple[int, int]]],
    name: str,
    found: Mapping[str, Any],
    charge: Mapping[str, Any],
) -> None:
    try:
        times = instant(charge["ChargePeriodStart"]), instant(charge["ChargePeriodEnd"])
    except Fault:
        return  # the line itself is refused
    key = f"{(found.get('properties') or {}).get('cluster')} {name}"
    if charge["ChargeDescription"] != "cross-zone network transfer":
        windows.setdefault(key, []).append(times)


def _refuse_overlaps(windows: Mapping[str, list[tuple[int, int]]]) -> None:
    for key, times in windows.items():
        times.sort()
        for (start, end), (after, until) in itertools.pairwise(times):
            if after < end and (start, end) != (after, until):
                name = shown(key.partition(" ")[2])
                raise Unmeasurable(
                    f"OpenCost's answers overlap: {name} is there twice for one time: ask for one"
                    " step, and do not accumulate beside it"
                )


def _amount(value: object) -> Decimal:
    try:
        return money(value)
    except Fault as fault:
        raise Unmeasurable(f"an OpenCost allocation has a cost that {fault}") from None
