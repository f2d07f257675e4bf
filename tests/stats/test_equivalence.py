"""The tests on names, checked against statsmodels and scipy and by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.weightstats import ttost_ind

from pytest_mlgates.stats.equivalence import (
    Contrast,
    differs_p,
    equivalent_p,
    half_width,
    log_e_above,
    upper_gap,
)


def welch(a: np.ndarray, b: np.ndarray) -> Contrast:
    se = math.sqrt(a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b))
    return Contrast("a", float(a.mean() - b.mean()), se, min(len(a), len(b)) - 1, len(a))


@pytest.mark.parametrize("shift", [0.0, 0.5, 2.0])
def test_tost_agrees_with_statsmodels_up_to_the_degrees_of_freedom(shift: float) -> None:
    rng = np.random.default_rng(7)
    first = welch(a := rng.normal(shift, 1, 400), b := rng.normal(0, 1, 400))
    wanted = ttost_ind(a, b, -0.7, 0.7, usevar="unequal")[0]
    mine = equivalent_p(first, 0.7)
    wide = equivalent_p(Contrast("a", first.estimate, first.se, 798, 400), 0.7)
    assert wide == pytest.approx(wanted, rel=2e-2)
    assert mine >= wanted * 0.98


def test_too_few_names_tell_nothing() -> None:
    row = Contrast("a", 0.2, None, 0.0, 1)
    assert equivalent_p(row, 0.5) == differs_p(row, 0.5) == 1.0
    assert half_width(row, 0.01) == math.inf


def test_no_spread_at_all_is_decided_by_the_sign() -> None:
    inside, outside = Contrast("a", 0.001, 0.0, 5, 6), Contrast("a", 0.02, 0.0, 5, 6)
    assert equivalent_p(inside, 0.01) == differs_p(outside, 0.01) == 0.0
    assert equivalent_p(outside, 0.01) == differs_p(inside, 0.01) == 1.0


def test_both_tests_hold_their_level_at_the_boundary() -> None:
    """Unequal groups with unequal spread, the true contrast right at the margin."""
    rng = np.random.default_rng(3)
    passes = fails = 0
    reps, level = 2000, 0.02
    for _ in range(reps):
        row = welch(rng.normal(1.0, 3.0, 5), rng.normal(0, 0.5, 30))
        passes += equivalent_p(row, 1.0) <= level
        fails += differs_p(row, 1.0) <= level
    most = stats.binom.isf(1e-4, reps, level)
    assert passes <= most
    assert fails <= most


@pytest.mark.parametrize("repeats", [4, 32])
def test_the_upper_gap_covers_the_true_gap(repeats: int) -> None:
    rng = np.random.default_rng(repeats)
    truth = np.array([[0.5, 0.5, 0.53], [0.2, 0.21, 0.2]])
    level, missed, reps = 0.02, 0, 1500
    for _ in range(reps):
        drawn = truth[:, :, None] + rng.normal(0, 0.02, (2, 3, repeats))
        bound = upper_gap(
            drawn.mean(axis=2), drawn.var(axis=2, ddof=1), repeats, repeats - 1, level
        )
        missed += bound < 0.03
    assert missed <= stats.binom.isf(1e-4, reps, level)


def test_one_score_has_no_upper_bound() -> None:
    assert upper_gap(np.zeros((1, 2)), np.zeros((1, 2)), 1, 5, 0.01) == math.inf


NOISES = {
    "normal": lambda rng, n: rng.normal(0, 0.03, n),
    "huge": lambda rng, n: rng.normal(0, 30.0, n),
    "tiny": lambda rng, n: rng.normal(0, 1e-4, n),
    "cauchy": lambda rng, n: rng.standard_cauchy(n) * 0.01,
    "rare": lambda rng, n: rng.choice([-0.5, 0.0, 0.5], n, p=[0.02, 0.96, 0.02]),
    "bursts": lambda rng, n: rng.normal(0, 1, n) * np.where(np.arange(n) % 40 < 4, 0.3, 0.001),
    "coin": lambda rng, n: rng.choice([-0.2, 0.2], n),
}


@pytest.mark.parametrize("noise", NOISES)
def test_the_e_process_holds_at_every_look_under_any_symmetric_noise(noise: str) -> None:
    """Ville: the chance to exceed 1/a at any of its looks is at most a."""
    rng = np.random.default_rng(11)
    level, reps, crossed = 0.05, 300, 0
    for _ in range(reps):
        drawn = 0.01 + NOISES[noise](rng, 200)
        total, squares = drawn.cumsum(), (drawn**2).cumsum()
        crossed += any(
            log_e_above(n, total[n - 1], squares[n - 1], 0.01) >= math.log(1 / level)
            for n in range(2, 201, 11)
        )
    assert crossed <= stats.binom.isf(1e-4, reps, level)


def test_the_e_process_sees_a_gap() -> None:
    drawn = np.random.default_rng(5).normal(0.05, 0.03, 64)
    evidence = log_e_above(64, drawn.sum(), (drawn**2).sum(), 0.01)
    assert evidence > math.log(1e5)


def test_nothing_seen_bounds_nothing() -> None:
    assert log_e_above(0, 0.0, 0.0, 0.01) == 0.0
