"""Whether each ratio and each gap is surely within its limit. Pure."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scipy.special import ndtr, ndtri

from pytest_mlgates.core.errors import Unfit
from pytest_mlgates.core.records import BrokenLimit, Headline, Outcome, Verdict
from pytest_mlgates.core.words import first, percent, plural
from pytest_mlgates.gates.impact_ratio.details import AttributeTable, CategoryRow, Seen
from pytest_mlgates.stats.two_rates import Counts, Difference, Margin, Ratio, beyond, limits, z_of

__all__ = ["Limits", "headline", "judge"]

#: pairs of categories that a verdict names
MAX_NAMED = 3
#: more applicants than this are not asked for
_MAX_MORE = 10**7


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What must hold between any two categories, None where nothing must."""

    min_ratio: float
    max_parity_gap: float | None
    max_odds_gap: float | None
    categories: tuple[str, ...]
    max_unknown: float
    left_out_below: float | None
    reason_left_out: str
    alpha: float
    beta: float


@dataclass(frozen=True, slots=True)
class _Rule:
    """One limit on two rates: by their ratio (at least) or their difference (at most)."""

    kind: type[Ratio] | type[Difference]
    limit: float
    field: str

    @property
    def lower(self) -> Margin:
        """A rate is nearly as high as another, or higher, above this."""
        return self.kind(self.limit if self.kind is Ratio else -self.limit)

    @property
    def upper(self) -> Margin:
        """A rate is too far above another beyond this."""
        return self.kind(1 / self.limit if self.kind is Ratio else self.limit)


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two categories under one rule, the one with the lower rate first."""

    rule: _Rule
    what: str
    names: tuple[str, str]
    low: Counts
    high: Counts

    def judge(self, alpha: float, beta: float, n: int) -> tuple[Outcome, float, str]:
        """Return the outcome, how urgent it is, and the words."""
        upper, lower = self.rule.upper, self.rule.lower
        # an interval is left on either side (Hodges and Lehmann 1954): both tails count
        other_side = float(ndtr(-z_of(self.high, self.low, lower)))
        if beyond(self.high, self.low, upper, alpha, other_side):
            return Outcome.FAIL, -self.size, f"{self.words}, {self.bound(alpha)}"
        near = (beyond(one, two, lower, beta) for one, two in self.both)
        if all(near):
            return Outcome.PASS, -self.size, f"{self.words}, {self.bound(beta)}"
        more, text = self.lacks(alpha, beta, n)
        return Outcome.INCONCLUSIVE, -more, f"{self.words}: {text}"

    @property
    def both(self) -> tuple[tuple[Counts, Counts], tuple[Counts, Counts]]:
        return (self.low, self.high), (self.high, self.low)

    @property
    def size(self) -> float:
        """How far apart the rates are, as the rule counts it: more is worse."""
        if self.rule.kind is Difference:
            return self.high.rate - self.low.rate
        return 1 - self.low.rate / self.high.rate if self.high.rate else 0.0

    @property
    def broken(self) -> BrokenLimit:
        """The limit, as broken between these two."""
        value = 1 - self.size if self.rule.kind is Ratio else self.size
        return BrokenLimit(self.rule.field, value, " and ".join(self.names))

    @property
    def words(self) -> str:
        (low, high), what = self.names, self.what
        rates = (
            f"{low} ({self.low.events:,} of {self.low.n:,} {what}, {percent(self.low.rate)}) against"
            f" {high} ({self.high.events:,} of {self.high.n:,}, {percent(self.high.rate)})"
        )
        if self.rule.kind is Difference:
            return f"{rates}: {self.size:.3g} apart"
        ratio = f"{1 - self.size:.3g}" if self.high.rate else "undefined"
        return f"{rates}: ratio {ratio}"

    def bound(self, error: float) -> str:
        rule = self.rule
        low, high = limits(self.low, self.high, rule.kind, error, error)
        if rule.kind is Ratio:
            failed = self.size > 1 - rule.limit
            bound = f"at most {high:.3g}" if failed else f"at least {low:.3g}"
        else:
            failed = self.size > rule.limit
            bound = f"at least {-high:.3g}" if failed else f"at most {max(-low, high):.3g}"
        return f"{bound} ({rule.field} {rule.limit:g})"

    def lacks(self, alpha: float, beta: float, n: int) -> tuple[float, str]:
        """Return how many more applicants would tell, if the rates stay as they are."""
        rule = self.rule
        if not (self.low.n and self.high.n) or (rule.kind is Ratio and not self.high.events):
            return math.inf, f"nobody is there to compare ({rule.field} {rule.limit:g})"
        passes = min(z_of(one, two, rule.lower) for one, two in self.both)
        fails = z_of(self.high, self.low, rule.upper)
        z, wanted, to = (
            (fails, ndtri(1 - alpha), "a FAIL")
            if fails > 0
            else (passes, ndtri(1 - beta), "a PASS")
        )
        low, high = limits(self.low, self.high, rule.kind, beta, alpha)
        if rule.kind is Difference:
            low, high = -high, -low
        text = f"between {low:.3g} and {high:.3g} ({rule.field} {rule.limit:g})"
        more = n * max((float(wanted) / z) ** 2 - 1, 0.05) if z > 1e-9 else math.inf
        if more > _MAX_MORE:
            return more, f"{text}, so close to the limit that no sample would tell"
        return more, f"{text}, {to} takes about {math.ceil(more):,} more applicants at these rates"


def headline(seen: Seen, lower_error: float, upper_error: float) -> Headline:
    """Return the number that the policy is about, as the details give it."""
    n = seen.tables[0].n if seen.tables else 0
    interval = _interval(seen, lower_error, upper_error)
    return Headline(value=seen.lowest, unit="ratio", n=n, interval=interval)


def _interval(seen: Seen, lower_error: float, upper_error: float) -> tuple[float, float] | None:
    """Return score limits of the lowest ratio to the most selected category."""
    rows = [
        (row, table) for table in seen.tables for row in table.compared if row.ratio is not None
    ]
    if not rows:
        return None
    row, table = min(rows, key=lambda pair: pair[0].ratio or 0.0)
    best = max(table.compared, key=lambda other: other.rate)
    low, high = limits(row.counts, best.counts, Ratio, lower_error, upper_error)
    return min(low, seen.lowest), max(seen.lowest, min(high, 1e6))


def judge(seen: Seen, value: float, n: int, limits_: Limits) -> Verdict:
    """FAIL where a pair of categories is surely too far apart, PASS where none can be."""
    _check_facts(seen, value, n, limits_)
    if n == 0:
        return Verdict(Outcome.INCONCLUSIVE, "there was no applicant, so nothing is known")
    pairs = [pair for table in seen.tables for pair in _category_pairs(table, limits_)]
    found = [(pair, *pair.judge(limits_.alpha / len(pairs), limits_.beta, n)) for pair in pairs]
    worst = sorted(found, key=lambda item: item[2])
    failed = [(pair.broken, text) for pair, kind, _, text in worst if kind == Outcome.FAIL]
    open_ = [text for _, outcome, _, text in worst if outcome == Outcome.INCONCLUSIVE]
    gaps = [*_too_little(seen, n, limits_)]
    if seen.selected not in (0, n):  # of one answer to all there is no more to tell
        gaps += first(open_, MAX_NAMED)
    if failed:
        told = "; ".join(first((text for _, text in failed), MAX_NAMED))
        broken = tuple(broken for broken, _ in failed)
        return Verdict(Outcome.FAIL, told, broken, "; ".join(gaps))
    if gaps or open_:
        return Verdict(Outcome.INCONCLUSIVE, "; ".join(gaps))
    by_rule = {pair.rule.field: text for pair, _, _, text in reversed(worst)}
    categories = sum(len(table.compared) for table in seen.tables)
    head = f"furthest apart of {plural(categories, 'category', 'categories')}: "
    return Verdict(Outcome.PASS, head + "; ".join(by_rule.values()) + _left_out(seen, n))


def _check_facts(seen: Seen, value: float, n: int, limits_: Limits) -> None:
    """Raise Unfit where recorded facts do not agree with each other or with the policy."""
    if abs(value - seen.lowest) > 1e-9:
        raise Unfit(f"value is {value:g}, the lowest ratio in details.tables is {seen.lowest:g}")
    if seen.reason_left_out != limits_.reason_left_out:
        raise Unfit("details.reason_left_out: is not the one of the policy: count again")
    below = limits_.left_out_below or 0.0
    for table in seen.tables:
        if table.n != n:
            raise Unfit(f"details.tables: {table.attribute!r} counts {table.n} of {n} applicants")
        if sum(row.selected for row in table.categories) > seen.selected:
            raise Unfit(f"details.tables: {table.attribute!r} has more selected than there are")
        for row in table.categories:
            if row.left_out != (row.n / n < below):
                raise Unfit(f"details.tables: {row.category!r} is not left out as the policy says")
            if limits_.max_odds_gap is not None and row.labelled is None:
                raise Unfit("details.tables: max_odds_gap needs labels: count again with them")


def _category_pairs(table: AttributeTable, limits_: Limits) -> Iterator[_Pair]:
    for one, other in itertools.combinations(table.compared, 2):
        yield _pair(_Rule(Ratio, limits_.min_ratio, "min_ratio"), "selected", one, other)
        if limits_.max_parity_gap is not None:
            rule = _Rule(Difference, limits_.max_parity_gap, "max_parity_gap")
            yield _pair(rule, "selected", one, other)
        if limits_.max_odds_gap is not None:
            rule = _Rule(Difference, limits_.max_odds_gap, "max_odds_gap")
            yield _pair(rule, "rightly selected", one, other)
            yield _pair(rule, "wrongly selected", one, other)


def _pair(rule: _Rule, what: str, one: CategoryRow, other: CategoryRow) -> _Pair:
    rows = sorted(
        ((_counts(row, what), row.category) for row in (one, other)), key=lambda row: row[0].rate
    )
    (low, low_name), (high, high_name) = rows
    return _Pair(rule, what, (low_name, high_name), low, high)


def _counts(row: CategoryRow, what: str) -> Counts:
    if row.labelled is None or what == "selected":
        return row.counts
    of = row.labelled
    if what == "rightly selected":
        return Counts(of.right_selected, of.right)
    return Counts(of.wrong_selected, of.wrong)


def _too_little(seen: Seen, n: int, limits_: Limits) -> Iterator[str]:
    """Yield what keeps a run from passing, whatever the rates are."""
    if seen.selected in (0, n):
        who = "nobody" if seen.selected == 0 else "everybody"
        why = " (more than half of the scores are equal)" if seen.basis == "scoring" else ""
        yield f"{who} of {plural(n, 'applicant')} is selected{why}: one answer to all tells nothing"
    if not seen.tables:
        yield "no attribute was compared"
    for table in seen.tables:
        if len(table.compared) < 2:
            names = ", ".join(row.category for row in table.compared) or "none"
            yield f"of {table.attribute!r} one category at most is compared ({names}): two are needed"
        if " & " not in table.attribute and table.unknown > limits_.max_unknown * n:
            yield (
                f"{table.attribute!r} of {table.unknown:,} of {n:,} applicants is unknown,"
                f" {percent(table.unknown / n)} (max_unknown {percent(limits_.max_unknown)})"
            )
    known = {row.category for table in seen.tables for row in table.compared}
    if gone := [name for name in limits_.categories if name not in known]:
        yield f"no applicant is compared for {', '.join(first(gone, MAX_NAMED))}"


def _left_out(seen: Seen, n: int) -> str:
    rows = [row for table in seen.tables for row in table.categories if row.left_out]
    unknown = max((table.unknown for table in seen.tables), default=0)
    parts: Sequence[str] = [f"{row.category} ({row.n:,})" for row in rows]
    text = f"; left out: {', '.join(first(parts, 5))}, {seen.reason_left_out}" if rows else ""
    return text + (f"; unknown of {unknown:,} of {n:,} applicants" if unknown else "")
