"""The statistics of a tail against scipy, statsmodels and ville, and by simulation."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate
from scipy.stats import beta, binomtest, quantile_test
from statsmodels.stats.proportion import proportion_confint

from pytest_mlgates.stats import binomial
from pytest_mlgates.stats.design_effect import design_effect
from pytest_mlgates.stats.eprocess import log_e_above, log_e_below, log_sign_e
from pytest_mlgates.stats.paired import tail_ratio
from pytest_mlgates.stats.quantiles import quantile, quantile_interval
from pytest_mlgates.stats.sequential import quantile_schedule


@pytest.mark.parametrize(("k", "n"), [(0, 10), (3, 300), (50, 5000), (299, 300), (300, 300)])
@pytest.mark.parametrize("error", [0.05, 1e-3, 1e-6])
def test_bounds_are_those_of_scipy_and_statsmodels(k: int, n: int, error: float) -> None:
    low, high = binomial.lower(k, n, error), binomial.upper(k, n, error)
    for side, ours in (("greater", low), ("less", high)):
        theirs = binomtest(k, n, alternative=side).proportion_ci(1 - error, "exact")
        assert ours == pytest.approx(theirs.low if side == "greater" else theirs.high, rel=1e-6)
    assert (low, high) == pytest.approx(proportion_confint(k, n, 2 * error, "beta"), rel=1e-6)


@settings(max_examples=60, deadline=None)
@given(
    k=st.integers(0, 400),
    more=st.integers(0, 4000),
    error=st.floats(1e-9, 0.4),
    deff=st.floats(1, 50),
)
def test_bounds_enclose_and_widen_with_dependence(
    k: int, more: int, error: float, deff: float
) -> None:
    n = k + more + 1
    low, high = binomial.lower(k, n, error, deff), binomial.upper(k, n, error, deff)
    assert 0 <= low <= k / n <= high <= 1
    assert low <= binomial.lower(k, n, error) + 1e-12
    assert high >= binomial.upper(k, n, error) - 1e-12


@pytest.mark.parametrize("bad", [(5, 4, 0.1, 1), (1, 2, 0.0, 1), (1, 2, 0.1, 0.5), (-1, 2, 0.1, 1)])
def test_impossible_counts_have_no_bound(bad: tuple[float, float, float, float]) -> None:
    with pytest.raises(ValueError, match="no bound"):
        binomial.lower(*bad)


def test_quantile_interval_agrees_with_scipy() -> None:
    x = np.sort(np.random.default_rng(3).lognormal(size=2000))
    for q in (0.5, 0.9, 0.99):
        theirs = quantile_test(x, q=0, p=q).confidence_interval(0.95)
        assert quantile_interval(x, q) == (theirs.low, theirs.high)


def test_a_quantile_is_an_observation() -> None:
    x = np.arange(1.0, 201.0)
    assert [quantile(x, q) for q in (0.5, 0.99, 0.9999)] == [100.0, 198.0, 200.0]
    assert quantile(np.array([7.0]), 0.99) == 7.0
    assert quantile_interval(x, 0.99)[1] is None


def test_design_effect_of_clusters() -> None:
    rng = np.random.default_rng(4)
    iid = rng.random(20_000) < 0.02
    clusters = np.repeat(rng.random(1000) < 0.02, 20)
    assert design_effect(iid, 100) < 1.8
    assert 12 < design_effect(clusters, 100) < 30
    assert design_effect(np.zeros(500, bool), 100) == design_effect(np.zeros(0, bool), 100) == 1


def test_short_clusters_show_where_long_blocks_are_few() -> None:
    x = np.zeros(500, bool)
    for start in (10, 110, 210, 310, 410):  # one cluster in each block of 100: no variance there
        x[start : start + 5] = True
    assert design_effect(x, 100) > 3


@settings(deadline=None)
@given(quantile=st.floats(0.5, 0.9999), most=st.integers(1, 300_000))
def test_looks_grow_and_spend_no_more_than_the_error(quantile: float, most: int) -> None:
    plan = quantile_schedule(quantile, most)
    assert list(plan.looks) == sorted(set(plan.looks))
    assert plan.looks[-1] <= most
    assert plan.fail_error(1e-4) * len(plan.looks) <= 1e-4 * (1 + 1e-9)
    assert plan.pass_error(1e-3) * len(plan.pass_looks) <= 1e-3 * (1 + 1e-9)
    assert all(n >= plan.floor for n in plan.pass_looks)
    assert all(n < plan.looks[-1] for n in plan.early)
    assert plan.early == plan.looks[: len(plan.early)]


@pytest.mark.parametrize(("k", "n"), [(13, 300), (26, 1000), (56, 3000), (0, 50)])
def test_mixture_is_its_integral(k: int, n: int) -> None:
    null = 0.01

    def bet(theta: float) -> float:
        ratio = k * math.log(theta / null) + (n - k) * math.log((1 - theta) / (1 - null))
        return math.exp(ratio) * beta.pdf(theta, 1, 50) / beta.sf(null, 1, 50)

    peak = max(k / n, null)
    value = integrate.quad(bet, null, 1, points=[min(0.9, peak), min(0.95, 2 * peak)], limit=200)[0]
    assert log_e_above(k, n, null) == pytest.approx(math.log(value), rel=1e-5, abs=1e-6)


def test_e_process_ends_above_its_bound_no_more_often_than_declared() -> None:
    alpha, looks = 0.05, range(10, 301, 10)
    wins = np.cumsum(np.random.default_rng(5).random((4000, 300)) < 0.5, axis=1)
    crossed = np.zeros(4000, bool)
    for n in looks:
        enough = [2 * k > n and log_sign_e(k, n - k) >= -math.log(alpha) for k in range(n + 1)]
        crossed |= np.array(enough)[wins[:, n - 1]]
    assert 0.001 < crossed.mean() <= alpha


def test_e_process_is_one_sided_where_ville_is_two_sided() -> None:
    ville = pytest.importorskip("ville")
    theirs = ville.BernoulliTest(0.01)
    for _ in range(1500):
        theirs.update(0)
    assert log_e_above(0, 1500, 0.01) < 0 < log_e_below(0, 1500, 0.01, b=1.0)


def test_tail_ratio_covers_the_truth() -> None:
    rng = np.random.default_rng(6)
    wrong = 0
    for _ in range(40):
        new, old = 1.1 * rng.lognormal(0, 0.35, 3000), rng.lognormal(0, 0.35, 3000)
        found = tail_ratio(new, old, 0.99, 100, rounds=60)
        wrong += abs(found.log_ratio - math.log(1.1)) > 2.6 * found.error
    assert wrong <= 4
