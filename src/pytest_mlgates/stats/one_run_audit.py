"""What one training run proves about epsilon: a lower bound from guessing who was in it.

Each of ``m`` canaries is included by a fair coin. Under (epsilon, delta) differential privacy
nobody can guess the coins much better than ``e^epsilon / (1 + e^epsilon)``, for any attack and any
model (Steinke, Nasr and Jagielski, NeurIPS 2023, theorem 5.2). So many right guesses refute a
declared epsilon. Few refute nothing: the bound never shows that epsilon is small.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import bdtrc

__all__ = ["epsilon_ceiling", "epsilon_lower", "one_run_p"]

_LARGEST = 50.0


def one_run_p(right: int, guesses: int, epsilon: float, m: int, delta: float = 0.0) -> float:
    """Return the p-value of ``right`` of ``guesses`` about ``m`` coins if epsilon were true.

    The number of guesses is fixed before the coins are looked at.

    >>> round(one_run_p(100, 200, 0.0, 200), 2)
    0.53
    >>> round(one_run_p(200, 200, 4.19, 200), 3)
    0.049
    """
    if not 0 <= right <= guesses <= m or epsilon < 0 or not 0 <= delta < 1:
        raise ValueError(f"no audit of {right} right guesses in {guesses} about {m} canaries")
    if right == 0:
        return 1.0
    chance = 1.0 / (1.0 + math.exp(-epsilon))
    # chance of at least right - i, for i = 0, 1... right; at least none is sure
    least = np.append(bdtrc(np.arange(right - 1, -1, -1.0), guesses, chance), 1.0)
    p = float(least[0])
    if delta:
        p += 2 * m * delta * float(((least[1:] - p) / np.arange(1, right + 1)).max())
    return min(1.0, p)


def epsilon_lower(right: int, guesses: int, m: int, error: float, delta: float = 0.0) -> float:
    """Return the epsilon that the true one is above, but for a chance ``error``; 0 if none.

    >>> round(epsilon_lower(200, 200, 200, 0.05), 2)
    4.19
    >>> round(epsilon_lower(857, 1000, 1000, 0.05, delta=1e-5), 2)
    1.64
    >>> epsilon_lower(110, 200, 200, 0.05)
    0.0
    """
    if not guesses or one_run_p(right, guesses, 0.0, m, delta) > error:
        return 0.0
    low, high = 0.0, _LARGEST
    for _ in range(60):
        middle = (low + high) / 2
        if one_run_p(right, guesses, middle, m, delta) <= error:
            low = middle
        else:
            high = middle
    return low


def epsilon_ceiling(guesses: int, m: int, error: float, delta: float = 0.0) -> float:
    """Return the largest epsilon that so many guesses can refute, all of them right.

    >>> [round(epsilon_ceiling(m, m, 0.05), 2) for m in (200, 400, 1000, 10_000)]
    [4.19, 4.89, 5.81, 8.11]
    """
    return epsilon_lower(guesses, guesses, m, error, delta)
