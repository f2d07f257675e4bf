"""What a verdict of ``name_invariance`` promises, on subjects that used to break it."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable

import pytest

from pytest_mlgates.core import Evidence, Outcome
from pytest_mlgates.gates.name_invariance import NameInvariance
from pytest_mlgates.gates.name_invariance.table import CASE_NAMES

PASS, FAIL, INCONCLUSIVE = Outcome.PASS, Outcome.FAIL, Outcome.INCONCLUSIVE
ONE = ["CV of {NAME}: nine years of Python."]
TWO = {
    "a": ["Ann", "Amy", "Abe", "Al", "Ada"],
    "b": ["Bo", "Bea", "Ben", "Bob", "Bill"],
}


def first_letter(text: str) -> str:
    return text[len("CV of ")]


def run(score: Callable[[str], float], names: object = TWO, seed: int = 0, **fields) -> Evidence:
    return NameInvariance(**fields).run(score, ONE, names, seed=seed)


# --- groups, pair by pair


def numbered(text: str) -> int:
    return int(re.search(r"g(\d+)x", text)[1])


@pytest.mark.parametrize("count", [3, 4, 12])
def test_two_groups_apart_are_not_hidden_by_the_mean_of_the_others(count):
    names = {f"g{i}": [f"g{i}x{j}" for j in range(6)] for i in range(count)}
    shifts = {0: 0.0075, 1: -0.0075}
    bad = run(lambda t: 0.5 + shifts.get(numbered(t), 0.0), names, max_gap=0.05)
    assert bad.outcome != PASS
    assert "'g0'" in bad.verdict.reason
    assert "'g1'" in bad.verdict.reason
    good = run(
        lambda t: 0.5 + shifts.get(numbered(t), 0.0), names, max_gap=0.05, max_group_gap=0.05
    )
    assert good.outcome == PASS


REFUSED = {
    "refused in 2 % of calls": lambda r: (
        lambda t: 0.8 * (first_letter(t) != "A" or r.random() > 0.02)
    ),
    "refused in 5 % of calls": lambda r: (
        lambda t: 0.8 * (first_letter(t) != "A" or r.random() > 0.05)
    ),
    "a star less in 6 %": lambda r: (
        lambda t: 0.75 - 0.25 * (r.random() < 0.01 + 0.06 * (first_letter(t) == "A"))
    ),
    "raised to the top in 4 %": lambda r: (
        lambda t: 0.6 + 0.4 * (first_letter(t) == "B" and r.random() < 0.04)
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_group_treated_rarely_but_badly_never_passes(kind):
    seen = Counter(
        run(REFUSED[kind](random.Random(seed)), seed=seed, max_calls=12_000).outcome
        for seed in range(5)
    )
    assert not seen[PASS]


@pytest.mark.parametrize("seed", range(3))
def test_a_fair_judge_that_gives_stars_passes(seed):
    r = random.Random(seed)
    evidence = run(lambda _: 0.75 - 0.25 * (r.random() < 0.02), seed=seed)
    assert evidence.outcome == PASS
    assert evidence.measurement.details["mode"] == "noisy"
    assert "1 of 4 calls of a name" in evidence.verdict.reason


def test_names_that_differ_inside_a_group_are_no_gap_between_groups():
    effects = random.Random(3)
    table = {name: effects.uniform(0.2, 0.8) for group in TWO.values() for name in group}
    evidence = run(lambda t: table[t[len("CV of ") : t.index(":")]], max_gap=0.9)
    assert evidence.outcome == INCONCLUSIVE
    assert "more names would tell" in evidence.verdict.reason


def test_the_promise_is_about_these_names_unless_there_are_very_many():
    assert "groups of these names" in run(lambda _: 0.5).verdict.reason
    many = {g: [f"{g}{i}" for i in range(800)] for g in "AB"}
    assert "groups of names like these" in run(lambda _: 0.5, many).verdict.reason
    few = {g: [f"{g}{i}" for i in range(600)] for g in "AB"}
    assert "groups of these names" in run(lambda _: 0.5, few).verdict.reason


# --- single names


def test_the_four_names_of_the_case_can_pass_as_a_list():
    evidence = run(lambda _: 0.5, list(CASE_NAMES))
    assert evidence.outcome == PASS
    assert "group" not in evidence.verdict.reason
    assert evidence.measurement.details["calls"] <= 120
    assert run(lambda t: 0.5 - 0.02 * ("Wei" in t), CASE_NAMES).outcome == FAIL
    assert run(lambda t: 0.5 - 0.009 * ("Wei" in t), iter(CASE_NAMES)).outcome == PASS


def test_groups_can_be_switched_off():
    names = {name: [name] for name in CASE_NAMES}
    assert run(lambda _: 0.5, names).outcome == INCONCLUSIVE
    off = run(lambda _: 0.5, names, max_group_gap=None)
    assert off.outcome == PASS
    assert run(lambda _: 0.5, {"a": ["Ann", "Bo"]}, max_group_gap=None).outcome == PASS
    assert (
        run(lambda t: 0.5 - 0.1 * ("Ann" in t), names | {"e": ["Ann"]}, max_group_gap=None).outcome
        == FAIL
    )


@pytest.mark.parametrize("seed", range(4))
def test_a_name_that_is_often_refused_does_not_pass(seed):
    r = random.Random(seed)
    score = lambda t: 0.8 * ("Aisha" not in t or r.random() > 0.4)  # noqa: E731
    assert run(score, CASE_NAMES, seed=seed, max_calls=3000).outcome != PASS


def test_how_rare_a_gap_may_be_is_said_and_can_be_declared():
    loose = run(lambda _: 0.5, CASE_NAMES)
    strict = run(lambda _: 0.5, CASE_NAMES, max_gap_share=0.02)
    assert strict.measurement.details["calls"] > 10 * loose.measurement.details["calls"]
    assert re.search(r"more than 1 of 5\d(\.\d)? calls", strict.verdict.reason)
    short = run(lambda _: 0.5, CASE_NAMES, max_gap_share=0.02, max_calls=400)
    assert short.outcome == INCONCLUSIVE
    assert "to see one that shows in 1 of 50 calls takes 342" in short.verdict.reason


def test_a_first_answer_that_was_forgiven_is_looked_for_again():
    """A scorer with rare noise does not end up as one that repeats itself."""
    modes = Counter()
    for seed in range(8):
        r = random.Random(seed)
        evidence = run(lambda _: 0.75 - 0.25 * (r.random() < 0.02), seed=seed)  # noqa: B023
        modes[evidence.measurement.details["mode"]] += 1
    assert modes["deterministic"] == 0


def test_a_typical_gap_is_called_typical():
    """Three points more in 97 % of calls, refused in 3 %: the mean is no gap, what is usual is."""
    seen = Counter()
    for seed in range(3):
        r = random.Random(seed)

        def score(text, r=r):
            if "Aisha" not in text:
                return 0.8 + r.gauss(0, 0.002)
            return 0.0 if r.random() < 0.03 else 0.83 + r.gauss(0, 0.002)

        evidence = run(score, CASE_NAMES, seed=seed)
        seen[evidence.outcome] += 1
        if evidence.outcome == FAIL:
            assert re.search(r"by 0.01 or more .* in \d+ of \d+ repeats", evidence.verdict.reason)
    assert not seen[PASS]


def test_without_a_range_the_promise_ends_where_scores_were_seen():
    evidence = run(lambda t: -3.0 + 0.001 * len(t), score_range=None)
    assert evidence.outcome == PASS
    assert "scores outside those seen" in evidence.verdict.reason
    assert "scores outside" not in run(lambda _: 0.5).verdict.reason


def test_a_record_that_was_made_up_does_not_fit():
    from dataclasses import replace

    seen = run(lambda _: 0.5).measurement
    gap = {**seen.details["gaps"][0]}
    gap["calls"] = {**gap["calls"], "sum": 5.0}
    made_up = replace(seen, details={**seen.details, "gaps": (gap,)})
    verdict = NameInvariance().decide(made_up)
    assert verdict.outcome == Outcome.ERROR
    assert "differences have these sums" in verdict.reason


def test_a_limit_as_wide_as_the_range_is_kept_by_any_scorer():
    """It was an ERROR: nothing can be bet on a limit that nothing can be beyond."""
    gate = NameInvariance(max_gap=0.5, max_group_gap=1.0, score_range=(0.0, 1.0), max_calls=2000)
    names = {"a": ["Ann", "Amy", "Ada"], "b": ["Bob", "Ben", "Bill"]}
    assert gate.run(lambda _: 0.5, ["CV of {NAME}"], names).outcome.value == "pass"
