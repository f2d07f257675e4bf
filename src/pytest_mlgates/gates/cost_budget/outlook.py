"""Budget periods of a bill: which are over, and where those that run on will end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from decimal import Decimal

from pytest_mlgates.core.errors import Unmeasurable
from pytest_mlgates.core.words import plural
from pytest_mlgates.gates.cost_budget.details import Ahead, Entry, Left
from pytest_mlgates.gates.cost_budget.money import text
from pytest_mlgates.gates.cost_budget.periods import DAY, Period, day_of, period_of
from pytest_mlgates.gates.cost_budget.plan import Plan
from pytest_mlgates.gates.cost_budget.shown import shown
from pytest_mlgates.gates.cost_budget.tally import ZERO, Sums, Tally
from pytest_mlgates.stats.prediction import LEAST_DAYS, MOST_DAYS

__all__ = ["Bill", "outlook"]


_LATE = 60
MAX_RUNNING = 500


@dataclass(slots=True)
class Bill:
    """What a tally says by group and period; days are counted from 1970-01-01.

    ``through`` is the day up to which the charges reach, ``settled`` the one up to which they no
    longer grow.
    """

    tally: Tally
    plan: Plan
    through: int
    settled: int
    periods: list[Period]
    days: dict[str, dict[int, Sums]] = field(default_factory=dict)
    lines: dict[Period, int] = field(default_factory=dict)
    credits: dict[Period, Decimal] = field(default_factory=dict)

    @classmethod
    def of(cls, tally: Tally, plan: Plan) -> Bill:
        """Sort the sums of a tally by group and period."""
        # an end that is the last second of a day is the day's
        through = max((tally.short_end + _LATE) // DAY, tally.last_start // DAY)
        if not tally.short_end:
            # only charges longer than a day: that they are whole is taken from their end
            through = max(through, (tally.long_end + _LATE) // DAY)
        terms = plan.terms
        if terms.complete_until:
            through = day_of(terms.complete_until)
        found = cls(tally, plan, through, through - terms.settle_days, [])
        for (group, day), sums in tally.days.items():
            found.days.setdefault(group, {})[day] = sums
            period = period_of(day, terms.period)
            found.lines[period] = found.lines.get(period, 0) + sums.lines
            found.credits[period] = found.credits.get(period, ZERO) + sums.credits
        found.periods = sorted(found.lines)
        return found

    def is_judged(self, period: Period) -> bool:
        """Tell whether a period counts, or is only there to learn from."""
        if period.start < self.plan.first_judged:
            return False
        first = self.first_day
        begun = first is not None and period.start < first and period != self.periods[-1]
        if not self.plan.terms.since and begun:
            # a bill that begins within a period says nothing of that period, unless it is over
            budget = self.plan.budget
            most = max(self.billed(group, period) for group in self.days)
            return budget is not None and most > budget
        return True

    @property
    def reach(self) -> int:
        """The instant up to which there are charges."""
        return max(self.through * DAY, self.tally.short_end)

    @property
    def first_day(self) -> int | None:
        """The first day with charges that flow, or None where none does."""
        return min(self.tally.covered, default=None)

    def is_complete(self, period: Period) -> bool:
        """Tell whether the charges reach, settled, to the end of a period."""
        return self.settled >= period.end

    def gaps(self, period: Period) -> int:
        """Return the days of a period, so far, on which nothing at all was charged."""
        if self.plan.terms.complete_until or not self.tally.covered:
            return 0
        last = min(period.end, self.through)
        return sum(day not in self.tally.covered for day in range(period.start, last))

    def billed(self, group: str, period: Period) -> Decimal:
        """Return what was billed to a group in a period."""
        days = self.days.get(group, {})
        return sum((s.billed for d, s in days.items() if period.start <= d < period.end), ZERO)

    def total(self, period: Period) -> Decimal:
        """Return what was billed in a period."""
        return sum((self.billed(group, period) for group in self.days), ZERO)

    def notes(self) -> list[str]:
        """Return what a reader must know about the charges."""
        tally, notes = self.tally, []
        for column in sorted(tally.lacking):
            meaning = "usage" if "Category" in column or "Type" in column else "one of its day"
            notes.append(f"the charges have no {column}: each line is taken for {meaning}")
        if tally.source:
            notes.append(f"{tally.source} names no currency: taken for {self.plan.terms.currency}")
        if any("unknown" in name for name in tally.formats) and not tally.source:
            notes.append("the columns do not tell which version of FOCUS they are")
        count, cost = tally.negative
        if count:
            notes.append(
                f"{plural(count, 'line')} of negative usage, {cost:,.2f} in all, were counted: refunds,"
                " or corrections within the period"
            )
        if tally.moved:
            notes.append(
                f"counted on the bill it stands on: {plural(tally.moved, 'line')} about an"
                " earlier bill"
            )
        if not tally.short_end and tally.long_end and not self.plan.terms.complete_until:
            notes.append(
                "every charge is longer than a day: that it is final is taken from its end"
            )
        left = [period for period in self.periods if not self.is_judged(period)]
        if left and not self.plan.terms.since:
            notes.append(f"not judged, since the bill does not hold all of it: {left[-1]}")
        return notes


def outlook(bill: Bill, judged: list[Period]) -> list[tuple[Entry, Period]]:
    """Return a record for each group and period, with that period."""
    entries = []
    for period in judged:
        for group in sorted(bill.days):
            days = bill.days[group]
            here = [s for d, s in days.items() if period.start <= d < period.end]
            # a group that is new has nothing in old periods, but one that runs on may come back
            complete = bill.is_complete(period)
            if not here and complete:
                continue
            cost = sum((s.billed for s in here), ZERO)
            given_back = sum((s.credits for s in here), ZERO)
            forecast, lacks = (None, "") if complete else _ahead(bill, days, period)
            left = None if complete else _left(bill, days, period)
            named = shown(group) if group else _nameless(bill.plan.terms.by)
            entry = Entry(
                group=named,
                period=str(period),
                billed=text(cost),
                credits=text(given_back),
                complete=complete,
                forecast=forecast,
                lacks=lacks,
                left=left,
            )
            entries.append((entry, period))
    running = sum(not entry.complete for entry, _ in entries)
    if running > MAX_RUNNING:
        raise Unmeasurable(
            f"{bill.plan.terms.by!r} has {running:,} groups that run on: a budget for each takes at most"
            f" {MAX_RUNNING}"
        )
    return entries


def _nameless(by: str) -> str:
    return f"no {by.partition(':')[2] or by}" if by else ""


def _ahead(bill: Bill, days: Mapping[int, Sums], period: Period) -> tuple[Ahead | None, str]:
    """Return the forecast of the days that are to come, or None and what it lacks."""
    first = bill.first_day
    if first is None:
        return None, "no charge of a day or less shows what a day costs"
    unit = bill.plan.terms.period if bill.plan.terms.period in ("day", "week") else "month"
    fees, given_back = _fees(bill, days, unit, period)
    if fees is None:
        return None, (
            f"no {unit} before is whole in the charges, so that fees, taxes and credits still to"
            f" come are not known: give those of the {unit} before, too"
        )
    run = 0
    for day in reversed(range(first, bill.settled)):
        if day not in bill.tally.covered:
            break
        run += 1
    run = min(run, MOST_DAYS)
    if run < LEAST_DAYS:
        return None, f"a forecast takes {LEAST_DAYS} days of charges on end, there are {run}"
    from pytest_mlgates.stats.forecast import forecast_sum

    start = max(bill.settled, period.start)
    history = [
        float(days[d].flow) if d in days else 0.0 for d in range(bill.settled - run, bill.settled)
    ]
    found = forecast_sum(history, period.end - start, skip=start - bill.settled)
    inside = {d: s for d, s in days.items() if period.start <= d < period.end}
    settled = sum((s.flow for d, s in inside.items() if d < bill.settled), ZERO)
    unsettled = sum((s.flow for d, s in inside.items() if d >= bill.settled), ZERO)
    once = sum((s.fees + s.credits for s in inside.values()), ZERO)
    ahead = Ahead(
        **asdict(found),
        billed=float(settled + once),
        billed_ahead=float(unsettled),
        fees=float(fees),
        credits=float(given_back),
    )
    return ahead, ""


def _left(bill: Bill, days: Mapping[int, Sums], period: Period) -> Left:
    """Return what arithmetic needs of a period that runs on."""
    start = max(bill.settled, period.start)
    inside = {d: s for d, s in days.items() if period.start <= d < period.end}
    once = sum((s.fees + s.credits for s in inside.values()), ZERO)
    flow = sum((s.flow for d, s in inside.items() if d < start), ZERO)
    unit = bill.plan.terms.period if bill.plan.terms.period in ("day", "week") else "month"
    fees = None if bill.first_day is None else _fees(bill, days, unit, period)[0]
    return Left(
        days=period.end - start,
        billed=text(flow + once),
        most=text(max((s.flow for s in inside.values()), default=ZERO)),
        fees=None if fees is None else text(fees),
    )


def _fees(
    bill: Bill, days: Mapping[int, Sums], unit: str, period: Period
) -> tuple[Decimal | None, Decimal]:
    """Return the most fees, and credits, that may still come: as many as in any whole unit before."""
    first = bill.first_day or 0
    whole: set[Period] = set()
    current = period_of(max(bill.settled, period.start), unit)
    at = period_of(first, unit)
    while at.start < current.start:
        if at.start >= first:
            whole.add(at)
        at = period_of(at.end, unit)
    if not whole:
        return None, ZERO
    seen = {p: [ZERO, ZERO] for p in (*whole, current)}
    for day, sums in days.items():
        pair = seen.get(period_of(day, unit))
        if pair is not None:
            pair[0] += sums.fees
            pair[1] += sums.credits
    rest = 1
    at = current
    while at.end < period.end:
        rest, at = rest + 1, period_of(at.end, unit)
    fees = max(seen[p][0] for p in whole) * rest - seen[current][0]
    given_back = min(seen[p][1] for p in whole) * rest - seen[current][1]
    return max(fees, ZERO), min(given_back, ZERO)
