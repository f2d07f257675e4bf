"""Slice names, the order of inputs, the search for slices nobody named."""

from __future__ import annotations

import datetime
import enum
import math
import random
from collections import Counter

import numpy as np
import pandas as pd
import pytest

from pytest_mlgates.core import Unmeasurable
from pytest_mlgates.gates.shadow_divergence.discover import search
from pytest_mlgates.gates.shadow_divergence.feed import Feed
from pytest_mlgates.gates.shadow_divergence.tally import Tally, fingerprint
from pytest_mlgates.reading.slices import NO_NAME, Slicer, label, mask_identifiers, unique_labels


class Road(enum.Enum):
    RAMP = "r"


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("left turn", "left turn"), (3, "3"), (np.int64(3), "3"), (True, "True"), (2.5, "2.5"),
        (None, NO_NAME), (math.nan, NO_NAME), (np.float64("nan"), NO_NAME), (pd.NA, NO_NAME),
        (pd.NaT, NO_NAME), ("  ", NO_NAME), (Road.RAMP, "RAMP"), (("rain", 2), "rain & 2"),
        (datetime.date(2026, 11, 23), "2026-11-23"), ("a\nb", "a b"), ("\ud800", "?"),
        ("slice 12345", "slice 12345"),
    ],
)  # fmt: skip
def test_label(value, name):
    assert label(value) == name


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ada@example.org", "<masked>"), ("card 4111 1111 1111 1111", "card <masked>"),
        ("slice 12345", "slice 12345"), ("x" * 100, "x" * 79 + "…"),
    ],
)  # fmt: skip
def test_shown(name, text):
    assert mask_identifiers(name) == text


def test_names_that_look_alike_are_numbered():
    names = ["x" * 90 + "a", "x" * 90 + "b", "1234567890", "1234567891", "a"]
    assert len(set(unique_labels(names).values())) == 5


def test_columns_and_their_intersections():
    row = {"turn": "left", "rain": True}
    assert Slicer("turn", row).of(0, row) == ("left",)
    names = Slicer(["turn", "rain"], row).of(0, row)
    assert names == ("turn=left", "rain=True", "turn=left & rain=True")


def test_several_slices_of_one_input():
    assert Slicer(lambda _: ["b", "a", "b"], 1).of(0, 1) == ("a", "b")
    assert Slicer(lambda _: [], 1).of(0, 1) == (NO_NAME,)


def test_names_beside_the_inputs():
    for names in (np.array(["a", "b"]), pd.Series(["a", "b"], index=[7, 9]), ["a", "b"]):
        feed = Feed([0.5, 0.7], names, "given", 9, 0)
        assert [case.names for case in feed] == [("a",), ("b",)]
    whole = pd.DataFrame({"road": ["a", "b"]})
    assert [c.names for c in Feed([0.5, 0.7], whole, "given", 9, 0)] == [("a",), ("b",)]
    with pytest.raises(Unmeasurable, match="table of several columns"):
        Feed([0.5, 0.7], whole.assign(rain=1), "given", 9, 0)
    with pytest.raises(Unmeasurable, match="3 names for 2 inputs"):
        Feed([0.5, 0.7], ["a", "b", "c"], "given", 9, 0)


def test_rare_slices_come_first_and_weigh_what_they_are():
    inputs = ["common"] * 990 + ["rare"] * 10
    feed = Feed(inputs, lambda text: text, "routed", 40, 0)
    assert Counter(case.item for case in feed) == {"common": 30, "rare": 10}
    assert feed.shares == {("common",): 0.99, ("rare",): 0.01}


def test_every_input_is_run_once():
    for order in ("routed", "shuffled", "given"):
        feed = Feed(list(range(500)), lambda x: x % 7, order, 10**6, 3)
        assert sorted(case.index for case in feed) == list(range(500))
        assert all(case.item == case.index for case in Feed(range(50), None, order, 99, 3))


def test_the_order_comes_from_the_seed():
    orders = [[case.index for case in Feed(range(50), None, "routed", 99, s)] for s in (1, 1, 2)]
    assert orders[0] == orders[1] != orders[2]


def test_weighted_back():
    inputs = ["common"] * 990 + ["rare"] * 10
    feed = Feed(inputs, lambda text: text, "routed", 40, 0)
    tally = Tally(feed, (), search=False, repeats=True)
    from pytest_mlgates.gates.shadow_divergence.compare import Difference

    for case in feed:
        tally.add(case, Difference("x") if case.item == "rare" else None)
    assert tally.rate() == pytest.approx(0.01)
    assert (tally.divergent, tally.run) == (10, 40)
    # all rare ones were run, and count overall only as far as they come in the order of all
    assert tally.whole.divergent <= 3
    assert tally.slices["rare"].divergent == tally.slices["rare"].n == 10


