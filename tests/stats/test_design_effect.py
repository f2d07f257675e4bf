"""Design effects, stretches and looks, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_mlgates.stats.design_effect import (
    design_effect,
    least_spread,
    longest_stretch,
    stretches,
)
from pytest_mlgates.stats.sequential import quantile_schedule


def series(n: int, *runs: tuple[int, int]) -> np.ndarray:
    """Events in each run: where it begins and how long it is."""
    x = np.zeros(n, bool)
    for begin, length in runs:
        x[begin : begin + length] = True
    return x


def effect(x: np.ndarray, size: int) -> float:
    """By its definition: size times the variance of block means over p (1 - p)."""
    means = x[: len(x) // size * size].reshape(-1, size).mean(axis=1)
    p = means.mean()
    return size * means.var(ddof=1) / (p * (1 - p))


@pytest.mark.parametrize("share", [0.02, 0.3, 0.5, 0.9])
def test_it_is_the_largest_of_its_blocks(share):
    rng = np.random.default_rng(int(100 * share))
    x = np.repeat(rng.random(200) < share, 10)  # in runs of ten: 2,000 in all, none too long
    wanted = max(1.0, *(effect(x, size) for size in (10, 20, 50, 100)))
    assert design_effect(x, 100) == pytest.approx(wanted, rel=1e-9)
    assert wanted > 5


def test_longer_blocks_count_where_there_are_twenty_and_they_are_clear():
    x = np.repeat(np.random.default_rng(0).random(60) < 0.3, 200)  # runs of two blocks and more
    found = {size: effect(x, size) for size in (100, 200, 400, 800)}
    assert found[400] > found[200] > found[100] > 2
    assert design_effect(x, 100) == pytest.approx(max(found[200], found[400]))
    short = x[:7900]  # 19 blocks of 400
    assert effect(short, 400) > effect(short, 200)
    assert design_effect(short, 100) == pytest.approx(effect(short, 200))
    full = x[:8000]
    assert design_effect(full, 100) == pytest.approx(effect(full, 400))


def test_a_longer_block_counts_only_where_its_effect_is_clear():
    x = np.random.default_rng(2).random(4000) < 0.1
    near = max(1.0, *(effect(x, size) for size in (10, 20, 50, 100)))
    far = effect(x, 200)
    assert near < far < 2.0
    assert design_effect(x, 100) == pytest.approx(near)


def test_a_last_block_that_is_not_full_is_left_out():
    x = series(257, (0, 30), (110, 10), (210, 47))
    assert design_effect(x, 50) == pytest.approx(max(effect(x, s) for s in (5, 10, 25, 50)))


def test_nothing_varies_where_all_are_equal_or_blocks_are_too_few():
    assert design_effect(np.ones(300, bool), 100) == 1.0
    assert design_effect(series(1, (0, 0)), 100) == 1.0
    assert design_effect(series(9, (0, 3)), 100) == 1.0  # blocks of ten: none is full
    assert design_effect(series(40, (0, 20)), 2) > 1


def test_stretches_end_after_ten_without_an_event():
    assert stretches(series(100)) == 0
    assert stretches(series(100, (5, 1))) == 1
    assert stretches(series(100, (5, 1), (15, 1))) == 1
    assert stretches(series(100, (5, 1), (16, 1))) == 2
    assert stretches(series(100, (0, 30), (50, 2), (70, 1))) == 3
    assert longest_stretch(series(100)) == 0
    assert longest_stretch(series(100, (5, 3), (10, 2), (40, 4))) == 5
    assert longest_stretch(series(100, (0, 4), (40, 3))) == 4
    assert longest_stretch(series(100, (99, 1))) == 1


def test_the_least_fifth_but_one():
    assert least_spread(np.repeat([0, 0, 1, 1, 1], 10)) == 0.0
    assert least_spread(np.repeat([0, 1, 1, 1, 1], 10)) == 1.0
    assert least_spread(np.array([1, 0, 1, 1, 0, 0, 1, 1, 1, 1], bool)) == 0.5
    assert least_spread(np.ones(4, bool)) == 0.0
    assert least_spread(np.ones(5, bool)) == 1.0


def test_looks_of_a_quantile():
    plan = quantile_schedule(0.99, 20_000)
    assert plan.early == (20, 50, 300)
    assert (plan.floor, plan.block) == (5000, 100)
    assert plan.fail_error(9e-4) == pytest.approx(1e-4)
    assert plan.pass_error(3e-3) == pytest.approx(1e-3)
    assert [plan.after(n) for n in (0, 20, 5000, 20_000)] == [20, 50, 10_000, None]
    assert quantile_schedule(0.99, 20_000, least=7000).pass_looks == (10_000, 20_000)
    assert quantile_schedule(0.99, 4000).pass_looks == ()
    assert quantile_schedule(0.99, 4000).pass_error(1e-3) == 1e-3
    assert quantile_schedule(0.99, 3000).looks == (20, 50, 300, 500, 1000, 2000, 3000)
    # of a common quantile a fifth of those of P99, of a rare one ten times as many
    assert quantile_schedule(0.5, 4000).looks == (20, 50, 60, 100, 200, 400, 1000, 2000, 4000)
    assert (quantile_schedule(0.5, 4000).floor, quantile_schedule(0.5, 4000).block) == (1000, 20)
    assert quantile_schedule(0.999, 200_000).looks[-4:] == (20_000, 50_000, 100_000, 200_000)
    assert quantile_schedule(0.99999, 10**7).block == 1000
    assert quantile_schedule(0.99, 50).looks == (20, 50)
    assert quantile_schedule(0.99, 50).early == (20,)
    assert quantile_schedule(0.99, 1).looks == (1,)
    for bad in ((0.0, 10), (1.0, 10), (0.9, 0)):
        with pytest.raises(ValueError, match="no looks"):
            quantile_schedule(*bad)
