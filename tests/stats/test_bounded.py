"""Bounds of a mean in [0, 1], against slow sums, scipy and simulation; and of what is recorded."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import rel_entr
from scipy.stats import binomtest

from pytest_mlgates.core.observations import STEPS, Histogram, mean_bounds
from pytest_mlgates.stats.bounded import entropy_lower, entropy_upper, mean_lower, mean_upper


def wealth(x, error: float, m: float) -> float:
    """The largest wealth on the way, one bet after the other, as the paper has it."""
    total, best = 0.0, -math.inf
    seen, squares = 0.5, 0.25
    for t, one in enumerate(x, 1):
        before = seen / t
        stake = math.sqrt(2 * math.log(1 / error) / (squares / t * len(x)))
        total += math.log(1 + min(stake, 0.5 / m) * (one - m))
        best = max(best, total)
        squares += (one - before) ** 2
        seen += one
    return best


@pytest.mark.parametrize("error", [0.05, 1e-3])
@pytest.mark.parametrize("seed", range(3))
def test_the_lower_bound_is_where_the_wealth_is_one_over_the_error(seed, error):
    x = np.random.default_rng(seed).beta(4, 1 + seed, 120)
    wanted = brentq(lambda m: wealth(x, error, m) - math.log(1 / error), 1e-6, 1 - 1e-6)
    assert mean_lower(x, error) == pytest.approx(wanted, abs=1e-9)
    assert mean_upper(1 - x, error) == pytest.approx(1 - wanted, abs=1e-9)


def test_few_observations_bound_nothing_and_none_is_outside():
    assert mean_lower([], 0.05) == mean_lower([1.0] * 3, 1e-4) == 0.0
    assert mean_upper([], 0.05) == 1.0
    assert mean_lower([1.0] * 400, 0.05) > 0.98
    for bad in ([-1e-9, 0.5], [0.5, 1 + 1e-9], [math.nan]):
        with pytest.raises(ValueError, match="outside 0 to 1"):
            mean_lower(bad, 0.05)
    for error in (0.0, 1.0, -0.1, 2.0):
        with pytest.raises(ValueError, match="an error rate"):
            mean_lower([0.5], error)


@pytest.mark.parametrize("shape", ["coin", "half or all", "beta"])
def test_the_bounds_of_a_mean_are_wrong_no_oftener_than_said(shape):
    rng = np.random.default_rng(1)
    draw = {
        "coin": (lambda n: (rng.random(n) < 0.9).astype(float), 0.9),
        "half or all": (lambda n: 1 - 0.5 * (rng.random(n) < 0.06), 0.97),
        "beta": (lambda n: rng.beta(0.5, 0.5, n), 0.5),
    }[shape]
    wrong = np.zeros(2, int)
    for _ in range(400):
        x = draw[0](80)
        wrong += mean_lower(x, 0.1) > draw[1], mean_upper(x, 0.1) < draw[1]
    assert (wrong <= 58).all()  # 40 and three deviations


@pytest.mark.parametrize(("mean", "n"), [(0.94, 500), (0.3, 40), (0.5, 7), (1.0, 20)])
def test_entropy_bounds_are_where_the_entropy_is_what_the_error_takes(mean, n):
    error = 1e-3

    def off(q):
        return n * (rel_entr(mean, q) + rel_entr(1 - mean, 1 - q)) - math.log(1 / error)

    low = entropy_lower(mean, n, error)
    assert off(low) == pytest.approx(0, abs=1e-6)
    assert low < mean
    assert entropy_upper(1 - mean, n, error) == pytest.approx(1 - low)
    if mean == 1.0:
        assert low == pytest.approx(error ** (1 / n))
        assert entropy_upper(mean, n, error) == 1.0


def test_entropy_of_nothing_and_of_no_mean():
    assert (entropy_lower(0.5, 0, 0.1), entropy_upper(0.5, 0, 0.1)) == (0.0, 1.0)
    assert entropy_lower(0.0, 10, 0.1) == 0.0
    for mean in (-0.01, 1.01):
        with pytest.raises(ValueError, match="a mean of observations"):
            entropy_lower(mean, 5, 0.1)


def test_a_histogram_counts_in_thousandths_and_says_where_it_rounded():
    exact = Histogram.of([0.25, 1.0, 0.25, 0.0])
    assert exact.counts == ((0, 1), (250, 2), (1000, 1))
    assert (exact.n, exact.mean, exact.rounded, exact.is_binary) == (4, 0.375, False, False)
    third = Histogram.of([1 / 3, 0.0])
    assert third.counts == ((0, 1), (333, 1))
    assert third.rounded
    assert Histogram.of([0.0, 1.0]).is_binary
    assert Histogram.of([1.0]).is_binary
    empty = Histogram.of([])
    assert (empty.n, empty.mean, empty.counts) == (0, 0.0, ())


@pytest.mark.parametrize("counts", [((STEPS + 1, 1),), ((3, 0),), ((3, 1), (3, 2))])
def test_no_histogram_has_such_counts(counts):
    with pytest.raises(ValueError, match="a step"):
        Histogram(counts=counts)


def test_recorded_bounds_are_exact_for_yes_and_no_and_bets_otherwise():
    coin = Histogram.of([1.0] * 90 + [0.0] * 10)
    theirs = binomtest(90, 100, alternative="greater").proportion_ci(1 - 1e-3, "exact").low
    upper = binomtest(90, 100, alternative="less").proportion_ci(1 - 1e-4, "exact").high
    assert mean_bounds(coin, 1e-3, 1e-4) == pytest.approx((theirs, upper))
    assert mean_bounds(Histogram.of([]), 0.1, 0.1) == (0.0, 1.0)
    mixed = Histogram.of([0.5] * 40 + [1.0] * 160)
    low, high = mean_bounds(mixed, 1e-3, 1e-2)
    x = np.random.default_rng(20_261_130).permutation(np.repeat([0.5, 1.0], [40, 160]))
    assert (low, high) == pytest.approx((mean_lower(x, 1e-3), mean_upper(x, 1e-2)))
    assert low < 0.9 < high
    rounded = mean_bounds(Histogram(counts=mixed.counts, rounded=True), 1e-3, 1e-2)
    assert rounded == pytest.approx((low - 0.0005, high + 0.0005))
    full = Histogram(counts=((999, 5), (1000, 5)), rounded=True)
    assert mean_bounds(full, 0.4, 0.4)[1] <= 1.0
    assert mean_bounds(full, 1e-9, 0.4)[0] == 0.0
