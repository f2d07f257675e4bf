"""How often bandwidth_budget's claim on the ratio is wrong, and how often it is made.

Vehicles see log-normal amounts of raw bytes (sigma 0.5) and send a tenth of them on average; how
unevenly is the log-normal sigma of the table. Run: python benchmarks/bandwidth_errors.py
"""

from __future__ import annotations

import argparse

import numpy as np

from pytest_mlgates.stats.ratio import RatioMoments, one_heavier, ratio_bounds

ALPHA, BETA, RUNS, RATIO = 1e-4, 1e-3, 4000, 0.1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the fleets")
    runs = RUNS // 10 if parser.parse_args().quick else RUNS
    print(f"alpha {ALPHA:g}, beta {BETA:g}, {runs} fleets a row, true ratio {RATIO}")
    print("| sigma | sources | false PASS | false FAIL | PASS, limit 0.2 | FAIL, limit 0.05 |")
    print("|---|---|---|---|---|---|")
    rng = np.random.default_rng(1)
    for sigma in (0.1, 0.5, 1.0, 1.5):
        for n in (20, 100, 500):
            counts = np.zeros(4)
            for _ in range(runs):
                raw = rng.lognormal(0, 0.5, n)
                sent = RATIO * raw * rng.lognormal(-sigma * sigma / 2, sigma, n)
                moments = RatioMoments.of(sent, raw)
                low, high = ratio_bounds(moments, one_heavier(sent, raw), ALPHA, BETA)
                most = np.inf if high is None else high
                counts += (most <= RATIO, low > RATIO, most <= 2 * RATIO, low > RATIO / 2)
            cells = " | ".join(f"{share:.4f}" for share in counts / runs)
            print(f"| {sigma:g} | {n} | {cells} |")


if __name__ == "__main__":
    main()
