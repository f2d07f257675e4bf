"""Compare two sides, feature by feature; decides nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from pytest_mlgates.core.details import plain
from pytest_mlgates.core.errors import Unmeasurable
from pytest_mlgates.core.instants import CLOCK_SKEW, instant
from pytest_mlgates.core.records import Measurement
from pytest_mlgates.core.words import number
from pytest_mlgates.gates.drift.columns import Feature, Sides, sides_of
from pytest_mlgates.gates.drift.details import Alarm, Compared, Moments, Seen
from pytest_mlgates.gates.drift.judge import headline
from pytest_mlgates.stats import edetector
from pytest_mlgates.stats.distances import (
    REACH,
    Fourier,
    Slopes,
    log_e_apart,
    total_variation,
)

__all__ = ["STRETCHES", "Plan", "measure_drift"]

Floats: TypeAlias = npt.NDArray[np.float64]

#: a stream is judged as a whole's worth in so many stretches
STRETCHES = 4
_KNOTS, _BINS = 64, 10
MAX_FINDINGS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is compared, and the distances that bets are against: of a feature, and of the shape.

    ``reference_error`` is the chance that the reference's own means are off where those bets use them.
    """

    features: tuple[str, ...]
    rows: bool
    stream: bool
    distance: float | None
    shape: float | None
    reference_error: float
    headline: str
    seed: int


def measure_drift(
    reference: object, current: object, trained_at: object, plan: Plan
) -> Measurement:
    """Compare both sides, and take the age of the model."""
    age = None if trained_at is None else age_days(trained_at)
    if not plan.rows:
        if age is None:
            raise Unmeasurable("max_age needs trained_at: give when the model was trained")
        seen = Seen(
            of_rows=False, features=(), reference_rows=0, current_rows=0, stream=False, age_days=age
        )
        return headline(seen, plan.headline).measurement(plain(seen))
    sides = sides_of(reference, current, plan.features)
    rng = np.random.default_rng(plan.seed)
    stretches = STRETCHES if plan.stream else 1
    plan = replace(plan, reference_error=plan.reference_error / max(1, len(sides.features)))
    features = [c for f in sides.features for c in _stretch_by_stretch(f, stretches, plan, rng)]
    shapes = [] if plan.shape is None else list(_shapes(sides, stretches, plan.shape, rng))
    seen = Seen(
        of_rows=True,
        features=tuple(features),
        shapes=tuple(shapes),
        reference_rows=sides.rows[0],
        current_rows=sides.rows[1],
        stream=plan.stream,
        same=sides.same,
        copies=sides.copies,
        only_reference=tuple(sides.only_reference),
        only_current=tuple(sides.only_current),
        unusable=tuple(sides.unusable),
        age_days=age,
        findings=tuple(_findings([*features, *shapes])),
    )
    return headline(seen, plan.headline).measurement(plain(seen))


def age_days(trained_at: object) -> float:
    """Return how many days ago an instant is: a datetime, ISO 8601 text, or seconds of the epoch."""
    try:
        if isinstance(trained_at, (int, float)) and not isinstance(trained_at, bool):
            then = datetime.fromtimestamp(trained_at, UTC)
        else:
            then = instant(trained_at)
    except (ValueError, OverflowError, OSError) as error:
        raise Unmeasurable(f"trained_at: {error}") from None
    now = datetime.now(UTC)
    if then > now + CLOCK_SKEW:
        raise Unmeasurable(f"trained_at is in the future ({then.isoformat()}): check the clocks")
    return max(0.0, (now - then).total_seconds() / 86400)


def _stretch_by_stretch(
    feature: Feature, stretches: int, plan: Plan, rng: np.random.Generator
) -> Iterator[Compared]:
    """Yield the comparison of a feature, or of each stretch of a stream, the alarm on the first."""
    alarm = _alarm(feature, plan) if plan.stream else None
    for at, current in enumerate(np.array_split(feature.current, stretches), 1):
        stretch = at if stretches > 1 else None
        compare = _numbers if feature.numeric else _categories
        found = compare(feature.name, feature.reference, current, plan.distance, rng)
        yield replace(found, stretch=stretch, alarm=alarm)
        alarm = None


