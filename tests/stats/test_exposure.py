"""Ranks, what they prove together, and how much they exclude: against scipy and by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from pytest_mlgates.stats.exposure import (
    FIRST,
    STOP,
    bits,
    canaries_needed,
    fisher_p,
    largest_p,
    rank_p,
    references_for_fisher,
    references_for_largest,
    shifted_p,
    skew_normal_bits,
)


def drawn(rng, tail, runs, references):
    """Draw p-values as the gate does, for canaries that a share ``tail`` of references beats."""
    first = min(FIRST, references)
    above = rng.binomial(first, tail, runs)
    p = (above + 1) / (first + 1)
    if references > first:
        missing = STOP - np.minimum(above, STOP - 1)
        length = first + missing + rng.negative_binomial(missing, np.clip(tail, 1e-12, 1))
        more = np.minimum(above + rng.binomial(references - first, tail), STOP - 1)
        late = np.where(length <= references, STOP / length, (more + 1) / (references + 1))
        p = np.where(above < STOP, late, p)
    return p


@pytest.mark.parametrize("references", [99, 1999, 9999])
def test_p_values_are_valid(references):
    """A canary like its references has a p-value below t with chance t at most, at any t."""
    rng = np.random.default_rng(1)
    p = drawn(rng, rng.random(200_000), 200_000, references)
    for t in (0.5, 0.2, 0.102, 0.1, 0.05, 0.01, 0.002):
        assert (p <= t).mean() <= t + 4 * math.sqrt(t / len(p))


def test_fisher_is_that_of_scipy():
    ps = [0.001, 0.2, 0.9, 0.04]
    assert fisher_p(ps) == pytest.approx(stats.combine_pvalues(ps, "fisher").pvalue)
    assert fisher_p([]) == 1.0
    assert largest_p(ps) == pytest.approx(0.004)
    assert largest_p([]) == 1.0


@pytest.mark.parametrize("m", [1, 2, 10, 50])
def test_references_needed_are_the_fewest(m):
    level = 5e-5
    n = references_for_fisher(m, level)
    assert fisher_p([rank_p(0, n)] * m) <= level * (1 + 1e-9) < fisher_p([rank_p(0, n - 1)] * m)
    n = references_for_largest(m, level)
    assert n == math.ceil(m / level) - 1
    assert m * rank_p(0, n) <= level * (1 + 1e-9) < m * rank_p(0, n - 1)


@pytest.mark.parametrize("shift", [0.0, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("references", [199, 9999])
def test_shifted_p_is_what_simulation_gives(shift, references):
    rng = np.random.default_rng(2)
    runs, m = 20_000, 24
    tail = stats.norm.sf(rng.normal(shift, 1.0, (runs, m)))
    sums = -np.log(drawn(rng, tail, (runs, m), references)).sum(1)
    for share in (0.01, 0.1, 0.5):
        one = math.exp(-np.quantile(sums, share) / m)
        said = shifted_p([one] * m, shift, references)
        assert said == pytest.approx(share, rel=0.12 if share > 0.01 else 0.25)


def test_an_honest_model_passes_nine_times_in_ten_with_as_many_canaries_as_needed():
    rng = np.random.default_rng(3)
    for shift in (1.0, 2.0):
        m = canaries_needed(shift, 1e-3, 9999)
        ps = drawn(rng, rng.random((2000, m)), (2000, m), 9999)
        passed = np.mean([shifted_p(list(row), shift, 9999) <= 1e-3 for row in ps])
        assert passed > 0.88
        fewer = drawn(rng, rng.random((2000, m - 3)), (2000, m - 3), 9999)
        assert np.mean([shifted_p(list(row), shift, 9999) <= 1e-3 for row in fewer]) < passed


def test_a_shift_is_missed_as_rarely_as_said():
    """Canaries half a standard deviation up, where half of one is to be excluded."""
    rng = np.random.default_rng(4)
    tail = stats.norm.sf(rng.normal(0.5, 1.0, (4000, 100)))
    ps = drawn(rng, tail, tail.shape, 1999)
    passed = np.mean([shifted_p(list(row), 0.5, 1999) <= 0.01 for row in ps])
    assert passed <= 0.01 + 4 * math.sqrt(0.01 / 4000)


def test_the_estimate_is_that_of_a_skew_normal():
    rng = np.random.default_rng(5)
    sample = stats.skewnorm.rvs(3.0, -40.0, 5.0, size=200_000, random_state=rng)
    for score in (-38.0, -32.0, -28.0):
        true = -math.log2(stats.skewnorm.sf(score, 3.0, -40.0, 5.0))
        assert skew_normal_bits(score, sample, 40.0) == pytest.approx(true, rel=0.05, abs=0.1)


def test_the_estimate_stays_within_the_space_of_secrets():
    sample = np.random.default_rng(6).normal(size=500)
    assert skew_normal_bits(100.0, sample, 26.6) == 26.6
    assert skew_normal_bits(-100.0, sample, 26.6) == pytest.approx(0.0, abs=1e-9)
    assert skew_normal_bits(-math.inf, sample, 26.6) == 0.0
    assert skew_normal_bits(0.0, [1.0, 1.0, 1.0], 26.6) == 0.0
    assert bits(1.0) == 0.0


def test_thousands_of_canaries_are_bounded():
    """Beyond what is convolved there is a bound, never below the truth and not far above."""
    rng = np.random.default_rng(7)
    m, shift = 1100, 0.1
    tail = stats.norm.sf(rng.normal(shift, 1.0, (2000, m)))
    sums = -np.log(drawn(rng, tail, tail.shape, 999)).sum(1)
    for share in (0.5, 0.1, 0.02):
        one = math.exp(-np.quantile(sums, share) / m)
        assert share * 0.8 < shifted_p([one] * m, shift, 999) < 12 * share
    assert shifted_p([0.9] * m, 1.0, 999) < 1e-100
    assert shifted_p([1e-3] * m, 1.0, 999) == 1.0
    assert canaries_needed(0.02, 1e-3, 9999) > 10_000
