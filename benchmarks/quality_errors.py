"""quality_floor: how often it is wrong, beside the rule that people use (the figure is above the floor).

python benchmarks/quality_errors.py [--quick]

Subjects stand exactly at the floor (a PASS or a FAIL there is the error that alpha and beta bound),
just below and just above it, for each metric and for populations with rare failures. ``point`` is
the plain comparison on the same inputs.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from pytest_mlgates.core import Measurement
from pytest_mlgates.core.details import plain
from pytest_mlgates.core.observations import Histogram
from pytest_mlgates.gates.quality_floor import QualityFloor
from pytest_mlgates.gates.quality_floor.details import QualityRow, Seen
from pytest_mlgates.gates.quality_floor.metrics import observation, pairs_of, value_of

ALPHA, BETA = 0.01, 0.01


@dataclass(frozen=True)
class Case:
    """A population: its truth against the floor, and how a sample of it is drawn."""

    metric: str
    words: str
    floor: float
    n: int
    row: Callable[[np.random.Generator, float, int], QualityRow]


def coin(rng: np.random.Generator, truth: float, n: int) -> QualityRow:
    """Right with a fixed chance."""
    return _values(rng.random(n) < truth)


def f1(rng: np.random.Generator, truth: float, n: int) -> QualityRow:
    """A tenth is positive; as many false positives as false negatives."""
    miss = 1 - truth
    labels = rng.random(n) < 0.1
    answers = np.where(labels, rng.random(n) >= miss, rng.random(n) < miss / 9)
    seen = (observation("f1", float(a), float(b)) for a, b in zip(answers, labels, strict=True))
    return _values([x for x in seen if x is not None])


def auroc(rng: np.random.Generator, truth: float, n: int) -> QualityRow:
    """Two normals, a fifth positive, as far apart as the truth says."""
    from scipy.stats import norm

    labels = rng.random(n) < 0.2
    scores = rng.normal(size=n) + labels * float(norm.ppf(truth)) * 2**0.5
    pairs = pairs_of(scores.tolist(), labels.tolist())
    return QualityRow(name="", inputs=n, pairs=pairs)


def beta(rng: np.random.Generator, truth: float, n: int) -> QualityRow:
    """A score of one's own that spreads."""
    return _values(rng.beta(20 * truth, 20 * (1 - truth), n))


def rare(rng: np.random.Generator, truth: float, n: int) -> QualityRow:
    """Perfect, but for a rare total failure that a small sample may not show."""
    return _values(rng.random(n) < truth)


def _values(x: object) -> QualityRow:
    values = Histogram.of(float(one) for one in np.asarray(x, float))
    return QualityRow(name="", inputs=len(np.asarray(x)), values=values)


CASES = (
    Case("accuracy", "coin", 0.9, 1000, coin),
    Case("accuracy", "rare failure", 0.995, 1000, rare),
    Case("f1", "10 % positive", 0.8, 5000, f1),
    Case("auroc", "two normals", 0.85, 2000, auroc),
    Case("score", "beta", 0.7, 500, beta),
)


def measured_values(metric: str, x: object) -> Measurement:
    """Return the measurement of observations of a metric that is their mean."""
    return _measured(metric, _values(x))


def _measured(metric: str, row: QualityRow) -> Measurement:
    seen = Seen(
        metric=metric, whole=row, slices=(), unnamed=0, repeated=0, answers=2,
        units=False, calls=row.inputs,
    )  # fmt: skip
    value = value_of(metric, row)
    return Measurement(value=value, unit=metric, n=row.inputs, details=plain(seen))


def decisions(case: Case, truth: float, runs: int) -> Iterator[tuple[str, bool]]:
    """Yield the outcome of the gate, and whether the plain figure is above the floor."""
    gate = QualityFloor(metric=case.metric, min_value=case.floor, alpha=ALPHA, beta=BETA)  # type: ignore[arg-type]
    rng = np.random.default_rng(round(truth * 1e6))
    for _ in range(runs):
        row = case.row(rng, truth, case.n)
        measured = _measured(case.metric, row)
        yield gate.decide(measured).outcome.value, measured.value >= case.floor


def main() -> None:
    """Print a line for each population and truth."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    runs = 200 if parser.parse_args().quick else 2000
    print(f"{runs} runs a row; declared: alpha {ALPHA:g}, beta {BETA:g}")
    heads = "".join(f"{head:>7}" for head in ("floor", "truth", "PASS", "FAIL", "point"))
    print(f"{'metric':10}{'population':16}{'n':>6}{heads}")
    for case in CASES:
        off = (1 - case.floor) / 2
        for truth in (case.floor - off, case.floor - 1e-9, min(case.floor + off, 0.9999)):
            found = list(decisions(case, truth, runs))
            outcomes = Counter(outcome for outcome, _ in found)
            shares = (outcomes["pass"] / runs, outcomes["fail"] / runs)
            point = sum(above for _, above in found) / runs
            print(
                f"{case.metric:10}{case.words:16}{case.n:6}{case.floor:7.3f}{truth:7.3f}"
                f"{shares[0]:7.3f}{shares[1]:7.3f}{point:7.3f}"
            )


if __name__ == "__main__":
    main()
