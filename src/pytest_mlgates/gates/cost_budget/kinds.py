"""What kind of charge a line is: ChargeCategory of FOCUS, LineItemType of AWS."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CATEGORIES", "KINDS", "WORDS", "Category", "category_of", "is_in_inventory"]


@dataclass(frozen=True, slots=True)
class Category:
    """A kind of charge: does it flow day by day, and may a negative one be part of that flow?

    FOCUS lets Usage, Purchase, Tax and Adjustment be negative (a refund, a correction within the
    period); such a line counts, and is no day that comes again.
    """

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
#: every word that a bill may use for a kind
WORDS = tuple(dict.fromkeys((*CATEGORIES, *_AWS_TYPES)))
_DISCOUNT = Category("Credit", negative=True, flows=True)
#: every kind once, usage first, then what else flows: a line holds the place of its own
KINDS = tuple(
    sorted(
        dict.fromkeys((*CATEGORIES.values(), *_AWS_TYPES.values(), _DISCOUNT)),
        key=lambda kind: (kind.name != "Usage", not kind.flows),
    )
)

#: what can hold no GPU, node or volume of one's own; whatever is not named here may
_ELSEWHERE = {
    # FOCUS ServiceCategory
    "networking", "security", "identity", "management and governance", "business applications",
    "developer tools", "integration", "media", "migration", "mobile", "multicloud", "web",
    "internet of things", "databases", "blockchain",
    # lineItem/ProductCode of AWS
    "amazoncloudfront", "amazonroute53", "amazonvpc", "awsdatatransfer", "amazonrds",
    "amazondynamodb", "amazonelasticache", "amazoncloudwatch", "awscloudtrail", "awskms",
    "awssecretsmanager", "awsconfig", "amazonsns", "awsqueueservice", "awselb", "amazonapigateway",
    "awswaf", "amazonguardduty", "awssecurityhub", "amazoncognito", "awsbackup", "awscostexplorer",
    "amazonses", "awsevents", "awsxray", "awssystemsmanager",
}  # fmt: skip


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


def is_in_inventory(category: str) -> bool:
    """Tell whether an inventory should know what a charge of this category is for.

    >>> is_in_inventory("AI and Machine Learning"), is_in_inventory("Networking")
    (True, False)
    """
    return category.strip().lower() not in _ELSEWHERE
