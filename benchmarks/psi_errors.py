"""How often the law of the stability index is wrong where the true index is the limit.

Ten bins; from the reference's even rates the current ones are moved, in a shape, until their index is
the limit. There a PASS and a FAIL are both errors; printed is how many times as often as declared each
comes. Beside it the chi-squared law by itself (Yurdakul and Naranjo 2020), as it was judged before.

    python benchmarks/psi_errors.py [--quick] [--runs N]
"""

from __future__ import annotations

import argparse
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.stats import ncx2

from pytest_mlgates.stats.stability import psi_law

Floats: TypeAlias = npt.NDArray[np.float64]
EVEN = np.full(10, 0.1)
ERRORS = (1e-2, 1e-3, 1e-4)
SHAPES: dict[str, Floats] = {
    "one bin grows": np.append(0.9, np.full(9, -0.1)),
    "one bin dies": np.append(-0.1, np.full(9, 0.1 / 9)),
    "tail to tail": np.concatenate([[-0.1], np.zeros(8), [0.1]]),
    "ramp": np.linspace(-0.1, 0.1, 10),
    "two bins die": np.concatenate([[-0.1, -0.1], np.full(8, 0.025)]),
}


def index(q: Floats) -> float:
    """Return the index of rates against the even ones."""
    return float(((q - EVEN) * np.log(q / EVEN)).sum())


def moved(shape: Floats, wanted: float) -> Floats:
    """Return rates moved in a shape until their index is as wanted."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        q = np.maximum(EVEN + middle * shape, 1e-9)
        low, high = (middle, high) if index(q / q.sum()) < wanted else (low, middle)
    q = np.maximum(EVEN + low * shape, 1e-9)
    return q / q.sum()


def main() -> None:
    """Print a row for each shape, limit and size."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the runs")
    parser.add_argument("--runs", type=int, default=100_000)
    args = parser.parse_args()
    runs = args.runs // (10 if args.quick else 1)
    rng = np.random.default_rng(5)
    print(f"{runs:,} runs a row; times as often as declared, at errors of 1e-2, 1e-3 and 1e-4\n")
    print("| shape | limit | rows | chi-squared alone: FAIL | PASS | now: FAIL | PASS |")
    print("|---|---|---|---|---|---|---|")
    for name, shape in SHAPES.items():
        for limit in (0.1, 0.25):
            q = moved(shape, limit)
            if abs(index(q) - limit) > 1e-3:
                continue
            for n, m in ((500, 500), (10_000, 500), (5000, 5000)):
                one, other = rng.multinomial(n, EVEN, runs), rng.multinomial(m, q, runs)
                p, r = ((x + 0.5) / (x.sum(1, keepdims=True) + 5) for x in (one, other))
                scale = n * m / (n + m)
                seen = scale * ((r - p) * np.log(r / p)).sum(1)
                alone = [ncx2.sf(seen, 9, scale * limit), ncx2.cdf(seen, 9, scale * limit)]
                # only where the one law is near an error can the other be, too
                near = np.flatnonzero(np.minimum(*alone) < 0.06)
                law = np.ones((runs, 2))
                law[near] = [psi_law(one[i], other[i], limit) for i in near]
                cells = [
                    ", ".join(f"{np.mean(side < error) / error:.2g}" for error in ERRORS)
                    for side in (*alone, *law.T)
                ]
                print(f"| {name} | {limit:g} | {n:,}, {m:,} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