def _parts(x: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return a third at random, which chooses a witness, and the rest, on which it is heard."""
    order = rng.permutation(len(x))
    return x[order[: len(x) // 3]], x[order[len(x) // 3 :]]


def _numbers(
    name: str, one: Floats, other: Floats, tolerance: float | None, rng: np.random.Generator
) -> Compared:
    (first_one, then_one), (first, then) = _parts(one, rng), _parts(other, rng)
    evidence = 0.0
    if tolerance is not None and first_one.size and first.size:
        f = Slopes.between(first_one, first, _KNOTS)
        evidence = log_e_apart((f(first_one), f(first)), (f(then_one), f(then)), f.ends, tolerance)
    edges = np.unique(np.quantile(one, np.linspace(0, 1, _BINS + 1)[1:-1]))
    counts = [np.bincount(np.digitize(x, edges), minlength=len(edges) + 1) for x in (one, other)]
    distance = Slopes.between(one, other).gap(one, other) if other.size else 0.0
    return Compared(
        name=name,
        kind="number",
        rows=(one.size, other.size),
        distance=max(0.0, distance),
        tolerance=tolerance,
        log_e_beyond=evidence,
        reference_squares=Moments.of(one**2),
        current_squares=Moments.of(other**2),
        bins=tuple(zip(*(c.tolist() for c in counts), strict=True)),
    )


def _categories(
    name: str, one: Floats, other: Floats, tolerance: float | None, rng: np.random.Generator
) -> Compared:
    size = int(max(one.max(initial=0), other.max(initial=0))) + 1
    first, then = zip(_parts(one, rng), _parts(other, rng), strict=True)
    counts = [np.bincount(x.astype(int), minlength=size) for x in (*first, one, other)]
    evidence = 0.0
    if tolerance is not None and min(x.size for x in first):
        grown = counts[1] / counts[1].sum() > counts[0] / counts[0].sum()
        chosen, heard = (
            [grown[x.astype(int)].astype(float) for x in part] for part in (first, then)
        )
        evidence = log_e_apart(tuple(chosen), tuple(heard), (0.0, 1.0), tolerance)
    return Compared(
        name=name,
        kind="category",
        rows=(one.size, other.size),
        distance=total_variation(counts[2], counts[3]) if other.size else 0.0,
        tolerance=tolerance,
        log_e_beyond=evidence,
        bins=tuple(zip(counts[2].tolist(), counts[3].tolist(), strict=True)),
    )


def _alarm(feature: Feature, plan: Plan) -> Alarm:
    """Bet on the stream, row by row, against a mean further from the reference's than allowed."""
    tolerance = plan.distance or 0.0
    views = _views(feature)
    error = plan.reference_error / len(views)
    logs = []
    for reference, current, low, high in views:
        most = Moments.of(reference).sums.mean_below(high, error) + tolerance
        if most < high:
            logs.append(edetector.highest(current, most, low))
    best = max(logs, default=(0.0, 0, 0))
    # the mean of the detectors of all views is one, too, and no less than the best over their number
    return Alarm(log_e=best[0] - float(np.log(max(1, len(views)))), at=best[1], begin=best[2])


def _views(feature: Feature) -> list[tuple[Floats, Floats, float, float]]:
    """Return functions of a feature with slopes of 1, or sets of its categories, and their ends."""
    one, other = feature.reference, feature.current
    if feature.numeric:
        return [
            (one, other, -REACH, REACH),
            (-one, -other, -REACH, REACH),
            (np.abs(one), np.abs(other), 0.0, REACH),
            (-np.abs(one), -np.abs(other), -REACH, 0.0),
        ]
    codes = np.unique(np.concatenate([one, other]))[:20]
    return [
        ((one == code).astype(float), (other == code).astype(float), 0.0, 1.0) for code in codes
    ]


def _shapes(
    sides: Sides, stretches: int, tolerance: float, rng: np.random.Generator
) -> Iterator[Compared]:
    """Yield the distance of all numbers together, where there are two or more without a gap."""
    numbers = [f for f in sides.features if f.numeric]
    whole = [f for f in numbers if (f.reference.size, f.current.size) == sides.rows]
    if len(whole) < 2:
        return
    one, every = (
        np.column_stack([getattr(f, side) for f in whole]) for side in ("reference", "current")
    )
    features = Fourier.for_sample(one, rng)
    here = features(one)
    for at, rows in enumerate(np.array_split(every, stretches), 1):
        there = features(rows)
        (first_one, then_one), (first, then) = _parts(here, rng), _parts(there, rng)
        if not (len(first_one) and len(first)):
            continue
        away = first.mean(0) - first_one.mean(0)
        away /= float(np.linalg.norm(away)) or 1.0
        chosen, heard = (first_one @ away, first @ away), (then_one @ away, then @ away)
        yield Compared(
            name=f"{len(whole)} numbers together",
            kind="shape",
            rows=(len(here), len(there)),
            distance=float(np.linalg.norm(there.mean(0) - here.mean(0))),
            tolerance=tolerance,
            log_e_beyond=log_e_apart(chosen, heard, (-1.0, 1.0), tolerance),
            stretch=at if stretches > 1 else None,
        )


def _findings(compared: Sequence[Compared]) -> Iterator[str]:
    for one in sorted(compared, key=lambda one: -one.distance)[:MAX_FINDINGS]:
        unit = {"number": "spreads", "category": "of the rows", "shape": "(MMD)"}[one.kind]
        yield f"{one.where}: {number(one.distance)} {unit} apart, {one.rows[1]:,} rows"
