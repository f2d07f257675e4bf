"""Evidence by slice: e-BH, e-processes and their bounds, against ville, scipy and exact sums."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.integrate import quad
from ville.evalues import ebh as reference

from pytest_mlgates.stats.ebh import ebh
from pytest_mlgates.stats.eprocess import log_e_above, log_e_below
from pytest_mlgates.stats.rate import fewest_clean, lower, more_needed, over, under, upper


@given(
    st.lists(st.floats(-5, 20), min_size=1, max_size=40), st.sampled_from([1e-4, 0.01, 0.05, 0.3])
)
def test_ebh_is_that_of_ville(log_e, level):
    wanted = np.flatnonzero(reference(np.exp(log_e), level))
    assert sorted(ebh(log_e, level)) == wanted.tolist()


def test_ebh_orders_by_evidence():
    assert ebh([8.0, 12.0, -1.0, 9.0], 0.01) == [1, 3, 0]
    assert ebh([], 0.01) == []
    assert ebh([-math.inf, 20.0], 0.01) == [1]


def test_weights_move_the_level():
    log_e = [math.log(150.0), 0.0]
    assert ebh(log_e, 0.01) == []
    assert ebh(log_e, 0.01, [0.8, 0.2]) == [0]


@pytest.mark.parametrize("weights", [[0.9, 0.2], [0.5], [0.0, 1.0], [-0.1, 0.5]])
def test_weights_are_shares(weights):
    with pytest.raises(ValueError, match="shares of one"):
        ebh([1.0, 2.0], 0.01, weights)


def test_level_is_a_level():
    with pytest.raises(ValueError, match="level"):
        ebh([1.0], 1.0)


@pytest.mark.parametrize("null", [0.001, 0.02, 0.2, 0.5])
@pytest.mark.parametrize("n", [1, 7, 60])
def test_expected_e_value_under_the_null_is_one(null, n):
    """Summed over all counts there can be, at the boundary of the null."""
    chance = stats.binom.pmf(np.arange(n + 1), n, null)
    for test in (over, under):
        mean = sum(p * math.exp(test(k, n, null)) for k, p in enumerate(chance))
        assert mean == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize(("k", "n"), [(0, 300), (4, 100), (40, 150)])
def test_mixture_is_its_integral(k, n):
    def likelihood(p):
        ratio = k * math.log(p / 0.02) + (n - k) * math.log((1 - p) / 0.98)
        return math.exp(ratio) * stats.beta.pdf(p, 1, 20)

    above = quad(likelihood, 0.02, 1, limit=200)[0] / stats.beta.sf(0.02, 1, 20)
    below = quad(likelihood, 1e-12, 0.02, limit=200)[0] / stats.beta.cdf(0.02, 1, 20)
    assert over(k, n, 0.02) == pytest.approx(math.log(above), abs=1e-6)
    assert under(k, n, 0.02) == pytest.approx(math.log(below), abs=1e-6)


def test_no_evidence_is_far_below_and_no_error():
    assert log_e_above(0, 10**6, 0.5) == -math.inf
    assert log_e_below(10**6, 10**6, 0.02) == -math.inf


@pytest.mark.parametrize(("k", "n"), [(0, 50), (3, 200), (16, 100), (200, 200), (2000, 100_000)])
def test_bounds_are_where_the_evidence_turns(k, n):
    low, high = lower(k, n, 1e-4), upper(k, n, 1e-3)
    assert 0 <= low <= k / n <= high <= 1
    if low > 0:
        assert over(k, n, low * 0.99) > math.log(1e4) > over(k, n, low * 1.01)
    if high < 1:
        assert under(k, n, high * 1.01) > math.log(1e3) > under(k, n, high * 0.99)


def test_what_is_missing_is_enough_and_no_less():
    for limit in (0.001, 0.02, 0.3):
        n = fewest_clean(limit, 1e-3)
        assert under(0, n, limit) >= math.log(1e3)
        assert under(0, int(n * 0.99) - 1, limit) < math.log(1e3)
    more = more_needed(2, 300, 0.02, 1e-3)
    assert under(2 / 300 * (300 + more), 300 + more, 0.02) >= math.log(1e3)
    assert more_needed(0, 10_000, 0.02, 1e-3) == 0
    assert more_needed(6, 300, 0.02, 1e-3) is None
