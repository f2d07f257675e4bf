"""blocked_features: spellings, proxies of many shapes, chance, applicants with several rows."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from pytest_mlgates.core import Measurement, Outcome
from pytest_mlgates.core.fields import FieldError
from pytest_mlgates.gates.blocked_features import BlockedFeatures
from pytest_mlgates.gates.blocked_features.names import is_near, match
from pytest_mlgates.reading.features import feature_columns
from tests.gate_cases.blocked_features import FAIR, GATE, NAMES, SEX, sound

PASS, FAIL, ERROR = Outcome.PASS, Outcome.FAIL, Outcome.ERROR
PROXY = BlockedFeatures(max_proxy_auc=0.65, permutations=20)
N = 1000


@pytest.mark.parametrize(
    ("column", "blocked"),
    [
        ("gender", "gender"), ("GENDER", "gender"), ("applicantGender", "gender"),
        ("applicant_sex", "gender"), ("sex_female", "sex"), ("is_male", "sex"),
        ("basics.pronouns", "gender"), ("Géndér", "gender"), ("genders", "gender"),
        ("ZIPCode", "zip code"), ("zip", "zip_code"), ("postal-code", "zipcode"),
        ("education.institution", "college"), ("UniversityName", "college"),
        ("firstname", "name"), ("given_name_2", "name"), ("surname", "name"),
        ("date_of_birth", "age"), ("DOB", "age"), ("ethnicity", "race"), ("shoe_size", "shoe size"),
        ("volunteering", "hobbies"), ("interests", "hobbies"),
    ],
)  # fmt: skip
def test_spellings_are_found(column, blocked):
    assert match(column, blocked)


@pytest.mark.parametrize(
    ("column", "blocked"),
    [
        ("sextant", "sex"), ("agent", "age"), ("average", "age"), ("trace", "race"),
        ("filename_hash", "gender"), ("skills", "gender"), ("zipper", "zip"), ("", "sex"),
        ("17", "sex"), ("racecar", "race"), ("stage", "age"),
    ],
)  # fmt: skip
def test_other_words_are_not(column, blocked):
    assert not match(column, blocked)
    assert not is_near(column, blocked)


def test_a_blocked_name_fails_and_an_allowed_one_does_not():
    rows = [row | {"companyName": "x"} for row in FAIR]
    gate = BlockedFeatures(blocked=("name",))
    evidence = gate.run(rows)
    assert evidence.outcome == FAIL
    assert "'companyName' (name)" in evidence.verdict.reason
    assert dataclasses.replace(gate, allowed=("companyName",)).run(rows).outcome == PASS
    assert NAMES.run(FAIR).outcome == PASS
    nested = [{"basics": {"gender": "f"}, "skills": [{"name": "SQL"}]}] * 3
    assert "'basics.gender'" in NAMES.run(nested).verdict.reason


def proxies():
    rng = np.random.default_rng(2)
    sex = rng.integers(0, 2, N)
    coin = rng.integers(0, 2, N)
    noise = rng.normal(size=N)
    told = {
        "a number": [{"x": float(v + 2 * s)} for v, s in zip(noise, sex, strict=True)],
        "a number turned round": [{"x": float(v - 2 * s)} for v, s in zip(noise, sex, strict=True)],
        "the middle": [
            {"x": float(v if s else np.sign(v) * (abs(v) + 1))}
            for v, s in zip(noise, sex, strict=True)
        ],
        "two coins together": [
            {"a": int(c), "b": int(c ^ s), "c": float(v)}
            for c, s, v in zip(coin, sex, noise, strict=True)
        ],
        "a category": [
            {"college": "WA"[s] if c else "CX"[c]} for s, c in zip(sex, coin, strict=True)
        ],
        "postal codes": [
            {"area": f"{'09'[s]}{abs(int(v * 1e4)):04d}"[:5]}
            for s, v in zip(sex, noise, strict=True)
        ],
        "identifiers": [{"id": int(10_000 + n + 5000 * s)} for n, s in enumerate(sex)],
        "dates": [{"since": f"{1980 + 15 * s + n % 10}-03-01"} for n, s in enumerate(sex)],
        "what is missing": [
            {"x": None if s else float(v)} for v, s in zip(noise, sex, strict=True)
        ],
        "a key that is not there": [{"k": 1, **({"x": 1} if s else {})} for s in sex],
        "a text": [
            f"Plays {'netball' if s and c else 'chess'} on day {n % 31}"
            for n, (s, c) in enumerate(zip(sex, coin, strict=True))
        ],
        "a list of words": [{"clubs": ["a", "netball"] if s else ["a"]} for s in sex],
        "vectors": (rng.normal(size=(N, 20)) + 0.5 * sex[:, None]).tolist(),
        "an array": rng.normal(size=(N, 20)) + 0.5 * sex[:, None],
    }
    return sex.tolist(), told


SEXES, TOLD = proxies()


@pytest.mark.parametrize("shape", TOLD)
def test_a_proxy_is_found(shape):
    evidence = PROXY.run(TOLD[shape], SEXES)
    assert evidence.outcome == FAIL, evidence.verdict.reason
    shuffled = np.random.default_rng(0).permutation(SEXES).tolist()
    evidence = PROXY.run(TOLD[shape], shuffled)
    assert evidence.outcome != FAIL, evidence.verdict.reason


def test_groups_are_told_one_by_one_and_small_ones_together():
    rng = np.random.default_rng(4)
    race = rng.choice(["w", "b", "h", "x", "y"], 3000, p=[0.5, 0.3, 0.19, 0.005, 0.005]).tolist()
    rows = [{"x": float(rng.normal() + 3 * (r == "h"))} for r in race]
    evidence = PROXY.run(rows, {"race": race})
    assert evidence.outcome == FAIL
    assert evidence.verdict.reason.startswith("race=h")
    groups = [proxy["group"] for proxy in evidence.measurement.details["proxies"]]
    assert set(groups) == {"w", "b", "h", "(all smaller groups)"}


def test_too_few_of_a_group_are_named():
    sex = ["x"] * 5 + SEXES[:-5]
    evidence = PROXY.run([{"x": n * 7919 % 100} for n in range(N)], sex)
    assert evidence.outcome == PASS
    assert "too few to judge: group=x" in evidence.verdict.reason


def test_ages_are_cut_at_their_median():
    ages = [20 + n % 45 for n in range(N)]
    evidence = PROXY.run([{"years": max(0, age - 22)} for age in ages], {"age": ages})
    assert evidence.outcome == FAIL
    assert "age=" in evidence.verdict.reason


def test_rows_of_one_applicant_stay_together():
    """The same person on both sides of a fold is known by heart, and tells nothing of others."""
    rng = np.random.default_rng(6)
    sex = rng.integers(0, 2, 300).tolist() * 10
    rows = [{"x": float(v)} for v in rng.normal(size=300)] * 10
    apart = PROXY.run(rows, sex)
    assert apart.measurement.value > 0.6
    assert any("give unit_of" in line for line in apart.findings)
    together = PROXY.run(rows, sex, unit_of=list(range(300)) * 10)
    assert together.measurement.n == 300
    assert together.outcome != FAIL
    assert together.measurement.value < apart.measurement.value - 0.05


def test_no_false_alarm_and_the_same_twice():
    gate = dataclasses.replace(PROXY, alpha=0.05)
    rng = np.random.default_rng(9)
    for _ in range(8):
        rows = [
            {"a": float(v), "b": int(w)}
            for v, w in zip(rng.normal(size=400), rng.integers(0, 5, 400), strict=True)
        ]
        assert gate.run(rows, rng.integers(0, 2, 400).tolist()).outcome != FAIL
    assert gate.run(FAIR, SEX).measurement == gate.run(FAIR, SEX).measurement


def test_columns_of_nested_records():
    rows = [{"a": {"b": 1}, "c": [{"d": "x"}, {"d": "y"}], "e": [0.5, 0.25], "f": ["p", "q"]}]
    assert feature_columns(rows)[0] == {
        "a.b": [1], "c.d": ["x ; y"], "e.0": [0.5], "e.1": [0.25], "f": ["p ; q"],
    }  # fmt: skip


def test_policies_that_look_for_nothing_are_refused():
    with pytest.raises(FieldError, match="sets no limit"):
        BlockedFeatures()
    with pytest.raises(FieldError, match="holds no word"):
        BlockedFeatures(blocked=("17",))


def test_forged_evidence_does_not_pass():
    seen = sound().measurement
    details = json.loads(json.dumps(seen.details))

    def forged(value=seen.value, n=seen.n):
        return GATE.decide(Measurement(value=value, unit="AUC", n=n, details=details)).outcome

    assert forged() == PASS
    assert forged(value=0.5) == forged(n=10) == ERROR
    details["blocked"] = ["name"]
    assert forged() == ERROR
