"""Two rates from counts: whether one is a margin above the other, by the score and an exact test.

The margin is a ratio or a difference. The score test puts the most likely rates *on* the margin
into its variance (Miettinen and Nurminen, Stat. Med. 4, 1985), so it needs no spread to have shown
itself. Its tail is exact only for many observations, so a small p-value is checked by the exact
unconditional test with the same statistic, its nuisance rate within a confidence interval (Berger
and Boos, JASA 89, 1994). ``beyond`` asks both.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import bdtr, betainc, gammaln, ndtr, ndtri, xlog1py, xlogy

from pytest_mlgates.stats import binomial

__all__ = ["Counts", "Difference", "Margin", "Ratio", "beyond", "exact_tail", "limits", "z_of"]

Floats = npt.NDArray[np.float64]

#: the part of a level that is spent on the interval of the nuisance rate, and the rates tried in it
_BOOS, _GRID = 0.02, 17
#: the part that is spent on a look at both rates separately, which is quick
_CHEAP = 0.01
#: counts of the second group that are summed one by one; more are summed in bins, on the safe side
_BINS = 2_000


@dataclass(frozen=True, slots=True)
class Counts:
    """How many of a group are selected."""

    events: int
    n: int

    def __post_init__(self) -> None:
        if not 0 <= self.events <= self.n:
            raise ValueError(f"{self.events} of {self.n} are selected")

    @property
    def rate(self) -> float:
        """The share that is selected; 0 of nobody."""
        return self.events / self.n if self.n else 0.0


@dataclass(frozen=True, slots=True)
class Ratio:
    """The first rate is ``value`` times the second."""

    value: float

    def first(self, second: Floats) -> Floats:
        """Return the first rate, given the second."""
        return np.minimum(self.value * second, 1.0)

    @property
    def most(self) -> float:
        """The largest second rate that there can be."""
        return min(1.0, 1.0 / self.value) if self.value > 0 else 1.0

    def score(self, x1: Floats, n1: int, x2: Floats, n2: int) -> Floats:
        """Return the score statistic: how far the first rate is above the margin, in its errors."""
        r = self.value
        b = n1 * r + x1 + n2 + x2 * r
        root = np.sqrt(np.maximum(b * b - 4 * (n1 + n2) * r * (x1 + x2), 0.0))
        second = np.clip(2 * (x1 + x2) / np.maximum(b + root, 1e-300), 0.0, self.most)
        off = x1 / n1 - r * x2 / n2
        return _standardised(off, self.first(second), n1, second, n2, r)


@dataclass(frozen=True, slots=True)
class Difference:
    """The first rate is ``value`` more than the second."""

    value: float

    def first(self, second: Floats) -> Floats:
        """Return the first rate, given the second."""
        return np.clip(second + self.value, 0.0, 1.0)

    @property
    def most(self) -> float:
        """The largest second rate that there can be."""
        return min(1.0, 1.0 - self.value)

    def score(self, x1: Floats, n1: int, x2: Floats, n2: int) -> Floats:
        """Return the score statistic: how far the first rate is above the margin, in its errors."""
        d, n, events = self.value, n1 + n2, x1 + x2
        # the likelihood on the margin is highest at a root of a cubic
        two = ((n1 + 2 * n2) * d - n - events) / (3 * n)
        one = ((n2 * d - n - 2 * x2) * d + events) / (3 * n)
        zero = x2 * d * (1 - d) / n
        q = two**3 - 3 * one * two / 2 + zero / 2
        p = np.where(q < 0, -1.0, 1.0) * np.sqrt(np.maximum(two * two - one, 0.0))
        ratio = np.clip(q / np.where(p == 0, 1.0, p**3), -1.0, 1.0)
        second = 2 * p * np.cos((math.pi + np.arccos(ratio)) / 3) - two
        second = np.clip(second, max(0.0, -d), self.most)
        return _standardised(x1 / n1 - x2 / n2 - d, self.first(second), n1, second, n2, 1.0)


Margin = Ratio | Difference


def _standardised(off: Floats, first: Floats, n1: int, second: Floats, n2: int, r: float) -> Floats:
    variance = first * (1 - first) / n1 + r * r * second * (1 - second) / n2
    variance = variance * (n1 + n2) / max(1, n1 + n2 - 1)
    error = np.sqrt(np.maximum(variance, 1e-300))
    return np.where(np.abs(off) < 1e-12, 0.0, off / error)


def z_of(one: Counts, other: Counts, margin: Margin) -> float:
    """Return how many standard errors the first rate is above the margin.

    >>> round(z_of(Counts(40, 100), Counts(50, 100), Ratio(0.8)), 4)
    0.0
    """
    if not (one.n and other.n):
        return 0.0
    x1, x2 = np.array([float(one.events)]), np.array([float(other.events)])
    return float(margin.score(x1, one.n, x2, other.n)[0])


def beyond(one: Counts, other: Counts, margin: Margin, level: float, more: float = 0.0) -> bool:
    """Tell whether the first rate is above the margin, by both tests, with a chance of error.

    ``more`` is a further p-value that the same verdict has to answer for.

    >>> beyond(Counts(450, 1000), Counts(450, 1000), Ratio(0.8), 1e-3)
    True
    >>> beyond(Counts(3, 3), Counts(10, 100), Ratio(0.8), 1e-4)  # the score alone says so
    False
    """
    z = z_of(one, other, margin)
    if not (one.n and other.n) or float(ndtr(-z)) + more > level:
        return False
    cheap = _CHEAP * level  # most verdicts are clear enough for two separate bounds
    if more <= cheap and _z_gap(one, other, margin, cheap):
        return True
    return exact_tail(one, other, margin, level) + more <= level - cheap


def _z_gap(one: Counts, other: Counts, margin: Margin, level: float) -> bool:
    """Tell whether exact bounds of each rate, half of the error each, are beyond the margin."""
    second = binomial.upper(other.events, other.n, level / 2)
    if second > margin.most:
        return False
    first = binomial.lower(one.events, one.n, level / 2)
    return first > float(margin.first(np.array([second]))[0])


def exact_tail(one: Counts, other: Counts, margin: Margin, level: float) -> float:
    """Return the chance of a score as high as this or higher on the margin, whatever the rates are.

    Right where it is below ``level``; a hair too high elsewhere.

    >>> round(exact_tail(Counts(3, 3), Counts(0, 0), Ratio(0.8), 0.1), 3)
    1.0
    """
    if not (one.n and other.n):
        return 1.0
    spent = _BOOS * level
    low = max(binomial.lower(other.events, other.n, spent / 2), 0.0, -_shift(margin))
    high = min(binomial.upper(other.events, other.n, spent / 2), margin.most)
    if low > high:  # no rate near what was seen stands on the margin
        return spent
    second = np.linspace(low, high, _GRID)[:, None]
    first = margin.first(second)
    c = -math.log(5e-4 * level)
    starts, weights = _grid(other.n, second, c)
    least = _least(one.n, starts, other.n, margin, z_of(one, other, margin))
    tails = _at_least(least, one.n, first, c)
    tail = float(np.max(np.sum(weights * tails, axis=1)))
    return min(1.0, tail + spent + 4 * math.exp(-c))


def _shift(margin: Margin) -> float:
    return margin.value if isinstance(margin, Difference) else 0.0


def _range(n: int, rates: Floats, c: float) -> tuple[int, int]:
    """Return counts between which all are, but for a chance of 2 exp(-c) (Bernstein)."""
    low, high = float(rates.min()), float(rates.max())

    def reach(p: float) -> float:
        return c / 3 + math.sqrt(c * c / 9 + 2 * c * n * p * (1 - p))

    # the count is stochastically larger for a larger rate: the ends of the rates are enough
    begin, end = n * low - reach(low), n * high + reach(high)
    return max(0, math.floor(begin)), min(n, math.ceil(end))


def _grid(n: int, rates: Floats, c: float) -> tuple[Floats, Floats]:
    """Return counts that may occur, and the chance of each, or of all from it to the next."""
    begin, end = _range(n, rates, c)
    width = -(-(end - begin + 1) // _BINS)
    starts = np.arange(begin, end + 1, width, dtype=float)
    if width == 1:
        return starts, _chances(starts, n, rates)
    below = bdtr(np.append(starts, end + 1.0) - 1, n, rates)
    return starts, np.diff(np.where(np.isnan(below), 0.0, below), axis=1)


def _least(n1: int, x2: Floats, n2: int, margin: Margin, z: float) -> Floats:
    """Return for each second count the smallest first one whose score is ``z`` or more."""
    low, high = np.zeros_like(x2), np.full_like(x2, n1 + 1.0)
    for _ in range(math.ceil(math.log2(n1 + 2)) + 1):
        middle = np.floor((low + high) / 2)
        enough = margin.score(np.minimum(middle, n1), n1, x2, n2) >= z - 1e-9
        high = np.where(enough, np.minimum(high, middle), high)
        low = np.where(enough, low, np.minimum(middle + 1, high))
    return high


def _chances(counts: Floats, n: int, rates: Floats) -> Floats:
    choose = gammaln(n + 1) - gammaln(counts + 1) - gammaln(n - counts + 1)
    chances: Floats = np.exp(choose + xlogy(counts, rates) + xlog1py(n - counts, -rates))
    return chances


def _at_least(k: Floats, n: int, rates: Floats, c: float) -> Floats:
    """Return the chance that ``k`` or more of ``n`` are selected, 2 exp(-c) too small at most."""
    begin, end = _range(n, rates, c)
    if end - begin <= _BINS:  # sums of all chances are much faster than as many integrals
        chances = _chances(np.arange(begin, end + 1.0), n, rates)
        tails = np.cumsum(chances[:, ::-1], axis=1)[:, ::-1]
        tails = np.pad(tails, ((0, 0), (0, 1)))
        picked: Floats = tails[:, np.clip(k - begin, 0, end + 1 - begin).astype(int)]
        return np.where(k <= begin, 1.0, picked)
    inside = (k > 0) & (k <= n)
    tails = betainc(np.where(inside, k, 1.0), np.where(inside, n - k + 1, 1.0), rates)
    return np.where(k <= 0, 1.0, np.where(k > n, 0.0, tails))


def limits(
    one: Counts,
    other: Counts,
    kind: Callable[[float], Margin],
    below: float,
    above: float,
) -> tuple[float, float]:
    """Return score limits of the ratio or the difference; the truth is under the first with ``below``.

    A ratio has no upper limit (infinity) where nobody of the second group is selected.

    >>> low, high = limits(Counts(40, 100), Counts(50, 100), Ratio, 0.025, 0.025)
    >>> round(low, 3), round(high, 3)
    (0.584, 1.089)
    """
    ratio = kind is Ratio
    bottom, top = (0.0, math.inf) if ratio else (-1.0, 1.0)
    if not (one.n and other.n):
        return bottom, top

    inside = _start(one, other, ratio=ratio)
    ends = []
    for sign, error, outside in ((1.0, below, bottom), (-1.0, above, top)):
        far = _far(inside) if outside == math.inf else outside
        wanted = float(ndtri(1 - error))

        def short(value: float, sign: float = sign, wanted: float = wanted) -> float:
            return sign * z_of(one, other, kind(value)) - wanted

        if abs(far - inside) < 1e-9 or short(inside) >= 0:
            ends.append(inside)
        elif short(far) <= 0:  # as far out as there is, it is not refuted
            ends.append(outside)
        else:
            ends.append(float(brentq(short, inside, far, xtol=1e-9)))
    return ends[0], ends[1]


def _far(ratio: float) -> float:
    return max(1e4, 1e3 * ratio)


def _start(one: Counts, other: Counts, *, ratio: bool) -> float:
    if ratio:
        return one.rate / other.rate if other.events else (1e6 if one.events else 1.0)
    return one.rate - other.rate
