"""Whether the input, or the age of the model, has moved past its limit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, ClassVar

from pytest_mlgates.core import Headline, Measurement, Needs, StatisticalGate, Verdict
from pytest_mlgates.core.errors import Unfit
from pytest_mlgates.core.fields import FieldError, Limit
from pytest_mlgates.core.pictures import Intervals, Picture, Point
from pytest_mlgates.gates.drift.details import Seen
from pytest_mlgates.gates.drift.judge import (
    MIN_ROWS,
    REFERENCE_SHARE,
    Limits,
    headline,
    judge,
    most_apart,
    rows_needed,
)

__all__ = ["Drift"]

MAX_DRAWN = 20


@dataclass(frozen=True, kw_only=True)
class Drift(StatisticalGate):
    """Has what a model is given moved from what it was made for, or has it grown too old?

    Each feature of ``current`` is held against ``reference``: a number by Wasserstein-1, in spreads of
    the reference (half of what the middle 68 % span, a standard deviation where it is normal), a
    category by the share of rows that would have to change (total variation), a missing value as a
    category. That two samples differ is never the question, as they always do: a FAIL says that a
    feature is surely farther away than ``max_distance``, a PASS that none can be. ``max_shape``
    compares all numbers together (maximum mean discrepancy), which finds what no single feature
    shows; ``max_psi`` is the index that risk teams know, judged by its law. With ``stream`` the rows of
    ``current`` are in the order of time: a change that came in their midst is looked for, and each
    quarter must pass.

    >>> import random
    >>> draw = random.Random(0).gauss
    >>> reference = [{"amount": draw(20, 5)} for _ in range(20_000)]
    >>> gate = Drift(max_distance=0.2)
    >>> gate.run(reference, [{"amount": draw(20, 5)} for _ in range(5000)]).outcome.value
    'pass'
    >>> moved = gate.run(reference, [{"amount": draw(23, 5)} for _ in range(5000)])
    >>> moved.verdict.reason.partition(", ")[2]
    'surely more than 0.2 (max_distance), over 5,000 rows'

    Not seen: that the meaning of a label changed while the features stayed (``quality_floor``
    asks that), and what happens beyond five spreads of the reference.

    To mend: look at the source of the feature that is named first: a unit, a default, a join.
    Where the world has moved, train on recent rows and take these as the reference.

    Sources: Waudby-Smith and Ramdas 2024 (betting), Gretton et al. 2012 (MMD), Yurdakul and Naranjo
    2020 (PSI), Shin, Ramdas and Rinaldo 2024 (e-detectors).
    """

    name: ClassVar[str] = "drift"

    max_distance: Annotated[
        float | None,
        Limit(tighten="down", gt=0, lt=5),
        "farthest that a feature may have moved: numbers in spreads of the reference, categories"
        " as the share of rows",
    ] = None
    max_age: Annotated[
        float | None,
        Limit(tighten="down", gt=0, unit="days"),
        "largest age of the model (needs trained_at)",
    ] = None
    max_psi: Annotated[
        float | None,
        Limit(tighten="down", gt=0, le=10),
        "largest population stability index of a feature, over the reference's deciles",
    ] = None
    max_shape: Annotated[
        float | None,
        Limit(tighten="down", gt=0, lt=1.4),
        "largest maximum mean discrepancy of all numbers together",
    ] = None
    features: Annotated[
        tuple[str, ...], "the features that count; all that both sides have where none is named"
    ] = ()
    stream: Annotated[bool, "the rows of current are in the order of time"] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (self._limits.rows or self.max_age is not None):
            raise FieldError("", "sets no limit: give max_distance, max_age, max_psi or max_shape")
        if self.stream and self.max_distance is None:
            raise FieldError("stream", "needs max_distance, which its bets are against")
        if len(set(self.features)) < len(self.features):
            raise FieldError("features", "names a feature twice")

    def needs(self) -> Needs:
        """Return the rows of each side that a PASS takes where nothing moved, and a FAIL where all did."""
        import math

        if self.max_distance is None:
            return Needs(1, 1, "rows")
        to_pass = rows_needed(self.max_distance, self.beta)
        return Needs(to_pass, max(MIN_ROWS, math.ceil(-2 * math.log(self.alpha))), "rows")

    def measure(
        self,
        reference: object = None,
        current: object = None,
        *,
        trained_at: object = None,
        seed: int = 0,
    ) -> Measurement:
        """Compare the rows of two sides, feature by feature.

        Both are tables, dicts (nested ones too), vectors or single values. ``trained_at`` is when the
        model was trained: a datetime, ISO 8601 text, or seconds of the epoch.
        """
        from pytest_mlgates.gates.drift.measure import Plan, measure_drift

        plan = Plan(
            features=self.features,
            rows=self._limits.rows,
            stream=self.stream,
            distance=self.max_distance,
            shape=self.max_shape,
            reference_error=self.alpha * REFERENCE_SHARE,
            headline=self.limit_field(),
            seed=seed,
        )
        return measure_drift(reference, current, trained_at, plan)

    def headline(self, measurement: Measurement, /) -> Headline:
        """Return the number that the policy is about, as the details give it."""
        return headline(measurement.read(Seen), self.limit_field())

    def decide(self, measurement: Measurement, /) -> Verdict:
        """FAIL where a limit is surely broken, PASS where each surely holds."""
        seen = measurement.read(Seen)
        if self._limits.rows and seen.stream != self.stream:
            raise Unfit(
                "details.stream: rows were compared as the policy does not say: measure again"
            )
        return judge(seen, measurement.n, self._limits)

    def pictures(self, measurement: Measurement) -> Iterator[Picture]:
        """Draw how far each feature moved, and could have, against the limit."""
        seen = measurement.read(Seen)
        limit = self.max_distance
        if limit is None or not seen.features:
            return
        farthest = sorted(seen.features, key=lambda one: -one.distance)[:MAX_DRAWN]
        points = tuple(
            Point(one.where, one.distance, 0.0, most_apart(one, self.beta), one.distance > limit)
            for one in farthest
        )
        yield Intervals("How far each feature moved, and could have", points, "", (limit,))

    @property
    def _limits(self) -> Limits:
        return Limits(
            distance=self.max_distance,
            age=self.max_age,
            psi=self.max_psi,
            shape=self.max_shape,
            alpha=self.alpha,
            beta=self.beta,
        )
