"""How much the days to come add up to, from daily totals with a weekly pattern.

A regression on the seven weekdays and a linear trend, whose errors follow an AR(1) process, fitted
by generalised least squares; the forecast of a sum and the variance of its error are those of the
best linear unbiased predictor (Goldberger, JASA 57, 1962). So each day to come is matched with the
same weekdays before it, what is above trend now fades as fast as it did before, and a longer way
to go is less certain. The autocorrelation is estimated from residuals, which makes it too small
(Marriott and Pope, Biometrika 41, 1954); it is corrected, raised by one standard error, and lowers
the degrees of freedom. What is estimated makes tails heavier than t's, so that a bound is taken at
a quarter of the error asked for: what comes out is in benchmarks/cost_forecast.py.

A day far above the others (a burst: one large job) is taken out, and as many as a beta-binomial
count allows are added to the upper bound.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pytest_mlgates.stats.prediction import LEAST_DAYS, MOST_DAYS, SumForecast

__all__ = ["LEAST_DAYS", "MOST_DAYS", "SumForecast", "forecast_sum"]

_MOST_AUTOCORRELATION = 0.98


#: a day this many usual deviations above its expectation is a burst
_BURST = 6.0


def forecast_sum(daily: Sequence[float], ahead: int, skip: int = 0) -> SumForecast:
    """Forecast the sum of ``ahead`` days, which begin ``skip`` days after those of ``daily``.

    Raises ValueError for fewer than :data:`LEAST_DAYS` days.

    >>> week = [100.0, 100.0, 100.0, 100.0, 100.0, 20.0, 20.0]
    >>> sure = forecast_sum(week * 4, ahead=3)
    >>> round(sure.expected, 6), round(sure.se, 6)
    (300.0, 0.0)
    """
    y = np.asarray(daily, float)[-MOST_DAYS:]
    n = y.size
    if n < LEAST_DAYS:
        raise ValueError(f"{n} days are too few: {LEAST_DAYS} show each weekday three times")
    if ahead < 1 or skip < 0:
        raise ValueError("there is no day ahead")
    scale = float(np.abs(y).max()) or 1.0
    y = y / scale
    y, bursts = _without_bursts(y, _design(np.arange(n), n))
    days = np.concatenate([np.arange(n), np.arange(ahead) + n + skip])
    x, future = _design(days[:n], n), _design(days[n:], n).sum(axis=0)
    residuals = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
    rho = _autocorrelation(residuals, x.shape[1])
    omega = rho ** np.abs(days[:, None] - days[None, :])
    known, cross = omega[:n, :n], omega[:n, n:].sum(axis=1)
    solved = np.linalg.solve(known, np.column_stack([x, y, cross]))
    inverse = np.linalg.inv(x.T @ solved[:, :-2])
    beta = inverse @ (x.T @ solved[:, -2])
    errors = y - x @ beta
    carried = solved[:, -1]
    df = n - x.shape[1]
    variance = float(errors @ np.linalg.solve(known, errors)) / df
    gap = future - x.T @ carried
    spread = float(omega[n:, n:].sum() - cross @ carried + gap @ inverse @ gap)
    return SumForecast(
        expected=float(future @ beta + carried @ errors) * scale,
        se=math.sqrt(max(variance * spread, 0.0)) * scale,
        df=max(df * (1 - rho) / (1 + rho), 4.0),
        surprise=max(2 * float(errors.max()), float(y.max()), 0.0) * scale,
        bursts=int(np.count_nonzero(bursts)),
        burst=float(bursts.max()) * scale,
        days=n,
        ahead=ahead,
    )


def _design(days: npt.NDArray[Any], n: int) -> npt.NDArray[Any]:
    """Return a row a day: which weekday it is, and where on the trend."""
    weekdays = np.equal.outer(days % 7, np.arange(7)).astype(float)
    return np.column_stack([weekdays, (days - (n - 1) / 2) / n])


def _without_bursts(
    y: npt.NDArray[Any], x: npt.NDArray[Any]
) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Return the days with each burst cut down to what was expected, and what was cut."""
    bursts = np.zeros(y.size)
    for _ in range(6):  # a large burst can hide a smaller one
        errors = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
        usual = 1.4826 * float(np.median(np.abs(errors)))
        out = errors > max(_BURST * usual, 1e-6)
        if not out.any():
            break
        bursts[out] += errors[out]
        y = np.where(out, y - errors, y)
    return y, bursts


def _autocorrelation(residuals: npt.NDArray[np.float64], parameters: int) -> float:
    n = residuals.size
    total = float(residuals @ residuals)
    if total <= 1e-18 * n:
        return 0.0
    seen = float(residuals[1:] @ residuals[:-1]) / total
    corrected = seen + (1 + 3 * max(seen, 0.0)) / n + parameters / 7 / n
    error = math.sqrt(max(1 - seen * seen, 0.05) / n)
    return min(max(corrected + error, 0.0), _MOST_AUTOCORRELATION)
