"""When two answers are the same."""

from __future__ import annotations

import dataclasses
import enum
import math
from decimal import Decimal
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlgates.core import Unmeasurable
from pytest_mlgates.gates.shadow_divergence.compare import Broken, Comparison, is_blank
from pytest_mlgates.gates.shadow_divergence.edit_distance import word_distance


class Turn(enum.Enum):
    LEFT = 1
    RIGHT = 2


@dataclasses.dataclass
class Command:
    steer: float
    brake: float


class Pair(NamedTuple):
    steer: float
    turn: str


TENTH = Comparison(tolerance=0.1)
EXACT = Comparison()

AGREE = [
    (TENTH, 1.0, 1.1),
    (TENTH, 1, 1.05),
    (TENTH, np.float32(1), 1.05),
    (TENTH, np.array(1.0), torch.tensor(1.05)),
    (TENTH, [1.0, 2.0], np.array([1.05, 2.0], np.float32)),
    (TENTH, torch.ones(3, 2), np.ones((3, 2))),
    (TENTH, torch.ones(2, dtype=torch.bfloat16), [1.0, 1.0]),
    (TENTH, torch.ones(2, requires_grad=True) * 2, [2.0, 2.0]),
    (TENTH, [[1.0, 2.0], [3.0, 4.0]], np.array([[1.0, 2.0], [3.0, 4.05]])),
    (TENTH, {"steer": 0.1, "turn": "left"}, {"turn": "left", "steer": 0.15}),
    (TENTH, Command(0.1, 0.2), Command(0.15, 0.2)),
    (TENTH, Pair(0.1, "left"), Pair(0.12, "left")),
    (TENTH, [{"p": 1.0}, "a"], [{"p": 1.02}, "a"]),
    (TENTH, 1 + 1j, 1.05 + 1j),
    (TENTH, math.inf, math.inf),
    (TENTH, [1.0, math.inf], [1.0, math.inf]),
    (TENTH, Decimal("0.5"), 0.55),
    (TENTH, pd.Series([1.0, 2.0]), [1.0, 2.0]),
    (TENTH, [], np.zeros(0)),
    (EXACT, "left", "left"),
    (EXACT, np.str_("left"), "left"),
    (EXACT, True, np.bool_(True)),
    (EXACT, Turn.LEFT, Turn.LEFT),
    (EXACT, np.array(["a", "b"]), ["a", "b"]),
    (EXACT, np.array([True, False]), [True, False]),
    (EXACT, {1, 2}, {2, 1}),
    (EXACT, b"a", b"a"),
    (EXACT, 10**400, 10**400),
    (EXACT, {"a": None}, {"a": None}),
    (Comparison(relative_tolerance=1e-6), 1e9, 1e9 + 100),
    (Comparison(relative_tolerance=0.01, norm="l2"), [100.0, 0.0], [100.0, 0.9]),
    (Comparison(nan_agrees=True), [1.0, math.nan], [1.0, math.nan]),
    (Comparison(nan_agrees=True), math.nan, np.float64("nan")),
    (Comparison(text_tolerance=0.2), "Turn LEFT at the lights now", "turn left at the light now"),
    (Comparison(exact=True), 3, 3.0),
    (Comparison(tolerance=1.0, distance=lambda a, b: len(set(a) ^ set(b))), "ab", "abc"),
]

DIFFER = [
    (TENTH, 1.0, 1.11, "other numbers"),
    (TENTH, 1.0, math.nan, "NaN"),
    (TENTH, 1.0, math.inf, "other numbers"),
    (TENTH, -math.inf, math.inf, "other numbers"),
    (Comparison(relative_tolerance=0.5), math.inf, 1.0, "other numbers"),
    (Comparison(relative_tolerance=0.5), [math.inf, 1.0], [1.0, 1.0], "other numbers"),
    (Comparison(relative_tolerance=0.01), [math.inf, 1.0], [math.inf, 2.0], "other numbers"),
    (TENTH, [1.0, 2.0], [1.0, 2.2], "other numbers"),
    (TENTH, [1.0, 2.0], [1.0, math.nan], "NaN"),
    (TENTH, [1.0, 2.0], [1.0, 2.0, 3.0], "shape (3,) against (2,)"),
    (TENTH, np.ones((1, 3)), np.ones(3), "shape (3,) against (1, 3)"),
    (TENTH, 1.0, [1.0], "shape (1,) against ()"),
    (TENTH, [1.0], 1.0, "shape () against (1,)"),
    (TENTH, 1.0, None, "None"),
    (TENTH, 1.0, "1.0", "a text for a number"),
    (TENTH, "left", 1, "a number for a text"),
    (TENTH, True, 1, "a number for a class"),
    (TENTH, {"steer": 0.1}, {"steer": 0.3}, "other numbers"),
    (TENTH, {"steer": 0.1}, {"brake": 0.1}, "other keys"),
    (TENTH, {"steer": 0.1}, {"steer": None}, "None"),
    (TENTH, ["a", "b"], ["a"], "1 items against 2"),
    (TENTH, ["a", "b"], [], "0 items against 2"),
    (EXACT, "left", "right", "another text"),
    (EXACT, True, False, "another class"),
    (EXACT, Turn.LEFT, Turn.RIGHT, "another class"),
    (EXACT, np.array([True, False]), [True, True], "another class"),
    (EXACT, 2**60, 2**60 + 1, "other numbers"),
    (EXACT, 10**400, 1.0, "other numbers"),
    (Comparison(exact=True, tolerance=5), 3, 4, "other numbers"),
    (Comparison(nan_agrees=True), math.nan, 1.0, "NaN"),
    (Comparison(nan_agrees=True), [1.0, math.nan], [math.nan, 1.0], "NaN"),
    (Comparison(text_tolerance=0.1), "do pay it", "do not pay it", "other words"),
    (Comparison(norm="l2", tolerance=0.1), [0.0, 0.0], [0.09, 0.09], "other numbers"),
    (Comparison(distance=lambda a, b: abs(a - b)), 1.0, 2.0, "too far apart"),
]


