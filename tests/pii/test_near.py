"""What is never wrong when it says no, and what a page weighs at once."""

import random

import numpy as np
import pytest

from pytest_mlgates.pii import Detector, labels
from pytest_mlgates.pii.cards import _NEAR_CARD
from pytest_mlgates.pii.near import Pieces
from pytest_mlgates.pii.page import Page
from pytest_mlgates.pii.phones import _NEAR_PHONE
from pytest_mlgates.pii.validate import luhn

ALL = Detector()


def passing(draw, beginning, length):
    body = beginning + "".join(draw.choices("0123456789", k=length - len(beginning) - 1))
    return next(body + last for last in "0123456789" if luhn(body + last))


@pytest.mark.parametrize(
    ("near", "names", "words"),
    [
        (_NEAR_CARD, labels.CARD, ["card", "Cards", "debitcard", "cc", "CCN", "pan", "visa", "Maestro", "mastercard", "AMEX", "diners", "UnionPay", "rupay", "Kartennummer", "kart", "cartes", "tarjeta", "cartao", "karta", "kort", "kaart", "kortti", "cardholder", "американ卡号", "карты", "カード"]),
        (_NEAR_PHONE, labels.PHONE, ["tel", "Telefon", "phone", "smartphone", "calling", "mobile", "cell", "Fax", "WhatsApp", "ring", "dial", "reach", "handy", "portable", "celular", "movil", "sms", "contact", "puhelin", "gsm", "rang", "电话", "телефон"]),
    ],
)  # fmt: skip
def test_a_word_that_counts_is_never_overlooked(near, names, words):
    for word in words:
        text = f"{word}: 1"
        assert (
            not names(labels.words(word)[0])
            or near.before(Page.of(text), np.array([len(text) - 1]), 28).all()
        ), word


def test_pieces_are_told_apart():
    page = Page.of("we call 1, we cull 2, CALL 3")
    places = np.array([page.text.index(digit) for digit in "123"])
    assert Pieces(b"call").before(page, places, 6).tolist() == [True, False, True]
    assert Pieces(b"call").around(page, places, places + 1, 6, 12).tolist() == [True, True, True]


@pytest.mark.parametrize(
    "text",
    [
        "[ .30126947164536, -.39862787723541 ]",
        "4828147466240000*t**12",
        "NODES 6\n0 1\n0 2\n1 2\n1 3\n1 4\n2 3\n2 4\n2 5",
        "2010 Q1 9321.5224    9239.7531    9403.2917",
        "quanta 2650 1514 1514 1514 1514 1514 1514 1514",
        "51 Franklin Street, Boston, MA 02110-1301, SSN of nobody",
        "@x/base-ssn-plugin\t3.3.5\t3535773",
        "http://proxyuser:proxypass@proxyhost.corp:80",
        "allow be16 and be32 types",
    ],
)
def test_what_source_and_tables_hold_is_no_leak(text):
    assert [span for span in ALL.find(text) if span.confirmed] == []


def test_numbers_among_others_that_fail_the_check_digit_are_right_by_chance():
    draw = random.Random(4)
    wrong = [f"4{draw.randrange(10**14, 10**15)}" for _ in range(40)]
    table = "\n".join([*(n for n in wrong if not luhn(n)), passing(draw, "4", 16)])
    cards = "\n".join(passing(draw, "4", 16) for _ in range(20))
    assert not any(span.confirmed for span in ALL.find(table))
    assert sum(span.confirmed for span in ALL.find(cards)) == 20
    assert any(span.confirmed for span in ALL.find(f"{table}\nmy card {passing(draw, '4', 16)}"))


@pytest.mark.parametrize(("beginning", "length"), [("4", 13), ("5018", 12), ("6759", 12)])
def test_short_cards_in_running_text(beginning, length):
    number = passing(random.Random(6), beginning, length)
    for text in (f"This time I used {number}.", f"my card is {number}", f"{number} was charged"):
        assert any(s.entity == "CREDIT_CARD" and s.confirmed for s in ALL.find(text)), text
    assert not any(s.confirmed for s in ALL.find(f"EAN {number}"))
    assert not any(s.confirmed for s in ALL.find(number))


@pytest.mark.parametrize(
    ("text", "confirmed"),
    [
        ("phone: 555-123-4567", True),
        ("call me on 555-234-5678 please", True),
        ("messages to (201) 555-3456", True),
        ("we call 5552345678 times", False),
        ("Telefon 192.168.1.7", False),
    ],
)
def test_phones_by_what_is_said(text, confirmed):
    pytest.importorskip("phonenumbers")
    spans = [s for s in ALL.find(text) if s.entity == "PHONE_NUMBER" and s.confirmed]
    assert bool(spans) == confirmed


def test_an_iban_of_odd_length_takes_its_label():
    assert any(s.confirmed for s in ALL.find("IBAN GB98 ZSCP 4002 9755 0473 6"))
    assert ALL.find("part GB98ZSCP4002975504736 x") == []
