"""Distances as the most that a function can show: against scipy, and the laws that bounds rest on."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import wasserstein_distance

from pytest_mlgates.stats import edetector
from pytest_mlgates.stats.distances import (
    Fourier,
    Slopes,
    mean_error,
    total_variation,
)


@pytest.mark.parametrize("seed", range(12))
def test_the_witness_reaches_wasserstein(seed):
    rng = np.random.default_rng(seed)
    one = rng.normal(0, 1, rng.integers(1, 300)).clip(-5, 5).round(rng.integers(0, 3))
    other = rng.uniform(-4, rng.uniform(0, 5), rng.integers(1, 300)).round(1)
    exact = Slopes.between(one, other)
    assert exact.gap(one, other) == pytest.approx(wasserstein_distance(one, other), abs=1e-9)
    coarse = Slopes.between(one, other, 16)
    assert np.all(np.abs(np.diff(coarse.values)) <= np.diff(coarse.knots) + 1e-12)
    assert coarse.gap(one, other) <= exact.gap(one, other) + 1e-9


def test_total_variation_of_what_has_nothing_in_common():
    assert total_variation(np.array([3, 0]), np.array([0, 7])) == 1.0
    assert total_variation(np.array([3, 6]), np.array([1, 2])) == 0.0


def test_fourier_features_know_a_correlation_that_the_margins_hide():
    rng = np.random.default_rng(0)
    one = rng.multivariate_normal([0, 0], [[1, 0.9], [0.9, 1]], 4000)
    other = one * [1, -1]
    features = Fourier.for_sample(one, rng)
    here, there, again = (features(x).mean(0) for x in (one[::2], other[1::2], one[1::2]))
    assert np.linalg.norm(here - there) > 0.3
    assert np.linalg.norm(here - again) < 0.05


@pytest.mark.parametrize("kind", ["rare", "even"])
def test_a_mean_is_off_by_more_than_its_error_no_oftener_than_said(kind):
    rng = np.random.default_rng(1)
    p, n, error = (0.01 if kind == "rare" else 0.5), 400, 0.02
    means = rng.binomial(n, p, 20_000) / n
    off = mean_error(n, p * (1 - p), 1.0, error)
    assert np.mean(means > p + off) <= error
    assert mean_error(0, 1.0, 1.0, 0.1) == np.inf


def test_the_detector_stays_low_without_a_change():
    """Within n observations it reaches n / error with chance error at most."""
    rng = np.random.default_rng(3)
    n, error, runs = 400, 0.1, 400
    rung = 0
    for _ in range(runs):
        x = np.where(rng.random(n) < 0.02, 5.0, -5.0 * 0.02 / 0.98)  # skewed, its mean is the limit
        rung += edetector.highest(x, 0.0, -5.0)[0] >= np.log(n / error)
    assert rung / runs <= error
    assert edetector.highest([], 0.0, -1.0) == (0.0, 0, 0)
    with pytest.raises(ValueError, match="below the lowest"):
        edetector.highest([-2.0], 0.0, -1.0)
