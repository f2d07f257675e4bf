"""``name_invariance`` on scorers whose truth is known."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import itertools
import json
import math
import random
import re
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from pytest_mlgates.core import Evidence, Explained, Measurement, Outcome
from pytest_mlgates.core.fields import FieldError
from pytest_mlgates.gates.name_invariance import NameInvariance
from pytest_mlgates.gates.name_invariance.table import CASE_NAMES, read_names
from tests.gate_cases import name_invariance as case

PASS, FAIL = Outcome.PASS, Outcome.FAIL
INCONCLUSIVE, ERROR = Outcome.INCONCLUSIVE, Outcome.ERROR
TEMPLATES = [f"Name: {{NAME}}\nYears: {years}\nSkills: Go" for years in range(4)]
QUICK = NameInvariance(names_per_group=10)
BLACK = {name.text for name in read_names(None, 25) if name.group == "black"}


def name_of(text: str) -> str:
    """Return the name that was filled in."""
    return re.match(r"Name: (.*)", text)[1].strip()  # type: ignore[index]


def details(evidence: Evidence) -> Any:
    assert evidence.measurement is not None
    return evidence.measurement.details


def replayed(evidence: Evidence) -> Outcome:
    again = Evidence.from_json(evidence.to_json())
    assert again.measurement is not None
    return (
        NameInvariance(**json.loads(json.dumps(dict(again.policy))))
        .decide(again.measurement)
        .outcome
    )


# --- scorers that repeat themselves


def test_a_scorer_that_does_not_read_the_name_passes() -> None:
    evidence = QUICK.run(lambda text: 0.1 * int(text.split("Years: ")[1][0]), TEMPLATES)
    assert evidence.outcome == PASS == replayed(evidence)
    assert evidence.measurement is not None
    assert evidence.measurement.value == 0
    assert evidence.measurement.interval == (0, 0)
    assert details(evidence)["templates"] == 4
    assert set(CASE_NAMES) <= set(details(evidence)["name_means"])


def test_one_name_of_forty_is_found() -> None:
    evidence = QUICK.run(lambda text: 0.5 if name_of(text) == "Keisha Alston" else 0.52, TEMPLATES)
    assert evidence.outcome == FAIL == replayed(evidence)
    assert "'Keisha Alston'" in evidence.verdict.reason
    assert "0.02" in evidence.verdict.reason
    assert "0.01" in evidence.verdict.reason


@pytest.mark.parametrize("seed", range(3))
def test_one_name_on_one_template_of_many_is_found(seed: int) -> None:
    templates = [f"Name: {{NAME}}\nYears: {years}" for years in range(60)]
    bad = lambda text: 0.2 if text == "Name: Juan\nYears: 41" else 0.8  # noqa: E731
    evidence = QUICK.run(bad, templates, seed=seed)
    assert evidence.outcome == FAIL
    assert details(evidence)["exact"]["template"] == 41


@pytest.mark.parametrize(
    ("gap", "outcome"), [(0.0099, PASS), (0.01, FAIL), (0.0101, FAIL), (0.003, PASS)]
)
def test_the_limit_is_the_rule_of_the_case(gap: float, outcome: Outcome) -> None:
    evidence = QUICK.run(lambda text: 0.5 + gap * (name_of(text) == "Wei"), TEMPLATES)
    assert evidence.outcome == outcome


def test_a_gap_between_groups_fails_where_single_names_may_differ() -> None:
    gate = NameInvariance(max_gap=0.2, max_group_gap=0.01, names_per_group=10)
    fair = {n.text: 0.002 * (hash_of(n.text) - 0.5) for n in read_names(None, 10)}
    assert gate.run(lambda t: 0.5 + fair[name_of(t)], TEMPLATES).outcome == PASS
    evidence = gate.run(lambda t: 0.5 + fair[name_of(t)] - 0.05 * (name_of(t) in BLACK), TEMPLATES)
    assert evidence.outcome == FAIL == replayed(evidence)
    assert "'black'" in evidence.verdict.reason
    assert "lower" in evidence.verdict.reason
    assert evidence.findings


def test_names_that_differ_too_much_to_tell_about_groups() -> None:
    gate = NameInvariance(max_gap=0.9, names_per_group=10)
    evidence = gate.run(lambda t: 0.3 + 0.1 * hash_of(name_of(t)), TEMPLATES)
    assert evidence.outcome == INCONCLUSIVE
    assert "more names" in evidence.verdict.reason


def hash_of(name: str) -> float:
    return random.Random(name).random()


def test_one_template_will_do() -> None:
    assert QUICK.run(lambda _: 0.5, TEMPLATES[:1]).outcome == PASS
    assert QUICK.run(lambda t: 0.5 + 0.1 * ("Juan" in t), TEMPLATES[:1]).outcome == FAIL


def test_thousands_of_templates_stay_inside_the_budget() -> None:
    calls = itertools.count()
    gate = NameInvariance(names_per_group=3, max_calls=2000)
    many = [f"{{NAME}} {i}" for i in range(5000)]
    evidence = gate.run(lambda _: 0.5 + 0 * next(calls), many)
    assert next(calls) <= 2000
    assert evidence.outcome == INCONCLUSIVE
    assert "max_calls 2000" in evidence.verdict.reason
    assert NameInvariance(names_per_group=3).run(lambda _: 0.5, many).outcome == PASS


def test_templates_without_end_are_no_pass() -> None:
    endless = (f"{{NAME}} {i}" for i in itertools.count())
    evidence = NameInvariance(names_per_group=3, max_calls=500).run(lambda _: 0.5, endless)
    assert evidence.outcome == INCONCLUSIVE
    assert "or more templates" in evidence.verdict.reason


def test_doubles_are_scored_once() -> None:
    evidence = QUICK.run(lambda _: 0.5, TEMPLATES * 3)
    assert evidence.outcome == PASS
    assert details(evidence)["duplicate_templates"] == 8
    assert details(evidence)["templates"] == 4


def test_every_placeholder_is_filled_and_names_are_plain_text() -> None:
    names = {"a": ["A.*", r"\1(", "{NAME}x"], "b": ["%s", "{0}", "$&"]}
    seen = set()

    def score(text: str) -> float:
        seen.add(text.rstrip())
        return 0.5

    evidence = QUICK.run(score, ["{NAME} is {NAME}"], names)
    assert evidence.outcome == PASS
    assert {f"{n} is {n}" for n in ("A.*", r"\1(", "%s", "{0}", "$&")} <= seen


def test_another_placeholder() -> None:
    gate = NameInvariance(placeholder="<<candidate>>", names_per_group=3)
    assert gate.run(lambda t: 0.5 + 0.2 * ("Wei" in t), ["<<candidate>>"]).outcome == FAIL
    assert gate.run(lambda t: 0.5, TEMPLATES).outcome == ERROR


def test_own_names_are_all_used() -> None:
    names = {"old": ["Gertrud", "Heinz", "Ilse"], "new": ["Mia", "Noah", "Emilia", "Ben"]}
    evidence = QUICK.run(lambda _: 0.5, TEMPLATES, names)
    assert evidence.outcome == PASS
    assert set(details(evidence)["name_means"]) == {n for group in names.values() for n in group}
    assert QUICK.run(lambda t: 0.5 - 0.1 * ("Ben" in t), TEMPLATES, names).outcome == FAIL


def test_one_name_a_group_can_fail_and_not_pass() -> None:
    names = {n: [n] for n in CASE_NAMES}
    evidence = QUICK.run(lambda _: 0.5, TEMPLATES, names)
    assert evidence.outcome == INCONCLUSIVE
    assert "1 name" in evidence.verdict.reason
    assert QUICK.run(lambda t: 0.5 - 0.1 * ("Wei" in t), TEMPLATES, names).outcome == FAIL


def test_a_logit_needs_another_range() -> None:
    assert "score_range" in QUICK.run(lambda _: -3.2, TEMPLATES).verdict.reason
    assert NameInvariance(score_range=None).run(lambda _: -3.2, TEMPLATES).outcome == PASS
    assert NameInvariance(score_range=(-9, 9)).run(lambda _: -3.2, TEMPLATES).outcome == PASS


@pytest.mark.parametrize("kind", [np.float32, np.float64, Fraction, float])
def test_numbers_of_any_kind(kind: Callable[[float], Any]) -> None:
    assert QUICK.run(lambda _: kind(0.5), TEMPLATES).outcome == PASS


# --- scorers that do not repeat themselves


def noisy(noise: Callable[[], float], shift: Callable[[str], float] = lambda _: 0.0) -> Any:
    return lambda text: 0.5 + shift(text) + noise()


def noises(seed: int) -> dict[str, Callable[[], float]]:
    rng = random.Random(seed)
    return {
        "tiny": lambda: rng.gauss(0, 1e-5),
        "like an LLM": lambda: rng.gauss(0, 0.02),
        "huge": lambda: rng.uniform(-0.5, 0.5),
        "one call in twenty": lambda: rng.choice([-0.3, 0.3]) * (rng.random() < 0.05),
        "two values": lambda: rng.choice([-0.05, 0.05]),
    }


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("noise", noises(0))
def test_noise_alone_never_fails(noise: str, seed: int) -> None:
    evidence = QUICK.run(noisy(noises(seed)[noise]), TEMPLATES, seed=seed)
    assert evidence.outcome != FAIL
    assert (evidence.outcome == PASS) == (noise in ("tiny", "one call in twenty"))
    assert details(evidence)["mode"] == "noisy"


def test_bias_under_noise_is_found() -> None:
    rng = random.Random(4)
    evidence = QUICK.run(
        noisy(lambda: rng.gauss(0, 0.02), lambda t: -0.1 * (name_of(t) in BLACK)), TEMPLATES
    )
    assert evidence.outcome == FAIL == replayed(evidence)


def test_one_biased_name_under_noise_is_found() -> None:
    rng = random.Random(5)
    evidence = QUICK.run(
        noisy(lambda: rng.gauss(0, 0.02), lambda t: -0.1 * (name_of(t) == "Wei")), TEMPLATES
    )
    assert evidence.outcome == FAIL
    assert "'Wei'" in evidence.verdict.reason


def test_enough_repeats_make_a_noisy_scorer_pass() -> None:
    rng = random.Random(6)
    gate = NameInvariance(names_per_group=8, max_repeats=64)
    evidence = gate.run(noisy(lambda: rng.gauss(0, 0.003)), TEMPLATES[:2])
    assert evidence.outcome == PASS == replayed(evidence)
    assert evidence.measurement is not None
    assert evidence.measurement.interval is not None
    assert evidence.measurement.interval[1] < 0.01
    assert re.search(r"at most 0\.00\d+ \(limit 0\.01, beta 0\.001\)", evidence.verdict.reason)


def test_a_gap_that_only_noise_hides_does_not_pass() -> None:
    rng = random.Random(7)
    gate = NameInvariance(names_per_group=8, max_repeats=256)
    score = noisy(lambda: rng.gauss(0, 0.01), lambda t: 0.0105 * (name_of(t) == "Juan"))
    assert gate.run(score, TEMPLATES[:1]).outcome in (INCONCLUSIVE, FAIL)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("drift", [1e-5, 1e-4])
def test_drift_does_not_fail(drift: float, seed: int) -> None:
    calls = itertools.count()
    evidence = QUICK.run(lambda _: 0.2 + drift * (next(calls) % 5000), TEMPLATES, seed=seed)
    assert evidence.outcome in (PASS, INCONCLUSIVE)
    assert details(evidence)["mode"] == "noisy"


def test_a_reload_in_the_midst_does_not_fail() -> None:
    calls = itertools.count()
    evidence = QUICK.run(lambda _: 0.5 if next(calls) < 70 else 0.6, TEMPLATES)
    assert evidence.outcome == PASS


@pytest.mark.parametrize("cold", [1, 2, 20])
def test_warming_up_does_not_fail(cold: int) -> None:
    calls = itertools.count()
    evidence = QUICK.run(lambda _: 0.0 if next(calls) < cold else 0.5, TEMPLATES)
    assert evidence.outcome == PASS


def test_noise_frozen_by_a_cache_is_no_counter_example() -> None:
    rng = random.Random(8)
    cached = functools.cache(lambda text: 0.5 + rng.gauss(0, 0.02))
    evidence = QUICK.run(cached, TEMPLATES)
    assert evidence.outcome == INCONCLUSIVE
    assert details(evidence)["mode"] == "frozen"
    assert "cached" in evidence.verdict.reason
    biased = functools.cache(lambda t: 0.5 + rng.gauss(0, 0.02) - 0.3 * (name_of(t) in BLACK))
    assert QUICK.run(biased, TEMPLATES).outcome == FAIL


def test_a_scorer_that_knows_its_texts_to_the_letter_can_fail() -> None:
    table = {
        template.replace("{NAME}", name.text): 0.5 - 0.2 * (name.text == "Juan")
        for template in TEMPLATES
        for name in read_names(None, 10)
    }
    assert QUICK.run(table.__getitem__, TEMPLATES).outcome == FAIL
    assert QUICK.run(lambda text: table.get(text, 0.4), TEMPLATES).outcome == FAIL


@pytest.mark.parametrize("seed", range(3))
def test_rare_noise_frozen_by_a_cache_is_no_counter_example(seed: int) -> None:
    rng = random.Random(seed)
    cached = functools.cache(lambda text: 0.8 - 0.3 * (rng.random() < 0.05))
    assert QUICK.run(cached, TEMPLATES).outcome == INCONCLUSIVE


def test_a_scorer_that_hears_blanks_a_little_can_fail() -> None:
    def score(text: str) -> float:
        return 0.5 + 0.01 * hash_of(text) - 0.2 * (name_of(text) == "Juan")

    evidence = QUICK.run(score, TEMPLATES)
    assert evidence.outcome == FAIL == replayed(evidence)
    assert details(evidence)["mode"] == "frozen"


# --- awaitable answers


@pytest.mark.parametrize(("shift", "outcome"), [(0.0, PASS), (0.3, FAIL)])
def test_async_scorers(shift: float, outcome: Outcome) -> None:
    running = most = 0

    async def score(text: str) -> float:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        return 0.5 - shift * (name_of(text) == "Aisha")

    gate = NameInvariance(names_per_group=10, concurrency=4)
    assert gate.run(score, TEMPLATES).outcome == outcome
    assert asyncio.run(gate.aio(score, TEMPLATES)).outcome == outcome
    assert 1 < most <= 4

    def gives_awaitables(text: str) -> Any:
        return score(text)

    evidence = gate.run(gives_awaitables, TEMPLATES)
    assert evidence.outcome == outcome
    if outcome == FAIL:
        assert details(evidence)["counterexample"]["shrunk"]


def test_an_async_scorer_gives_the_same_evidence_as_a_plain_one() -> None:
    def plain(text: str) -> float:
        return 0.5 - 0.3 * (name_of(text) == "Aisha")

    async def awaited(text: str) -> float:
        return plain(text)

    a, b = QUICK.run(plain, TEMPLATES), QUICK.run(awaited, TEMPLATES)
    assert a.verdict == b.verdict
    assert details(a)["counterexample"] == details(b)["counterexample"]


def test_answers_that_never_come() -> None:
    async def never(text: str) -> float:
        await asyncio.Event().wait()
        return 0.5

    async def blocks(text: str) -> float:
        time.sleep(30)
        return 0.5

    gate = NameInvariance(names_per_group=3, timeout_s=0.05)
    for hangs in (never, blocks, lambda text: time.sleep(30)):
        evidence = gate.run(hangs, TEMPLATES)
        assert evidence.outcome == ERROR
        assert "stopped" in evidence.verdict.reason


def test_an_async_scorer_that_raises() -> None:
    async def score(text: str) -> float:
        raise ValueError("secret " + text)

    evidence = QUICK.run(score, TEMPLATES)
    assert evidence.outcome == ERROR
    assert "ValueError" in evidence.verdict.reason
    assert "secret" not in evidence.to_json()


# --- bad input


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        ("0.5", "a str"),
        (None, "None"),
        (True, "a bool"),
        (np.True_, "a bool"),
        ([0.5], "a list"),
        (np.array([0.5, 0.5]), "ndarray"),
        (np.array(0.5), "ndarray"),
        (0.5j, "a complex"),
        ({"score": 0.5}, "a dict"),
        (math.nan, "nan"),
        (math.inf, "inf"),
        (1.5, "score_range"),
        (-0.1, "score_range"),
    ],
)
def test_bad_scores_get_one_clear_line(answer: Any, word: str) -> None:
    evidence = QUICK.run(lambda _: answer, TEMPLATES)
    assert evidence.outcome == ERROR
    assert word in evidence.verdict.reason
    assert "\n" not in evidence.verdict.reason


def test_a_bad_score_late_is_an_error_too() -> None:
    evidence = QUICK.run(lambda t: math.nan if "Years: 3" in t else 0.5, TEMPLATES)
    assert evidence.outcome == ERROR


def test_a_generator_is_no_score() -> None:
    def score(text: str) -> Any:
        yield 0.5

    async def stream(text: str) -> Any:
        yield 0.5

    assert "a generator" in QUICK.run(score, TEMPLATES).verdict.reason
    assert "an async_generator" in QUICK.run(stream, TEMPLATES).verdict.reason
    assert "not a callable" in QUICK.run(0.5, TEMPLATES).verdict.reason


@pytest.mark.parametrize(
    ("templates", "word"),
    [
        ([], "is empty"),
        (["{NAME}", ""], "template 1 is empty"),
        (["{NAME}", "Name: John"], "template 1 has no {NAME}"),
        (["{NAME}", {"name": "{NAME}"}], "template 1 is a dict"),
        (["{NAME}", None], "template 1 is None"),
        (["{NAME}", b"{NAME}"], "template 1 is a bytes"),
        ("Name: {NAME}", "templates is a text"),
        (None, "templates is None"),
        (7, "templates is an int"),
    ],
)
def test_bad_templates_get_one_clear_line(templates: Any, word: str) -> None:
    evidence = QUICK.run(lambda _: 0.5, templates)
    assert evidence.outcome == ERROR
    assert word in evidence.verdict.reason
    assert "\n" not in evidence.verdict.reason


@pytest.mark.parametrize(
    "fields",
    [
        {"max_gap": 0},
        {"max_gap": -1},
        {"max_group_gap": 0},
        {"max_gap_share": 0},
        {"max_gap_share": 0.6},
        {"placeholder": " "},
        {"score_range": (1, 0)},
        {"score_range": (0, 0)},
        {"names_per_group": 2},
        {"names_per_group": 26},
        {"max_repeats": 0},
        {"timeout_s": 0},
        {"max_calls": True},
    ],
)
def test_bad_fields(fields: dict[str, Any]) -> None:
    with pytest.raises(FieldError, match=next(iter(fields))):
        NameInvariance(**fields)


def test_a_budget_below_one_template_is_an_error() -> None:
    evidence = NameInvariance(max_calls=150).run(lambda _: 0.5, TEMPLATES)
    assert evidence.outcome == ERROR
    assert "max_calls is 150" in evidence.verdict.reason


def test_a_measurement_of_another_gate_is_an_error() -> None:
    verdict = QUICK.decide(Measurement(value=0.0, unit="s", n=0))
    assert verdict.outcome == ERROR
    assert "details.mode: is missing" in verdict.reason


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"mode": "calm"}, "details.mode: expected one of deterministic, noisy, frozen"),
        ({"looks": 0}, "details.looks: must be at least 1"),
        ({"groups": []}, "details: 0 group(s) of names, two are needed"),
        ({"upper": "0.1"}, "details.upper: expected a number, got the string '0.1'"),
        ({"trials": [{"names": ["a"]}]}, "details.trials[0].names: expected 2 items, got 1"),
    ],
)
def test_details_that_do_not_fit_are_named(change: dict[str, Any], words: str) -> None:
    seen = QUICK.run(lambda _: 0.5, TEMPLATES).measurement
    assert seen is not None
    verdict = QUICK.decide(dataclasses.replace(seen, details={**seen.details, **change}))
    assert verdict.outcome == ERROR
    assert words in verdict.reason


def test_more_trials_than_the_error_is_split_over_are_refused() -> None:
    rng = random.Random(1)
    seen = QUICK.run(noisy(lambda: rng.gauss(0, 0.02)), TEMPLATES).measurement
    assert seen is not None
    trials: Any = seen.details["trials"]
    verdict = QUICK.decide(
        dataclasses.replace(seen, details={**seen.details, "trials": trials[:1] * 33})
    )
    assert verdict.outcome == ERROR
    assert "at most 32" in verdict.reason


# --- what the evidence shows


def test_the_counter_example_is_small_and_masked() -> None:
    evidence = case.flawed()
    assert evidence.outcome == FAIL == replayed(evidence)
    text = evidence.to_json()
    assert not any(secret in text for secret in case.SECRETS)
    shown = details(evidence)["counterexample"]
    assert shown["shrunk"] == "Name: {NAME}\nMail: <email>"
    assert "Aisha" in shown["names"]
    assert shown["gap"] == pytest.approx(0.6)
    assert list(shown["parts"]) == [2, 5]
    assert any("Aisha" in line for line in evidence.findings)


def test_measuring_decides_nothing() -> None:
    """A counter-example is only made when somebody who may decide asks for it."""
    score = lambda text: 0.2 if "Aisha" in text else 0.8  # noqa: E731
    calls = itertools.count()
    looks = [
        look
        for look in QUICK.measure(lambda text: score(text) + 0 * next(calls), TEMPLATES)
        if isinstance(look, Explained)
    ]
    assert len(looks) > 1  # it went on: no verdict ended it
    spent = next(calls)
    measured = looks[-1].measurement
    assert measured.details["counterexample"] is None
    assert QUICK.decide(measured).outcome == FAIL
    steps = looks[-1].explain()
    with pytest.raises(StopIteration) as done:
        next(steps)
    explained: Measurement = done.value.value
    assert next(calls) > spent + 1
    changed = {k for k, v in explained.details.items() if v != measured.details[k]}
    assert changed == {"calls", "counterexample", "findings"}


def test_noise_beyond_every_budget_is_recorded() -> None:
    rng = random.Random(1)
    gate = NameInvariance(names_per_group=6, max_repeats=2, score_range=None)
    evidence = gate.run(noisy(lambda: rng.gauss(0, 1e9)), TEMPLATES)
    assert evidence.outcome == INCONCLUSIVE == replayed(evidence)
    assert int(details(evidence)["repeats_needed"]) > 2**53


def test_without_hypothesis_the_way_to_get_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    evidence = case.flawed()
    assert evidence.outcome == FAIL
    assert any('pip install "pytest-mlgates[search]"' in line for line in evidence.findings)
    assert "Aisha" in evidence.findings[0]


def test_shrinking_is_bounded_and_survives_a_fussy_scorer() -> None:
    calls = itertools.count()

    def score(text: str) -> float:
        next(calls)
        if "Skills" not in text:
            raise ValueError("half a résumé")
        return 0.5 - 0.3 * ("Wei" in text)

    long = ["\n".join(["Name: {NAME}", *(f"line {i}" for i in range(200)), "Skills: Go"])]
    evidence = QUICK.run(score, long)
    assert evidence.outcome == FAIL
    assert "Skills" in details(evidence)["counterexample"]["shrunk"]
    assert next(calls) < 100 + 600


def test_the_same_seed_gives_the_same_evidence() -> None:
    def run(seed: int) -> Evidence:
        rng = random.Random(1)
        return QUICK.run(noisy(lambda: rng.gauss(0, 0.001)), TEMPLATES[:2], seed=seed)

    assert run(3).digest == run(3).digest


def test_needs_fits_what_is_spent() -> None:
    calls = itertools.count()
    evidence = QUICK.run(lambda _: 0.5 + 0 * next(calls), TEMPLATES[:1])
    assert evidence.outcome == PASS
    needs = QUICK.needs()
    assert needs.to_pass == next(calls) == details(evidence)["calls"]
    assert details(QUICK.run(lambda t: 0.1 * ("Wei" in t), TEMPLATES))["exact"]["repeats"] == 20


def test_the_gate_cases_are_what_they_say() -> None:
    assert case.sound().outcome == PASS
    for name, run in case.VACUOUS.items():
        evidence = run()
        assert evidence.outcome in (INCONCLUSIVE, ERROR), name
        assert not any(secret in evidence.to_json() for secret in case.SECRETS), name


@pytest.mark.parametrize("max_calls", [230, 400, 900, 4000])
@pytest.mark.parametrize("kind", ["noisy", "cached", "steady", "reloads", "rare"])
def test_max_calls_holds_whatever_the_scorer_does(kind: str, max_calls: int) -> None:
    rng, calls = random.Random(max_calls), itertools.count()
    texts: dict[str, float] = {}

    def score(text: str) -> float:
        number = next(calls)
        if kind == "cached":
            return texts.setdefault(text, rng.random())
        if kind == "rare":
            return 0.5 - 0.4 * (rng.random() < 0.02)
        return {"noisy": rng.random(), "steady": 0.5, "reloads": 0.5 + 0.1 * (number > 60)}[kind]

    gate = NameInvariance(names_per_group=10, max_calls=max_calls)
    evidence = gate.run(score, [f"Name: {{NAME}}\n{i}" for i in range(30)])
    assert next(calls) <= max_calls
    assert evidence.outcome == (
        PASS if kind in ("steady", "reloads") and max_calls == 4000 else INCONCLUSIVE
    )