def test_what_counts_of_a_slice_is_its_first_inputs_in_one_order_of_all():
    """Two tags an input: rain in the city is rare, and is run early; rain is not that alone."""
    rng = random.Random(1)
    tags = [
        (rng.choices(["rain", "dry"], [1, 4])[0], rng.choices(["city", "ramp"], [1, 9])[0])
        for _ in range(3000)
    ]
    feed = Feed(range(3000), lambda i: list(tags[i]), "routed", 900, 5)
    tally = Tally(feed, (), search=False, repeats=True)
    ran = []
    for case in feed:
        tally.add(case, None)
        ran.append(case.index)
    for name, count in [*tally.slices.items(), (None, tally.whole)]:
        queue = feed.queues[name]
        assert set(queue[: count.n]) <= set(ran)
        assert count.n == len(queue) or queue[count.n] not in ran
        assert sorted(queue) == [i for i in range(3000) if name is None or name in tags[i]]
    assert min(count.n for count in tally.slices.values()) >= 150


@pytest.mark.parametrize("late", [0, 1, 5, 300])
def test_no_more_error_is_given_away_than_there_is(late):
    feed = Feed(
        iter(["a", "b"] * 500 + [str(n) for n in range(late)]), lambda x: x, "given", 10**6, 0
    )
    tally = Tally(feed, ("c",), search=True, repeats=False)
    for case in feed:
        tally.add(case, None)
    spent = tally.whole.weight + sum(count.weight for count in tally.slices.values())
    assert spent + 3 * tally.weight <= 1 + 1e-12
    assert spent > 0.3


def test_a_stream_is_not_run_ahead_of_its_limit():
    drawn = []
    feed = Feed((drawn.append(n) or n for n in range(10**9)), None, "routed", 20, 0)
    assert len(list(feed)) == 20
    assert len(drawn) == 20
    assert feed.order == "stream"


def test_a_column_that_an_input_lacks_is_named():
    with pytest.raises(Unmeasurable, match="input 1 has no column 'turn'"):
        list(Feed([{"turn": 1}, {"t": 1}], "turn", "given", 9, 0))


def test_fingerprints():
    class Thing:
        def __init__(self, a):
            self.a = a

    assert fingerprint({"a": [1, {"b": 2}]}) == fingerprint({"a": [1, {"b": 2}]})
    assert fingerprint(np.ones(3)) == fingerprint(np.ones(3)) != fingerprint(np.zeros(3))
    assert fingerprint(Thing(1)) == fingerprint(Thing(1)) != fingerprint(Thing(2))
    assert fingerprint(1) != fingerprint("1")
    assert fingerprint(1) != fingerprint(True)


def drive(count, seed=0):
    rng = np.random.default_rng(seed)
    return rng, [
        {"road": f"r{rng.integers(5)}", "speed": float(rng.normal(60, 20)), "id": f"truck-{n}", "none": None}
        for n in range(count)
    ]  # fmt: skip


def test_a_hidden_slice_is_found():
    rng, rows = drive(6000)
    inside = np.array([row["road"] == "r2" and row["speed"] > 80 for row in rows])
    off = rng.random(6000) < np.where(inside, 0.3, 0.01)
    found = search(rows, off, np.ones(6000, bool), 0.02, 3)
    assert "road=r2" in found[0].name
    assert "speed" in found[0].name
    assert len(found) <= 3
    assert (found[0].members & inside).sum() > 0.7 * inside.sum()


def test_a_single_feature_is_not_dressed_up_as_a_pair():
    rng, rows = drive(4000)
    off = np.array([row["road"] == "r2" for row in rows]) & (rng.random(4000) < 0.3)
    assert search(rows, off, np.ones(4000, bool), 0.02, 3)[0].name == "road=r2"


@pytest.mark.parametrize(
    "rows",
    [
        [{}] * 100, [{"a": [1]}] * 100, [{"a": math.nan}] * 100, [{"a": 1}] * 100,
        [{"a": object()}] * 100, [{1: 2}] * 100, [{"a": n, "b": str(n)} for n in range(100)],
    ],
)  # fmt: skip
def test_odd_features_break_nothing(rows):
    off = np.arange(100) % 3 == 0
    assert isinstance(search(rows, off, np.ones(100, bool), 0.02, 3), list)
    assert search(rows, np.zeros(100, bool), np.ones(100, bool), 0.02, 3) == []
