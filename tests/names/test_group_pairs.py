"""Groups of names, pair by pair: sums and errors by hand and by scipy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from pytest_mlgates.gates.name_invariance.details import Differences, Gap, Tried, needed_log_e
from pytest_mlgates.gates.name_invariance.groups import MAX_GAPS, GroupPairs
from pytest_mlgates.gates.name_invariance.plan import Plan
from pytest_mlgates.gates.name_invariance.table import Name
from pytest_mlgates.stats.betting import Sums, fewest_equal, log_e_above, log_e_below


def named(**sizes: int) -> list[Name]:
    return [Name(f"{g}{i}", g, 1.0) for g, size in sizes.items() for i in range(size)]


def only(pairs: GroupPairs, means: list[float], limit: float = 0.01) -> Gap:
    (gap,) = pairs.gaps(np.array(means), limit, 1.0)
    return gap


def test_the_error_of_a_gap_is_that_of_welch():
    first, second = [0.50, 0.52, 0.56], [0.40, 0.44, 0.41, 0.47, 0.43]
    gap = only(GroupPairs(named(a=3, b=5)), first + second)
    wanted = stats.ttest_ind(first, second, equal_var=False)
    assert gap.gap == pytest.approx(np.mean(first) - np.mean(second))
    assert gap.gap / gap.se == pytest.approx(wanted.statistic)
    assert gap.names == (3, 5)
    # degrees of freedom are the smaller group's less one
    assert gap.p_by_name(0.05) == pytest.approx(2 * stats.t.sf((gap.gap - 0.05) / gap.se, 2))


def test_the_names_of_two_groups_are_matched_and_counted():
    pairs = GroupPairs(named(a=2, b=3))
    rng = np.random.default_rng(0)
    for _ in range(3):
        pairs.add(np.array([0.5, 0.5, 0.1, 0.1, 0.1]), rng)
    pairs.add(np.array([0.0, 0.0, 1.0, 1.0, 1.0]), rng)
    pairs.add(np.array([0.75, 0.75, 0.25, 0.25, 0.25]), rng)
    calls = only(pairs, [0.5, 0.5, 0.1, 0.1, 0.1]).calls
    assert (calls.n, calls.least, calls.most) == (10, -1.0, 0.5)
    assert calls.sum == pytest.approx(6 * 0.4 - 2 + 1)
    assert calls.sum_sq == pytest.approx(6 * 0.16 + 2 + 0.5)
    assert pairs.fewest == 2


def test_names_are_matched_at_random():
    pairs = GroupPairs(named(a=1, b=2))
    rng = np.random.default_rng(0)
    for _ in range(200):
        pairs.add(np.array([0.0, 1.0, 0.0]), rng)
    assert -130 < only(pairs, [0.0, 1.0, 0.0]).calls.sum < -70


def test_names_in_no_group_count_nowhere_and_one_name_has_no_error():
    names = [Name("x", "a", 1.0), Name("y", "a", 0.0), Name("z", "b", 1.0)]
    gap = only(GroupPairs(names), [0.2, 0.9, 0.1])
    assert gap.names == (1, 1)
    assert gap.gap == pytest.approx(0.1)
    assert gap.se is None
    assert gap.p_by_name(0.0) == 1.0
    assert gap.by_name.n == 1


def test_the_least_sure_pairs_come_first_and_the_rest_is_cut():
    names = named(**{f"g{i:02}": 2 for i in range(12)})
    pairs = GroupPairs(names)
    means = np.repeat(np.linspace(0, 0.11, 12), 2)
    pairs.add(means, np.random.default_rng(0))
    found = pairs.gaps(means, 0.05, 1.0)
    assert len(found) == MAX_GAPS < len(pairs.pairs) == 66
    assert found[0].groups == ("g00", "g11")
    evidence = [gap.log_e_within(0.05, 1.0) for gap in found]
    assert evidence == sorted(evidence)


SEEN = Differences.of(np.tile([0.02, 0.03, 0.01, 0.02], 400))
GAP = Gap(groups=("a", "b"), names=(5, 5), gap=0.02, se=0.001, calls=SEEN, by_name=SEEN)


def test_both_sides_of_a_gap_are_held_against_the_limit():
    sums = SEEN.sums
    assert GAP.log_e_within(0.05, 1.0) == pytest.approx(
        min(float(sums.log_e_below(0.05, 1.0)), float(sums.log_e_above(-0.05, -1.0)))
    )
    assert GAP.log_e_within(0.05, 0.04) == math.inf
    assert GAP.log_e_within(0.05, 0.05) == math.inf
    assert GAP.log_e_within(0.05, 0.0501) < math.inf
    assert GAP.log_e_beyond(0.005, 1.0) == pytest.approx(float(sums.log_e_above(0.005, -1.0)))
    assert GAP.log_e_beyond(0.5, 0.5) == 0.0
    turned = Gap(groups=("b", "a"), names=(5, 5), gap=-0.02, se=0.001,
                 calls=Differences(SEEN.n, -SEEN.sum, SEEN.sum_sq, -SEEN.most, -SEEN.least),
                 by_name=SEEN)  # fmt: skip
    assert turned.log_e_beyond(0.005, 1.0) == pytest.approx(GAP.log_e_beyond(0.005, 1.0))
    assert GAP.at_least(1.0, 1e-3) > 0.005
    assert turned.at_least(1.0, 1e-3) == pytest.approx(GAP.at_least(1.0, 1e-3))
    assert turned.at_most(1.0, 1e-3) == pytest.approx(GAP.at_most(1.0, 1e-3))
    assert GAP.at_most(1.0, 1e-3) == pytest.approx(sums.mean_below(1.0, 1e-3))
    assert GAP.at_least(1.0, 1e-3) == pytest.approx(sums.mean_above(-1.0, 1e-3))


@pytest.mark.parametrize(
    "sums", [(2, 3.0, 5.0, 0.0, 1.0), (2, -3.0, 5.0, -1.0, 0.0), (4, 4.0, 3.9, 0.0, 2.0)]
)
def test_sums_that_no_differences_have(sums):
    with pytest.raises(ValueError, match=r"no . differences"):
        Differences(*sums)


def test_a_trial_is_held_against_the_mean_and_the_median():
    seen = np.tile([0.03, 0.02], 40)
    tried = Tried(names=("a", "b"), template=1, n=80, sum=float(seen.sum()),
                  sum_sq=float((seen**2).sum()), lower=0.0, least=0.02, most=0.03, over=80)  # fmt: skip
    assert tried.log_e_mean(0.01, 1.0) == pytest.approx(
        float(Sums.of(seen).log_e_above(0.01, -1.0))
    )
    assert tried.log_e_mean(0.5, 0.5) == -math.inf
    assert tried.log_e_typical() == pytest.approx(80 * math.log(2) + math.log(2 / 81), abs=1e-6)
    assert needed_log_e(0.02) == pytest.approx(math.log(100))


def plan(**fields) -> Plan:
    given = {
        "placeholder": "{NAME}", "names_per_group": 5, "max_calls": 1000, "max_repeats": 64,
        "timeout_s": 1.0, "concurrency": 1, "confirm_gap": 0.005, "trial_gap": 0.01,
        "trial_level": 1e-6, "group_gap": 0.01, "gap_share": 0.25, "upper_level": 1e-3,
        "score_range": (0.0, 2.0), "seed": 0,
    }  # fmt: skip
    return Plan(**{**given, **fields})


def test_rounds_follow_from_the_share_and_from_the_matches_of_the_smallest_groups():
    alone = plan(group_gap=None)
    assert 0.75**25 < 1e-3 < 0.75**24
    assert alone.rounds_needed(1, 5) == 25
    assert alone.rounds_needed(4, None) == 7
    matches = fewest_equal(0.01, 2.0, 1e-3)
    assert plan().rounds_needed(3, 5) == math.ceil(matches / 15)
    assert plan(score_range=None).rounds_needed(1, 5) == 25
    assert (plan().width, plan(score_range=None).width) == (2.0, math.inf)
    assert (plan().bound(0.3), plan(score_range=None).bound(0.3)) == (2.0, 0.3)
    assert plan().looks(8, 20) == [8, 10, 13, 17]
    assert plan().looks(30, 20) == [20]
    assert plan().looks(20, 20) == [20]


def test_repeats_grow_with_the_square_of_the_noise():
    sd, cells, looks = 0.02, 40, 3
    reach = math.sqrt(2) * stats.norm.isf(1e-3 / looks) + 2 * math.sqrt(2 * math.log(cells))
    assert plan().repeats_needed(sd, cells, looks, 4) == math.ceil((reach * sd / 0.01) ** 2)
    assert plan().repeats_needed(1e-9, cells, looks, 4) == 8
    assert plan(trial_gap=1e-300).repeats_needed(1e9, cells, looks, 4) > 10**100


@pytest.mark.parametrize("limit", [0.01, 0.1])
def test_so_many_equal_observations_and_not_one_fewer(limit):
    n = fewest_equal(limit, 1.0, 1e-3)
    shown = [float(Sums.of(np.zeros(size)).log_e_below(limit, 1.0)) for size in (n - 1, n)]
    assert shown[0] < math.log(1e3) <= shown[1]
    assert fewest_equal(0.5, 0.4, 1e-3) == fewest_equal(0.5, 0.5, 1e-3) == 0
    assert log_e_above(np.ones(n), 1 - limit, 0.0) == pytest.approx(
        log_e_below(np.zeros(n), limit, 1.0)
    )
