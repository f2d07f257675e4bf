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

__all__ = ["CATEGORIES", "Category", "Layout", "category_of", "layout"]


@dataclass(frozen=True, slots=True)
class Category:
    """What kind of charge a line is: may it be negative, and does it flow day by day?"""

    name: str
    negative: bool
    flows: bool


#: FOCUS ChargeCategory; a Purchase flows where it recurs within days
CATEGORIES = {
    "Usage": Category("Usage", negative=False, flows=True),
    "Purchase": Category("Purchase", negative=False, flows=False),
    "Tax": Category("Tax", negative=True, flows=False),
    "Credit": Category("Credit", negative=True, flows=False),
    "Adjustment": Category("Adjustment", negative=True, flows=False),
}
#: lineItem/LineItemType of AWS; what ends in Discount is one, too
_AWS_TYPES = {
    "Usage": CATEGORIES["Usage"],
    "DiscountedUsage": CATEGORIES["Usage"],
    "SavingsPlanCoveredUsage": CATEGORIES["Usage"],
    "SavingsPlanNegation": Category("Usage", negative=True, flows=True),
    "SavingsPlanRecurringFee": Category("Purchase", negative=False, flows=True),
    "SavingsPlanUpfrontFee": CATEGORIES["Purchase"],
    "RIFee": CATEGORIES["Purchase"],
    "Fee": CATEGORIES["Purchase"],
    "FlatRateSubscription": CATEGORIES["Purchase"],
    "Tax": CATEGORIES["Tax"],
    "Credit": CATEGORIES["Credit"],
    "Refund": CATEGORIES["Credit"],
}
_DISCOUNT = Category("Credit", negative=True, flows=True)

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
}
_COSTS = {"billed": "BilledCost", "effective": "EffectiveCost"}
_NEEDED = ("cost", "currency", "start")
#: columns whose text tells cross-zone transfer
_TEXTS = (
    "ChargeDescription", "SkuMeter", "SkuPriceDetails", "x_SkuDescription", "x_UsageType",
    "x_Operation", "x_TransferType", "x_ServiceCode", "lineItem/UsageType", "lineItem/Operation",
    "lineItem/LineItemDescription", "product/transferType",
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
class Layout:
    """Where each role stands in a row; ``tag_columns`` are tags that have a column of their own."""

    name: str
    at: dict[str, int]
    names: dict[str, str]
    texts: tuple[int, ...]
    tag_columns: dict[str, int]

    def category(self, value: object) -> Category | None:
        """Return the category of a line, or None where it is of no known kind."""
        return category_of(value, aws=self.name.startswith("AWS"))


def category_of(value: object, *, aws: bool) -> Category | None:
    """Return what a ChargeCategory, or a LineItemType of AWS, stands for.

    >>> category_of("EdpDiscount", aws=True).negative, category_of("USD", aws=False)
    (True, None)
    """
    if not isinstance(value, str):
        return None
    known = _AWS_TYPES if aws else CATEGORIES
    found = known.get(value) or known.get(value.strip())
    return _DISCOUNT if found is None and aws and value.strip().endswith("Discount") else found


def layout(header: Sequence[str], cost: str) -> Layout:
    """Return the layout of a header, or raise :class:`Unmeasurable` saying what it lacks.

    >>> found = layout(["BilledCost", "BillingCurrency", "ChargePeriodStart"], "billed")
    >>> found.name, found.at["cost"]
    ('FOCUS of an unknown version', 0)
    """
    place = {_folded(name): index for index, name in reversed(list(enumerate(header))) if name}
    aws = _folded("lineItem/UnblendedCost") in place and _folded("BilledCost") not in place
    if aws and cost != "billed":
        raise Unmeasurable(
            "an AWS Cost and Usage Report has no column of effective cost: export FOCUS columns"
        )
    wanted = _AWS if aws else {"cost": (_COSTS[cost],), **_FOCUS}
    at, names = {}, {}
    for role, columns in wanted.items():
        column = next((name for name in columns if _folded(name) in place), None)
        if column is not None:
            at[role] = place[_folded(column)]
        names[role] = column or columns[0]
    lacking = [names[role] for role in _NEEDED if role not in at]
    if lacking:
        raise Unmeasurable(_lacks(lacking, header))
    return Layout(
        name=_aws_name(header) if aws else _version(place),
        at=at,
        names=names,
        texts=tuple(place[_folded(name)] for name in _TEXTS if _folded(name) in place),
        tag_columns=_tags(header) if aws else {},
    )


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


def _lacks(lacking: list[str], header: Sequence[str]) -> str:
    """Name what is missing, and what may have been meant."""
    place = {_folded(name) for name in header}
    text = f"the charges have no column {' and no '.join(lacking)}"
    if _folded("BilledCost") in place and any(_folded(name) in place for name in _BEFORE):
        return f"{text}: they look like a version of FOCUS before 1.0, export 1.0 or later"
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
