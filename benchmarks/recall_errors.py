"""recall_retention: how often it is wrong, beside the rule that people use (the mean loss is below the limit).

python benchmarks/recall_errors.py [--quick] [--out FILE]

Per query, some of ten exact answers are lost: each by its own chance, or all ten at once in a few
queries. The true loss is at the limit (a PASS or a FAIL there is what alpha and beta bound), below
or above it. Decided is by the production code on recorded observations; ``point`` compares the
mean with the limit.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pytest_mlgates.core import Measurement
from pytest_mlgates.core.details import plain
from pytest_mlgates.core.observations import Histogram
from pytest_mlgates.gates.recall_retention import RecallRetention
from pytest_mlgates.gates.recall_retention.details import Doubts, LossRow, Seen

LIMIT, ALPHA, BETA = 0.02, 0.01, 0.01
Draw = Callable[[np.random.Generator, float, int], npt.NDArray[np.float64]]


def spread(rng: np.random.Generator, loss: float, n: int) -> npt.NDArray[np.float64]:
    """Each of ten answers is lost by its own chance."""
    return rng.binomial(10, loss, n) / 10


def clumped(rng: np.random.Generator, loss: float, n: int) -> npt.NDArray[np.float64]:
    """A few queries lose all ten: a list that is not looked into, a tail that was pruned."""
    return (rng.random(n) < loss).astype(float)


def decide(gate: RecallRetention, lost: npt.NDArray[np.float64]) -> str:
    row = LossRow(name="", queries=len(lost), lost=Histogram.of(map(float, lost)))
    doubts = Doubts(same=False, identical=False, constant=False, random=False)
    seen = Seen(
        k=10, whole=row, slices=(), doubts=doubts, unlabelled=0, unnamed=0, repeated=0, calls=1
    )
    measurement = Measurement(
        value=row.lost.mean, unit="recall lost", n=len(lost), details=plain(seen)
    )
    return gate.decide(measurement).outcome.value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    options = parser.parse_args()
    repeats = 100 if options.quick else 1_000
    gate = RecallRetention(max_drop=LIMIT, alpha=ALPHA, beta=BETA)
    print(f"limit {LIMIT}, alpha {ALPHA}, beta {BETA}, {repeats} runs a row\n")
    print("| lost | true loss | queries | PASS | FAIL | INCONCLUSIVE | point: PASS |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    rows = []
    draws: tuple[Draw, ...] = (spread, clumped)
    for draw in draws:
        for loss in (0.005, 0.01, LIMIT, 0.03, 0.05):
            for n in (500, 2_000):
                rng = np.random.default_rng((n, int(loss * 1000)))
                seen: Counter[str] = Counter()
                for _ in range(repeats):
                    lost = draw(rng, loss, n)
                    seen[decide(gate, lost)] += 1
                    seen["point"] += float(lost.mean()) <= LIMIT
                shares = {name: seen[name] / repeats for name in ("pass", "fail", "inconclusive")}
                rows.append({"lost": draw.__name__, "loss": loss, "n": n, **shares})
                cells = " | ".join(f"{share:.3f}" for share in shares.values())
                point = seen["point"] / repeats
                print(f"| {draw.__name__} | {loss} | {n} | {cells} | {point:.3f} |", flush=True)
    if options.out:
        options.out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
