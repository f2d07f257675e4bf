"""Has the input moved past its limit: not whether it differs, and not what a few rows look like."""

from __future__ import annotations

import csv
import dataclasses
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from pytest_mlgates.core import Outcome
from pytest_mlgates.core.fields import FieldError
from pytest_mlgates.gates.drift import Drift

N, M = 12_000, 5000


def normal(n, seed, mean=0.0, sd=1.0):
    return [{"x": float(x)} for x in np.random.default_rng(seed).normal(mean, sd, n)]


REFERENCE = normal(N, 0)
GATE = Drift(max_distance=0.25)


def outcome(gate, reference, current, **given):
    return gate.run(reference, current, **given).outcome


def test_a_limit_is_needed():
    for policy, words in (
        ({}, "sets no limit"),
        ({"max_age": 1, "stream": True}, "needs max_distance"),
        ({"max_distance": 1, "features": ("a", "a")}, "twice"),
    ):
        with pytest.raises(FieldError, match=words):
            Drift(**policy)


@pytest.mark.parametrize(
    ("mean", "sd", "wanted"),
    [
        (0.0, 1.0, Outcome.PASS),
        (0.05, 1.0, Outcome.PASS),  # it differs, and by less than the limit
        (0.25, 1.0, Outcome.INCONCLUSIVE),
        (0.5, 1.0, Outcome.FAIL),
        (-0.5, 1.0, Outcome.FAIL),
        (0.0, 1.7, Outcome.FAIL),  # the same mean, wider
        (0.0, 0.3, Outcome.FAIL),  # the same mean, narrower
    ],
)
def test_a_number(mean, sd, wanted):
    evidence = GATE.run(REFERENCE, normal(M, 1, mean, sd))
    assert evidence.outcome == wanted, evidence.verdict.reason
    if sd == 1.0:
        assert evidence.measurement.value == pytest.approx(abs(mean), abs=0.05)


def test_half_of_it_moved_up_and_half_down():
    rng = np.random.default_rng(2)
    two = [{"x": float(x)} for x in rng.normal(0, 0.2, M) + rng.choice([-1, 1], M) * 0.98]
    assert outcome(Drift(max_distance=0.1), REFERENCE, two) == Outcome.FAIL


def test_at_the_limit_neither_is_said():
    """Over many draws at exactly the limit, a PASS or a FAIL would be wrong."""
    gate = Drift(max_distance=0.3, alpha=1e-3, beta=1e-2)
    reference = normal(3000, 5)
    said = {outcome(gate, reference, normal(1500, 100 + n, 0.3)) for n in range(12)}
    assert said == {Outcome.INCONCLUSIVE}


def test_a_tail_that_was_not_seen_has_no_weight_without_end():
    """One value in a thousand is a million: that is not a drift of a thousand spreads."""
    current = normal(M, 3)
    current[::1000] = [{"x": 1e6}] * len(current[::1000])
    evidence = GATE.run(REFERENCE, current)
    assert evidence.measurement.value < 0.05
    assert evidence.outcome == Outcome.PASS


def categories(n, weights, seed):
    rng = np.random.default_rng(seed)
    return [{"kind": str(k)} for k in rng.choice(list("abcd"), n, p=weights)]


@pytest.mark.parametrize(
    ("weights", "wanted"),
    [
        ([0.5, 0.3, 0.2, 0.0], Outcome.PASS),
        ([0.1, 0.7, 0.2, 0.0], Outcome.FAIL),
        ([0.1, 0.2, 0.2, 0.5], Outcome.FAIL),  # a category that there was not
    ],
)
def test_a_category(weights, wanted):
    reference = categories(N, [0.5, 0.3, 0.2, 0.0], 1)
    evidence = GATE.run(reference, categories(M, weights, 2))
    assert evidence.outcome == wanted, evidence.verdict.reason
    if wanted == Outcome.FAIL:
        assert evidence.verdict.broken[0].slice == "kind"


