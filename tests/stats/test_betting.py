"""The bounds of a mean hold for shapes that no variance shows, at any look."""

import math

import numpy as np
import pytest

from pytest_mlgates.stats.betting import Sums, log_e_above, log_e_below

#: what is drawn at a mean of exactly .02, in [0, 1]
SHAPES = {
    "rare and large": lambda rng, size: (rng.random(size) < 0.02) * 1.0,
    "rarer still": lambda rng, size: (rng.random(size) < 0.025) * 0.8,
    "stars": lambda rng, size: (rng.random(size) < 0.08) * 0.25,
    "a spread": lambda rng, size: rng.beta(0.2, 9.8, size),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_at_the_limit_both_sides_err_no_more_than_declared_at_any_look(shape):
    rng = np.random.default_rng(5)
    x = SHAPES[shape](rng, (1500, 1500)).astype(float)
    looks = [10, 50, 200, 600, 1500]
    sums = [x[:, :n] for n in looks]
    seen = [
        Sums(part.shape[1], part.sum(1), (part**2).sum(1), part.min(1), part.max(1))
        for part in sums
    ]
    below = np.max([one.log_e_below(0.02, 1.0) for one in seen], axis=0) >= math.log(20)
    above = np.max([one.log_e_above(0.02, 0.0) for one in seen], axis=0) >= math.log(20)
    # a level of .05: five standard errors above it would be .078
    assert below.mean() < 0.078
    assert above.mean() < 0.078


def test_nothing_seen_is_a_rule_of_three_and_not_a_proof():
    def nothing(n):
        return float(Sums.of(np.zeros(n)).log_e_below(0.01, 1.0))

    assert nothing(500) < math.log(1e3)
    needed = next(n for n in range(1, 2000) if nothing(n) >= math.log(1e3))
    assert math.log(1e3) / 0.01 < needed < 1.2 * math.log(1e3) / 0.01


@pytest.mark.parametrize("seed", range(4))
def test_sums_say_no_more_than_the_observations_and_little_less(seed):
    rng = np.random.default_rng(seed)
    x = rng.choice([-0.25, 0.0, 0.25], 3000, p=[0.05, 0.85, 0.1])
    own = log_e_above(x, 0.0, -1.0)
    from_sums = float(Sums.of(x).log_e_above(0.0, -1.0))
    assert 0.8 * own < from_sums <= own + 1e-9


def test_the_order_does_not_matter_and_arrays_are_rows():
    x = np.random.default_rng(1).random(40)
    assert log_e_above(x, 0.3, 0.0) == pytest.approx(log_e_above(x[::-1], 0.3, 0.0))
    both = Sums([40, 0], [x.sum(), 0.0], [(x**2).sum(), 0.0], [x.min(), 0.0], [x.max(), 0.0])
    rows = both.log_e_below(0.9, 1.0)
    assert rows[0] == pytest.approx(float(Sums.of(x).log_e_below(0.9, 1.0)))
    assert rows[1] == pytest.approx(0.0)


def test_the_two_sides_are_mirrors():
    x = np.random.default_rng(2).random(60)
    assert log_e_below(x, 0.7, 1.0) == pytest.approx(log_e_above(1 - x, 0.3, 0.0))
    seen = Sums.of(x)
    assert 0.0 < seen.mean_above(0.0, 1e-2) < x.mean() < seen.mean_below(1.0, 1e-2) < 1.0
    assert seen.mean_above(0.0, 1e-6) < seen.mean_above(0.0, 1e-2)
    assert Sums.of([]).mean_above(-1.0, 1e-3) == -1.0
    assert Sums.of([0.1, 0.1]).mean_below(1.0, 1e-3) > 0.9


def test_a_cap_for_each_observation():
    x = np.array([0.5] * 200 + [-0.1] * 10)
    caps = np.array([-0.1] * 200 + [-5.0] * 10)
    assert log_e_above(x, 0.0, caps) > log_e_above(x, 0.0, -5.0)
    with pytest.raises(ValueError, match="below the lowest"):
        log_e_above([-2.0], 0.0, -1.0)
    with pytest.raises(ValueError, match="no bet"):
        log_e_above([1.0], 0.0, 0.0)
    with pytest.raises(ValueError, match="below the lowest"):
        log_e_above([math.nan], 0.0, -1.0)
