"""Whether each group is selected nearly as often as the most selected one."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pytest_mlgates.core import Headline, Measurement, Needs, StatisticalGate, Verdict
from pytest_mlgates.core.fields import FieldError, Limit
from pytest_mlgates.core.pictures import Intervals, Picture, Point
from pytest_mlgates.gates.impact_ratio.details import Seen
from pytest_mlgates.gates.impact_ratio.judge import Limits, headline, judge
from pytest_mlgates.reading.attributes import UNKNOWN

__all__ = ["ImpactRatio"]

#: categories that a picture shows
MAX_DRAWN = 20
#: New York City lets an audit leave out categories below this share of the data
_SMALL = 0.02


@dataclass(frozen=True, kw_only=True)
class ImpactRatio(StatisticalGate):
    """Is each group selected nearly as often as the most selected one (the four-fifths rule)?

    ``selected`` holds a decision (true, false, 1, 0) or a score for each applicant; of scores those
    above the median of all count as selected (the scoring rate of NYC Local Law 144). ``groups``
    holds sex, race or ethnicity, or what else is asked: one column, or a table. Categories of each
    attribute and of each intersection are compared with each other, and the table that the law asks
    to publish (category, number, selected, rate, ratio to the most selected) is in the evidence.

    The rule itself is a comparison of two figures; here a PASS and a FAIL hold for the process that
    these applicants were drawn from. Two rates are compared by the score test of Miettinen and
    Nurminen *and* an exact unconditional one. PASS only where each pair is surely within the limit
    (each at ``beta``), FAIL where one is surely beyond (``alpha`` is shared by all pairs). The best
    category is not picked by eye: every pair is held against the limit, in both directions.

    Applicants whose group is unknown are counted and shown. No category is left out unless
    ``left_out_below`` (2 % at most, as the law allows) and a reason say so, and the verdict names it.

    What is taken for granted: applicants are independent; one who appears in several rows takes
    ``unit_of`` and counts once, selected where any of the rows is.

    >>> gate = ImpactRatio(min_ratio=0.8)
    >>> sex = ["f", "m"] * 3000
    >>> gate.run([n % 4 < 2 for n in range(6000)], sex).outcome.value
    'pass'
    >>> gate.run([n % 2 == 1 or n % 4 == 0 for n in range(6000)], sex).outcome.value
    'fail'

    Not seen: why rates differ. Equal rates may be unfair, and unequal ones lawful.

    To mend: find the step and the column at which the groups part (``blocked_features`` helps),
    and look for a way to the same end that parts them less. Whether a gap is justified is for
    people who know the job.

    Sources: 29 CFR 1607.4(D); NYC Local Law 144 of 2021 and 6 RCNY 5-300; Miettinen and Nurminen
    1985; Berger and Boos 1994; Hodges and Lehmann 1954.
    """

    name: ClassVar[str] = "impact_ratio"
    worse: ClassVar[Literal["up", "down"]] = "down"

    min_ratio: Annotated[
        float,
        Limit(tighten="up", gt=0, lt=1),
        "each group's rate is at least this part of that of the most selected group",
    ] = 0.8
    max_parity_gap: Annotated[
        float | None,
        Limit(tighten="down", gt=0, lt=1),
        "the rates of any two groups are at most this far apart (demographic parity)",
    ] = None
    max_odds_gap: Annotated[
        float | None,
        Limit(tighten="down", gt=0, lt=1),
        "so are those among applicants that labels call right, and among the others (equalised odds)",
    ] = None
    basis: Annotated[
        Literal["auto", "selection", "scoring"],
        "what is handed in: decisions, or scores, which are held against their median; auto takes"
        " what are all true, false, 0 or 1 for decisions",
    ] = "auto"
    positive: Annotated[
        str | None, "the text that stands for selected, where decisions are texts"
    ] = None
    attributes: Annotated[
        tuple[str, ...], "columns of groups that count; all where none is named"
    ] = ()
    intersections: Annotated[bool, "whether intersections of attributes are compared too"] = True
    categories: Annotated[
        tuple[str, ...], "categories that must be compared, such as sex=female: no PASS without"
    ] = ()
    left_out_below: Annotated[
        float | None,
        Limit(tighten="down", gt=0, le=_SMALL),
        "categories below this share of the applicants are left out; needs reason_left_out",
    ] = None
    reason_left_out: Annotated[str, "why small categories are left out; it is published"] = ""
    unknown: Annotated[tuple[str, ...], "words that stand for an unknown group"] = UNKNOWN
    max_unknown: Annotated[
        float,
        Limit(tighten="down", ge=0, lt=1),
        "largest share of applicants whose value of an attribute is unknown",
    ] = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.left_out_below is not None and len(self.reason_left_out.split()) < 3:
            raise FieldError(
                "reason_left_out", "say in a few words why small categories are left out"
            )
        if self.left_out_below is None and self.reason_left_out:
            raise FieldError(
                "reason_left_out", "gives a reason, and left_out_below leaves out nothing"
            )

    def needs(self) -> Needs:
        """Return how many applicants in two equal groups, half of them selected, tell the clear cases.

        That is, rates that are equal, and a ratio of half the limit.
        """
        from scipy.special import ndtri

        r = self.min_ratio
        to_pass = (ndtri(1 - self.beta) / (1 - r)) ** 2 * (1 + r * r)
        half = r / 2
        spread = (1 - half / 2) / half + 1
        to_fail = (ndtri(1 - self.alpha) / math.log(2)) ** 2 * spread
        return Needs(2 * math.ceil(to_pass), 2 * math.ceil(to_fail), "applicants")

    def measure(
        self, selected: object, groups: object, labels: object = None, *, unit_of: object = None
    ) -> Measurement:
        """Count who is selected, by group.

        ``groups``: a value for each applicant, a table, ``{attribute: values}`` or a list of columns.
        ``labels`` (for ``max_odds_gap``) says of each applicant whether selecting them is right.
        ``unit_of`` names the applicant of each row, where one may have several.
        """
        from pytest_mlgates.core.errors import Unmeasurable
        from pytest_mlgates.gates.impact_ratio.measure import Plan, measure_ratio

        if self.max_odds_gap is not None and labels is None:
            raise Unmeasurable("max_odds_gap needs labels: give a true or false for each applicant")
        plan = Plan(
            basis=self.basis,
            positive=self.positive,
            attributes=self.attributes,
            unknown=self.unknown,
            intersections=self.intersections,
            left_out_below=self.left_out_below,
            reason_left_out=self.reason_left_out,
            lower_error=self.beta,
            upper_error=self.alpha,
        )
        return measure_ratio(selected, groups, labels, unit_of, plan)

    def headline(self, measurement: Measurement, /) -> Headline:
        """Return the number that the policy is about, as the details give it."""
        return headline(measurement.read(Seen), self.beta, self.alpha)

    def decide(self, measurement: Measurement, /) -> Verdict:
        """FAIL where two groups are surely too far apart, PASS where none can be."""
        limits = Limits(
            min_ratio=self.min_ratio,
            max_parity_gap=self.max_parity_gap,
            max_odds_gap=self.max_odds_gap,
            categories=self.categories,
            max_unknown=self.max_unknown,
            left_out_below=self.left_out_below,
            reason_left_out=self.reason_left_out,
            alpha=self.alpha,
            beta=self.beta,
        )
        return judge(measurement.read(Seen), measurement.value, measurement.n, limits)

    def pictures(self, measurement: Measurement) -> Iterator[Picture]:
        """Draw the ratio of each category to the most selected one, with its interval."""
        from pytest_mlgates.stats.two_rates import Ratio, limits

        rows = []
        for table in measurement.read(Seen).tables:
            best = max(table.compared, key=lambda row: row.rate, default=None)
            for row in table.compared:
                if best is None or row.ratio is None:
                    continue
                low, high = limits(row.counts, best.counts, Ratio, 0.025, 0.025)
                label = f"{row.category} ({row.n:,})"
                bad = row.ratio < self.min_ratio
                rows.append(
                    Point(
                        label, row.ratio, min(low, row.ratio), min(max(high, row.ratio), 3.0), bad
                    )
                )
        if rows:
            rows.sort(key=lambda point: point.value)
            title = "Impact ratio to the most selected category, 95 % intervals"
            yield Intervals(title, tuple(rows[:MAX_DRAWN]), "ratio", (self.min_ratio,))
