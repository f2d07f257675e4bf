"""The population stability index of two counts, and the chances that it comes out as it did.

The index is ``sum (q - p) log(q / p)`` over bins. Were it a square of distances, ``n m / (n + m)``
times what two samples show would be noncentral chi-squared (Yurdakul and Naranjo, J. Risk Model
Valid. 14, 2020). Where a bin all but empties it is not, and at small errors that is wrong by two
powers of ten. So the distance from what was seen to the nearest rates whose index is the limit is
measured in likelihood (Wilks, Ann. Math. Stat. 9, 1938), which no bin distorts, and only the shape
of the limit, a sphere, is taken from that law.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.special import rel_entr
from scipy.stats import ncx2

__all__ = ["psi", "psi_law"]

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]

#: Newton's steps to the nearest rates; a handful do
_STEPS = 60
_NEAR = 1e-9


def psi(one: Ints, other: Ints) -> float:
    """Return the population stability index of two counts of the same bins, none of them empty.

    >>> round(psi(np.array([50, 50]), np.array([60, 40])), 2)
    0.04
    """
    p, q = (_smoothed(np.asarray(x, float)) for x in (one, other))
    return _index(p, q)


def psi_law(one: Ints, other: Ints, limit: float) -> tuple[float, float]:
    """Return the chance of so large an index, and of so small a one, where the true one is ``limit``.

    Bins hold five or more of each, together. Simulated at errors of 1e-2 to 1e-4, these chances
    are right to within a factor of 2.5 (``benchmarks/psi_errors.py``).

    >>> large, small = psi_law(np.full(10, 200), np.full(10, 200), 0.1)
    >>> large > 0.999, small < 1e-6
    (True, True)
    """
    a, b = np.asarray(one, float), np.asarray(other, float)
    n, m = float(a.sum()), float(b.sum())
    radius = n * m / (n + m) * limit
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = (b / m - a / n) * np.log((b / m) / (a / n))
    above = float(np.nansum(terms)) > limit
    off = math.sqrt(2 * max(0.0, _likelihood_gap(a, b, limit)))
    far = max(0.0, math.sqrt(radius) + (off if above else -off)) ** 2
    freedom = len(a) - 1
    return float(ncx2.sf(far, freedom, radius)), float(ncx2.cdf(far, freedom, radius))


def _index(p: Floats, q: Floats) -> float:
    return float(((q - p) * np.log(q / p)).sum())


def _smoothed(counts: Floats) -> Floats:
    smoothed: Floats = (counts + 0.5) / (counts.sum() + 0.5 * len(counts))
    return smoothed


def _likelihood_gap(a: Floats, b: Floats, limit: float) -> float:
    """Return by how much less likely both counts are under the nearest rates with that index.

    In logarithms of the rates, x and y, the likelihood is linear, and each constraint (both add up
    to one, the index is the limit) a sum over bins: Newton's step on the conditions of Lagrange is
    a system of two by two a bin.
    """
    n, m = a.sum(), b.sum()
    x, y = _on_the_way(a, b, limit)
    multipliers = np.array([n, m, 0.0])
    for _ in range(_STEPS):
        p, q, gap = np.exp(x), np.exp(y), y - x
        gradient = np.stack([-p * gap - (q - p), q * gap + (q - p)])
        of = np.stack([np.stack([p, 0 * p]), np.stack([0 * q, q]), gradient])
        missed = np.array([p.sum() - 1, q.sum() - 1, ((q - p) * gap).sum() - limit])
        slope = np.stack([-a, -b]) + np.tensordot(multipliers, of, 1)
        steps = _Blocks.at(p, q, gap, multipliers).solve(np.concatenate([slope[None], of]))
        system = np.einsum("ick,jck->ij", of, steps[1:])
        change = np.linalg.solve(system, missed - np.einsum("ick,ck->i", of, steps[0]))
        move = -steps[0] - np.tensordot(change, steps[1:], 1)
        part = min(1.0, 1.0 / max(float(np.abs(move).max()), _NEAR))
        x, y, multipliers = x + part * move[0], y + part * move[1], multipliers + part * change
        if part == 1.0 and np.abs(move).max() < _NEAR:
            break
    p, q = np.exp(x), np.exp(y)
    return float(n * rel_entr(a / n, p / p.sum()).sum() + m * rel_entr(b / m, q / q.sum()).sum())


class _Blocks:
    """The curvature of the Lagrangian: a block of two by two for each bin, made positive."""

    def __init__(self, one: Floats, both: Floats, other: Floats) -> None:
        self.one, self.both, self.other = one, both, other

    @classmethod
    def at(cls, p: Floats, q: Floats, gap: Floats, multipliers: Floats) -> _Blocks:
        """Return the blocks at rates; where one turns down, as much is added as keeps it up."""
        first, second, third = multipliers
        one = first * p + third * (2 * p - p * gap)
        other = second * q + third * (2 * q + q * gap)
        both = -third * (p + q)
        least = (one + other - np.hypot(one - other, 2 * both)) / 2
        more = np.maximum(0.0, 1e-3 * np.minimum(p, q) * min(first, second) - least)
        return cls(one + more, both, other + more)

    def solve(self, right: Floats) -> Floats:
        """Return the solutions for each of several right sides, of shape (sides, 2, bins)."""
        determinant = self.one * self.other - self.both**2
        first = (self.other * right[:, 0] - self.both * right[:, 1]) / determinant
        second = (self.one * right[:, 1] - self.both * right[:, 0]) / determinant
        return np.stack([first, second], axis=1)


def _on_the_way(a: Floats, b: Floats, limit: float) -> tuple[Floats, Floats]:
    """Return logarithms of rates with about that index, between what was seen and no difference."""
    p, q = _smoothed(a), _smoothed(b)
    if _index(p, q) < 1e-6 * limit:  # no difference has no direction: any will do
        q = q * np.exp(1e-3 * np.resize([1.0, -1.0], len(q)))
        q = q / q.sum()
    middle = np.log((p * a.sum() + q * b.sum()) / (a.sum() + b.sum()))

    def rates(part: float) -> tuple[Floats, Floats]:
        x, y = (middle + part * (np.log(r) - middle) for r in (p, q))
        return x - np.log(np.exp(x).sum()), y - np.log(np.exp(y).sum())

    def index(part: float) -> float:
        return _index(*map(np.exp, rates(part)))

    low, high = 0.0, 1.0
    while index(high) < limit and high < 1e3:
        high *= 2
    for _ in range(50):
        half = (low + high) / 2
        low, high = (half, high) if index(half) < limit else (low, half)
    return rates(high)
