"""Tests of whether a score is the same for every group of names, and for every name.

Two questions with one unit of independence, the name. Scores of one name on many templates, or on
repeated calls, are one observation: counting them as many is the classic error here.

Groups: two one-sided tests (TOST, Schuirmann 1987) on the contrast of each group with the others.
All groups must pass, so no correction is needed for a PASS (intersection-union, Berger 1982); any
group may fail, so the mirrored test is corrected over groups (Bonferroni). Degrees of freedom are
those of the smallest group less one: a lower bound of Welch's, safe for unequal variances far out
in the tail, where Satterthwaite's approximation is not (Mickey & Brown 1966).

Names: an upper bound for the largest gap between two names, and an e-process for one suspicious
pair that is called again and again (Howard et al. 2020, sub-psi conditions for symmetric
variables; de la Peña 1999).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

__all__ = [
    "Contrast",
    "contrasts",
    "differs_p",
    "equivalent_p",
    "half_width",
    "log_e_above",
    "lower_bound",
    "upper_gap",
]


@dataclass(frozen=True, slots=True)
class Contrast:
    """A group's mean less the mean of the other groups' means, in score units.

    ``se`` is None where a group has fewer than two names that count.
    """

    group: str
    estimate: float
    se: float | None
    df: float
    names: int


def contrasts(
    values: Sequence[float] | NDArray[np.float64],
    groups: Sequence[str],
    weights: Sequence[float] | NDArray[np.float64] | None = None,
) -> tuple[Contrast, ...]:
    """Return the contrast of each group with the others; ``values`` holds one mean per name.

    Each other group counts the same, whatever its size. ``weights`` (default 1) are the shares
    with which a name stands for its group; a name of weight 0 is left out.

    >>> first, _ = contrasts([0.1, 0.3, 0.5, 0.7], ["a", "a", "b", "b"])
    >>> round(first.estimate, 9), round(first.se, 9), first.df
    (-0.4, 0.141421356, 1.0)
    """
    x = np.asarray(values, dtype=float)
    w = np.ones(len(x)) if weights is None else np.asarray(weights, dtype=float)
    labels = np.asarray(groups, dtype=object)
    order = sorted(set(groups))
    means, variances, counts, df = [], [], [], []
    for group in order:
        inside = (labels == group) & (w > 0)
        mean, variance, size = _weighted(x[inside], w[inside])
        means.append(mean)
        variances.append(variance)
        counts.append(int(inside.sum()))
        df.append(size - 1)
    others = len(order) - 1
    known = others > 0 and min(counts) >= 2
    found = []
    for i, group in enumerate(order):
        rest = [j for j in range(len(order)) if j != i]
        estimate = (
            means[i] - sum(means[j] for j in rest) / others if others and min(counts) else 0.0
        )
        se = None
        if known:
            se = math.sqrt(variances[i] + sum(variances[j] for j in rest) / others**2)
        found.append(Contrast(group, float(estimate), se, max(min(df), 0.0), counts[i]))
    return tuple(found)


def _weighted(x: NDArray[np.float64], w: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return mean, variance of the mean, and Kish's effective size."""
    if len(x) == 0:
        return math.nan, math.nan, 0.0
    total, squares = w.sum(), (w**2).sum()
    mean = float((w * x).sum() / total)
    size = float(total**2 / squares)
    if len(x) < 2:
        return mean, math.nan, size
    spread = float((w * (x - mean) ** 2).sum() / (total - squares / total))
    return mean, spread / size, size


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
    means: NDArray[np.float64], variances: NDArray[np.float64], repeats: int, level: float
) -> float:
    """Return an upper bound for the largest gap between two names on one template.

    ``means`` and ``variances`` have the shape (templates, names): the mean and the variance of
    ``repeats`` scores. For every pair the chance that the bound is below that pair's true gap is
    at most ``level``; a claim about all pairs needs no correction (intersection-union).

    >>> means = np.array([[0.50, 0.504]])
    >>> round(upper_gap(means, np.full((1, 2), 1e-6), 16, 1e-3), 5)
    0.00532
    """
    if repeats < 2:
        return math.inf
    t = float(stats.t.isf(level, repeats - 1))
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
    return float(_log_e(n, total, squares, np.array([limit]))[0]) if n else 0.0


def _log_e(
    n: int, total: float, squares: float, limits: NDArray[np.float64]
) -> NDArray[np.float64]:
    above = total - n * limits
    spread = np.maximum(squares - 2 * limits * total + n * limits**2, 0.0)
    power = above[:, None] * _BETS - spread[:, None] * _BETS**2 / 2
    top = power.max(axis=1)
    found: NDArray[np.float64] = top + np.log(np.exp(power - top[:, None]).mean(axis=1))
    return found


def lower_bound(n: int, total: float, squares: float, level: float) -> float:
    """Return the largest limit that :func:`log_e_above` rejects at ``level``, or -inf.

    >>> round(lower_bound(100, 2.0, 0.05, 1e-3), 3)
    0.015
    """
    if n == 0:
        return -math.inf
    mean = total / n
    step = max(math.sqrt(max(squares / n - mean**2, 0.0)), abs(mean), 1e-9)
    limits = mean - step * np.geomspace(1e-4, 64, 200)
    for _ in range(2):
        rejected = np.flatnonzero(_log_e(n, total, squares, limits) >= math.log(1 / level))
        if not len(rejected):
            return -math.inf
        best = int(rejected[0])
        # between the best limit so far and the next one up
        limits = np.linspace(limits[max(best - 1, 0)], limits[best], 200)
    return float(limits[-1])
