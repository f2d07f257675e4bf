"""How often cost_budget is wrong of a month that runs on, beside its forecast and extrapolation.

Simulated bills: a weekly pattern (weekends cost 40 %), log-normal noise of the day that follows an
AR(1) process, two whole months before a month of 30 days, of which some are over. What a month
comes to is known here. The gate decides by what is billed, and by a cap on the days left that
holds (the dearest day of the month); budgets are 10 % below and above what the month comes to. Its
forecast decides nothing: the columns beside show what its interval misses, and what deciding by it
would have got wrong; straight extrapolation is the cost so far, times 30, over the days so far.
Run: python benchmarks/cost_forecast.py
"""

from __future__ import annotations

import argparse
from dataclasses import fields
from decimal import Decimal

import numpy as np

from pytest_mlgates.gates.cost_budget import CostBudget
from pytest_mlgates.gates.cost_budget.details import Entry, Left, Seen, Terms, Total
from pytest_mlgates.gates.cost_budget.judge import Limits, judge
from pytest_mlgates.stats.forecast import forecast_sum

ALPHA, BETA, RUNS = 1e-4, 1e-3, 10_000
BEFORE, MONTH = 61, 30
WEEK = np.array([1, 1, 1, 1, 1, 0.4, 0.4])
_POLICY = CostBudget(currency="USD", max_cost=1)
TERMS = Terms(**{field.name: getattr(_POLICY, field.name) for field in fields(Terms)})
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
    "a campaign of ten days, twice as dear, ahead": (0.05, 0.3, 0.0, "campaign"),
    "a launch: 3 % more each day from now on": (0.05, 0.3, 0.0, "launch"),
    "a new service, half as much again from now on": (0.05, 0.3, 0.0, "service"),
    "something that is switched off from now on (40 %)": (0.05, 0.3, 0.0, "off"),
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
    now, left = BEFORE + over, MONTH - over
    if what == "campaign":
        days[now : now + 10] *= 2
    if what == "launch":
        days[now:] *= 1.03 ** np.arange(1, left + 1)
    if what == "service":
        days[now:] *= 1.5
    if what == "off":
        days[now:] *= 0.6
    if what == "jobs":
        days += (rng.random(n) < 0.05) * level * rng.uniform(1, 3, n)
    return days


def decided(days: np.ndarray, over: int, once: float, budget: float, *, cap: bool) -> str:
    """Return what the gate says of a month that runs on; ``cap`` is the dearest day of it."""
    month = [Decimal(f"{cost:.2f}") for cost in days[BEFORE:]]
    so_far = sum(month[:over], Decimal(f"{once:.2f}"))
    billed = f"{so_far:.2f}"
    left = Left(days=MONTH - over, billed=billed, most=f"{max(month[:over]):.2f}", fees="0.00")
    entry = Entry(
        group="", period="2026-11", billed=billed, credits="0.00", complete=False, forecast=None,
        lacks="", left=left,
    )  # fmt: skip
    total = Total(period="2026-11", billed=billed, credits="0.00", gaps=0, complete=False)
    seen = Seen(
        measured_with=TERMS, format="", lines={}, totals=(total,), entries=(entry,), forecast="told"
    )
    limits = Limits(
        cost=Decimal(f"{budget:.2f}"), waste=None, daily_cap=max(month) if cap else None,
        min_known=0.5, alpha=ALPHA, beta=BETA,
    )  # fmt: skip
    return judge(seen, 1, TERMS, limits).outcome.value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a fiftieth of the bills")
    runs = RUNS // 50 if parser.parse_args().quick else RUNS
    print(f"{runs} bills a row; the interval of the forecast at {ALPHA:g} and {BETA:g}")
    print("| bill | days over | gate: false PASS, FAIL | with a cap: false PASS, FAIL |", end="")
    print(" with a cap: PASS at 1.1 / 2 | forecast: month below, above it |", end="")
    print(" extrapolation wrong at 0.9 / 1.1 |")
    print("|---|---|---|---|---|---|---|")
    rng = np.random.default_rng(1)
    for name, kind in BILLS.items():
        for over in (10, 20):
            counts = np.zeros(10)
            for _ in range(runs):
                days = bill(rng, kind, over)
                once = 7000.0 if kind[3] == "purchase" else 0.0
                so_far = days[BEFORE : BEFORE + over].sum() + once
                total = days[BEFORE:].sum() + once
                found = forecast_sum(days[: BEFORE + over], MONTH - over)
                low, high = so_far + max(found.low(ALPHA), 0.0), so_far + found.high(BETA)
                straight = so_far * MONTH / over
                counts += (
                    decided(days, over, once, 0.9 * total, cap=False) == "pass",
                    decided(days, over, once, 1.1 * total, cap=False) == "fail",
                    decided(days, over, once, 0.9 * total, cap=True) == "pass",
                    decided(days, over, once, 1.1 * total, cap=True) == "fail",
                    decided(days, over, once, 1.1 * total, cap=True) == "pass",
                    decided(days, over, once, 2 * total, cap=True) == "pass",
                    total < low,
                    total > high,
                    straight <= 0.9 * total,
                    straight > 1.1 * total,
                )
            of = [f"{share:.2%}" for share in counts / runs]
            pairs = [f"{of[i]}, {of[i + 1]}" for i in (0, 2)]
            rest = [f"{of[i]} / {of[i + 1]}" for i in (4, 6, 8)]
            print(f"| {name} | {over} | {' | '.join([*pairs, *rest])} |", flush=True)


if __name__ == "__main__":
    main()
