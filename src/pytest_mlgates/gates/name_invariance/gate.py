"""Whether changing only the name changes the score."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pytest_mlgates.core import Look, Measurement, Needs, Outcome, StatisticalGate, Verdict
from pytest_mlgates.core.fields import FieldError, Limit
from pytest_mlgates.core.pictures import Intervals, Picture, Point
from pytest_mlgates.gates.name_invariance.measure import MOST_TRIALS, REACHED, Plan
from pytest_mlgates.stats.equivalence import (
    Contrast,
    differs_p,
    equivalent_p,
    half_width,
    log_e_above,
)

if TYPE_CHECKING:
    import os

__all__ = ["NameInvariance"]

_READ = ("mode", "complete", "looks", "groups", "exact", "trials", "upper", "templates")


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
        score: Callable[[str], Any],
        templates: Iterable[str],
        names: Mapping[str, Iterable[str]] | str | os.PathLike[str] | None = None,
        *,
        seed: int = 0,
    ) -> Generator[Look, Any, None]:
        """Score every name on every template; again and again where the scorer is noisy.

        ``names`` maps a group to its names, or is the path of a CSV file with the columns
        ``name,group[,share]``; default is the table that comes with the package.
        """
        return Plan(self, score, templates, names, seed).looks()

    def decide(self, measurement: Measurement, /) -> Verdict:
        """Judge single names and groups: FAIL where either is over, PASS where both are below."""
        details: Any = measurement.details
        if missing := [key for key in _READ if key not in details]:
            return Verdict(
                Outcome.ERROR,
                f"the measurement lacks {', '.join(missing)}: {self.name} made it not",
            )
        if measurement.n == 0:
            return Verdict(Outcome.INCONCLUSIVE, "no name was scored, so nothing is known")
        try:
            return self._judge(measurement, details)
        except (TypeError, ValueError, LookupError, ArithmeticError) as error:
            wrong = f"its details do not fit together ({type(error).__name__})"
            return Verdict(Outcome.ERROR, f"the measurement can't be judged: {wrong}")

    def pictures(self, measurement: Measurement) -> Iterator[Picture]:
        """Return the pair of names that differs most, and how far each group is off the others."""
        details: Any = measurement.details
        if exact := details["exact"]:
            pair = zip(exact["names"], exact["scores"], strict=True)
            yield Intervals(
                f"The same text (template {exact['template']}) under two names",
                tuple(Point(name, score, bad=exact["gap"] >= self.max_gap) for name, score in pair),
                measurement.unit,
            )
        points = []
        for row in details["groups"]:
            if row["se"] is not None:
                reach = half_width(_contrast(row), self._pass_level(details))
                off = row["contrast"]
                points.append(
                    Point(
                        f"{row['group']} ({row['names']} names)", off, off - reach, off + reach,
                        bad=abs(off) > self.max_group_gap,
                    )
                )  # fmt: skip
        if points:
            title = "Each group of names against the others"
            limits = (-self.max_group_gap, self.max_group_gap)
            yield Intervals(title, tuple(points), measurement.unit, limits)

    def _judge(self, measurement: Measurement, details: Any) -> Verdict:
        fault = self._single_fault(details) or self._group_fault(details)
        if fault:
            return Verdict(Outcome.FAIL, fault)
        doubt = self._doubt(details, measurement)
        if doubt:
            return Verdict(Outcome.INCONCLUSIVE, doubt)
        bound = max(self._reach(row, details) for row in details["groups"])
        sure = (
            "" if details["mode"] == "deterministic" else f", surely below {_g(details['upper'])}"
        )
        return Verdict(
            Outcome.PASS,
            f"the largest gap between two names is {_g(measurement.value)}{sure} (limit"
            f" {_g(self.max_gap)}), and groups of names are surely no more than {_g(bound)} apart"
            f" (limit {_g(self.max_group_gap)}), over {measurement.n} names and"
            f" {details['templates']} template(s)",
        )

    def _single_fault(self, details: Any) -> str:
        """Say which pair of names breaks ``max_gap``, or nothing."""
        exact = details["exact"]
        if exact and exact["gap"] >= self.max_gap * REACHED:
            return (
                f"changing only the name from {exact['names'][0]!r} to {exact['names'][1]!r} lowers"
                f" the score by {_g(exact['gap'])} on template {exact['template']}"
                f" (limit {_g(self.max_gap)}), each time it was repeated"
            )
        for trial in details["trials"]:
            evidence = log_e_above(trial["n"], trial["sum"], trial["sum_sq"], self.max_gap)
            if evidence >= math.log(2 * MOST_TRIALS / self.alpha):
                where = trial["template"]
                place = "over all templates" if where is None else f"on template {where}"
                return (
                    f"changing only the name from {trial['names'][0]!r} to {trial['names'][1]!r}"
                    f" lowers the score by {_g(trial['sum'] / trial['n'])} {place} in the mean of"
                    f" {trial['n']} repeats (limit {_g(self.max_gap)})"
                )
        return ""

    def _group_fault(self, details: Any) -> str:
        """Say which group breaks ``max_group_gap``, or nothing; only at a planned look."""
        if not details["complete"]:
            return ""
        rows = details["groups"]
        share = 1.0 if details["mode"] == "deterministic" else 0.5
        level = self.alpha * share / (len(rows) * details["looks"])
        for row in sorted(rows, key=lambda row: -abs(row["contrast"])):
            contrast = _contrast(row)
            if differs_p(contrast, self.max_group_gap) <= level:
                least = abs(contrast.estimate) - half_width(contrast, level / 2)
                side = "lower" if contrast.estimate < 0 else "higher"
                return (
                    f"names of the group {contrast.group!r} score {_g(abs(contrast.estimate))}"
                    f" {side} than the others, surely more than {_g(least)} (limit"
                    f" {_g(self.max_group_gap)}), over {contrast.names} names"
                )
        return ""

    def _doubt(self, details: Any, measurement: Measurement) -> str:
        """Say why there is no PASS yet, or nothing."""
        gap = _g(measurement.value)
        thin = [row["group"] for row in details["groups"] if row["se"] is None]
        if not details["complete"]:
            return (
                f"{details['templates']} of {details['templates_given']} templates were tried, with"
                f" a largest gap of {gap} so far (limit {_g(self.max_gap)}): a PASS takes all of"
                f" them, about {details['calls_needed']} calls (max_calls {self.max_calls})"
            )
        if thin:
            least = min(details["groups"], key=lambda row: row["names"])
            return (
                f"the group {least['group']!r} has {least['names']} name(s) and a contrast of groups"
                f" (limit {_g(self.max_group_gap)}) takes two or more in each group; the largest gap"
                f" between single names is {gap} (limit {_g(self.max_gap)})"
            )
        if details["mode"] == "frozen":
            return (
                f"two names are {gap} apart (limit {_g(self.max_gap)}), but the score moves as well"
                " when only blanks are added to the end of the text: is it drawn at random once for"
                " each text and then cached?"
            )
        upper = details["upper"]
        if upper is None or upper >= self.max_gap * REACHED:
            bound = "has no bound yet" if upper is None else f"could be {_g(upper)}"
            wanted = details["repeats_needed"]
            return (
                f"the largest gap between two names was {gap} and {bound} (limit {_g(self.max_gap)})"
                f" after {details['repeats']} repeat(s) of a scorer with noise"
                f" {_g(details['noise_sd'])}: a PASS takes {wanted} repeats or more (max_repeats"
                f" {self.max_repeats}, max_calls {self.max_calls})"
            )
        for row in details["groups"]:
            if equivalent_p(_contrast(row), self.max_group_gap) > self._pass_level(details):
                return (
                    f"names of the group {row['group']!r} score {_g(row['contrast'])} off the others"
                    f" and it could be {_g(self._reach(row, details))} (limit"
                    f" {_g(self.max_group_gap)}), over {row['names']} names: more names, or a scorer"
                    " that reacts less to single names, would tell"
                )
        return ""

    def _pass_level(self, details: Any) -> float:
        return self.beta / int(details["looks"])

    def _reach(self, row: Any, details: Any) -> float:
        """Return how far from the others a group may be."""
        return float(abs(row["contrast"])) + half_width(_contrast(row), self._pass_level(details))


def _contrast(row: Any) -> Contrast:
    return Contrast(row["group"], row["contrast"], row["se"], row["df"], row["names"])


def _g(number: float) -> str:
    """Write a score.

    >>> _g(0.0123456), _g(1e-17)
    ('0.0123', '0')
    """
    return f"{number:.3g}" if abs(number) >= 1e-9 else "0"
