"""Whether changing only the name changes the score."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pytest_mlgates.core import Headline, Look, Measurement, Needs, StatisticalGate, Verdict
from pytest_mlgates.core.fields import FieldError, Limit
from pytest_mlgates.core.pictures import Intervals, Picture, Point
from pytest_mlgates.core.words import plural
from pytest_mlgates.gates.name_invariance.details import Details
from pytest_mlgates.gates.name_invariance.judge import Limits, headline, judge
from pytest_mlgates.gates.name_invariance.measure import AuditRun
from pytest_mlgates.gates.name_invariance.plan import Plan

if TYPE_CHECKING:
    import os

__all__ = ["NameInvariance"]

#: pairs of groups in a picture
MAX_DRAWN = 15


@dataclass(frozen=True, kw_only=True)
class NameInvariance(StatisticalGate):
    """Fills many names into the same templates and compares the scores.

    Two rules, both must hold. *Single names*: on each template the largest gap between two names
    is below ``max_gap``. *Groups*: the means of any two groups of names are less than
    ``max_group_gap`` apart, for these names; for names drawn like them only where there are so many.

    A scorer that repeats itself is judged on single names by one counter-example, confirmed; what it
    does in fewer than ``max_gap_share`` of a name's calls is in no promise about single names. About
    groups it is: there a refusal in one call of fifty counts, whatever the scores look like, which
    takes some 760 differences for each two groups at a limit of 0.01 in a ``score_range`` of 0 to 1.
    Noise is averaged, in blocks close in time; a scorer too noisy for its budget ends INCONCLUSIVE. So
    does one whose score moves with blanks at the end of the text as much as with the name.

    What is taken for granted: calls are independent given the text, and drift moves all names of a
    block alike. A bound on the mean gap of single names of a noisy scorer takes noise to be about
    normal. With ``score_range: null`` nothing is known of scores outside those that were seen.

    ``score`` takes a text and returns one float, or an awaitable of one. Templates that can't all
    be tried with ``max_calls`` calls are drawn at random, and there is no PASS then.

    >>> gate = NameInvariance(names_per_group=5)
    >>> templates = ["Name: {NAME}. Nine years of Python.", "Name: {NAME}. New to Python."]
    >>> gate.run(lambda text: 0.9 if "Nine" in text else 0.4, templates).outcome.value
    'pass'
    >>> gate.run(lambda text: 0.2 if "Aisha" in text else 0.9, templates).outcome.value
    'fail'

    Not seen: what stands in for a name (a college, a postcode), names outside the list, and in
    single names a refusal rarer than ``max_gap_share`` of the calls.

    To mend: keep the name, and what stands in for it, from the model; ``blocked_features`` asks
    which columns do.

    Sources: Kusner et al. 2017 (counterfactual fairness), Waudby-Smith and Ramdas 2024 (bounds on
    means), Berger 1982 (all must hold), Hanley and Lippman-Hand 1983 (what was never seen).
    """

    name: ClassVar[str] = "name_invariance"
    cap: ClassVar[str] = "max_calls"
    shows: ClassVar[frozenset[str]] = frozenset(("PERSON",))

    max_gap: Annotated[
        float,
        Limit(tighten="down", gt=0, unit="score"),
        "the gap between any two names on one template stays below this",
    ] = 0.01
    max_group_gap: Annotated[
        float | None,
        Limit(tighten="down", gt=0, unit="score"),
        "the mean scores of any two groups of names stay this close; null: single names only",
    ] = 0.01
    max_gap_share: Annotated[
        float,
        Limit(tighten="down", gt=0, le=0.5),
        "a gap of a single name that shows in more of its calls than this share is found",
    ] = 0.25
    placeholder: Annotated[str, "what stands in a template where the name goes"] = "{NAME}"
    names_per_group: Annotated[
        int,
        Limit(tighten="up", ge=3, le=25),
        "names of each group taken from the names that come with the package",
    ] = 25
    max_repeats: Annotated[
        int, Limit(ge=1, le=100_000), "how often one text is scored where the scorer is noisy"
    ] = 256
    max_calls: Annotated[int, Limit(ge=100), "largest number of calls of the scorer"] = 100_000
    timeout_s: Annotated[float, Limit(gt=0, unit="s"), "a call that takes longer is stopped"] = 60.0
    concurrency: Annotated[
        int, Limit(ge=1, le=1000), "calls at a time of a scorer whose answers are awaited"
    ] = 8
    score_range: Annotated[
        tuple[float, float] | None,
        "lowest and highest score there is; null for any number, such as a logit",
    ] = (0.0, 1.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.placeholder.strip():
            raise FieldError("placeholder", "is empty: give the text that stands for the name")
        if self.score_range is not None and not self.score_range[0] < self.score_range[1]:
            raise FieldError("score_range", "must go from a lower to a higher score")

    def needs(self) -> Needs:
        """Return the calls that one template takes, with the names that come with the package."""
        names = 4 * self.names_per_group
        # of each group one name is the case's own: it stands for none
        rounds = self._plan(0).rounds_needed(1, self.names_per_group - 1)
        return Needs(to_pass=2 + 5 + names * (1 + rounds), to_fail=2 + names + 5 + 40)

    def measure(
        self,
        score: Callable[[str], object],
        templates: Iterable[str],
        names: Mapping[str, Iterable[str]] | Iterable[str] | os.PathLike[str] | None = None,
        *,
        seed: int = 0,
    ) -> Generator[Look, Any, None]:
        """Score every name on every template; again and again where the scorer is noisy.

        ``names`` maps a group to its names, or is the path of a CSV file with the columns
        ``name,group[,share]``; default is the table that comes with the package. A plain list has no
        groups: then single names are all that is judged.
        """
        return AuditRun(self._plan(seed), score, templates, names).looks()

    def _plan(self, seed: int) -> Plan:
        return Plan(
            placeholder=self.placeholder,
            names_per_group=self.names_per_group,
            max_calls=self.max_calls,
            max_repeats=self.max_repeats,
            timeout_s=self.timeout_s,
            concurrency=self.concurrency,
            confirm_gap=self._limits.reached,
            trial_gap=self.max_gap,
            trial_level=self._limits.trial_level,
            group_gap=self.max_group_gap,
            gap_share=self.max_gap_share,
            upper_level=self.beta,
            score_range=self.score_range,
            seed=seed,
        )

    def headline(self, measurement: Measurement, /) -> Headline:
        """Return the number that the policy is about, as the details give it."""
        return headline(measurement.read(Details))

    def decide(self, measurement: Measurement, /) -> Verdict:
        """Judge single names and groups: FAIL where either is over, PASS where both are below."""
        details = measurement.read(Details)
        return judge(details, measurement.value, measurement.n, self._limits)

    def pictures(self, measurement: Measurement) -> Iterator[Picture]:
        """Return the pair of names that differs most, and how far groups are from each other."""
        details = measurement.read(Details)
        if exact := details.exact:
            bad = exact.gap >= self.max_gap
            pair = zip(exact.names, exact.scores, strict=True)
            yield Intervals(
                f"The same text (template {exact.template}) under two names",
                tuple(Point(name, score, bad=bad) for name, score in pair),
                measurement.unit,
            )
        limit, width = self.max_group_gap, self._limits.range_of(details)
        if limit is None or not details.gaps:
            return
        points = []
        for gap in details.gaps[:MAX_DRAWN]:
            low = gap.calls.sums.mean_above(-width, self.beta)
            high = gap.calls.sums.mean_below(width, self.beta)
            label = f"{gap.groups[0]} less {gap.groups[1]} ({plural(sum(gap.names), 'name')})"
            points.append(Point(label, gap.gap, low, high, bad=abs(gap.gap) > limit))
        title = "Groups of names against each other"
        yield Intervals(title, tuple(points), measurement.unit, (-limit, limit))

    @property
    def _limits(self) -> Limits:
        return Limits(
            max_gap=self.max_gap,
            max_group_gap=self.max_group_gap,
            max_gap_share=self.max_gap_share,
            width=None if self.score_range is None else self.score_range[1] - self.score_range[0],
            alpha=self.alpha,
            beta=self.beta,
            max_repeats=self.max_repeats,
            max_calls=self.max_calls,
        )