def test_values_that_went_missing():
    current = [row if n % 2 else {"x": None} for n, row in enumerate(normal(M, 4))]
    evidence = GATE.run(REFERENCE, current)
    assert evidence.outcome == Outcome.FAIL
    assert "x (missing) moved by 0.5 of the rows" in evidence.verdict.reason


def test_numbers_that_became_words_moved():
    assert outcome(GATE, REFERENCE, [{"x": "n/a?"}] * M) == Outcome.FAIL
    some = [row if n % 3 else {"x": "error"} for n, row in enumerate(normal(M, 4))]
    evidence = GATE.run(REFERENCE, some)
    assert [one.slice for one in evidence.verdict.broken] == ["x (not a number)"]


def test_cells_of_a_file_are_the_numbers_they_say(tmp_path):
    path = tmp_path / "current.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, ["x"])
        writer.writeheader()
        writer.writerows(normal(M, 6))
    assert outcome(GATE, REFERENCE, path) == Outcome.PASS
    whole = [{"k": n % 3} for n in range(N)]
    texts = [{"k": f"{n % 3}"} for n in range(M)]
    assert outcome(GATE, whole, texts) == Outcome.PASS


def test_a_name_of_digits_is_no_number():
    """Python itself takes 1979_0001 for one."""
    named = [{"x": row["x"], "ssn": f"1979_{n:05}"} for n, row in enumerate(REFERENCE)]
    evidence = GATE.run(named, named[:M])
    assert "'ssn' can't be compared" in evidence.verdict.reason


def pairs(n, seed, correlation):
    rng = np.random.default_rng(seed)
    found = rng.multivariate_normal([0, 0], [[1, correlation], [correlation, 1]], n)
    return [{"x": float(x), "y": float(y)} for x, y in found]


def test_what_no_single_feature_shows():
    """Each margin stays; x and y go together no more."""
    reference, current = pairs(N, 1, 0.9), pairs(M, 2, -0.9)
    assert outcome(GATE, reference, current) == Outcome.PASS
    shaped = Drift(max_distance=0.25, max_shape=0.2)
    evidence = shaped.run(reference, current)
    assert evidence.outcome == Outcome.FAIL
    assert evidence.verdict.broken[0].limit == "max_shape"
    assert outcome(shaped, reference, pairs(M, 3, 0.9)) == Outcome.PASS


def test_psi_by_its_law():
    gate = Drift(max_psi=0.2)
    assert outcome(gate, REFERENCE, normal(M, 7)) == Outcome.PASS
    assert outcome(gate, REFERENCE, normal(M, 8, 1.0)) == Outcome.FAIL
    # the rule of thumb calls this a shift: at 60 rows a side chance alone is above 0.2
    few = gate.run(REFERENCE[:60], normal(60, 9))
    assert few.measurement.value > 0.1
    assert few.outcome == Outcome.INCONCLUSIVE


def test_a_change_in_the_midst_of_a_stream():
    """The last twentieth moved by a spread and a half: over all that is less than the limit."""
    late = normal(9500, 10) + normal(500, 11, 1.5)
    assert outcome(Drift(max_distance=0.25), REFERENCE, late) == Outcome.PASS
    evidence = Drift(max_distance=0.25, stream=True).run(REFERENCE, late)
    assert evidence.outcome == Outcome.FAIL
    row = int(evidence.verdict.reason.split("row ")[1].split()[0].replace(",", ""))
    assert 9300 < row < 9700
    calm = Drift(max_distance=0.4, stream=True).run(REFERENCE, normal(9000, 12))
    assert calm.outcome == Outcome.PASS, calm.verdict.reason
    assert "of 4 comparisons" in calm.verdict.reason


def test_bets_are_against_the_limit_of_the_policy():
    gate = Drift(max_distance=0.4, stream=True)
    measurement = gate.run(REFERENCE, normal(4000, 12)).measurement
    assert dataclasses.replace(gate, max_distance=0.3).decide(measurement).outcome == Outcome.ERROR
    assert Drift(max_distance=0.4).decide(measurement).outcome == Outcome.ERROR


