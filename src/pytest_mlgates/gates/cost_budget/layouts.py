"""Which column means what: FOCUS 1.x, and AWS Cost and Usage Reports mapped to it.

Names are matched without case, underscores and slashes, so that ``lineItem/UnblendedCost``,
``line_item_unblended_cost`` and a lower-cased Parquet export are one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from pytest_mlgates.core import Unmeasurable

__all__ = ["AMORTISED", "Layout", "Part", "layout"]

#: role -> FOCUS columns, the first that is there; the cost comes with the policy
_FOCUS = {
    "currency": ("BillingCurrency",),
    "start": ("ChargePeriodStart",),
    "end": ("ChargePeriodEnd",),
    "billing_start": ("BillingPeriodStart",),
    "category": ("ChargeCategory",),
    "class": ("ChargeClass",),
    "frequency": ("ChargeFrequency",),
    "service": ("ServiceName",),
    "service_category": ("ServiceCategory",),
    "resource": ("ResourceId",),
    "region": ("RegionId", "RegionName"),
    "account": ("SubAccountId", "BillingAccountId"),
    "namespace": ("x_Namespace", "Namespace"),
    "tags": ("Tags",),
    "allocated_resource": ("AllocatedResourceId",),
    "allocated_tags": ("AllocatedTags",),
    "version": ("FocusVersion", "x_FocusVersion"),
}
_AWS = {
    "cost": ("lineItem/UnblendedCost",),
    "currency": ("lineItem/CurrencyCode",),
    "start": ("lineItem/UsageStartDate",),
    "end": ("lineItem/UsageEndDate",),
    "billing_start": ("bill/BillingPeriodStartDate",),
    "category": ("lineItem/LineItemType",),
    "service": ("product/ProductName", "lineItem/ProductCode"),
    "service_category": ("lineItem/ProductCode",),
    "resource": ("lineItem/ResourceId",),
    "region": ("product/region", "product/regionCode"),
    "account": ("lineItem/UsageAccountId",),
    "tags": ("resource_tags",),
    "identity": ("identity/LineItemId",),
    "parent": ("splitLineItem/ParentResourceId",),
    "reservation": ("reservation/ReservationARN",),
}
_COSTS = {"billed": "BilledCost", "effective": "EffectiveCost", "amortised": "EffectiveCost"}
_NEEDED = ("cost", "currency", "start")
#: columns whose text tells cross-zone transfer
_TEXTS = (
    "ChargeDescription", "SkuMeter", "SkuDescription", "SkuPriceDetails", "x_SkuDescription",
    "x_SkuMeterName", "x_SkuMeterSubcategory", "x_SkuMeterCategory", "x_SkuDetails", "x_UsageType",
    "x_Operation", "x_TransferType", "x_ServiceCode", "lineItem/UsageType", "lineItem/Operation",
    "lineItem/LineItemDescription", "product/transferType",
)  # fmt: skip
#: with roles and texts, what tells one line from another, whatever it costs
_KEYS = (
    "SkuId", "SkuPriceId", "PricingCategory", "CommitmentDiscountId", "CommitmentDiscountStatus",
    "AvailabilityZone", "ResourceName", "x_SkuMeterId", "product/sku", "pricing/term",
)  # fmt: skip
#: what each version of FOCUS brought; https://focus.finops.org
_SINCE = {
    "1.3": ("ServiceProviderName", "HostProviderName", "AllocatedMethodId", "ContractApplied"),
    "1.2": ("InvoiceId", "PricingCurrency", "BillingAccountType", "SubAccountType"),
    "1.1": ("SkuMeter", "ServiceSubcategory", "CapacityReservationId", "SkuPriceDetails"),
    "1.0": ("ChargeCategory", "ContractedCost", "PricingCategory", "BillingPeriodStart"),
}
_BEFORE = ("ChargeType", "ChargeSubcategory", "AmortizedCost", "Provider", "Region")


@dataclass(frozen=True, slots=True)
class Part:
    """A column that is added or, with ``sign`` -1, taken away; ``net`` is it after discounts."""

    column: str
    net: str
    sign: int = 1


#: what a line of AWS costs amortised, by its LineItemType; others cost what is unblended
AMORTISED = {
    "SavingsPlanCoveredUsage": (
        Part("savingsPlan/SavingsPlanEffectiveCost", "savingsPlan/NetSavingsPlanEffectiveCost"),
    ),
    "SavingsPlanRecurringFee": (
        Part("savingsPlan/TotalCommitmentToDate", "savingsPlan/TotalCommitmentToDate"),
        Part("savingsPlan/UsedCommitment", "savingsPlan/UsedCommitment", sign=-1),
    ),
    "SavingsPlanNegation": (),
    "SavingsPlanUpfrontFee": (),
    "DiscountedUsage": (Part("reservation/EffectiveCost", "reservation/NetEffectiveCost"),),
    "RIFee": (
        Part(
            "reservation/UnusedAmortizedUpfrontFeeForBillingPeriod",
            "reservation/NetUnusedAmortizedUpfrontFeeForBillingPeriod",
        ),
        Part("reservation/UnusedRecurringFee", "reservation/NetUnusedRecurringFee"),
    ),
}
_SPLIT = (
    Part("splitLineItem/SplitCost", "splitLineItem/NetSplitCost"),
    Part("splitLineItem/UnusedCost", "splitLineItem/NetUnusedCost"),
)


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each role stands in a row; ``tag_columns`` are tags that have a column of their own.

    ``amortised`` are the columns of each LineItemType whose cost is not the line's own, ``split``
    those of what a container has of its instance, ``keys`` what tells lines apart.
    """

    name: str
    at: dict[str, int]
    names: dict[str, str]
    texts: tuple[int, ...]
    keys: tuple[int, ...]
    tag_columns: dict[str, int]
    amortised: dict[str, tuple[tuple[int, int], ...]]
    split: tuple[tuple[int, int], ...]

    @property
    def aws(self) -> bool:
        """Whether it is a report of AWS."""
        return self.name.startswith("AWS")


