"""Whether training and serving see the same feature values, each at the right time."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Annotated, ClassVar

from pytest_mlgates.core import Headline, Look, Measurement, Needs, StatisticalGate, Verdict
from pytest_mlgates.core.fields import FieldError, Limit
from pytest_mlgates.core.pictures import Intervals, Picture, Point
from pytest_mlgates.gates.feature_parity.bounds import mismatch_bounds
from pytest_mlgates.gates.feature_parity.details import Seen
from pytest_mlgates.gates.feature_parity.judge import Limits, headline, judge
from pytest_mlgates.stats.zero_tolerance import tries

__all__ = ["FeatureParity"]

#: features that a picture shows
MAX_DRAWN = 20


@dataclass(frozen=True, kw_only=True)
class FeatureParity(StatisticalGate):
    """Are the values that a model is trained on those that it is served with, row by row?

    ``entities`` are the rows asked for: key columns and, for training sets, the time of the event.
    ``offline`` and ``online`` are tables, matched by those columns in any order, or callables that
    are asked for each row. A row that a side does not hold (a point-in-time join drops what is from
    before the first event) differs in every feature; so does one that is there too often. Numbers are
    one type and agree within ``tolerance``, so a Float32 that comes back as float64 is the same; null
    and 0 are not, nor are "7" and 7, but for the cells of a CSV file, which are all texts.

    Where a side says when a value became known (a column ``<feature>__ts``, as Feast names it, or
    ``feature_timestamp`` for the row), a value from after the event FAILs, however rare, and none may
    be older than ``max_staleness`` seconds. Where it does not say, a leak shows only where the other
    side does not share it, and the verdict says so.

    A limit above 0 is held against bounds for entities drawn like these: exact binomial ones, or by
    betting where an entity has several rows; a FAIL of one of k features has alpha / k. A limit of 0
    is about the rows handed in.

    >>> gate = FeatureParity(max_mismatch_rate=0)
    >>> entities = [{"customer_id": n} for n in range(3)]
    >>> gate.run(lambda e: {"age": e["customer_id"]}, lambda e: {"age": 1.0 * e["customer_id"]},
    ...     entities).outcome.value
    'pass'
    >>> print(gate.run([{"customer_id": n, "age": None} for n in range(3)],
    ...     [{"customer_id": n, "age": 0} for n in range(3)], entities).verdict.reason)
    age differs in 3 of 3 rows (limit 0 %; null 3)

    Not seen: a source that was wrong before both sides read it, and a leak from the future that
    both sides share and neither dates.

    To mend: compute a feature once and read it on both sides; join by the time at which a value
    became known.

    Sources: Clopper and Pearson 1934; Waudby-Smith and Ramdas 2024.
    """

    name: ClassVar[str] = "feature_parity"
    subject: ClassVar[str] = "online"

    max_mismatch_rate: Annotated[
        float,
        Limit(tighten="down", ge=0, lt=1),
        "largest share of rows in which a feature may differ",
    ]
    max_staleness: Annotated[
        float | None,
        Limit(tighten="down", ge=0, unit="s"),
        "oldest that a value may be at its event",
    ] = None
    tolerance: Annotated[
        float,
        Limit(tighten="down", ge=0, lt=1),
        "relative difference up to which two numbers are one value; 0 asks for equality",
    ] = 1e-6
    features: Annotated[
        tuple[str, ...], "features that are compared: by default all that both sides have"
    ] = ()
    keys: Annotated[
        tuple[str, ...], "columns that make an entity: by default all of entities but its time"
    ] = ()
    timestamp: Annotated[str, "the column of the time of an event"] = "event_timestamp"
    feature_timestamp: Annotated[
        str, "the column that says when the values of a row became known"
    ] = "feature_timestamp"
    timeout_s: Annotated[float, Limit(gt=0, unit="s"), "a call that takes longer is stopped"] = 60.0
    concurrency: Annotated[
        int, Limit(ge=1, le=1000), "calls at a time of a side whose answers are awaited"
    ] = 8

    def __post_init__(self) -> None:
        super().__post_init__()
        for field in ("features", "keys"):
            if len(set(getattr(self, field))) < len(getattr(self, field)):
                raise FieldError(field, "holds a name twice")

    def needs(self) -> Needs:
        """Return how many entities a PASS takes where nothing differs, and a FAIL where all does."""
        if self.max_mismatch_rate == 0:
            return Needs(1, 1, "entities")
        to_fail = tries(1 - self.max_mismatch_rate, 1.0, self.alpha)
        return Needs(tries(self.max_mismatch_rate, 1.0, self.beta), to_fail, "entities")

    def measure(
        self, offline: object, online: object, entities: object
    ) -> Generator[Look, object, None]:
        """Compare ``offline`` with ``online`` at the rows of ``entities``."""
        from pytest_mlgates.gates.feature_parity.measure import Plan, measure_parity

        plan = Plan(
            features=self.features,
            keys=self.keys,
            timestamp=self.timestamp,
            feature_timestamp=self.feature_timestamp,
            tolerance=self.tolerance,
            timeout_s=self.timeout_s,
            concurrency=self.concurrency,
            lower_error=self.alpha,
            upper_error=self.beta,
        )
        yield from measure_parity(offline, online, entities, plan)

    def headline(self, measurement: Measurement, /) -> Headline:
        """Return the number that the policy is about, as the details give it."""
        return headline(measurement.read(Seen), self.alpha, self.beta)

    def decide(self, measurement: Measurement, /) -> Verdict:
        """FAIL where a feature differs too often, leaks from the future or is stale."""
        limits = Limits(
            rate=self.max_mismatch_rate,
            staleness=self.max_staleness,
            tolerance=self.tolerance,
            alpha=self.alpha,
            beta=self.beta,
        )
        return judge(measurement.read(Seen), measurement.n, limits)

    def pictures(self, measurement: Measurement) -> Iterator[Picture]:
        """Draw the features that differ most, with their bounds, against the limit."""
        seen = measurement.read(Seen)
        points = []
        for feature in sorted(seen.features, key=lambda one: -one.rate)[:MAX_DRAWN]:
            low, high = mismatch_bounds(feature, self.alpha / len(seen.features), self.beta)
            value = feature.rate
            low, high = min(low, value), max(high, value)
            points.append(Point(feature.name, 100 * value, 100 * low, 100 * high))
        title = f"Rows that differ between training and serving, of {measurement.n:,}"
        yield Intervals(title, tuple(points), "% of rows", (100 * self.max_mismatch_rate,))