@pytest.mark.parametrize("form", ["instant", "text", "seconds", "plain datetime"])
def test_the_age_of_the_model(form):
    for days, wanted in ((3, Outcome.PASS), (30, Outcome.FAIL)):
        then = datetime.now(UTC) - timedelta(days=days)
        given = {
            "instant": then,
            "text": then.isoformat(),
            "seconds": then.timestamp(),
            "plain datetime": then.replace(tzinfo=None),
        }[form]
        evidence = Drift(max_age=7).run(trained_at=given)
        assert evidence.outcome == wanted, evidence.verdict.reason
        assert evidence.measurement.value == pytest.approx(days, abs=0.01)
        assert (evidence.limit, evidence.measurement.unit) == ("max_age", "days")


def test_age_beside_distance():
    gate = Drift(max_distance=0.25, max_age=7)
    current = normal(M, 1)
    missing = gate.run(REFERENCE, current)
    assert missing.outcome == Outcome.INCONCLUSIVE
    assert "give trained_at" in missing.verdict.reason
    old = gate.run(REFERENCE, current, trained_at=datetime.now(UTC) - timedelta(days=8))
    assert [one.limit for one in old.verdict.broken] == ["max_age"]
    both = Drift(max_age=7, max_psi=0.2)
    assert outcome(both, REFERENCE, [], trained_at=datetime.now(UTC)) == Outcome.INCONCLUSIVE
    assert outcome(both, REFERENCE, current, trained_at=datetime.now(UTC)) == Outcome.PASS
    young = gate.run(REFERENCE, current, trained_at=datetime.now(UTC))
    assert young.outcome == Outcome.PASS


def test_only_the_features_that_count():
    noisy = [{**row, "id": f"r{n}"} for n, row in enumerate(normal(M, 1))]
    reference = [{**row, "id": f"q{n}"} for n, row in enumerate(REFERENCE)]
    evidence = GATE.run(reference, noisy)
    assert evidence.outcome == Outcome.INCONCLUSIVE
    assert "'id' can't be compared" in evidence.verdict.reason
    assert outcome(Drift(max_distance=0.25, features=("x",)), reference, noisy) == Outcome.PASS


def test_vectors_and_single_values():
    rng = np.random.default_rng(0)
    assert outcome(GATE, rng.normal(0, 1, N), rng.normal(0, 1, M)) == Outcome.PASS
    moved = rng.normal([0, 0, 1], 1, (M, 3))
    evidence = GATE.run(rng.normal(0, 1, (N, 3)), moved)
    assert evidence.outcome == Outcome.FAIL
    assert [one.slice for one in evidence.verdict.broken] == ["2"]


def test_the_same_seed_gives_the_same():
    one, other = (GATE.run(REFERENCE, normal(500, 1)).measurement for _ in range(2))
    assert one == other


def test_rows_that_were_there_before_are_no_new_draws():
    rng = np.random.default_rng(5)
    reference = [{"a": a, "b": b} for a, b in rng.normal(size=(3000, 2)).tolist()]
    gate = Drift(max_distance=0.5)
    for current in (
        reference[:1600],  # a part of the reference
        [{"a": a, "b": b} for a, b in rng.normal(size=(40, 2)).tolist()] * 60,  # copies
    ):
        found = gate.run(reference, current)
        assert found.outcome != Outcome.PASS
        assert found.outcome == Outcome.INCONCLUSIVE or len(current) == 2400
    assert "are no new draws" in gate.run(reference, reference[:1600]).verdict.reason
    fresh = [{"a": a, "b": b} for a, b in rng.normal(size=(3000, 2)).tolist()]
    assert gate.run(reference, fresh).outcome == Outcome.PASS
    # half of them new is enough, and rows of few values are equal by chance
    assert gate.run(reference, fresh[:1500] + reference[:1500]).outcome == Outcome.PASS
    stars = [{"a": int(a)} for a in rng.integers(1, 6, 3000)]
    assert (
        gate.run(stars, [{"a": int(a)} for a in rng.integers(1, 6, 3000)]).outcome == Outcome.PASS
    )
