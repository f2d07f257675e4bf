"""Student's bounds of a mean of blocks, against scipy."""

from __future__ import annotations

import math

import pytest
from scipy import stats

from pytest_mlgates.stats.means import mean_bounds


@pytest.mark.parametrize("blocks", [3, 8, 30])
def test_each_side_is_that_of_scipy(blocks):
    low, high = mean_bounds(10.0, 0.5, blocks, alpha=1e-3, beta=0.02)
    student = stats.t(blocks - 1, loc=10.0, scale=0.5)
    assert low == pytest.approx(student.ppf(1e-3))
    assert high == pytest.approx(student.isf(0.02))


def test_too_few_blocks_bound_nothing_above_or_nothing_at_all():
    assert mean_bounds(10.0, 0.5, 2, alpha=0.1, beta=0.1) == (0.0, math.inf)
    low, high = mean_bounds(10.0, 0.5, 7, alpha=0.1, beta=0.1, least=8)
    assert low > 0
    assert high == math.inf
    assert mean_bounds(10.0, 0.5, 8, alpha=0.1, beta=0.1, least=8)[1] < math.inf
