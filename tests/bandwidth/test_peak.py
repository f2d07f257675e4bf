"""The busiest window, against brute force."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_mlgates.gates.bandwidth_budget.peak import peak_bytes


def held(at, seconds, sent, start, window):
    """Return what a window holds to which its begin belongs or its end, whichever is more."""
    totals = []
    for off in (-1e-9, 1e-9):
        total = 0.0
        for t, s, b in zip(at, seconds, sent, strict=True):
            if s > 0:
                total += b * max(0.0, min(t + s, start + window) - max(t, start)) / s
            elif start + off <= t < start + window + off:
                total += b
        totals.append(total)
    return max(totals)


@pytest.mark.parametrize("seed", range(30))
def test_no_window_holds_more(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 25))
    at, sent = rng.uniform(0, 20, n).round(1), rng.uniform(0, 9, n)
    seconds = np.where(rng.random(n) < 0.4, 0.0, rng.uniform(0.1, 6, n))
    window = float(rng.choice([0.5, 1.0, 3.0, 50.0]))
    most, when = peak_bytes(at, seconds, sent, window)
    assert most == pytest.approx(held(at, seconds, sent, when, window))
    tried = [held(at, seconds, sent, s, window) for s in np.linspace(-50, 30, 1601)]
    assert most >= max(tried) - 1e-9


def test_clock_of_the_epoch():
    at = 1.7e9 + np.array([0.0, 0.25, 5.0])
    assert peak_bytes(at, np.zeros(3), np.ones(3), 1.0)[0] == 2.0
