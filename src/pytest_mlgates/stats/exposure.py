"""Does a model find a canary more likely than secrets it never saw? Ranks, and what they prove.

A canary that was not trained on is one more draw like its references, so its rank among them is
uniform and ``2 ** -exposure`` is a p-value (exposure: Carlini et al., USENIX Security 2019). All
p-values here hold for any model and any distribution of scores; ties count against the canary.

After the first ones, references are drawn until ``STOP`` of them beat the canary: the p-value stays
exact (Besag and Clifford, Biometrika 78, 1991), and an honest model costs a tenth.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import bdtr, bdtrc, gammaincc, ndtr, ndtri, owens_t

__all__ = [
    "FIRST",
    "STOP",
    "bits",
    "canaries_needed",
    "counts_p",
    "fewest_found",
    "fisher_p",
    "largest_p",
    "rank_p",
    "references_for_fisher",
    "references_for_largest",
    "shifted_p",
    "skew_normal_bits",
]

Array = npt.NDArray[np.float64]

#: references drawn for every canary, and how many have to beat it for no more to be drawn
FIRST, STOP = 499, 50
_COUNTED = (1e-1, 1e-2, 1e-3, 1e-4)
_STEP = 0.01  # of the grid on which log p-values are added up
_EXACT = 1024  # canaries up to which their sum is convolved


def rank_p(above: int, drawn: int, stopped: bool = False) -> float:
    """Return the p-value of a canary that ``above`` of ``drawn`` references reach or beat.

    ``stopped`` says that references were drawn until so many beat it, and not one more.

    >>> rank_p(0, 9999), rank_p(49, 9999), rank_p(50, 1000, stopped=True)
    (0.0001, 0.005, 0.05)
    """
    return above / drawn if stopped else (above + 1) / (drawn + 1)


def bits(p: float) -> float:
    """Return the exposure that a rank p-value is worth.

    >>> round(bits(rank_p(0, 9999)), 2)
    13.29
    """
    return -math.log2(p)


def fisher_p(ps: Sequence[float]) -> float:
    """Return the p-value of many canaries together, strong against little in each (Fisher 1925).

    >>> round(fisher_p([0.01, 0.3, 0.2]), 4)
    0.0216
    """
    return float(gammaincc(len(ps), -math.fsum(map(math.log, ps)))) if ps else 1.0


def largest_p(ps: Sequence[float]) -> float:
    """Return the p-value of the most exposed canary, strong against much in one (Bonferroni).

    >>> largest_p([0.01, 0.3, 0.2])
    0.03
    """
    return min(1.0, len(ps) * min(ps)) if ps else 1.0


def counts_p(ps: Sequence[float], references: int) -> float:
    """Return the p-value of the number of small p-values, strong against much in a few of many.

    Under each of a few thresholds p-values fall by chance as a coin would have it, or less often;
    Bonferroni over the thresholds (Berk and Jones 1979; Donoho and Jin 2004, higher criticism).

    >>> many = [0.5] * 990
    >>> counts_p([*many, *[1e-4] * 10], 9999) < 1e-9 < 0.05 < fisher_p([*many, *[1e-4] * 10])
    True
    """
    if not ps:
        return 1.0
    thresholds = _thresholds(references)
    found = np.searchsorted(np.sort(ps), np.multiply(thresholds, 1 + 1e-12), side="right")
    # at least one where there is none: that has a chance of 1
    chances = [
        bdtrc(int(n) - 1, len(ps), t) if n else 1.0 for n, t in zip(found, thresholds, strict=True)
    ]
    return min(1.0, len(thresholds) * float(min(chances)))


def fewest_found(m: int, references: int, level: float) -> int:
    """Return how many of ``m`` canaries, if no reference beats them, are found by their count.

    >>> fewest_found(1000, 9999, 1.5e-5), fewest_found(200, 999, 1.5e-5)
    (5, 5)
    """
    thresholds = _thresholds(references)
    return next(
        (
            k
            for k in range(1, m + 1)
            if len(thresholds) * min(bdtrc(k - 1, m, t) for t in thresholds) <= level
        ),
        m + 1,
    )


def _thresholds(references: int) -> list[float]:
    """Return the p-values that are counted: tenths of each other, as far as ranks can reach."""
    return [t for t in _COUNTED if t * (references + 1) >= 1 - 1e-9]


def references_for_largest(m: int, level: float) -> int:
    """Return how many references each of ``m`` canaries takes for one alone to be significant.

    >>> references_for_largest(10, 0.5e-3), references_for_largest(24, 0.5e-4)
    (19999, 479999)
    """
    return math.ceil(m / level * (1 - 1e-12)) - 1


def references_for_fisher(m: int, level: float) -> int:
    """Return how many references ``m`` canaries take to be significant if each comes first.

    >>> references_for_fisher(1, 0.5e-4), references_for_fisher(24, 0.5e-4)
    (19999, 7)
    """
    low, high = 1, 2
    while gammaincc(m, m * math.log(high + 1)) > level:
        low, high = high, 2 * high
    while low < high:
        middle = (low + high) // 2
        enough = gammaincc(m, m * math.log(middle + 1)) <= level * (1 + 1e-12)
        low, high = (low, middle) if enough else (middle + 1, high)
    return low


def shifted_p(ps: Sequence[float], shift: float, references: int) -> float:
    """Return the chance to see this little exposure if memorisation had moved the canaries.

    That is: scores of references are about normal, and those of the canaries ``shift`` of their
    standard deviations higher on average. Small where so much memorisation can be excluded. The
    finite number of references counts, also that they were no longer drawn after :data:`STOP`.

    >>> honest = [(rank + 0.5) / 24 for rank in range(24)]
    >>> shifted_p(honest, 1.5, 9999) < 1e-3 < shifted_p(honest, 0.5, 9999)
    True
    """
    if not ps:
        return 1.0
    return float(_sum_below(-math.fsum(map(math.log, ps)), len(ps), shift, references))


def canaries_needed(shift: float, error: float, references: int) -> int:
    """Return how many canaries let nine honest models in ten exclude a shift, but for ``error``.

    >>> canaries_needed(1.0, 1e-3, 9999), canaries_needed(0.1, 1e-3, 9999)
    (23, 2391)
    """
    (mean, spread), (moved, wide) = _moments(0.0, references), _moments(shift, references)
    about = ((-ndtri(error) * wide - ndtri(0.1) * spread) / (moved - mean)) ** 2
    if about > _EXACT / 2:
        return math.ceil(float(about))
    low, high = 1, 2
    while not _excludes(high, shift, error, references):
        low, high = high, 2 * high
    while low < high:
        middle = (low + high) // 2
        if _excludes(middle, shift, error, references):
            high = middle
        else:
            low = middle + 1
    return low


def skew_normal_bits(score: float, references: Sequence[float], space_bits: float) -> float:
    """Return the exposure that a skew normal through the references gives: a guess, no proof.

    It reaches beyond what the references can show, up to the size of the space of secrets, where
    it is cut off: further out it overshoots by far. Fitted by moments (Azzalini 1985).

    >>> draws = np.random.default_rng(1).normal(size=2000)
    >>> 12 < skew_normal_bits(4.0, draws, 30.0) < 17
    True
    >>> skew_normal_bits(40.0, draws, 30.0)
    30.0
    """
    sample = np.asarray(references, dtype=float)
    sample = sample[np.isfinite(sample)]
    spread = float(sample.std()) if len(sample) > 2 else 0.0
    if not spread or not math.isfinite(score):
        return 0.0
    skew = float(((sample - sample.mean()) ** 3).mean()) / spread**3
    part = min(abs(skew), 0.99) ** (2 / 3)
    delta = math.sqrt(math.pi / 2 * part / (part + ((4 - math.pi) / 2) ** (2 / 3)))
    delta = math.copysign(min(delta, 0.995), skew)
    scale = spread / math.sqrt(1 - 2 * delta**2 / math.pi)
    place = float(sample.mean()) - scale * delta * math.sqrt(2 / math.pi)
    z = (score - place) / scale
    tail = float(ndtr(-z) + 2 * owens_t(z, delta / math.sqrt(1 - delta**2)))
    return min(space_bits, max(0.0, bits(max(tail, 2.0**-1000))))


def _excludes(m: int, shift: float, error: float, references: int) -> bool:
    """Tell whether an honest model shows, nine times in ten, that there is no such shift."""
    honest = float(_cumulated(m, 0.0, references).searchsorted(0.9)) * _STEP
    return float(_sum_below(honest, m, shift, references)) <= error


def _sum_below(total: float, m: int, shift: float, references: int) -> float:
    if m > _EXACT:
        return _sum_below_at_most(total, m, shift, references)
    cumulated = _cumulated(m, shift, references)
    at = math.floor(total / _STEP + 1e-9)
    return float(cumulated[min(at, len(cumulated) - 1)])


def _sum_below_at_most(total: float, m: int, shift: float, references: int) -> float:
    """Return a bound on the same (Chernoff 1952), for numbers too large to convolve."""
    single = _single(shift, references)
    x = np.arange(len(single)) * _STEP
    tilts = np.geomspace(1e-3, 10.0, 200)
    logs = np.log(np.exp(-np.outer(tilts, x)) @ single)
    return float(min(1.0, math.exp(min(0.0, float((tilts * total + m * logs).min())))))


def _moments(shift: float, references: int) -> tuple[float, float]:
    """Return mean and standard deviation of -log p of one canary."""
    single = _single(shift, references)
    x = np.arange(len(single)) * _STEP
    mean = float(single @ x)
    return mean, math.sqrt(float(single @ x**2) - mean**2)


@lru_cache(maxsize=64)
def _cumulated(m: int, shift: float, references: int) -> Any:
    """Return the chances that ``m`` values of -log p add up to at most 0, 1, 2... steps."""
    single = _single(shift, references)
    size = m * (len(single) - 1) + 1
    length = 1 << (size - 1).bit_length()
    power = np.fft.irfft(np.fft.rfft(single, length) ** m, length)[:size]
    return np.clip(np.cumsum(np.clip(power, 0.0, None)), 0.0, 1.0)


@lru_cache(maxsize=64)
def _single(shift: float, references: int) -> Any:
    """Return the distribution of -log p of one canary, each value taken down to a whole step."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(96)
    tail = ndtr(-(nodes + shift))[:, None]  # share of references that beat a canary of this score
    first = min(FIRST, references)
    x = np.arange(math.ceil(math.log(references + 1) / _STEP) + 1) * _STEP
    # -log p >= x where fewer than this many of so many references have beaten the canary
    p = np.exp(-x) * (1 + 1e-12)
    until_stop = np.ceil(STOP / p)
    early = (first + 1) * p >= STOP + 1
    late = ~early & (until_stop > references)
    fewer = np.where(early, (first + 1) * p, np.where(late, (references + 1) * p, STOP))
    drawn = np.where(early, first, np.where(late, references, until_stop - 1))
    if references <= FIRST:
        fewer, drawn = (references + 1) * p, np.full(len(x), references)
    above = np.minimum(np.floor(fewer) - 1, drawn)
    chance = bdtr(np.maximum(above, 0), np.maximum(drawn, 1).astype(int), tail)
    at_least = weights @ np.where(above < 0, 0.0, chance) / weights.sum()
    return -np.diff(np.append(np.minimum.accumulate(at_least), 0.0))
