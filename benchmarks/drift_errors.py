"""How often drift is wrong at its limit, how often it tells, and what a rule of thumb says there.

Each change is scaled until its true distance (on 200,000 draws) is so many times the limit. At
the limit a PASS and a FAIL are both wrong; without a change a FAIL is. Beside it, on the same rows,
what a user would pick: Kolmogorov-Smirnov at 5 % (scipy; the usual default up to 1,000 rows), PSI
over 0.2, and the Wasserstein distance over the standard deviation above 0.1 (the usual default
beyond). A second family of changes was not looked at while the gate was written.
Run: python benchmarks/drift_errors.py [--quick]
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import stats

from pytest_mlgates.gates.drift import Drift
from pytest_mlgates.stats.distances import REACH
from pytest_mlgates.stats.stability import psi

Floats: TypeAlias = npt.NDArray[np.float64]
#: draws n values with a change of this size
Draw: TypeAlias = Callable[[np.random.Generator, int, float], Floats]

LIMIT, N, RUNS = 0.2, 20_000, 100


def main() -> None:
    """Print a row for each change, size and number of current rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the runs")
    runs = RUNS // 10 if parser.parse_args().quick else RUNS
    gate = Drift(max_distance=LIMIT)
    print(f"limit {LIMIT} spreads, alpha {gate.alpha:g}, beta {gate.beta:g}; {runs} runs a row")
    print(f"reference of {N:,} rows\n")
    print("| change | current | distance / limit | PASS | FAIL | KS p<.05 | PSI>.2 | W1/sd>.1 |")
    print("|---|---|---|---|---|---|---|---|")
    spent, verdicts = 0.0, 0
    for name, draw, m, times, size in rows():
        said: Counter[str] = Counter()
        rng = np.random.default_rng(1)
        for _ in range(runs):
            one, other = draw(rng, N, 0.0), draw(rng, m, size)
            before = time.process_time()
            said[gate.run(one, other).outcome.value] += 1
            spent += time.process_time() - before
            verdicts += 1
            said.update(rules(one, other))
        cells = " | ".join(f"{said[key] / runs:.0%}" for key in ("pass", "fail", "ks", "psi", "w1"))
        print(f"| {name} | {m:,} | {times:g} | {cells} |", flush=True)
    print(f"\n{spent / verdicts:.2f} s of CPU a verdict on one feature")


def rows() -> Iterator[tuple[str, Draw, int, float, float]]:
    """Yield what is drawn, how many rows, how many times the limit, and the size that makes it so."""
    for name, draw in {**FIRST, **SECOND}.items():
        for times in (0.0, 0.5, 1.0, 2.0):
            size = _size(draw, times * LIMIT)
            for m in (2000, 10_000):
                yield name, draw, m, times, size


def rules(one: Floats, other: Floats) -> list[str]:
    """Return which rules of thumb call it a drift."""
    edges = np.quantile(one, np.linspace(0, 1, 11)[1:-1])
    bins = [np.bincount(np.digitize(x, edges), minlength=10) for x in (one, other)]
    found = {
        "ks": stats.ks_2samp(one, other).pvalue < 0.05,
        "psi": psi(bins[0], bins[1]) > 0.2,
        "w1": stats.wasserstein_distance(one, other) / one.std() > 0.1,
    }
    return [name for name, is_so in found.items() if is_so]


def _distance(draw: Draw, size: float) -> float:
    rng = np.random.default_rng(0)
    one, other = draw(rng, 200_000, 0.0), draw(rng, 200_000, size)
    low, middle, high = np.quantile(one, [0.1587, 0.5, 0.8413])
    one, other = (np.clip((x - middle) / ((high - low) / 2), -REACH, REACH) for x in (one, other))
    return float(np.abs(np.sort(one) - np.sort(other)).mean())


def _size(draw: Draw, wanted: float) -> float:
    if wanted == 0:
        return 0.0
    low, high = 0.0, 4.0
    for _ in range(14):
        middle = (low + high) / 2
        low, high = (middle, high) if _distance(draw, middle) < wanted else (low, middle)
    return (low + high) / 2


def wider(rng: np.random.Generator, n: int, size: float) -> Floats:
    """The same mean, a larger spread."""
    return rng.normal(0, 1 + size, n)


def skewed(rng: np.random.Generator, n: int, size: float) -> Floats:
    """Amounts with a heavy tail, all of them dearer."""
    return rng.lognormal(size, 1.0, n)


def far_tail(rng: np.random.Generator, n: int, size: float) -> Floats:
    """Second family: a part of the rows goes far out."""
    return np.where(rng.random(n) < 0.05 * size, 4.5, 0.0) + rng.normal(0, 1, n)


def two_heaps(rng: np.random.Generator, n: int, size: float) -> Floats:
    """Second family: one heap becomes two, around the same mean."""
    return rng.normal(0, 1, n) + rng.choice([-1.0, 1.0], n) * size


def counts(rng: np.random.Generator, n: int, size: float) -> Floats:
    """Second family: small whole numbers with many zeros."""
    return rng.poisson(1.2 + size, n).astype(float)


FIRST: dict[str, Draw] = {
    "shift": lambda rng, n, size: rng.normal(size, 1, n),
    "wider": wider,
    "skewed, dearer": skewed,
}
SECOND: dict[str, Draw] = {
    "second family: far tail": far_tail,
    "second family: two heaps": two_heaps,
    "second family: counts": counts,
}


if __name__ == "__main__":
    main()
