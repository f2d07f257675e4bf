"""impact_ratio: the table as published, what is left out, unknown groups, gaps, and its errors."""

from __future__ import annotations

import dataclasses
import json
import math

import numpy as np
import pytest

from pytest_mlgates.core import Measurement, Outcome
from pytest_mlgates.core.fields import FieldError
from pytest_mlgates.gates.impact_ratio import ImpactRatio
from pytest_mlgates.stats import binomial
from tests.gate_cases.impact_ratio import EVEN, GATE, GROUPS, MEN_FIRST, PLAIN, RIGHT, sound

PASS, FAIL, INCONCLUSIVE, ERROR = Outcome.PASS, Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.ERROR


def of(counts):
    """Return decisions and groups from {group: (selected, number)}."""
    selected, groups = [], []
    for group, (yes, n) in counts.items():
        selected += [True] * yes + [False] * (n - yes)
        groups += [group] * n
    return selected, groups


def rows(evidence, at=0):
    return {
        row["category"]: row for row in evidence.measurement.details["tables"][at]["categories"]
    }


def test_the_table_is_that_of_the_four_fifths_rule():
    """The example of the agencies' questions and answers: 48 of 80 and 12 of 40."""
    evidence = PLAIN.run(*of({"white": (48, 80), "black": (12, 40)}))
    white, black = rows(evidence)["group=white"], rows(evidence)["group=black"]
    assert (white["n"], white["selected"], white["rate"], white["ratio"]) == (80, 48, 0.6, 1.0)
    assert (black["n"], black["selected"], black["rate"]) == (40, 12, 0.3)
    assert black["ratio"] == evidence.measurement.value == 0.5
    assert evidence.outcome == INCONCLUSIVE  # the figure is under four fifths; 120 people are few
    assert "more applicants" in evidence.verdict.reason
    assert PLAIN.run(*of({"white": (4800, 8000), "black": (1200, 4000)})).outcome == FAIL


def test_each_attribute_and_each_intersection_has_its_table():
    tables = sound().measurement.details["tables"]
    assert [table["attribute"] for table in tables] == ["sex", "race", "sex & race"]
    assert "sex=female & race=black" in rows(sound(), 2)
    alone = dataclasses.replace(GATE, intersections=False).run(EVEN, GROUPS, RIGHT)
    assert len(alone.measurement.details["tables"]) == 2


