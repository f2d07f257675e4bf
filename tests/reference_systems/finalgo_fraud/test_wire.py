"""Lines in: one answer each, an error line for what can't be read, values never in the words."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_systems.finalgo_fraud.wire import (
    MOST_BYTES,
    Framer,
    InvalidLine,
    failure,
    read_line,
)

GOOD = {"id": "a", "card": "c", "amount": 1.5, "merchant": "m", "time": 60}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"id": None}, "id must be"),
        ({"id": 1.5}, "id must be"),
        ({"id": True}, "id must be"),
        ({"id": {"a": 1}}, "id must be"),
        ({"id": ""}, "id must have"),
        ({"card": ""}, "card must be"),
        ({"card": ["c"]}, "card must be a text of 1 to 256 characters, not a list"),
        ({"card": "c" * 257}, "card must be"),
        ({"amount": "12"}, "amount must be a number of at least 0, not a text"),
        ({"amount": True}, "not true or false"),
        ({"amount": -0.01}, "amount must be"),
        ({"amount": None}, "not null"),
        ({"merchant": 7}, "merchant must be"),
        ({"time": "yesterday"}, "time must be"),
        ({"time": -1}, "time must be"),
        ({"time": 1e300}, "time must be"),
        ({"time": [1]}, "not a list"),
    ],
)
def test_a_field_that_is_wrong_is_named(changes: dict[str, object], said: str) -> None:
    with pytest.raises(InvalidLine, match=said):
        read_line(json.dumps(GOOD | changes).encode())


@pytest.mark.parametrize("field", ["card", "amount", "merchant", "time"])
def test_a_field_that_is_missing_is_named_and_the_id_comes_back(field: str) -> None:
    line = json.dumps({key: value for key, value in GOOD.items() if key != field}).encode()
    with pytest.raises(InvalidLine, match=f"{field} is missing") as caught:
        read_line(line)
    assert json.loads(failure(caught.value.key, str(caught.value)))["id"] == "a"


@pytest.mark.parametrize(
    "line",
    [b"", b"  ", b"\xff\xfe", b"{", b"[]", b"7", b"null", b'{"id": "\\ud800"}', b"[" * 5000, None],
)
def test_what_is_no_object_has_no_id(line: bytes | None) -> None:
    with pytest.raises(InvalidLine) as caught:
        read_line(line)
    assert caught.value.key == b"null"


@pytest.mark.parametrize("name", ["a", 'quo"te', "ü\n", 0, -5, 2**63])
def test_ids_come_back_as_they_came(name: object) -> None:
    key = read_line(json.dumps(GOOD | {"id": name}).encode()).key
    assert json.loads(key) == name
    assert isinstance(json.loads(key), type(name))


def test_a_whole_number_that_would_lose_digits_is_refused() -> None:
    with pytest.raises(InvalidLine, match="below 2\\^64"):
        read_line(json.dumps(GOOD | {"id": 2**64 + 1}).encode())


@pytest.mark.parametrize(
    ("time", "seconds"),
    [
        (1_700_000_000, 1_700_000_000.0),
        (1_700_000_000_123, 1_700_000_000.123),
        ("2023-11-14T22:13:20Z", 1_700_000_000.0),
        ("2023-11-14T23:13:20+01:00", 1_700_000_000.0),
        ("2023-11-14 22:13:20", 1_700_000_000.0),
        (0, 0.0),
    ],
)
def test_times_in_each_form_mean_the_same(time: object, seconds: float) -> None:
    assert read_line(json.dumps(GOOD | {"time": time}).encode()).time == seconds


def test_values_stay_out_of_the_words() -> None:
    line = json.dumps(GOOD | {"card": ["4111111111111111"]}).encode()
    with pytest.raises(InvalidLine) as caught:
        read_line(line)
    assert "4111" not in str(caught.value)


@given(st.lists(st.binary(max_size=20)), st.integers(1, 7))
def test_the_framer_cuts_alike_whatever_comes_at_once(parts: list[bytes], step: int) -> None:
    data = b"\n".join(parts)
    framer, found = Framer(), []
    for start in range(0, len(data), step):
        found += framer.feed(data[start : start + step])
    found += framer.rest()
    whole = data.split(b"\n")
    assert found == (whole[:-1] if whole[-1] == b"" else whole)


@pytest.mark.parametrize("step", [1000, MOST_BYTES, 10**7])
def test_a_line_that_is_too_long_costs_its_own_answer_only(step: int) -> None:
    data = b"one\n" + b"x" * (3 * MOST_BYTES) + b"\ntwo\n" + b"y" * (MOST_BYTES + 1)
    framer, found = Framer(), []
    for start in range(0, len(data), step):
        found += framer.feed(data[start : start + step])
    assert [*found, *framer.rest()] == [b"one", None, b"two", None]


@given(st.binary(max_size=200))
def test_any_bytes_are_a_transaction_or_refused(data: bytes) -> None:
    try:
        read_line(data)
    except InvalidLine as error:
        told = json.loads(failure(error.key, str(error)))
    else:
        told = {"error": "none"}
    assert told["error"]
