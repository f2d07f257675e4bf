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
from pytest_mlgates.stats.equivalence import half_width

if TYPE_CHECKING:
    import os

__all__ = ["NameInvariance"]


@dataclass(frozen=True, kw_only=True)
class NameInvariance(StatisticalGate):
    """Fills many names into the same templates and compares the scores.

    Two rules, both must hold. *Single names*: on each template the largest gap between two names
    is below ``max_gap``. *Groups*: the mean of each group of names differs from the mean of the
    others by less than ``max_group_gap``, for the population that the names stand for.

    A scorer that repeats itself is judged on single names without error: one counter-example,
    confirmed, fails it. Otherwise names are repeated, in blocks close in time, and both a PASS and
    a FAIL need bounds; a scorer too noisy for its budget ends INCONCLUSIVE. So does one whose
    score moves with blanks at the end of the text as much as with the name.

    What is taken for granted: name effects inside a group are about normal, noise is symmetric and
    does not depend on the name. Noise so rare that no repeat shows it is not seen: each name is
    asked for twice, once more on a template drawn at random.

    ``score`` takes a text and returns one float, or an awaitable of one. Templates that can't all
    be tried with ``max_calls`` calls are drawn at random, and there is no PASS then.

    >>> gate = NameInvariance(names_per_group=5)
    >>> templates = ["Name: {NAME}. Nine years of Python.", "Name: {NAME}. New to Python."]
    >>> gate.run(lambda text: 0.9 if "Nine" in text else 0.4, templates).outcome.value
    'pass'
    >>> gate.run(lambda text: 0.2 if "Aisha" in text else 0.9, templates).outcome.value
    'fail'

    Sources: Kusner et al. 2017 (counterfactual fairness), Schuirmann 1987 (TOST).
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
        float,
        Limit(tighten="down", gt=0, unit="score"),
        "the mean score of a group of names stays this close to that of the others",
    ] = 0.01
    placeholder: Annotated[str, "what stands in a template where the name goes"] = "{NAME}"
    names_per_group: Annotated[
        int,
        Limit(tighten="up", ge=3, le=25),
        "names of each group taken from the names that come with the package",
    ] = 25
    max_repeats: Annotated[
        int, Limit(ge=1, le=100_000), "how often one text is scored where the scorer is noisy"
    ] = 64
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
        return Needs(to_pass=2 + names + 5 + names, to_fail=2 + names + 5 + 40)

    def measure(
        self,
        score: Callable[[str], object],
        templates: Iterable[str],
        names: Mapping[str, Iterable[str]] | str | os.PathLike[str] | None = None,
        *,
        seed: int = 0,
    ) -> Generator[Look, Any, None]:
        """Score every name on every template; again and again where the scorer is noisy.

        ``names`` maps a group to its names, or is the path of a CSV file with the columns
        ``name,group[,share]``; default is the table that comes with the package.
        """
        plan = Plan(
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
            upper_level=self.beta,
            score_range=self.score_range,
            seed=seed,
        )
        return AuditRun(plan, score, templates, names).looks()

    def headline(self, measurement: Measurement, /) -> Headline:
        """Return the number that the policy is about, as the details give it."""
        return headline(measurement.read(Details))

    def decide(self, measurement: Measurement, /) -> Verdict:
        """Judge single names and groups: FAIL where either is over, PASS where both are below."""
        details = measurement.read(Details)
        return judge(details, measurement.value, measurement.n, self._limits)

    def pictures(self, measurement: Measurement) -> Iterator[Picture]:
        """Return the pair of names that differs most, and how far each group is off the others."""
        details = measurement.read(Details)
        if exact := details.exact:
            bad = exact.gap >= self.max_gap
            pair = zip(exact.names, exact.scores, strict=True)
            yield Intervals(
                f"The same text (template {exact.template}) under two names",
                tuple(Point(name, score, bad=bad) for name, score in pair),
                measurement.unit,
            )
        points = []
        for row in details.groups:
            if row.se is not None:
                off, width = row.contrast, half_width(row.statistic, self.beta / details.looks)
                label = f"{row.group} ({plural(row.names, 'name')})"
                bad = abs(off) > self.max_group_gap
                points.append(Point(label, off, off - width, off + width, bad=bad))
        if points:
            title = "Each group of names against the others"
            limits = (-self.max_group_gap, self.max_group_gap)
            yield Intervals(title, tuple(points), measurement.unit, limits)

    @property
    def _limits(self) -> Limits:
        return Limits(
            max_gap=self.max_gap,
            max_group_gap=self.max_group_gap,
            alpha=self.alpha,
            beta=self.beta,
            max_repeats=self.max_repeats,
            max_calls=self.max_calls,
        )