def layout(header: Sequence[str], cost: str) -> Layout:
    """Return the layout of a header, or raise :class:`Unmeasurable` saying what it lacks.

    >>> found = layout(["BilledCost", "BillingCurrency", "ChargePeriodStart"], "billed")
    >>> found.name, found.at["cost"]
    ('FOCUS of an unknown version', 0)
    """
    place = {_folded(name): index for index, name in reversed(list(enumerate(header))) if name}
    aws = _folded("lineItem/UnblendedCost") in place and _folded("BilledCost") not in place
    wanted = _AWS if aws else {"cost": (_COSTS[cost],), **_FOCUS}
    if aws and cost == "effective" and _folded("lineItem/NetUnblendedCost") in place:
        wanted = {**wanted, "cost": ("lineItem/NetUnblendedCost",)}
    at, names = {}, {}
    for role, columns in wanted.items():
        column = next((name for name in columns if _folded(name) in place), None)
        if column is not None:
            at[role] = place[_folded(column)]
        names[role] = column or columns[0]
    lacking = [names[role] for role in _NEEDED if role not in at]
    if lacking:
        raise Unmeasurable(_lacks(lacking, header))
    texts = _there(_TEXTS, place)
    told = [at[role] for role in at if role not in ("cost", "tags", "allocated_tags", "identity")]
    return Layout(
        name=_aws_name(header) if aws else _version(place),
        at=at,
        names=names,
        texts=texts,
        keys=tuple(dict.fromkeys((*told, *texts, *_there(_KEYS, place)))),
        tag_columns=_tags(header) if aws else {},
        amortised=_amortised(place, cost) if aws and cost != "billed" else {},
        split=_parts(_SPLIT, place, net=cost == "effective") if aws else (),
    )


