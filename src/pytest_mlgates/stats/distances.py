"""How far two samples are apart, as the largest difference that a function of a class can show.

Each distance here is ``sup E f(Y) - E f(X)`` over a class of functions (Mueller, Adv. Appl. Prob. 29,
1997): slopes of 1 at most for Wasserstein-1, sets of categories for total variation, the unit ball
of random Fourier features for the maximum mean discrepancy (Gretton et al., JMLR 13, 2012; Rahimi
and Recht 2007). So one part of the data can choose the function, the *witness*, and the mean of that
one function on the other part shows how far they are apart at least; and the supremum that the whole
sample shows, with the error of a mean added on either side, is what they are apart at most.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from pytest_mlgates.stats.betting import log_e_above, log_e_below

__all__ = ["REACH", "Fourier", "Slopes", "log_e_apart", "mean_error", "total_variation"]

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]

#: numbers are cut at so many spreads from the median: a bound needs an end
REACH = 5.0
_KNOTS = 64


@dataclass(frozen=True)
class Slopes:
    """A function with slopes of 1 and -1 between ``knots``: the witness of Wasserstein-1.

    >>> one, other = np.zeros(10), np.ones(10)
    >>> Slopes.between(one, other).gap(one, other)
    1.0
    """

    knots: Floats
    values: Floats

    @classmethod
    def between(cls, one: Floats, other: Floats, knots: int | None = None) -> Slopes:
        """Return the function whose mean is the most higher in ``other`` than in ``one``.

        It bends where ``one`` and ``other`` have values, or at so many quantiles of both.
        """
        both = np.concatenate([one, other, [-REACH, REACH]])
        if knots is None:
            at = np.unique(both)
        else:
            at = np.unique(np.quantile(both, np.linspace(0, 1, knots)))
        steps = np.diff(at)
        # between two knots the mean height of each distribution function is what counts
        middle = (at[1:] + at[:-1]) / 2
        below = [np.searchsorted(np.sort(x), middle, "right") / x.size for x in (one, other)]
        slope = np.where(below[0] >= below[1], 1.0, -1.0)
        values = np.concatenate([[0.0], np.cumsum(slope * steps)])
        return cls(at, values)

    def __call__(self, x: Floats) -> Floats:
        """Return the function's values."""
        return np.interp(x, self.knots, self.values)

    def gap(self, one: Floats, other: Floats) -> float:
        """Return how much higher its mean is in ``other``."""
        return float(self(other).mean() - self(one).mean())

    @property
    def ends(self) -> tuple[float, float]:
        """Its smallest and largest value."""
        return float(self.values.min()), float(self.values.max())


def total_variation(one: Ints, other: Ints) -> float:
    """Return the distance of two counts of the same categories.

    >>> total_variation(np.array([5, 5]), np.array([10, 0]))
    0.5
    """
    return float(np.abs(one / one.sum() - other / other.sum()).sum() / 2)


@dataclass(frozen=True)
class Fourier:
    """Random Fourier features of a Gaussian kernel: each row of numbers on the unit sphere."""

    frequencies: Floats

    @classmethod
    def for_sample(cls, x: Floats, rng: np.random.Generator, pairs: int = 64) -> Fourier:
        """Draw ``pairs`` frequencies for a kernel as wide as the median distance of two rows."""
        some = x[rng.permutation(len(x))[:400]]
        gaps = np.sqrt(((some[::2][: len(some) // 2] - some[1::2]) ** 2).sum(1))
        width = float(np.median(gaps)) or 1.0
        return cls(rng.normal(0, 1 / width, (x.shape[1], pairs)))

    def __call__(self, x: Floats) -> Floats:
        """Return the features of rows.

        >>> points = Fourier(np.ones((1, 4)))(np.array([[0.3], [2.0]]))
        >>> np.linalg.norm(points, axis=1).round(9).tolist()
        [1.0, 1.0]
        """
        angles = x @ self.frequencies
        stacked: Floats = np.hstack([np.cos(angles), np.sin(angles)])
        return stacked / math.sqrt(self.frequencies.shape[1])


def log_e_apart(
    chosen: tuple[Floats, Floats],
    heard: tuple[Floats, Floats],
    ends: tuple[float, float],
    tolerance: float,
) -> float:
    """Return the log evidence that a mean is higher by more than ``tolerance`` on the second side.

    ``chosen`` are the values of a witness, between ``ends``, on the rows of both sides that chose it;
    with them a mark is set that the means must stand on either side of. Where they are apart by
    ``tolerance`` at most, one of the two does not; so each is held to the whole of an error, on
    ``heard``, the rows that had no part in it. 0 where the first rows show nothing.
    """
    here, there = (float(part.mean()) for part in chosen)
    slack = there - here - tolerance
    if not (slack > 0 and min(part.size for part in heard)):
        return 0.0
    errors = [1 / math.sqrt(part.size) for part in heard]  # the larger side needs less room
    mark = here + slack * errors[0] / sum(errors)
    low, high = ends
    if not (low < mark < high and mark + tolerance < high):
        return 0.0
    below = log_e_below(heard[0], mark, high)
    return max(0.0, min(below, log_e_above(heard[1], mark + tolerance, low)))


def mean_error(n: int, variance: float, most: float, error: float) -> float:
    """Return how far the mean of ``n`` observations may be off, but for the chance ``error`` (Bernstein).

    ``variance`` bounds theirs, and none is farther than ``most`` from its expectation.

    >>> round(mean_error(10_000, 1.0, 10.0, 1e-3), 4)
    0.0395
    """
    if n == 0:
        return math.inf
    bits = -math.log(error)
    return (most * bits / 3 + math.sqrt((most * bits / 3) ** 2 + 2 * variance * bits * n)) / n
