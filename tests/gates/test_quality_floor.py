"""quality_floor: metrics, bounds, slices, pairs, and subjects that only look good."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_mlgates.core import Outcome
from pytest_mlgates.core.fields import FieldError
from pytest_mlgates.core.observations import Histogram
from pytest_mlgates.gates.quality_floor import QualityFloor
from pytest_mlgates.gates.quality_floor.details import QualityRow, Seen
from pytest_mlgates.gates.quality_floor.metrics import (
    bins_of,
    metric_bounds,
    observation,
    pairs_of,
    value_of,
)
from pytest_mlgates.stats import binomial
from pytest_mlgates.stats.bounded import entropy_lower, mean_lower, mean_upper
from tests.gate_cases.quality_floor import DROP, GATE, INPUTS, good, poor, truth

PASS, FAIL, INCONCLUSIVE, ERROR = Outcome.PASS, Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.ERROR

coins = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60)


@given(pairs=coins)
@settings(max_examples=200, deadline=None)
def test_metrics_by_counting(pairs):
    """Each metric against its textbook definition."""
    tp = sum(a and b for a, b in pairs)
    fp = sum(a and not b for a, b in pairs)
    fn = sum(b and not a for a, b in pairs)
    tn = len(pairs) - tp - fp - fn
    wanted = {
        "accuracy": (tp + tn, len(pairs)), "recall": (tp, tp + fn), "precision": (tp, tp + fp),
        "specificity": (tn, tn + fp), "f1": (2 * tp, 2 * tp + fp + fn),
    }  # fmt: skip
    for metric, (part, whole) in wanted.items():
        seen = [observation(metric, float(a), float(b)) for a, b in pairs]
        values = Histogram.of(x for x in seen if x is not None)
        row = QualityRow(name="", inputs=len(pairs), values=values)
        assert value_of(metric, row) == pytest.approx(part / whole if whole else 0.0)
        low, high = metric_bounds(metric, row, 1e-3, 1e-3)
        assert 0 <= low <= value_of(metric, row) <= high <= 1 or not values.n


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=40))
def test_auroc_by_counting(pairs):
    positives = [s for s, yes in pairs if yes]
    negatives = [s for s, yes in pairs if not yes]
    seen = pairs_of([s for s, _ in pairs], [yes for _, yes in pairs])
    wins = sum((p > q) + (p == q) / 2 for p in positives for q in negatives)
    total = len(positives) * len(negatives)
    assert seen.above == pytest.approx(wins / total if total else 0.0)
    assert (seen.positives, seen.negatives) == (len(positives), len(negatives))


@pytest.mark.parametrize("shape", ["coin", "beta", "rare", "two points"])
def test_bounds_of_a_mean_hold(shape):
    """The truth is outside no more often than declared, also where it shows only rarely."""
    draw = np.random.default_rng(5)
    sample = {
        "coin": (lambda n: (draw.random(n) < 0.9).astype(float), 0.9),
        "beta": (lambda n: draw.beta(9, 1, n), 0.9),
        "rare": (lambda n: (draw.random(n) >= 0.003).astype(float), 0.997),
        "two points": (lambda n: np.where(draw.random(n) < 0.5, 0.4, 0.6), 0.5),
    }
    make, mean = sample[shape]
    missed = [0, 0]
    for _ in range(400):
        x = make(200)
        missed[0] += mean_lower(x, 0.05) > mean
        missed[1] += mean_upper(x, 0.05) < mean
    allowed = binomial.upper(0.05 * 400, 400, 1e-6) * 400
    assert max(missed) <= allowed


def test_entropy_bound_of_an_auroc_holds():
    draw = np.random.default_rng(6)
    truth_, missed = 0.7602499389065233, 0  # two normals a distance of 1 apart
    for _ in range(300):
        scores = np.concatenate([draw.normal(1, 1, 60), draw.normal(0, 1, 40)])
        seen = pairs_of(scores.tolist(), [True] * 60 + [False] * 40)
        missed += entropy_lower(seen.above, 40, 0.05) > truth_
    assert missed <= binomial.upper(15, 300, 1e-6) * 300


def test_calibration():
    draw = np.random.default_rng(7)
    scores = draw.random(20_000)
    labels = draw.random(20_000) < scores
    gate = QualityFloor(metric="calibration_error", max_value=0.15)
    items = list(range(20_000))
    honest = gate.run(lambda i: float(scores[i]), items, labels.tolist())
    assert honest.outcome == PASS, honest.verdict
    proud = gate.run(lambda i: float(scores[i] > 0.5) * 0.98 + 0.01, items, labels.tolist())
    assert proud.outcome == FAIL, proud.verdict
    assert (
        value_of("calibration_error", QualityRow(name="", inputs=1, bins=bins_of([0.5], [1])))
        == 0.5
    )


def test_a_slice_fails_alone():
    evidence = GATE.run(poor, INPUTS, truth, slice_of=lambda item: item["n"] % 4)
    assert evidence.outcome == FAIL
    assert "of the slice '1'" in evidence.verdict.reason
    assert evidence.findings[0].startswith("lowest slice: 1, 0 over")


def test_paired_with_a_baseline():
    before = lambda item: good(item)  # noqa: E731, PLW0108 - another function that answers alike
    assert DROP.run(good, INPUTS, truth, baseline=before).outcome == PASS
    assert DROP.run(poor, INPUTS, truth, baseline=good).outcome == FAIL
    assert DROP.run(good, INPUTS, truth, baseline=poor).outcome == PASS
    few = DROP.run(good, INPUTS[:40], truth, baseline=before)
    assert few.outcome == INCONCLUSIVE


async def _silence(_):
    await asyncio.sleep(0)


@pytest.mark.parametrize("mute", [lambda _: None, _silence, lambda _: ""])
def test_a_mute_subject_fails(mute):
    assert GATE.run(mute, INPUTS, truth).outcome == FAIL


def test_a_score_that_never_changes_fails():
    gate = QualityFloor(metric="auroc", min_value=0.8)
    assert gate.run(lambda _: 0.5, INPUTS, truth).outcome == FAIL


def test_units_count_once():
    """A thousand tiles of ten boards are ten boards."""
    gate = QualityFloor(metric="recall", min_value=0.8)

    def defect(item):
        return item["n"] % 20 < 10

    def found(item):
        return defect(item) and item["n"] != 3

    alone = gate.run(found, INPUTS, defect)
    assert alone.outcome == PASS
    boards = gate.run(found, INPUTS, defect, unit_of=lambda item: item["n"] % 20)
    assert boards.outcome == INCONCLUSIVE
    assert "over 10 observations" in boards.verdict.reason


@pytest.mark.parametrize("metric", ["recall", "specificity"])
def test_one_answer_to_all_but_one_reads_nothing(metric):
    """A constant is seen by its one answer; one that differs once is a constant all the same."""
    gate = QualityFloor(metric=metric, min_value=0.8)
    yes = metric == "recall"
    lazy = gate.run(lambda item: yes != (item["n"] == 1), INPUTS, truth)
    assert lazy.outcome == INCONCLUSIVE
    assert "whoever reads nothing reaches as much" in lazy.verdict.reason
    assert gate.run(truth, INPUTS, truth).outcome == PASS
    alike = gate.run(lambda item: yes != (item["n"] == 1), INPUTS, lambda _: yes)
    assert "no input has the other label" in alike.verdict.reason
    assert alike.outcome == INCONCLUSIVE


def test_the_others_must_get_the_answer_surely_less_often():
    """Recall 1; yes to 60 % of the others is known to be less than that, to 97 % of them is not."""
    gate = QualityFloor(metric="recall", min_value=0.5, beta=0.01)
    for share, outcome in ((60, PASS), (97, INCONCLUSIVE)):
        found = gate.run(
            lambda item, share=share: item["n"] % 2 == 0 or item["n"] // 2 % 100 < share,
            [{"n": n} for n in range(400)],
            lambda item: item["n"] % 2 == 0,
        )
        others = found.measurement.read(Seen).whole.others
        assert (others.n, others.mean) == (200, share / 100)
        assert found.outcome == outcome


def test_scores_that_tell_no_input_from_another_are_calibrated_and_no_use():
    gate = QualityFloor(metric="calibration_error", max_value=0.1)
    many = [{"n": n} for n in range(3000)]
    flat = gate.run(
        lambda item: 0.1 + 0.001 * (item["n"] == 3), many, lambda item: item["n"] % 10 == 0
    )
    assert flat.outcome == INCONCLUSIVE
    assert "tell no input from another" in flat.verdict.reason


def test_a_baseline_that_is_the_subject_compares_nothing():
    gate = QualityFloor(metric="accuracy", max_drop=0.1)
    found = gate.run(truth, INPUTS, truth, baseline=truth)
    assert found.outcome == INCONCLUSIVE
    assert "nothing is compared" in found.verdict.reason


def test_one_answer_to_all_is_told_where_a_score_of_your_own_takes_it():
    gate = QualityFloor(metric="score", min_value=0.6)
    found = gate.run(
        lambda _: "arrived", INPUTS, truth, score=lambda answer, _: answer == "arrived"
    )
    assert found.outcome == PASS
    assert "the same answer to every input" in found.verdict.reason


def test_labels_that_are_names():
    gate = QualityFloor(metric="recall", min_value=0.5, positive="fraud")
    names = ["fraud" if truth(item) else "fine" for item in INPUTS]
    assert gate.run(lambda item: names[item["n"]], INPUTS, names).outcome == PASS
    without = QualityFloor(metric="recall", min_value=0.5)
    reason = without.run(lambda item: names[item["n"]], INPUTS, names).verdict.reason
    assert "set `positive`" in reason
    assert "fraud" not in reason


def test_scores_of_your_own_and_awaited_answers():
    gate = QualityFloor(metric="score", min_value=0.6)

    async def reply(item):
        await asyncio.sleep(0)
        return item["n"]

    def close(answer, label):
        return max(0.0, 1 - abs(answer - label) / 10)

    near = gate.run(reply, INPUTS, [item["n"] + 2 for item in INPUTS], score=close)
    assert near.outcome == PASS, near.verdict
    assert near.measurement.value == pytest.approx(0.8)
    far = gate.run(reply, INPUTS, [item["n"] + 8 for item in INPUTS], score=close)
    assert far.outcome == FAIL
    wrong = gate.run(reply, INPUTS, INPUTS, score=lambda *_: 2.0)
    assert wrong.outcome == ERROR
    assert gate.run(reply, INPUTS, INPUTS).outcome == ERROR  # no function given


def test_arrays_and_scalars_are_equal_to_numbers():
    answers = np.array([truth(item) for item in INPUTS])
    evidence = GATE.run(lambda item: answers[item["n"]], INPUTS, answers)
    assert evidence.outcome == PASS


def test_repeats_count_once_unless_they_are_to():
    inputs = [item for item in INPUTS[:100] for _ in range(20)]
    once = GATE.run(truth, inputs, truth)
    assert once.measurement.n == 100
    assert "1,900 inputs repeat an earlier one" in "".join(once.findings)
    count = QualityFloor(metric="accuracy", min_value=0.9, repeats="count")
    assert count.run(truth, inputs, truth).measurement.n == 2000


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"metric": "accuracy"}, "sets no limit"),
        ({"metric": "calibration_error", "min_value": 0.5}, "give max_value"),
        ({"metric": "auroc", "max_value": 0.5}, "give min_value"),
        ({"metric": "auroc", "max_drop": 0.1}, "does not allow"),
        ({"metric": "happiness", "min_value": 0.1}, "expected one of accuracy"),
        ({"metric": "accuracy", "min_value": 1.5}, "at most 1"),
    ],
)
def test_policies_that_do_not_fit(fields, words):
    with pytest.raises(FieldError, match=words):
        QualityFloor(**fields)


def test_a_doctored_record_is_an_error():
    seen = GATE.run(good, INPUTS, truth).measurement
    for change in (
        {"metric": "recall"},
        {"whole": {**seen.details["whole"], "values": {"counts": [[1001, 5]], "rounded": False}}},
        {"whole": {**seen.details["whole"], "values": None}},
    ):
        forged = type(seen)(
            value=seen.value, unit=seen.unit, n=seen.n, details={**seen.details, **change}
        )
        assert GATE.decide(forged).outcome == ERROR


def test_labels_are_cut_where_the_inputs_are():
    gate = QualityFloor(metric="accuracy", min_value=0.5, max_inputs=50)
    labels = [truth(one) for one in INPUTS]
    assert gate.run(good, INPUTS, labels).measurement.n == 50
    assert gate.run(good, INPUTS[:50], labels).outcome == ERROR
    assert gate.run(good, INPUTS, labels[:49]).outcome == ERROR