def test_only_an_intersection_is_wronged():
    """Women and black applicants are selected as others are; black women are not."""
    groups = [("f" if n % 2 else "m", "b" if n // 2 % 2 else "w") for n in range(20_000)]
    odd = {("f", "b"): 30, ("m", "w"): 30}
    selected = [n // 4 * 7919 % 100 < odd.get(group, 50) for n, group in enumerate(groups)]
    assert dataclasses.replace(PLAIN, intersections=False).run(selected, groups).outcome == PASS
    evidence = PLAIN.run(selected, groups)
    assert evidence.outcome == FAIL
    assert "group 1=f & group 2=b" in evidence.verdict.reason


def test_scores_are_held_against_their_median():
    scores = [float(n * 7919 % 1000) for n in range(10_000)]
    groups = [n % 2 for n in range(10_000)]
    evidence = PLAIN.run(scores, groups)
    assert (evidence.outcome, evidence.measurement.details["basis"]) == (PASS, "scoring")
    assert evidence.measurement.details["median"] == 499.5
    assert evidence.measurement.details["selected"] == 5000
    shifted = [score + 300 * group for score, group in zip(scores, groups, strict=True)]
    assert PLAIN.run(shifted, groups).outcome == FAIL


@pytest.mark.parametrize("values", [(True, False), (1, 0), (1.0, 0.0), ("1", "0"), ("yes", "No")])
def test_decisions_in_several_forms(values):
    evidence = ImpactRatio(attributes=("sex",)).run([values[not yes] for yes in EVEN], GROUPS)
    assert evidence.measurement.details["basis"] == "selection"
    assert evidence.measurement.details["selected"] == sum(EVEN)


def test_texts_take_the_word_for_selected():
    words = ["hired" if yes else "rejected" for yes in EVEN]
    gate = ImpactRatio(positive="hired", attributes=("sex",))
    assert gate.run(words, GROUPS).outcome == PASS
    assert gate.run([*words[:-1], None], GROUPS).outcome == ERROR


def test_small_categories_are_left_out_only_with_a_reason_and_by_name():
    counts = {"a": (3000, 6000), "b": (2950, 6000), "c": (1, 9)}
    assert PLAIN.run(*of(counts)).outcome == INCONCLUSIVE
    with pytest.raises(FieldError, match="reason_left_out"):
        ImpactRatio(left_out_below=0.02)
    with pytest.raises(FieldError, match="left_out_below"):
        ImpactRatio(left_out_below=0.05, reason_left_out="too few for a rate")
    with pytest.raises(FieldError, match="leaves out nothing"):
        ImpactRatio(reason_left_out="too few for a rate")
    gate = ImpactRatio(left_out_below=0.02, reason_left_out="too few for a rate")
    evidence = gate.run(*of(counts))
    assert evidence.outcome == PASS
    assert "left out: group=c (9), too few for a rate" in evidence.verdict.reason
    row = rows(evidence)["group=c"]
    assert (row["n"], row["selected"], row["ratio"], row["left_out"]) == (9, 1, None, True)
    assert any("left out" in line for line in evidence.findings)


def test_unknown_groups_are_counted_and_shown():
    words = (None, math.nan, "", "Unknown", "prefer not to say", "N/A")
    groups = [words[n // 25 % 6] if n % 25 == 3 else "fm"[n % 2] for n in range(12_000)]
    evidence = PLAIN.run(EVEN, groups)
    assert evidence.measurement.details["tables"][0]["unknown"] == 480
    assert evidence.outcome == PASS
    assert "unknown of 480 of 12,000 applicants" in evidence.verdict.reason
    strict = dataclasses.replace(PLAIN, max_unknown=0.01).run(EVEN, groups)
    assert strict.outcome == INCONCLUSIVE


def test_one_applicant_counts_once():
    selected, groups = of({"a": (30, 60), "b": (30, 60)})
    evidence = PLAIN.run(selected * 50, groups * 50, unit_of=list(range(120)) * 50)
    assert (evidence.measurement.n, evidence.outcome) == (120, INCONCLUSIVE)
    odd = PLAIN.run([True, False], ["a", "b"], unit_of=[1, 1])
    assert odd.outcome == ERROR
    assert "differ in 'group'" in odd.verdict.reason


def test_gaps_beside_the_ratio():
    groups = ["ab"[n % 2] for n in range(12_000)]
    selected = [n // 2 % 100 < (50 if n % 2 else 44) for n in range(12_000)]
    assert PLAIN.run(selected, groups).outcome == PASS
    close = dataclasses.replace(PLAIN, max_parity_gap=0.02).run(selected, groups)
    assert close.outcome == FAIL
    assert "max_parity_gap 0.02" in close.verdict.reason
    assert dataclasses.replace(PLAIN, max_parity_gap=0.15).run(selected, groups).outcome == PASS


def test_equalised_odds_look_at_right_and_wrong_apart():
    """Equal rates, but one group's selections are at random."""
    right = [n // 2 % 2 == 0 for n in range(12_000)]
    groups = ["ab"[n % 2] for n in range(12_000)]
    selected = [n // 4 % 2 == 0 if n % 2 else yes for n, yes in enumerate(right)]
    assert PLAIN.run(selected, groups, right).outcome == PASS
    odds = dataclasses.replace(PLAIN, max_odds_gap=0.1).run(selected, groups, right)
    assert odds.outcome == FAIL
    assert "rightly selected" in odds.verdict.reason


@pytest.mark.parametrize("form", ["pandas", "dict", "list of columns", "tuples"])
def test_groups_in_several_forms(form):
    sex, race = [row["sex"] for row in GROUPS], [row["race"] for row in GROUPS]
    if form == "pandas":
        groups = pytest.importorskip("pandas").DataFrame({"sex": sex, "race": race})
    elif form == "dict":
        groups = {"sex": np.array(sex), "race": race}
    else:
        groups = [sex, race] if form == "list of columns" else list(zip(sex, race, strict=True))
    evidence = PLAIN.run(MEN_FIRST, groups)
    assert evidence.outcome == FAIL
    assert len(evidence.measurement.details["tables"]) == 3


@pytest.mark.parametrize(
    "groups",
    [
        [{"sex": "f"}, {"sex": "m", "race": "w"}],
        [("f", "w"), ("m",)],
        {"sex": ["f", "m"], "race": ["w"]},
        [["f"], {"sex": "m"}],
        ["f", {"sex": "m"}],
    ],
)
def test_ragged_groups_are_refused_in_one_line(groups):
    evidence = PLAIN.run([True, False], groups)
    assert evidence.outcome == ERROR
    assert "groups" in evidence.verdict.reason
    assert "\n" not in evidence.verdict.reason


def test_forged_evidence_does_not_pass():
    seen = sound().measurement
    details = json.loads(json.dumps(seen.details))

    def forged(value=seen.value, n=seen.n):
        return GATE.decide(
            Measurement(value=value, unit="ratio", n=n, interval=None, details=details)
        ).outcome

    assert forged() == PASS
    assert forged(value=0.99) == forged(n=seen.n + 1) == ERROR
    row = details["tables"][0]["categories"][0]
    row["rate"] = 0.9
    assert forged() == ERROR
    row["rate"], row["left_out"], row["ratio"] = row["selected"] / row["n"], True, None
    assert forged() == ERROR


@pytest.mark.parametrize("ratio", [0.8, 1.0])
def test_errors_of_the_verdict(ratio):
    """Three groups, one at the limit: wrong no more often than declared."""
    gate = ImpactRatio(alpha=0.05, beta=0.05)
    rng = np.random.default_rng(8)
    runs, found = 150, {PASS: 0, FAIL: 0, INCONCLUSIVE: 0}
    for _ in range(runs):
        counts = {
            name: (int(rng.binomial(n, rate)), n)
            for name, n, rate in (("a", 500, 0.5), ("b", 300, 0.5), ("c", 400, 0.5 * ratio))
        }
        found[gate.run(*of(counts)).outcome] += 1
    allowed = binomial.upper(0.05 * runs, runs, 1e-5) * runs
    assert found[FAIL] <= allowed
    if ratio == 0.8:
        assert found[PASS] <= allowed
    else:
        assert found[PASS] > runs / 2
