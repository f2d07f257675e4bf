"""The forecast of a sum, against statsmodels and by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pytest_mlgates.core.details import plain, read
from pytest_mlgates.core.errors import Unfit
from pytest_mlgates.stats import forecast
from pytest_mlgates.stats.forecast import SumForecast, forecast_sum

WEEK = np.array([100.0, 104, 101, 99, 103, 40, 35])


def bill(rng, n, phi=0.5, sigma=4.0, growth=0.2):
    noise = np.zeros(n)
    for t in range(1, n):
        noise[t] = phi * noise[t - 1] + rng.normal(0, sigma)
    return np.resize(WEEK, n) + growth * np.arange(n) + noise


def test_least_squares_agree_with_statsmodels(monkeypatch):
    api = pytest.importorskip("statsmodels.api")
    rho, n, ahead = 0.6, 70, 9
    monkeypatch.setattr(forecast, "_autocorrelation", lambda *_: rho)
    y = bill(np.random.default_rng(0), n)
    found = forecast_sum(y, ahead)
    days = np.arange(n + ahead)
    x = forecast._design(days, n)
    omega = rho ** np.abs(days[:, None] - days)
    fit = api.GLS(y, x[:n], sigma=omega[:n, :n]).fit()
    total = np.ones(ahead)
    weights = np.linalg.solve(omega[:n, :n], omega[:n, n:] @ total)
    expected = total @ x[n:] @ fit.params + weights @ (y - x[:n] @ fit.params)
    assert found.expected == pytest.approx(float(expected), rel=1e-9)
    # errors of the predictor, from the joint covariance of all days: total - (BLUP weights) y
    whitened = np.linalg.inv(omega[:n, :n])
    hat = np.linalg.solve(x[:n].T @ whitened @ x[:n], x[:n].T @ whitened)
    linear = total @ x[n:] @ hat + weights - weights @ x[:n] @ hat
    contrast = np.concatenate([-linear, total])
    assert found.se == pytest.approx(math.sqrt(fit.scale * contrast @ omega @ contrast), rel=1e-9)


@pytest.mark.parametrize("skip", [0, 4])
def test_a_sure_bill_is_foreseen(skip):
    y = np.resize(WEEK, 60) + 3.0 * np.arange(60)
    ahead = np.resize(WEEK, 80)[60 + skip : 70 + skip] + 3.0 * np.arange(60 + skip, 70 + skip)
    found = forecast_sum(y, 10, skip=skip)
    assert found.expected == pytest.approx(ahead.sum(), rel=1e-9)
    assert found.se < 1e-6
    assert found.bursts == 0


def test_weekends_are_matched_with_weekends():
    y = np.resize(WEEK, 42)
    assert forecast_sum(y[:40], 2).expected == pytest.approx(75)
    assert forecast_sum(y[:35], 5).expected == pytest.approx(507)


def test_the_bounds_hold():
    """At 2 % each, over 400 bills; what comes out at other errors is in benchmarks/."""
    rng = np.random.default_rng(3)
    misses = np.zeros(2)
    for _ in range(400):
        y = bill(rng, 70)
        found, total = forecast_sum(y[:56], 14), y[56:].sum()
        misses += (total < found.low(0.02), total > found.high(0.02))
    assert (misses <= 16).all()


def test_a_burst_is_taken_out_and_left_room_for():
    rng = np.random.default_rng(4)
    quiet = bill(rng, 56, phi=0)
    loud = quiet.copy()
    loud[[10, 30]] += 400
    calm, found = forecast_sum(quiet, 10), forecast_sum(loud, 10)
    assert found.bursts == 2
    assert found.burst == pytest.approx(400, rel=0.1)
    assert found.expected == pytest.approx(calm.expected, rel=0.03)
    assert found.high(1e-3) > calm.high(1e-3) + 400


def test_more_days_ahead_are_less_sure():
    y = bill(np.random.default_rng(5), 60)
    assert forecast_sum(y, 20).se > forecast_sum(y, 5).se
    found = forecast_sum(y, 5)
    assert found.low(1e-4) < found.low(1e-2) < found.expected < found.high(1e-2) < found.high(1e-3)


def test_what_gives_no_forecast():
    with pytest.raises(ValueError, match="20 days are too few"):
        forecast_sum([1.0] * 20, 3)
    with pytest.raises(ValueError, match="no day ahead"):
        forecast_sum([1.0] * 30, 0)
    zeros = forecast_sum([0.0] * 30, 3)
    assert (zeros.expected, zeros.se) == (0.0, 0.0)


def test_a_record_comes_back():
    found = forecast_sum(bill(np.random.default_rng(6), 40), 7)
    record = plain(found)
    assert read(SumForecast, record) == found
    for name, value in [("se", -1.0), ("df", 0), ("bursts", 1.5), ("expected", "1"), ("days", 3)]:
        with pytest.raises(Unfit):
            read(SumForecast, {**record, name: value})
    with pytest.raises(Unfit, match="is missing"):
        read(SumForecast, {})


def test_the_upper_bound_leaves_room_for_a_surprise_and_for_bursts():
    from scipy import stats

    fields = {"expected": 100.0, "se": 3.0, "df": 9.0, "surprise": 4.0, "days": 40, "ahead": 10}
    calm = SumForecast(**fields, bursts=0, burst=0.0)
    reach = math.hypot(3 * stats.t.isf(0.01 / 4, 9), 4)
    assert calm.high(0.01) == pytest.approx(100 + reach)
    assert calm.low(0.01) == pytest.approx(100 - 3 * stats.t.isf(0.01 / 4, 9))
    loud = SumForecast(**fields, bursts=2, burst=50.0)
    more = stats.betabinom.isf(0.01 / 4, 10, 2.5, 38.5)
    assert more >= 2
    assert loud.high(0.01) == pytest.approx(100 + reach + more * 1.5 * 50)
