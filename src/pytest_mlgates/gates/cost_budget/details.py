"""What a run of ``cost_budget`` records of a bill; money is text, so that no digit is lost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from pytest_mlgates.core.details import Count, Share
from pytest_mlgates.gates.cost_budget.money import recorded
from pytest_mlgates.stats.prediction import SumForecast

__all__ = ["Ahead", "Entry", "Left", "Part", "Rule", "Seen", "Terms", "Total", "Unread", "Wasted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The fields of the policy that a measurement depends on: another policy measures again."""

    currency: str
    cost: str
    period: str
    since: str
    complete_until: str
    settle_days: Count
    by: str
    scope: tuple[str, ...]
    idle_hours: float | None
    min_utilization: float | None
    unattached_days: float | None
    cross_zone_floor: float | None
    duplicates: str
    decimal: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead(SumForecast):
    """The days to come of a period, beside what is billed of it and what may still come once."""

    billed: float
    billed_ahead: float
    fees: float
    credits: float

    def __post_init__(self) -> None:
        SumForecast.__post_init__(self)  # slots make a new class: super() is that of the old one
        if self.fees < 0 or self.credits > 0:
            raise ValueError("fees are below zero, or credits above it")


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What arithmetic needs of a period that runs on.

    ``days`` may still grow; ``billed`` is without them, ``most`` the dearest day so far. ``fees``
    are those still to come, as many as in the dearest period before; None where none is whole.
    """

    days: Count
    billed: str
    most: str
    fees: str | None

    def __post_init__(self) -> None:
        for amount in (self.billed, self.most, self.fees or "0.00"):
            recorded(amount)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """Lines whose cost is known, and what they are for is not; ``credits`` are the negative ones."""

    why: str
    lines: Count
    cost: str
    credits: str

    def __post_init__(self) -> None:
        recorded(self.cost)
        recorded(self.credits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A group in a period; ``lacks`` says why one that runs on has no forecast."""

    group: str
    period: str
    billed: str
    credits: str
    complete: bool
    forecast: Ahead | None
    lacks: str
    left: Left | None = None

    def __post_init__(self) -> None:
        recorded(self.billed)

    @property
    def cost(self) -> Decimal:
        """What was billed."""
        return recorded(self.billed)

    @property
    def label(self) -> str:
        """The entry as a person names it."""
        return f"{self.group} in {self.period}" if self.group else self.period


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """All that was billed in a period; ``gaps`` are days without a charge."""

    period: str
    billed: str
    credits: str
    gaps: Count
    complete: bool

    def __post_init__(self) -> None:
        recorded(self.billed)
        recorded(self.credits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A share of the most expensive period."""

    name: str
    cost: str
    waste: bool

    def __post_init__(self) -> None:
        recorded(self.cost)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What one rule found to be waste."""

    resources: Count
    cost: str
    unpriced: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class Wasted:
    """The waste of the period that wasted most, and what the inventory can't tell of it.

    ``untold`` are the charges of a period that may be transfer between zones for all their text
    says; ``unknown_services`` what the inventory does not know of, by service.
    """

    period: str
    cost: str
    rules: Mapping[str, Rule]
    top: object
    unpriced: Count
    unjudged: Count
    kinds: Mapping[str, Count]
    gpu_pods: Count
    joined: Count
    unknown_resources: Count
    unknown_cost: str
    known_share: Share | None
    inventory: bool
    complete: bool
    untold: str = "0.00"
    untold_lines: Count = 0
    unknown_services: tuple[Part, ...] = ()
    sources: tuple[str, ...] = ()
    spelled: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        recorded(self.cost)
        recorded(self.untold)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A bill: its periods, its groups, its waste; only what is about it where nothing is judged.

    ``forecast`` says whether periods that run on were judged by it, as version 0.1 did, or are told.
    """

    calls: Count = 0
    measured_with: Terms
    format: str
    lines: Mapping[str, Count]
    through: str | None = None
    totals: tuple[Total, ...] | None = None
    entries: tuple[Entry, ...] | None = None
    waste: Wasted | None = None
    shares: tuple[Part, ...] | None = None
    #: lines of the periods that are judged; 0.2 did not record it
    charges: Count | None = None
    findings: tuple[str, ...] = ()
    unread: tuple[Unread, ...] = ()
    cost_column: str = ""
    forecast: Literal["judged", "told"] = "judged"