@pytest.mark.parametrize(("same", "control", "shadow"), AGREE)
def test_agree(same, control, shadow):
    assert same(control, shadow) is None


@pytest.mark.parametrize(("same", "control", "shadow", "why"), DIFFER)
def test_differ(same, control, shadow, why):
    assert same(control, shadow).why == why


@pytest.mark.parametrize(
    ("control", "shadow"),
    [(None, 1.0), (math.nan, 1.0), (math.nan, math.nan), ([1.0, math.nan], 1.0), ({"a": math.nan}, {"a": 1.0})],
)  # fmt: skip
def test_the_control_must_answer(control, shadow):
    with pytest.raises(Broken):
        TENTH(control, shadow)


def test_what_is_compared_by_identity_is_refused():
    with pytest.raises(Unmeasurable, match="can't be compared"):
        EXACT(object(), object())


def test_texts_are_not_shown():
    for same in (EXACT, Comparison(text_tolerance=0.1)):
        shown = same("call Ada Lovelace", "write to Grace Hopper").shown
        assert "Ada" not in shown
        assert "Grace" not in shown
        assert "21 characters against one of 17" in shown


def test_the_worst_element_is_shown():
    assert TENTH([1.0, 2.0, 3.0], [1.0, 2.5, 3.2]).shown == "element 1: 2.5 against 2"


def test_blank():
    assert all(map(is_blank, ["", " ", [], {}, (), None, np.zeros((0, 3)), torch.zeros(0), b""]))
    assert not any(map(is_blank, [0, 0.0, False, "a", [0], {"a": 1}, np.zeros(1), Turn.LEFT]))


def brute(a, b):
    table = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        last, table[0] = table[0], i
        for j, y in enumerate(b, 1):
            last, table[j] = table[j], min(table[j] + 1, table[j - 1] + 1, last + (x != y))
    return table[-1]


@given(st.lists(st.sampled_from("abc"), max_size=80), st.lists(st.sampled_from("abc"), max_size=80))
def test_word_distance_is_the_edit_distance(a, b):
    wanted = brute(a, b) / max(len(a), len(b), 1)
    assert word_distance(" ".join(a), " ".join(b)) == pytest.approx(wanted)


def test_scripts_without_blanks_are_told_apart_by_character():
    assert word_distance("今天天气很好", "今天天气不好") == pytest.approx(1 / 6)
    assert word_distance("", "") == 0.0
    assert word_distance("", "a b") == 1.0


@pytest.mark.parametrize("make", [list, tuple, np.array, lambda v: {"a": v[0], "b": v[1:]}])
def test_a_large_element_hides_no_other(make):
    same = Comparison(relative_tolerance=1e-6)
    stamped = same(make([1.7e9, 0.1, 0.2]), make([1.7e9 + 1, 0.9, 0.2]))
    assert stamped.why == "other numbers"
    assert "0.9 against 0.1" in stamped.shown
    assert same(make([1.7e9, 0.1, 0.2]), make([1.7e9 + 1, 0.1, 0.2])) is None
    assert same(make([1e6, 0.2, 0.1]), make([1e6, 0.1, 0.9])).shown.endswith("0.9 against 0.1")


def test_the_length_of_a_vector_is_held_against_its_length():
    by_length = Comparison(relative_tolerance=1e-3, norm="l2")
    assert by_length([100.0, 0.0], [100.0, 0.05]) is None
    assert by_length([100.0, 0.0], [100.0, 0.2]).size == pytest.approx(0.2)
    assert Comparison(relative_tolerance=1e-3)([100.0, 0.0], [100.0, 0.05]) is not None
