"""How often cost_budget's forecast is wrong, beside the extrapolation that people do.

Simulated bills: a weekly pattern (weekends cost 40 %), log-normal noise of the day that follows an
AR(1) process, two whole months before a month of 30 days, of which some are over. What a month
comes to is known here, so that a bound that it breaks is counted: a false FAIL or a false PASS is
at most as likely, whatever the budget. Decisions are for budgets 10 % below and above what the
month comes to. The rival is the cost so far, times 30, over the days so far.
Run: python benchmarks/cost_forecast.py
"""

from __future__ import annotations

import argparse

import numpy as np

from pytest_mlgates.stats.forecast import forecast_sum

ALPHA, BETA, RUNS = 1e-4, 1e-3, 10_000
BEFORE, MONTH = 61, 30
WEEK = np.array([1, 1, 1, 1, 1, 0.4, 0.4])
#: noise sd and autocorrelation, growth a week, and what else happens
BILLS = {
    "steady, noise 5 %": (0.05, 0.0, 0.0, ""),
    "noise 10 %, autocorrelation .6": (0.10, 0.6, 0.0, ""),
    "the same, growing 2 % a week": (0.10, 0.6, 0.02, ""),
    "noise 10 %, autocorrelation .85": (0.10, 0.85, 0.0, ""),
    "noise of Student's t(4)": (0.10, 0.6, 0.01, "tails"),
    "a purchase on the 3rd (30 % of the month)": (0.05, 0.3, 0.0, "purchase"),
    "half as much again since ten days ago": (0.05, 0.3, 0.0, "shift"),
    "large jobs on 5 % of the days": (0.05, 0.3, 0.0, "jobs"),
}


def bill(rng: np.random.Generator, kind: tuple[float, float, float, str], over: int) -> np.ndarray:
    """Return the cost of each day, the month last."""
    sd, rho, growth, what = kind
    n = BEFORE + MONTH
    shocks = rng.standard_t(4, n) / np.sqrt(2) if what == "tails" else rng.standard_normal(n)
    noise = np.empty(n)
    noise[0] = shocks[0]
    for day in range(1, n):
        noise[day] = rho * noise[day - 1] + np.sqrt(1 - rho * rho) * shocks[day]
    level = 1000 * (1 + growth) ** (np.arange(n) / 7)
    if what == "shift":
        level[BEFORE + over - 10 :] *= 1.5
    days = level * np.roll(np.resize(WEEK, n + 7), rng.integers(7))[:n] * np.exp(sd * noise)
    if what == "jobs":
        days += (rng.random(n) < 0.05) * level * rng.uniform(1, 3, n)
    return days


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the bills")
    runs = RUNS // 10 if parser.parse_args().quick else RUNS
    print(f"alpha {ALPHA:g}, beta {BETA:g}, {runs} bills a row")
    print("| bill | days over | below the lower bound | above the upper bound |", end="")
    print(" FAIL at 0.9 | PASS at 1.1 | extrapolation wrong at 0.9 / 1.1 |")
    print("|---|---|---|---|---|---|---|")
    rng = np.random.default_rng(1)
    for name, kind in BILLS.items():
        for over in (10, 20, 27):
            counts = np.zeros(6)
            for _ in range(runs):
                days = bill(rng, kind, over)
                once = 7000.0 if kind[3] == "purchase" else 0.0
                so_far = days[BEFORE : BEFORE + over].sum() + once
                total = days[BEFORE:].sum() + once
                found = forecast_sum(days[: BEFORE + over], MONTH - over)
                low, high = so_far + max(found.low(ALPHA), 0.0), so_far + found.high(BETA)
                straight = so_far * MONTH / over
                counts += (
                    total < low,
                    total > high,
                    max(low, so_far) > 0.9 * total,
                    high <= 1.1 * total,
                    straight <= 0.9 * total,
                    straight > 1.1 * total,
                )
            shares = [f"{share:.2%}" for share in counts / runs]
            decided = " | ".join(f"{share:.0%}" for share in counts[2:4] / runs)
            rival = f"{counts[4] / runs:.0%} / {counts[5] / runs:.0%}"
            print(
                f"| {name} | {over} | {shares[0]} | {shares[1]} | {decided} | {rival} |", flush=True
            )


if __name__ == "__main__":
    main()
