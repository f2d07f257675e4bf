"""Gaps between names and between groups of names, with the name as the unit, by Student's t.

Scores of one name on many templates, or on repeated calls, are one observation: counting them as
many is the classic error here. Degrees of freedom are those of the smallest group less one: a lower
bound of Welch's, safe for unequal variances far out in the tail, where Satterthwaite's
approximation is not (Mickey & Brown 1966). All of this takes names, or noise, to be about normal:
what is promised without that comes from :mod:`pytest_mlgates.stats.betting`. The two one-sided
tests on a contrast (Schuirmann 1987) and the e-process for symmetric noise (Howard et al. 2020; de la
Peña 1999) decide on records of older versions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

__all__ = [
    "Contrast",
    "differs_p",
    "equivalent_p",
    "half_width",
    "log_e_above",
    "upper_gap",
]


@dataclass(frozen=True, slots=True)
class Contrast:
    """A group's mean less that of another, or of the others, in score units.

    ``se`` is None where a group has fewer than two names that count.
    """

    group: str
    estimate: float
    se: float | None
    df: float
    names: int


def equivalent_p(contrast: Contrast, margin: float) -> float:
    """Return the p-value of "the contrast reaches the margin" (small: inside).

    >>> round(equivalent_p(Contrast("a", 0.002, 0.001, 24, 25), 0.01), 9)
    1.6e-08
    """
    return _t_tail(margin - abs(contrast.estimate), contrast)


def differs_p(contrast: Contrast, margin: float) -> float:
    """Return the p-value of "the contrast is inside the margin" (small: outside).

    Two-sided, so it holds for a margin of 0 too.

    >>> round(differs_p(Contrast("a", 0.02, 0.001, 24, 25), 0.01), 12)
    4.92e-10
    """
    return min(1.0, 2 * _t_tail(abs(contrast.estimate) - margin, contrast))


def _t_tail(distance: float, contrast: Contrast) -> float:
    """Return P(T > distance / se); with no spread at all the sign decides."""
    if contrast.se is None or contrast.df <= 0:
        return 1.0
    if contrast.se <= 1e-12 * (1 + abs(distance)):
        return 0.0 if distance > 1e-9 else 1.0
    return float(stats.t.sf(distance / contrast.se, contrast.df))


def half_width(contrast: Contrast, level: float) -> float:
    """Return what is added to a contrast for a one-sided bound that fails with chance ``level``.

    >>> round(half_width(Contrast("a", 0.0, 0.001, 24, 25), 1e-3), 6)
    0.003467
    """
    if contrast.se is None or contrast.df <= 0:
        return math.inf
    return float(stats.t.isf(level, contrast.df)) * contrast.se


def upper_gap(
    means: NDArray[np.float64],
    variances: NDArray[np.float64],
    repeats: int,
    free: int,
    level: float,
) -> float:
    """Return an upper bound for the largest gap between two names on one template.

    ``means`` and ``variances`` have the shape (templates, names): the mean and the variance of
    ``repeats`` scores, the variance with ``free`` degrees of freedom. Scores of a name are about
    normal: what is so rare that no repeat shows it is not in the bound. For every pair the chance that the bound is below that pair's true gap is
    at most ``level``; a claim about all pairs needs no correction (intersection-union).

    >>> means = np.array([[0.50, 0.504]])
    >>> round(upper_gap(means, np.full((1, 2), 1e-6), 16, 15, 1e-3), 5)
    0.00532
    """
    if repeats < 2 or free < 1:
        return math.inf
    t = float(stats.t.isf(level, free))
    worst = 0.0
    for row, variance in zip(means, variances / repeats, strict=True):
        gaps = np.abs(row[:, None] - row[None, :])
        bound = gaps + t * np.sqrt(variance[:, None] + variance[None, :])
        np.fill_diagonal(bound, 0.0)
        worst = max(worst, float(bound.max()))
    return worst


#: bets of the e-process, in 1 / score unit; geometric, so that every scale of noise has one
_BETS = 2.0 ** np.arange(-2, 14)


def log_e_above(n: int, total: float, squares: float, limit: float) -> float:
    """Return the log e-value against "the mean of the differences is at most ``limit``".

    ``n`` differences d with sum ``total`` and sum of squares ``squares``. The mixture over bets b
    of exp(b S - b^2 V / 2), with S = sum(d - limit) and V = sum((d - limit)^2), is a
    supermartingale whatever the size or shape of the noise, as long as each d is symmetric about
    its mean, as the difference of two calls in random order is when noise and drift do not depend
    on the name. So it may be looked at after every call: it exceeds 1/a with chance at most a.

    >>> round(log_e_above(100, 2.0, 0.05, 0.01), 2)
    20.51
    >>> log_e_above(100, 0.5, 0.05, 0.01) < 0
    True
    """
    if not n:
        return 0.0
    spread = max(squares - 2 * limit * total + n * limit**2, 0.0)
    power = (total - n * limit) * _BETS - spread * _BETS**2 / 2
    top = float(power.max())
    return top + float(np.log(np.exp(power - top).mean()))
