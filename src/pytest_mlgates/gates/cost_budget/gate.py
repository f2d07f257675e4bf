"""Whether a cloud bill stays inside its budget, and what of it was waste."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pytest_mlgates.core import Headline, Measurement, Needs, StatisticalGate, Verdict
from pytest_mlgates.core.fields import FieldError, Limit
from pytest_mlgates.core.pictures import Intervals, Picture, Point, Shares
from pytest_mlgates.gates.cost_budget.details import Entry, Seen, Terms

if TYPE_CHECKING:
    import os

__all__ = ["CostBudget"]

_BY = ("service", "category", "namespace", "account", "region")
#: groups and periods that a picture shows
MAX_DRAWN = 20


@dataclass(frozen=True, kw_only=True)
class CostBudget(StatisticalGate):
    """Holds the charges of each period against a budget, and what idled against ``max_waste``.

    What was billed is a fact: over the budget is FAIL, and a period that has ended within it is
    PASS. One that runs on can PASS by arithmetic alone: what is billed, the fees that come late,
    and ``daily_cap`` for each day left. Where it is heading is told, with an interval, and decides
    nothing. Waste is found by joining an inventory: GPU pods without a driver or in no use,
    unattached volumes, transfer between zones, each with the charges of the time in which it
    idled. Money is exact. A line that can't be read, or is in another currency, is never left out
    of a sum in silence.

    >>> gate = CostBudget(currency="USD", max_cost=100, period="day")
    >>> day = {"BillingCurrency": "USD", "ChargeCategory": "Usage"}
    >>> day |= {"ChargePeriodStart": "2026-11-07", "ChargePeriodEnd": "2026-11-08"}
    >>> gate.run([{**day, "BilledCost": "99.99"}]).outcome.value
    'pass'
    >>> gate.run([{**day, "BilledCost": "100.01"}]).outcome.value
    'fail'

    Not seen: charges that are in no export, and what a launch or the end of a discount will do
    to a period that runs on.

    To mend: end what is named as idle: a TTL and a deadline on jobs, volumes that go with their
    pods, one zone for what talks much; or agree on another budget.

    Sources: FOCUS 1.0 to 1.3 (focus.finops.org); Goldberger 1962 (prediction).
    """

    name: ClassVar[str] = "cost_budget"
    shows: ClassVar[frozenset[str]] = frozenset(
        (
            "PERSON",
            "SECRET",
        )
    )
    extra: ClassVar[str | None] = "scale"

    currency: Annotated[str, "what the limits are in (ISO 4217); charges in another are an ERROR"]
    max_cost: Annotated[
        float | None,
        Limit(tighten="down", gt=0),
        "most that a period may cost; with `by`, each group of it",
    ] = None
    max_waste: Annotated[
        float | None,
        Limit(tighten="down", ge=0),
        "most that a period may waste, all rules together",
    ] = None
    daily_cap: Annotated[
        float | None,
        Limit(tighten="up", ge=0),
        "most that a day can cost, fees apart, by a quota that holds; with `by`, each group of it:"
        " lets a period that runs on PASS",
    ] = None
    period: Annotated[
        Literal["day", "week", "month", "quarter", "year"],
        "what the limits are for; begins at 00:00 UTC, weeks on Monday",
    ] = "month"
    by: Annotated[
        str,
        "what has a budget of its own: service, category, namespace, account, region or tag:KEY",
    ] = ""
    scope: Annotated[
        tuple[str, ...],
        "only charges that fit all of these, as in namespace=training, tag:team=ads",
    ] = ()
    cost: Annotated[
        Literal["billed", "effective", "amortised"],
        "what was invoiced, what it amortises to after discounts, or before them (AWS)",
    ] = "billed"
    since: Annotated[
        str,
        "ISO date: periods that begin before it are not judged, only learnt from",
    ] = ""
    complete_until: Annotated[
        str, "ISO date up to which the charges are whole, where their lines do not show it"
    ] = ""
    settle_days: Annotated[
        int,
        Limit(tighten="up", ge=0, le=31, unit="days"),
        "last days of the charges, which may still grow",
    ] = 0
    idle_hours: Annotated[
        float | None,
        Limit(tighten="down", gt=0, unit="h"),
        "a GPU pod that idles this long is waste; null for no such rule",
    ] = 4.0
    min_utilization: Annotated[
        float | None,
        Limit(tighten="up", gt=0, le=1),
        "share of its GPUs in use below which a pod idles; null where only its driver counts",
    ] = 0.05
    unattached_days: Annotated[
        float | None,
        Limit(tighten="down", gt=0, unit="days"),
        "a volume that is attached to nothing this long is waste; null for no such rule",
    ] = 7.0
    cross_zone_floor: Annotated[
        float | None,
        Limit(tighten="down", ge=0),
        "transfer between zones is waste where a resource's costs more in a period; null: no rule",
    ] = 0.0
    min_known: Annotated[
        float,
        Limit(tighten="up", ge=0, le=1),
        "smallest share of what compute and storage cost that the inventory must know of",
    ] = 0.5
    duplicates: Annotated[
        Literal["refuse", "count"], "what to do with lines that are equal: an ERROR, or count each"
    ] = "refuse"
    decimal: Annotated[Literal[".", ","], "decimal mark of costs that are text"] = "."

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "currency", self.currency.strip().upper())
        if not re.fullmatch(r"[A-Z]{3}", self.currency):
            raise FieldError("currency", "must be a code of three letters, as in USD")
        if self.max_cost is None and self.max_waste is None:
            raise FieldError("", "sets no limit: give max_cost or max_waste")
        rules = (self.idle_hours, self.unattached_days, self.cross_zone_floor)
        if self.max_waste is not None and all(rule is None for rule in rules):
            raise FieldError(
                "max_waste", "has no rule: give idle_hours, unattached_days or another"
            )
        for day in ("since", "complete_until"):
            _check_day(day, getattr(self, day))
        if self.by:
            _check_group("by", self.by)
        for rule in self.scope:
            group, sign, _ = rule.partition("=")
            if not sign:
                raise FieldError("scope", "must read as in namespace=training")
            _check_group("scope", group)

    def needs(self) -> Needs:
        """Return that one charge can show a budget broken; how many pass it is the bill's matter."""
        return Needs(to_pass=1, to_fail=1, unit="charges")

    def measure(
        self,
        charges: Iterable[Mapping[str, object]] | str | os.PathLike[str] | Any,
        inventory: Mapping[str, object] | str | os.PathLike[str] | None = None,
    ) -> Measurement:
        """Add up charges: FOCUS 1.x columns, an AWS Cost and Usage Report, OpenCost allocations.

        They are records, a DataFrame, a file or a folder. ``inventory`` maps ``pods``, ``nodes``
        and ``volumes`` to records, DataFrames or files; or it is a file, some files or a folder of
        them, as ``kubectl get pods,nodes,pvc,pv -A -o json``, Prometheus or a cloud writes them.
        """
        from pytest_mlgates.gates.cost_budget.measure import measure_bill
        from pytest_mlgates.gates.cost_budget.plan import Plan

        plan = Plan(
            terms=self._terms,
            budget=_exact_limit(self.max_cost),
            waste=self.max_waste is not None,
            lower_error=self.alpha,
            upper_error=self.beta,
        )
        return measure_bill(charges, inventory, plan)

    def headline(self, measurement: Measurement, /) -> Headline:
        """Return the number that the policy is about, as the details give it."""
        from pytest_mlgates.gates.cost_budget.judge import headline

        return headline(
            measurement.read(Seen),
            measurement.n,
            self.currency,
            budget=self.max_cost is not None,
            lower_error=self.alpha,
            upper_error=self.beta,
        )

    def decide(self, measurement: Measurement, /) -> Verdict:
        """FAIL where a limit is broken, PASS where each that is set holds."""
        from pytest_mlgates.gates.cost_budget.judge import Limits, judge

        limits = Limits(
            cost=_exact_limit(self.max_cost),
            waste=_exact_limit(self.max_waste),
            daily_cap=_exact_limit(self.daily_cap),
            min_known=self.min_known,
            alpha=self.alpha,
            beta=self.beta,
        )
        return judge(measurement.read(Seen), measurement.n, self._terms, limits)

    def pictures(self, measurement: Measurement) -> Iterator[Picture]:
        """Draw each period against the budget, and what the most expensive one is made of."""
        seen = measurement.read(Seen)
        entries = seen.entries or ()
        if self.max_cost is not None:
            points = tuple(self._point(entry, entries) for entry in entries[:MAX_DRAWN])
            title = f"Cost by {self.by or self.period}, and where it is heading"
            yield Intervals(title, points, self.currency, (self.max_cost,))
        parts = tuple(
            Point(part.name, float(part.cost), bad=part.waste) for part in seen.shares or ()
        )
        title = f"What the most expensive {self.period} paid for"
        yield Shares(title, parts, self.currency, None if self.by else self.max_cost)

    def _point(self, entry: Entry, entries: Sequence[Entry]) -> Point:
        label = f"{entry.group} {entry.period}" if self.by else entry.period
        billed, low, high = float(entry.billed), None, None
        if entry.forecast is not None:
            from pytest_mlgates.gates.cost_budget.judge import ends

            low, high = ends(entry.forecast, entries, self.alpha, self.beta)
        bad = self.max_cost is not None and billed > self.max_cost
        return Point(label, billed, low, high, bad=bad)

    @property
    def _terms(self) -> Terms:
        return Terms(**{field.name: getattr(self, field.name) for field in fields(Terms)})


def _exact_limit(limit: float | None) -> Decimal | None:
    """Return a limit as it is written: 0.1 is a tenth of a dollar."""
    return None if limit is None else Decimal(repr(limit))


def _check_day(field: str, text: str) -> None:
    if not text:
        return
    try:
        date.fromisoformat(text)
    except ValueError:
        raise FieldError(field, "must be a date as in 2026-11-01") from None


def _check_group(field: str, text: str) -> None:
    if text not in _BY and not re.fullmatch(r"tag:.+", text):
        raise FieldError(field, f"must be one of {', '.join(_BY)} or tag:KEY")
