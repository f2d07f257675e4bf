"""Bounds of a ratio of sums: how often they are wrong, and what moves them."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_mlgates.stats.ratio import RatioMoments, one_heavier, ratio_bounds


def bounds(x, y, lower=1e-4, upper=1e-3):
    return ratio_bounds(RatioMoments.of(x, y), one_heavier(x, y), lower, upper)


def missed(draw, true, n, error, runs=1500):
    rng = np.random.default_rng(7)
    above = below = 0
    for _ in range(runs):
        low, high = bounds(*draw(rng, n), error, error)
        above += low > true
        below += high is not None and high < true
    return above / runs, below / runs


def even(rng, n):
    raw = rng.uniform(50, 150, n)
    return raw * rng.uniform(0.05, 0.15, n), raw


def skewed(rng, n):
    raw = rng.lognormal(0, 0.5, n)
    return 0.1 * raw * rng.lognormal(-0.5, 1.0, n), raw


@pytest.mark.parametrize(("draw", "n"), [(even, 20), (even, 100), (skewed, 20), (skewed, 100)])
def test_bounds_are_rarely_wrong(draw, n):
    """At an error of 2 %, simulated with a standard error of 0.4 %, on skewed data too."""
    above, below = missed(draw, 0.1, n, 0.02)
    assert above <= 0.035
    assert below <= 0.035


def test_scale_does_not_matter():
    rng = np.random.default_rng(3)
    x, y = skewed(rng, 60)
    one = bounds(x, y)
    other = bounds(1e9 * x, 1e9 * y)
    assert other == pytest.approx(one, rel=1e-6)
    assert one[0] < x.sum() / y.sum() < one[1]


def test_no_spread():
    """Counters in one fixed proportion: rounding makes no spread of its own."""
    y = np.linspace(1e9, 3e9, 50)
    low, high = bounds(0.3 * y, y)
    assert low == pytest.approx(0.3)
    assert 0.3 < high < 0.45  # one heavier source might still come


def test_one_cluster_bounds_nothing():
    assert bounds(np.ones(1), np.ones(1)) == (0.0, None)