def _there(columns: Sequence[str], place: dict[str, int]) -> tuple[int, ...]:
    return tuple(place[_folded(name)] for name in columns if _folded(name) in place)


def _parts(
    parts: Sequence[Part], place: dict[str, int], *, net: bool
) -> tuple[tuple[int, int], ...]:
    """Return where the columns stand, each with its sign; without any where one is missing."""
    found = []
    for part in parts:
        names = (part.net, part.column) if net else (part.column,)
        there = _there(names, place)
        if not there:
            return ()
        found.append((there[0], part.sign))
    return tuple(found)


def _amortised(place: dict[str, int], cost: str) -> dict[str, tuple[tuple[int, int], ...]]:
    """Return the columns of each LineItemType, or raise where what costs otherwise is not told."""
    found = {
        kind: _parts(parts, place, net=cost == "effective") for kind, parts in AMORTISED.items()
    }
    if not any(found.values()):
        raise Unmeasurable(
            f"this AWS report has no column of {cost} cost: export it with those of savings plans and"
            " reservations (savingsPlan/SavingsPlanEffectiveCost), or as FOCUS"
        )
    return found


def _folded(name: str) -> str:
    """Return a column name without case and separators.

    >>> _folded("lineItem/UnblendedCost") == _folded("line_item_unblended_cost")
    True
    """
    return re.sub(r"[\W_]", "", name).lower()


def _aws_name(header: Sequence[str]) -> str:
    return "AWS CUR" if any("/" in name for name in header) else "AWS CUR 2.0"


def _version(place: dict[str, int]) -> str:
    for version, columns in _SINCE.items():
        if any(_folded(column) in place for column in columns):
            return f"FOCUS {version}"
    return "FOCUS of an unknown version"


#: exports of clouds in forms of their own, by columns that these have
_NATIVE = {
    "Google's billing export: query its FOCUS view (cost_export_focus) instead": frozenset(
        ("billingaccountid", "usagestarttime", "sku", "cost")
    ),
    "Azure's cost details: export 'Cost and usage details (FOCUS)' instead": frozenset(
        ("costinbillingcurrency", "metercategory")
    ),
    "Azure's usage details: export 'Cost and usage details (FOCUS)' instead": frozenset(
        ("pretaxcost", "metercategory")
    ),
}


def _lacks(lacking: list[str], header: Sequence[str]) -> str:
    """Name what is missing, and what may have been meant."""
    place = {_folded(name) for name in header}
    text = f"the charges have no column {' and no '.join(lacking)}"
    if _folded("BilledCost") in place and any(_folded(name) in place for name in _BEFORE):
        return f"{text}: they look like a version of FOCUS before 1.0, export 1.0 or later"
    for of_cloud, marks in _NATIVE.items():
        if marks <= place:
            return f"{text}: they look like {of_cloud}"
    hints = {
        name: close[0]
        for name in lacking
        if (close := get_close_matches(_folded(name), place, n=1, cutoff=0.8))
    }
    if hints:
        known = {_folded(name): name for name in header}
        found = [known[hint] for hint in hints.values() if re.fullmatch(r"[\w ./]+", known[hint])]
        return f"{text}: is it {' and '.join(map(repr, found))}?" if found else text
    return f"{text}: give FOCUS 1.x columns, an AWS Cost and Usage Report or OpenCost allocations"


def _tags(header: Sequence[str]) -> dict[str, int]:
    """Return the tags that are columns.

    >>> _tags(["resourceTags/user:team", "resource_tags_user_env"])
    {'team': 0, 'env': 1}
    """
    found: dict[str, int] = {}
    for index, name in enumerate(header):
        match = re.fullmatch(r"resource_?tags(?:/|_)(?:(?:user|aws)[:_])?(.+)", name, re.IGNORECASE)
        if match:
            found.setdefault(match[1], index)
    return found
