"""A record as one text: the same text as ``datasets`` makes, and each find in its cell."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlgates.audit.cells import cells_of, locate, rewritten, text_of
from pytest_mlgates.pii import Span
from pytest_mlgates.pii.datasets import Pairs, flat

LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.binary(max_size=3)
RECORDS = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=12,
)


@given(RECORDS)
def test_the_text_is_that_of_every_scan(record):
    assert text_of(cells_of(record)) == flat(record)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 9)), max_size=5).map(Pairs))
def test_a_key_that_stands_twice_is_read_twice(record):
    cells = list(cells_of(record))
    assert text_of(cells) == flat(record)
    assert len({cell.steps for cell in cells}) == len(record)


@given(RECORDS, st.data())
def test_what_is_found_is_what_stands_there(record, data):
    cells = list(cells_of(record))
    text = text_of(cells)
    whole = [cell for cell in cells if len(cell.text) > cell.prefix]
    if not whole:
        return
    cell = data.draw(st.sampled_from(whole))
    at = sum(len(c.text) + 3 for c in cells[: cells.index(cell)])
    start = data.draw(st.integers(at + cell.prefix, at + len(cell.text) - 1))
    end = data.draw(st.integers(start + 1, at + len(cell.text)))
    [found] = locate(cells, [Span("X", start, end, 1.0, True)])
    assert found.value == text[start:end]
    assert not found.in_name


@pytest.mark.parametrize(
    ("record", "steps", "in_name", "wanted"),
    [
        ('{"a": {"b": 1}, "c": 2}', ("a", "b"), False, {"a": {"b": "X"}, "c": 2}),
        ('{"a": [1, {"b": 1}]}', ("a", 1, "b"), False, {"a": [1, {"b": "X"}]}),
        ('{"a": {"b": 1}}', ("a", "b"), True, {"a": {"X": 1}}),
        ("[1, 2]", (1,), False, [1, "X"]),
    ],
)
def test_rewritten(record, steps, in_name, wanted):
    assert rewritten(json.loads(record), {(steps, in_name): lambda _: "X"}) == wanted


def test_only_one_of_two_values_of_a_name_is_rewritten():
    record = Pairs([("a", 1), ("a", 2)])
    assert rewritten(record, {(("a (2)",), False): lambda _: 0}) == [("a", 1), ("a", 0)]
