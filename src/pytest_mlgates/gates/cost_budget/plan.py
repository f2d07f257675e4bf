"""How a bill is measured, in plain values."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from pytest_mlgates.gates.cost_budget.details import Terms
from pytest_mlgates.gates.cost_budget.periods import day_of, period_of

__all__ = ["Plan"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The terms that are recorded, and what else a measurement needs.

    ``budget`` says which cost makes even a part of a period worth judging, and which findings are
    over; ``waste`` whether idle resources are looked for. The errors are those of the interval.
    """

    terms: Terms
    budget: Decimal | None
    waste: bool
    lower_error: float
    upper_error: float

    @property
    def first_judged(self) -> int:
        """The first day of the periods that are judged."""
        terms = self.terms
        if not terms.since:
            return 0
        since = day_of(terms.since)
        period = period_of(since, terms.period)
        return period.start if period.start == since else period.end
