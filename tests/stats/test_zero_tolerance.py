"""What seeing nothing proves, against the chances themselves."""

from __future__ import annotations

import math

import pytest

from pytest_mlgates.stats.zero_tolerance import bound, most_missed, tries


@pytest.mark.parametrize("recall", [1.0, 0.8])
@pytest.mark.parametrize("rate", [1e-3, 0.05, 0.5])
@pytest.mark.parametrize("error", [0.05, 1e-4])
def test_so_many_tries_and_not_one_fewer(rate, recall, error):
    n = tries(rate, recall, error)
    assert (1 - rate * recall) ** n <= error < (1 - rate * recall) ** (n - 1)
    assert bound(n, recall, error) <= rate * (1 + 1e-9)
    if n > 1:
        assert bound(n - 1, recall, error) > rate


def test_a_bound_is_the_rate_whose_silence_has_that_chance():
    rate = bound(50, 0.6, 0.01)
    assert (1 - rate * 0.6) ** 50 == pytest.approx(0.01)
    assert bound(0, 1.0, 0.05) == bound(10, 0.0, 0.05) == 1.0
    assert bound(1, 0.5, 0.01) == 1.0  # not above one


@pytest.mark.parametrize(("recall", "error"), [(0.9, 1e-3), (0.5, 0.01), (0.2, 0.05)])
def test_so_many_leaks_can_be_overlooked_and_not_one_more(recall, error):
    most = most_missed(recall, error)
    assert (1 - recall) ** most >= error * (1 - 1e-9)
    assert (1 - recall) ** (most + 1) < error * (1 + 1e-9)
    assert most_missed(1.0, error) == 0


def test_a_recall_of_one_half_is_counted_in_halves():
    assert most_missed(0.5, 0.3) == math.floor(math.log(0.3) / math.log(0.5)) == 1
