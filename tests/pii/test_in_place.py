"""Where a text's own numbers stand, made-up ones are put: in as many layouts as are common enough."""

from __future__ import annotations

import random

import pytest

from pytest_mlgates.gates.pii_leak.in_place import _swapped_numbers

CARDS = {
    (19,): "paid with 6304000000000000000 today",
    (16,): "paid with 4111111111111111 today",
    (15,): "paid with 378282246310005 today",
    (4, 4, 4, 4): "paid with 4111 1111 1111 1111 today",
}


@pytest.mark.parametrize("layout", CARDS)
def test_each_layout_has_its_place(layout):
    made = list(_swapped_numbers([CARDS[layout]] * 10, "CREDIT_CARD", 3, random.Random(0)))
    assert len(made) == 3
    for text, (begin, end) in made:
        digits = "".join(filter(str.isdigit, text[begin:end]))
        assert len(digits) == sum(layout)
        assert text.startswith("paid with ")


def test_a_layout_that_few_texts_have_is_an_accident():
    """Five places at least, and in one text of twenty."""
    some, others = CARDS[(16,)], "nothing of the kind"
    draw = random.Random(0)
    for places, texts, made in ((4, 10, 0), (5, 10, 2), (5, 101, 0), (6, 101, 2)):
        given = [some] * places + [others] * (texts - places)
        assert len(list(_swapped_numbers(given, "CREDIT_CARD", 2, draw))) == made
