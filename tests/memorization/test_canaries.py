"""Canaries are made by seed, in formats that are what they say, and planted as often as asked."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from pytest_mlgates.gates.canary_memorization.check import samples_of
from pytest_mlgates.gates.canary_memorization.ranking import Ranked
from pytest_mlgates.memorization import FORMATS, Format, fixed_canary, make_canaries, plant
from pytest_mlgates.pii.validate import luhn


def test_the_same_seed_the_same_canaries():
    assert make_canaries(30, 5, held_out=3) == make_canaries(30, 5, held_out=3)
    ours = {canary.secret for canary in make_canaries(30, 5)}
    assert not ours & {canary.secret for canary in make_canaries(30, 6)}


def test_copies_and_formats_are_crossed():
    made = make_canaries(24, formats=["ssn", "card"], repeats=(1, 4, 16), held_out=4)
    counts = Counter((canary.format.name, canary.repeats) for canary in made)
    assert counts == {
        **{(name, copies): 4 for name in ("ssn", "card") for copies in (1, 4, 16)},
        ("ssn", 0): 2,
        ("card", 0): 2,
    }


def test_a_coin_holds_out_about_half():
    made = make_canaries(1000, coin=True)
    assert all(canary.coin and canary.repeats in (0, 1) for canary in made)
    assert 420 < sum(canary.planted for canary in made) < 580


def test_contexts():
    made = make_canaries(4, formats=["ssn"], contexts=["a {ID} {SECRET} b", "{SECRET}"])
    assert made[0].prefix.startswith("a ")
    assert len(made[0].prefix) == 8
    assert made[0].suffix == " b"
    assert made[1].text == made[1].secret
    assert made[0].prefix != made[2].prefix


@pytest.mark.parametrize("name", [name for name in FORMATS if name.startswith("card")])
def test_cards_have_their_check_digit(name):
    for canary in make_canaries(200, formats=[name]):
        digits = "".join(c for c in canary.secret if c.isdigit())
        assert len(digits) == 16
        assert luhn(digits)


@pytest.mark.parametrize("name", FORMATS)
def test_formats_are_what_they_say(name):
    form = FORMATS[name]
    draw = random.Random(1)
    drawn = [form.draw(draw) for _ in range(3000)]
    assert len(set(drawn)) >= 2998
    assert samples_of(form, drawn[0], "canary 0")


def test_references_are_other_draws_than_canaries_of_the_same_seed():
    canaries = make_canaries(20, seed=3, formats=["ssn"])
    secrets = {canary.secret for canary in canaries}
    for index, canary in enumerate(canaries):
        one = Ranked.of(index, canary, seed=3)
        assert not secrets & set(one._references(500))


def test_planted_as_often_as_asked():
    texts = [f"chat {n}" for n in range(50)]
    canaries = make_canaries(6, repeats=(1, 5), held_out=2)
    planted = plant(texts, canaries, seed=1)
    counts = Counter(planted)
    assert all(counts[canary.text] == canary.repeats for canary in canaries)
    assert [text for text in planted if text in texts] == texts
    assert planted == plant(texts, canaries, seed=1) != plant(texts, canaries, seed=2)
    assert plant([], [fixed_canary(repeats=2)]) == [fixed_canary().text] * 2


def test_a_secret_does_not_show():
    canary = make_canaries(1)[0]
    assert canary.secret not in repr(canary)
    assert canary.secret not in repr([canary])


@pytest.mark.parametrize(
    ("call", "text"),
    [
        ({"n": 0}, "n must be at least 1"),
        ({"n": 1, "formats": []}, "at least one format"),
        ({"n": 1, "repeats": (0,)}, "repeats of 1 or more"),
        ({"n": 1, "repeats": (2,), "coin": True}, "leave repeats at 1"),
        ({"n": 1, "contexts": ["no place"]}, "exactly once"),
        ({"n": 1, "formats": [fixed_canary().format]}, "can't draw"),
        (
            {"n": 20, "formats": [Format("one", 0.0, lambda draw: "1234")]},
            "fewer secrets than canaries",
        ),
    ],
)
def test_what_can_not_be_made(call, text):
    with pytest.raises(ValueError, match=text):
        make_canaries(**call)


def test_an_unknown_format_is_named():
    with pytest.raises(ValueError, match="no format is called 'sssn': did you mean 'ssn'"):
        make_canaries(1, formats=["sssn"])
