"""Whether a metric is above its floor, on all inputs and on each slice of them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from pytest_mlgates.core import Headline, Look, Measurement, Needs, StatisticalGate, Verdict
from pytest_mlgates.core.errors import Unmeasurable
from pytest_mlgates.core.fields import FieldError, Limit
from pytest_mlgates.core.pictures import Intervals, Picture, Point
from pytest_mlgates.gates.quality_floor.details import Seen
from pytest_mlgates.gates.quality_floor.judge import Limits, headline, judge
from pytest_mlgates.gates.quality_floor.metrics import (
    LESS_IS_BETTER,
    MEANS,
    Metric,
    metric_bounds,
    value_of,
)
from pytest_mlgates.stats.zero_tolerance import tries

__all__ = ["QualityFloor"]

#: slices that a picture shows
MAX_DRAWN = 20


@dataclass(frozen=True, kw_only=True)
class QualityFloor(StatisticalGate):
    """Is the metric above its floor, and not lower than a baseline's, on all inputs and each slice?

    ``predict`` is asked for every input once; its answers are held against ``labels``. A floor that
    keeps a system from doing harm says nothing of whether it is any good: this one does, so a
    subject that refuses, or answers the same to everything, does not pass.

    Metrics: ``accuracy``, ``recall``, ``precision``, ``specificity``, ``f1``, ``auroc``,
    ``calibration_error`` (less is better: give ``max_value``), and ``score``, the mean of a
    function of your own, ``score=(answer, label) -> 0 to 1``. Bounds fit the metric and hold for
    what has not occurred yet: exact binomial ones for proportions (F1 is a function of one),
    betting for means, relative entropy for AUROC, the worst of each bin for calibration. PASS and
    FAIL hold for inputs drawn like these; each row's FAIL has its share of ``alpha``.

    What is taken for granted: inputs are independent draws. An input that repeats with its label
    counts once; inputs that belong together (tiles of one board, messages of one person) take
    ``unit_of``, and each unit counts once, as the mean of its inputs.

    >>> gate = QualityFloor(metric="accuracy", min_value=0.9)
    >>> numbers = range(500)
    >>> gate.run(lambda n: n % 2 == 0, numbers, lambda n: n % 2 == 0).outcome.value
    'pass'
    >>> gate.run(lambda n: True, numbers, lambda n: n % 2 == 0).outcome.value
    'fail'

    Not seen: labels that are wrong or that leaked into the inputs, and inputs unlike those that
    were given.

    To mend: begin with the slice that is named: more of it, and better labels. Whether the
    floor is right is for its owner to say.

    Sources: Clopper and Pearson 1934; Hoeffding 1963; Waudby-Smith and Ramdas 2024.
    """

    name: ClassVar[str] = "quality_floor"
    cap: ClassVar[str] = "max_inputs"
    subject: ClassVar[str] = "predict"
    worse: ClassVar[Literal["up", "down"]] = "down"

    metric: Annotated[Metric, "what is measured"]
    min_value: Annotated[
        float | None, Limit(tighten="up", gt=0, le=1), "the metric is at least this"
    ] = None
    max_value: Annotated[
        float | None,
        Limit(tighten="down", ge=0, lt=1),
        "the metric is at most this, where less is better",
    ] = None
    max_drop: Annotated[
        float | None,
        Limit(tighten="down", ge=0, lt=1),
        "the metric falls by at most this from a baseline's, input by input",
    ] = None
    slices: Annotated[
        tuple[str, ...], "slices that must be among the inputs: without one there is no PASS"
    ] = ()
    threshold: Annotated[
        float, "a score from which the answer is yes, where labels are yes or no"
    ] = 0.5
    positive: Annotated[str | None, "the label that stands for yes, where labels are names"] = None
    repeats: Annotated[
        Literal["once", "count"], "whether an input that repeats with its label counts once"
    ] = "once"
    max_inputs: Annotated[int, Limit(ge=1), "largest number of inputs asked"] = 1_000_000
    timeout_s: Annotated[float, Limit(gt=0, unit="s"), "a call that takes longer is stopped"] = 60.0
    concurrency: Annotated[
        int, Limit(ge=1, le=1000), "calls at a time of a subject whose answers are awaited"
    ] = 8

    def __post_init__(self) -> None:
        super().__post_init__()
        less = self.metric in LESS_IS_BETTER
        if less and self.min_value is not None:
            raise FieldError("min_value", f"less {self.metric} is better: give max_value")
        if not less and self.max_value is not None:
            raise FieldError("max_value", f"more {self.metric} is better: give min_value")
        if self.min_value is None and self.max_value is None and self.max_drop is None:
            wanted = "max_value" if less else "min_value or max_drop"
            raise FieldError("", f"sets no limit: give {wanted}")
        if self.max_drop is not None and self.metric not in MEANS:
            raise FieldError(
                "max_drop",
                f"pairs answers input by input, which {self.metric} does not allow: use"
                f" {', '.join(sorted(MEANS))}, or a floor",
            )

    def needs(self) -> Needs:
        """Return how many inputs a PASS takes where every answer is right, and a FAIL where none is."""
        if self.min_value is None or self.min_value >= 1:
            return Needs(1, 1, "inputs")
        to_fail = tries(self.min_value, 1.0, self.alpha)
        return Needs(tries(1 - self.min_value, 1.0, self.beta), to_fail, "inputs")

    def measure(
        self,
        predict: Callable[[Any], object],
        inputs: object,
        labels: object,
        slice_of: object = None,
        *,
        baseline: Callable[[Any], object] | None = None,
        score: Callable[[Any, object], object] | None = None,
        unit_of: object = None,
    ) -> Generator[Look, object, None]:
        """Ask ``predict`` (and ``baseline``) for every input.

        ``labels`` is parallel to ``inputs``, a column of theirs, or a callable of an input;
        ``slice_of`` and ``unit_of`` likewise.
        """
        from pytest_mlgates.gates.quality_floor.measure import Plan, measure_quality

        if (baseline is None) != (self.max_drop is None):
            missing = "a baseline" if baseline is None else "max_drop in the policy"
            raise Unmeasurable(f"a paired comparison needs {missing} too: give both or neither")
        plan = Plan(
            metric=self.metric,
            threshold=self.threshold,
            positive=self.positive,
            repeats=self.repeats,
            max_inputs=self.max_inputs,
            timeout_s=self.timeout_s,
            concurrency=self.concurrency,
            lower_error=self.beta,
            upper_error=self.alpha,
        )
        yield from measure_quality(
            predict,
            inputs,
            labels,
            slice_of=slice_of,
            unit_of=unit_of,
            score=score,
            baseline=baseline,
            plan=plan,
        )

    def headline(self, measurement: Measurement, /) -> Headline:
        """Return the number that the policy is about, as the details give it."""
        return headline(measurement.read(Seen), self.metric, self.beta, self.alpha)

    def decide(self, measurement: Measurement, /) -> Verdict:
        """FAIL where a row is below its floor, PASS where each is above it."""
        limits = Limits(
            metric=self.metric,
            floor=self.min_value,
            ceiling=self.max_value,
            drop=self.max_drop,
            slices=self.slices,
            alpha=self.alpha,
            beta=self.beta,
        )
        return judge(measurement.read(Seen), measurement.n, limits)

    def pictures(self, measurement: Measurement) -> Iterator[Picture]:
        """Draw the metric on all inputs and on the lowest slices, against its limit."""
        seen = measurement.read(Seen)
        rows = sorted(seen.slices, key=lambda row: value_of(self.metric, row))[:MAX_DRAWN]
        points = []
        for row in (seen.whole, *rows):
            low, high = metric_bounds(self.metric, row, self.beta, self.alpha)
            value = value_of(self.metric, row)
            label = f"{row.name or 'all'} ({row.inputs})"
            points.append(Point(label, value, min(low, value), max(high, value)))
        limits = tuple(x for x in (self.min_value, self.max_value) if x is not None)
        yield Intervals(f"{self.metric}, with its bounds", tuple(points), self.metric, limits)
