"""The lower bound on epsilon: the paper's formula written plainly, known values, simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from pytest_mlgates.stats.one_run_audit import epsilon_ceiling, epsilon_lower, one_run_p


def plainly(right, guesses, epsilon, m, delta):
    """Theorem 5.2 of Steinke et al. as a loop."""
    q = math.exp(epsilon) / (1 + math.exp(epsilon))
    tails = [stats.binom.sf(right - i - 1, guesses, q) for i in range(right + 1)]
    worst = max((tails[i] - tails[0]) / i for i in range(1, right + 1))
    return min(1.0, tails[0] + 2 * m * delta * worst)


@pytest.mark.parametrize("delta", [0.0, 1e-6, 1e-3])
@pytest.mark.parametrize(("right", "guesses", "m"), [(1, 1, 5), (30, 40, 200), (180, 200, 1000)])
@pytest.mark.parametrize("epsilon", [0.0, 0.7, 2.0])
def test_it_is_the_formula(right, guesses, m, epsilon, delta):
    said = one_run_p(right, guesses, epsilon, m, delta)
    assert said == pytest.approx(plainly(right, guesses, epsilon, m, delta), rel=1e-9)


def test_known_values():
    assert epsilon_lower(200, 200, 200, 0.05) == pytest.approx(4.19, abs=0.01)
    assert epsilon_lower(857, 1000, 1000, 0.05, 1e-5) == pytest.approx(1.64, abs=0.01)
    ceilings = [epsilon_ceiling(m, m, 0.05, 1e-9) for m in (200, 400, 1000, 10_000)]
    assert ceilings == pytest.approx([4.19, 4.89, 5.80, 8.11], abs=0.02)
    assert epsilon_lower(0, 0, 200, 0.05) == 0.0
    assert epsilon_lower(0, 10, 200, 0.05) == 0.0


def test_a_delta_of_the_size_of_the_error_shows_nothing():
    assert epsilon_ceiling(1000, 1000, 1e-4, 1e-4) == 0.0
    assert epsilon_ceiling(1000, 1000, 1e-4, 1e-9) > 3


@pytest.mark.parametrize("epsilon", [0.5, 2.0])
def test_it_is_rarely_above_the_truth(epsilon):
    """Randomised response is the mechanism that guesses as well as epsilon allows."""
    rng = np.random.default_rng(1)
    right = rng.binomial(200, 1 / (1 + math.exp(-epsilon)), 4000)
    bounds = {v: epsilon_lower(v, 200, 200, 0.05) for v in set(right.tolist())}
    above = np.mean([bounds[v] > epsilon for v in right.tolist()])
    assert 0.02 < above <= 0.05 + 4 * math.sqrt(0.05 / 4000)


@pytest.mark.parametrize(
    ("mu", "m", "wanted"), [(1.0, 1000, 1.52), (2.0, 1000, 3.49), (4.0, 200, 2.55)]
)
def test_mean_bounds_on_gaussian_scores(mu, m, wanted):
    rng = np.random.default_rng(2)
    bounds = []
    for _ in range(60):
        included = rng.random(m) < 0.5
        order = np.argsort(-(rng.normal(size=m) + mu * included))
        k = m // 10
        right = included[order[:k]].sum() + (~included[order[-k:]]).sum()
        bounds.append(epsilon_lower(int(right), 2 * k, m, 0.05, 1e-5))
    assert np.mean(bounds) == pytest.approx(wanted, abs=0.1)


@pytest.mark.parametrize("call", [(3, 2, 1.0, 5), (1, 6, 1.0, 5), (1, 2, -1.0, 5), (-1, 2, 1.0, 5)])
def test_what_can_not_be(call):
    with pytest.raises(ValueError, match="no audit of"):
        one_run_p(*call)
