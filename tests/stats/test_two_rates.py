"""Two rates: against statsmodels, against a search for the likeliest rates, and by counting all."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.special import xlog1py, xlogy
from scipy.stats import binom

from pytest_mlgates.stats import binomial
from pytest_mlgates.stats.two_rates import (
    Counts,
    Difference,
    Ratio,
    beyond,
    exact_tail,
    limits,
    z_of,
)


@st.composite
def two(draw, most=200):
    n1, n2 = draw(st.integers(1, most)), draw(st.integers(1, most))
    return Counts(draw(st.integers(0, n1)), n1), Counts(draw(st.integers(0, n2)), n2)


@given(pair=two(), value=st.floats(0.2, 3))
@settings(max_examples=200, deadline=None)
def test_score_of_a_ratio_is_that_of_statsmodels(pair, value):
    proportion = pytest.importorskip("statsmodels.stats.proportion")
    one, other = pair
    if not (0 < one.events < one.n and 0 < other.events < other.n):
        return
    wanted = proportion.test_proportions_2indep(
        one.events, one.n, other.events, other.n,
        value=value, compare="ratio", method="score", correction=True,
    )  # fmt: skip
    assert z_of(one, other, Ratio(value)) == pytest.approx(wanted.statistic, abs=1e-6)


@pytest.mark.parametrize("counts", [(40, 100, 50, 100), (3, 20, 60, 100), (70, 150, 600, 850)])
def test_limits_of_a_ratio_are_those_of_statsmodels(counts):
    proportion = pytest.importorskip("statsmodels.stats.proportion")
    wanted = proportion.confint_proportions_2indep(*counts, compare="ratio", method="score")
    found = limits(Counts(*counts[:2]), Counts(*counts[2:]), Ratio, 0.025, 0.025)
    assert found == pytest.approx(wanted, abs=1e-6)


@given(pair=two(), d=st.floats(-0.8, 0.8))
@settings(max_examples=200, deadline=None)
def test_score_of_a_difference_takes_the_likeliest_rates_on_the_margin(pair, d):
    """statsmodels is no yardstick here: away from d = 0 its rates are not the likeliest."""
    one, other = pair

    def unlikely(p):
        events = xlogy(one.events, p + d) + xlogy(other.events, p)
        rest = xlog1py(one.n - one.events, -p - d) + xlog1py(other.n - other.events, -p)
        return -(events + rest)

    low, high = max(0.0, -d), min(1.0, 1 - d)
    p = minimize_scalar(unlikely, bounds=(low, high), method="bounded", options={"xatol": 1e-10}).x
    variance = (p + d) * (1 - p - d) / one.n + p * (1 - p) / other.n
    n = one.n + other.n
    error = (variance * n / (n - 1)) ** 0.5
    if error < 1e-3:
        return  # at a corner the search and the root differ in the last digits
    wanted = (one.rate - other.rate - d) / error
    assert z_of(one, other, Difference(d)) == pytest.approx(wanted, rel=1e-3, abs=1e-3)


MARGINS = [Ratio(0.8), Ratio(1.25), Difference(-0.1), Difference(0.1)]


@pytest.mark.parametrize("margin", MARGINS, ids=str)
@pytest.mark.parametrize("sizes", [(3, 100), (12, 40), (60, 25)])
def test_errors_by_counting_all(margin, sizes):
    """On the margin no more than a share ``level`` of all outcomes is taken to be beyond it."""
    n1, n2 = sizes
    level = 0.05
    said = np.array(
        [
            [beyond(Counts(a, n1), Counts(b, n2), margin, level) for b in range(n2 + 1)]
            for a in range(n1 + 1)
        ]
    )
    for second in np.linspace(0.01, 0.99, 45):
        if isinstance(margin, Difference) and not 0 <= second + margin.value <= 1:
            continue
        if second > margin.most:
            continue
        first = float(margin.first(np.array([second]))[0])
        chances = binom.pmf(np.arange(n1 + 1), n1, first)[:, None] * binom.pmf(
            np.arange(n2 + 1), n2, second
        )
        assert float((chances * said).sum()) <= level


def test_the_exact_tail_is_found_in_bins_too():
    """Counts of millions are summed in bins, on the safe side."""
    one, other = Counts(460, 1000), Counts(4_500_000, 10_000_000)
    tail = exact_tail(one, other, Ratio(0.95), 0.05)
    # the second rate is as good as known
    wanted = binom.sf(one.events - 1, one.n, 0.95 * 0.45)
    assert wanted <= tail <= 1.2 * wanted + 0.002


@pytest.mark.parametrize("case", [(Counts(3, 3), Counts(10, 100)), (Counts(0, 0), Counts(1, 2))])
def test_few_observations_show_nothing(case):
    assert not beyond(*case, Ratio(0.8), 1e-4)
    assert not beyond(*case, Difference(0.3), 1e-4)


def test_nobody_selected_has_no_ratio():
    assert z_of(Counts(0, 50), Counts(0, 60), Ratio(0.8)) == 0.0
    assert limits(Counts(3, 50), Counts(0, 60), Ratio, 0.05, 0.05)[1] == float("inf")
    assert limits(Counts(0, 0), Counts(1, 60), Ratio, 0.05, 0.05) == (0.0, float("inf"))
    with pytest.raises(ValueError, match="4 of 3"):
        Counts(4, 3)


@pytest.mark.parametrize("gap", [0.1, 0.0])
def test_operating_characteristic(gap):
    """A gap at its limit is passed no more often than declared, no gap nearly half of the time."""
    rng = np.random.default_rng(4)
    runs, passed = 400, 0
    for _ in range(runs):
        one = Counts(int(rng.binomial(150, 0.5 - gap)), 150)
        other = Counts(int(rng.binomial(850, 0.5)), 850)
        passed += beyond(one, other, Difference(-0.1), 0.05)
    if gap:
        assert passed <= binomial.upper(0.05 * runs, runs, 1e-5) * runs
    else:
        assert passed >= 0.45 * runs


def test_a_difference_lies_between_minus_one_and_one():
    assert limits(Counts(0, 0), Counts(1, 60), Difference, 0.05, 0.05) == (-1.0, 1.0)
    low, high = limits(Counts(1, 1), Counts(0, 1), Difference, 0.2, 1e-9)
    assert -1 <= low < 1
    assert high == 1.0
    low, high = limits(Counts(0, 1), Counts(1, 1), Difference, 1e-9, 0.2)
    assert low == -1.0
    assert -1 < high <= 1
