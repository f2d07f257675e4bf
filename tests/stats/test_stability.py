"""The index of two counts: its value, and chances that hold where a bin all but empties."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import rel_entr
from scipy.stats import ncx2

from pytest_mlgates.stats.stability import _likelihood_gap, psi, psi_law

EVEN = np.full(10, 0.1)


def test_the_index_is_its_sum_with_half_a_row_more_in_each_bin():
    one, other = np.array([30, 70]), np.array([50, 50])
    p, q = 30.5 / 101, 0.5
    wanted = (q - p) * np.log(q / p) + (p - q) * np.log((1 - q) / (1 - p))
    assert psi(one, other) == pytest.approx(wanted)
    assert psi(np.array([10, 10]), np.array([10, 10])) == 0.0


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("limit", [0.1, 0.25])
def test_the_nearest_rates_are_those_of_a_search(seed, limit):
    rng = np.random.default_rng(seed)
    a = rng.multinomial(800, EVEN).astype(float)
    b = rng.multinomial(500, rng.dirichlet(np.full(10, 6.0))).astype(float)

    def logs(z):
        return [part - np.log(np.exp(part).sum()) for part in (z[:10], z[10:])]

    def gap(z):
        p, q = map(np.exp, logs(z))
        return 800 * rel_entr(a / 800, p).sum() + 500 * rel_entr(b / 500, q).sum()

    def off(z):
        x, y = logs(z)
        return ((np.exp(y) - np.exp(x)) * (y - x)).sum() - limit

    start = np.log(np.concatenate([(a + 0.5) / 805, (b + 0.5) / 505]))
    wanted = minimize(
        gap, start, constraints={"type": "eq", "fun": off}, method="SLSQP",
        options={"maxiter": 300, "ftol": 1e-10},
    )  # fmt: skip
    assert _likelihood_gap(a, b, limit) == pytest.approx(wanted.fun, abs=1e-3)


def dies(wanted: float) -> np.ndarray:
    """Rates of which one falls until the index is as wanted."""
    low, high = 0.0, 0.1
    for _ in range(60):
        middle = (low + high) / 2
        q = np.append(0.1 - middle, np.full(9, (0.9 + middle) / 9))
        low, high = (
            (middle, high) if ((q - EVEN) * np.log(q / EVEN)).sum() < wanted else (low, middle)
        )
    return q


def test_where_a_bin_dies_the_chances_are_right_to_a_factor_of_two():
    """By the chi-squared law alone a limit of .25 was broken 46 times as often as 1e-4 allows."""
    rng = np.random.default_rng(0)
    n, limit, runs = 500, 0.25, 4_000
    a, b = rng.multinomial(n, EVEN, runs), rng.multinomial(n, dies(limit), runs)
    scale = n / 2
    p, q = (a + 0.5) / (n + 5), (b + 0.5) / (n + 5)
    indexes = scale * ((q - p) * np.log(q / p)).sum(1)
    alone = ncx2.sf(indexes, 9, scale * limit)
    assert np.mean(alone < 1e-3) > 8e-3
    small = ncx2.cdf(indexes, 9, scale * limit)
    doubtful = np.flatnonzero((alone < 0.01) | (small < 0.01))
    law = np.array([psi_law(a[i], b[i], limit) for i in doubtful])
    for side in law.T:
        assert np.sum(side < 1e-3) <= 14  # 8 and two deviations: 2e-3 of the runs
    assert np.sum(law[:, 0] < 0.01) > 10


@pytest.mark.parametrize("true", [0.0, 0.1])
def test_the_chances_are_uniform_where_the_true_index_is_the_limit(true):
    rng = np.random.default_rng(2)
    q = EVEN.copy()
    q[0] += 0.1 if true else 0.0
    q[1:] -= 0.1 / 9 if true else 0.0
    index = float(((q - EVEN) * np.log(q / EVEN)).sum())
    n, m, runs = 5000, 2000, 300
    pairs = [
        psi_law(rng.multinomial(n, EVEN), rng.multinomial(m, q), max(index, 1e-9))
        for _ in range(runs)
    ]
    large, small = (np.mean(np.array(side) < 0.05) for side in zip(*pairs, strict=True))
    assert 0.01 < large < 0.1
    assert small < 0.1


def test_no_difference_and_an_empty_bin_have_chances():
    same = psi_law(np.full(10, 200), np.full(10, 200), 0.2)
    assert same[0] > 0.999
    assert same[1] < 1e-9
    gone = psi_law(np.array([500, 500]), np.array([0, 1000]), 0.2)
    assert gone[0] < 1e-9
    assert gone[1] > 0.999
