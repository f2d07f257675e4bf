"""How often bandwidth_budget's claim about a fleet is wrong, and how often it is made.

Fleets are held to their own true ratio. A PASS or a FAIL there is wrong; the limit at twice and at
half of it shows how often the claim is made. Beside it what a user would pick: all of 199 bootstrap
ratios below the limit, and the t interval corrected for skewness of version 0.2.0. A second family of fleets was not looked at while the bound was written.
Run: python benchmarks/bandwidth_errors.py [--quick]
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterator
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import stats

from pytest_mlgates.gates.bandwidth_budget.fleet import Fleet

Floats: TypeAlias = npt.NDArray[np.float64]
Draw: TypeAlias = Callable[[np.random.Generator, int], tuple[Floats, Floats]]

ALPHA, BETA, RUNS, RATIO = 1e-4, 1e-3, 2000, 0.1
#: the cap of a link and of what a source records, in mean bytes of a source
CAP, RAW_CAP = 10.0, 10.0


def main() -> None:
    """Print a row for each fleet and size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a twentieth of the fleets")
    runs = RUNS // 20 if parser.parse_args().quick else RUNS
    print(f"alpha {ALPHA:g}, beta {BETA:g}, {runs} fleets a row; cap {CAP:g} mean sources\n")
    print("| fleet | sources | false PASS | false FAIL | t, skewness: PASS, FAIL | bootstrap |")
    print("|---|---|---|---|---|---|")
    for name, n, wrong in rows(runs):
        cells = " | ".join(f"{share:.2%}" for share in wrong[:2])
        print(
            f"| {name} | {n} | {cells} | {wrong[2]:.2%}, {wrong[3]:.2%} | {wrong[4]:.2%} |",
            flush=True,
        )
    print(
        "\n| fleet | sources | PASS at half the limit | at a tenth | FAIL at twice | at ten times |"
    )
    print("|---|---|---|---|---|---|")
    for name, draw in FAMILIES[0].items():
        for n in (20, 100, 500):
            rng = np.random.default_rng(7)
            truth = true_ratio(draw)
            made = np.zeros(4)
            for _ in range(max(20, runs // 10)):
                fleet = sample(draw, rng, n)
                made += (
                    fleet.log_e_below(2 * truth) >= -math.log(BETA),
                    fleet.log_e_below(10 * truth) >= -math.log(BETA),
                    fleet.log_e_above(truth / 2) >= -math.log(ALPHA),
                    fleet.log_e_above(truth / 10) >= -math.log(ALPHA),
                )
            shares = " | ".join(f"{share:.0%}" for share in made / max(20, runs // 10))
            print(f"| {name} | {n} | {shares} |", flush=True)


def rows(runs: int) -> Iterator[tuple[str, int, Floats]]:
    """Yield the share of wrong verdicts at the true ratio."""
    for family in FAMILIES:
        for name, draw in family.items():
            for n in (20, 100, 500):
                rng = np.random.default_rng(1)
                truth, wrong = true_ratio(draw), np.zeros(5)
                for _ in range(runs):
                    fleet = sample(draw, rng, n)
                    low, high = skewed_t(np.asarray(fleet.sent), np.asarray(fleet.raw), truth)
                    wrong += (
                        fleet.log_e_below(truth) >= -math.log(BETA),
                        fleet.log_e_above(truth) >= -math.log(ALPHA),
                        high,
                        low,
                        bootstrap_passes(fleet, truth, rng),
                    )
                yield name, n, wrong / runs


def sample(draw: Draw, rng: np.random.Generator, n: int) -> Fleet:
    """Draw a fleet; a link carries no more than its cap, and neither does a recorder."""
    raw, sent = draw(rng, n)
    return Fleet(
        np.minimum(sent, RATIO * CAP).tolist(),
        np.minimum(raw, RAW_CAP).tolist(),
        RATIO * CAP,
        RAW_CAP,
    )


def true_ratio(draw: Draw) -> float:
    """Return the ratio of a fleet of two million, with the caps in force."""
    fleet = sample(draw, np.random.default_rng(0), 2_000_000)
    return sum(fleet.sent) / sum(fleet.raw)


def skewed_t(sent: Floats, raw: Floats, ratio: float) -> tuple[bool, bool]:
    """Return whether Hall's t of the mean of ``sent - ratio * raw`` FAILs, and PASSes."""
    d = sent - ratio * raw
    sd = d.std()
    if sd < 1e-12:
        return False, False
    skew, s, n = float(np.mean((d - d.mean()) ** 3) / sd**3), d.mean() / d.std(ddof=1), d.size
    hall = math.sqrt(n) * (s + skew * s * s / 3 + skew**2 * s**3 / 27 + skew / (6 * n))
    plain = math.sqrt(n) * s
    t_low, t_high = (float(stats.t.isf(error, n - 1)) for error in (ALPHA, BETA))
    return bool(min(plain, hall) >= t_low), bool(max(plain, hall) <= -t_high)


def bootstrap_passes(fleet: Fleet, truth: float, rng: np.random.Generator) -> bool:
    """Tell whether 199 bootstrap ratios are all below the limit: what a user would write."""
    sent, raw = np.asarray(fleet.sent), np.asarray(fleet.raw)
    picked = rng.integers(0, sent.size, (199, sent.size))
    return bool(np.all(sent[picked].sum(1) / raw[picked].sum(1) <= truth))


def log_normal(sigma: float) -> Draw:
    """Return fleets whose vehicles send unevenly."""
    return lambda rng, n: _with(rng, n, rng.lognormal(-sigma * sigma / 2, sigma, n))


def pareto(shape: float) -> Draw:
    """Return fleets in which few vehicles send nearly all."""
    return lambda rng, n: _with(rng, n, (rng.pareto(shape, n) + 1) * (shape - 1) / shape)


def monsters(rng: np.random.Generator, n: int) -> tuple[Floats, Floats]:
    """One in a hundred sends a hundred times as much."""
    return _with(rng, n, np.where(rng.random(n) < 0.01, 100.0, 1.0) / 1.99)


def offline(share: float) -> Draw:
    """Return fleets in which some record and do not send."""
    return lambda rng, n: _with(rng, n, np.where(rng.random(n) < share, 0.0, 1 / (1 - share)))


def _with(rng: np.random.Generator, n: int, factor: Floats) -> tuple[Floats, Floats]:
    raw = rng.lognormal(-0.125, 0.5, n)
    return raw, RATIO * raw * factor


def stalls(rng: np.random.Generator, n: int) -> tuple[Floats, Floats]:
    """Second family: one in 200 sends at the speed of its link, whatever it recorded."""
    raw = rng.gamma(2.0, 0.5, n)
    return raw, np.where(rng.random(n) < 0.005, RATIO * CAP, 0.95 * RATIO * raw)


def busy_send_less(rng: np.random.Generator, n: int) -> tuple[Floats, Floats]:
    """Second family: who records much sends a small part of it, who records little nearly all."""
    raw = rng.weibull(0.7, n)
    return raw, RATIO * raw / (0.2 + raw)


def two_models(rng: np.random.Generator, n: int) -> tuple[Floats, Floats]:
    """Second family: an old model in one vehicle of ten sends a beta-distributed share."""
    raw = np.full(n, 1.0)
    old = rng.random(n) < 0.1
    return raw, np.where(old, rng.beta(0.3, 0.3, n), RATIO / 4 * rng.beta(2, 5, n))


FAMILIES: tuple[dict[str, Draw], ...] = (
    {
        "log-normal .5": log_normal(0.5),
        "log-normal 2": log_normal(2.0),
        "Pareto 1.1": pareto(1.1),
        "1 % send 100 x": monsters,
        "10 % offline": offline(0.1),
    },
    {
        "second family: stalls": stalls,
        "second family: busy send less": busy_send_less,
        "second family: two models": two_models,
    },
)


if __name__ == "__main__":
    main()
