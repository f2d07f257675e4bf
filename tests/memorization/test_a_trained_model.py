"""From planting to the verdict, on a model that is trained on what was planted."""

from __future__ import annotations

import pytest

from pytest_mlgates.core import Outcome
from pytest_mlgates.gates.canary_memorization import CanaryMemorization
from pytest_mlgates.memorization import make_canaries, plant
from tests.memorization.ngram import NGram, chats

CANARIES = make_canaries(
    27, seed=3, formats=("ssn", "card", "email"), repeats=(1, 4, 16), held_out=6
)
TEXTS = chats(1500, seed=3)
GATE = CanaryMemorization(references=999)


@pytest.fixture(scope="module")
def careful():
    """Train on the chats alone."""
    return NGram(TEXTS)


@pytest.fixture(scope="module")
def careless():
    """Train on all that was planted."""
    return NGram(plant(TEXTS, CANARIES, seed=3))


def test_a_model_that_never_saw_the_canaries_passes(careful):
    evidence = GATE.run(careful.generate, CANARIES, careful)
    assert evidence.outcome == Outcome.PASS, evidence.verdict


def test_a_model_trained_on_them_fails(careless):
    evidence = GATE.run(careless.generate, CANARIES, careless)
    assert evidence.outcome == Outcome.FAIL
    assert "canaries are likelier" in evidence.verdict.reason
    assert "9 canaries with 16 copies each" in evidence.findings[-1]


def test_it_says_them_too(careless):
    evidence = GATE.run(careless.generate, CANARIES)
    assert evidence.outcome == Outcome.FAIL
    assert "came back to its own prefix" in evidence.findings[0]


def test_epsilon_of_training_without_noise_is_refuted():
    coins = make_canaries(120, seed=5, formats=("card", "email"), coin=True)
    model = NGram(plant(TEXTS, coins))
    gate = CanaryMemorization(references=99, max_epsilon=1.0)
    evidence = gate.run(lambda _: "no", coins, model)
    assert "epsilon is above" in evidence.verdict.reason
