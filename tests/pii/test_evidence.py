"""Evidence is weighed: words, layout, neighbours and escapes, on values that nothing was fitted to."""

import random
import socket

import pytest

from pytest_mlgates.pii import Detector, scrub
from pytest_mlgates.pii.credentials import installed
from pytest_mlgates.pii.page import Page
from pytest_mlgates.pii.unescape import unescape
from pytest_mlgates.pii.validate import luhn

ALL = Detector()


def card(draw, beginning="", length=16):
    beginning = beginning or draw.choice(["4", "52", "2240", "6011", "3550"])
    body = beginning + "".join(draw.choices("0123456789", k=length - len(beginning) - 1))
    return next(body + last for last in "0123456789" if luhn(body + last))


def by(separator, number):
    return separator.join(number[at : at + 4] for at in range(0, len(number), 4))


def share(template, write=lambda n: n, entity="CREDIT_CARD", make=card, count=40):
    """Return for how many values the whole of each is found and confirmed."""
    draw, found = random.Random(template), 0
    for _ in range(count):
        value = write(make(draw))
        text = template.format(value)
        at = text.index(value)
        found += any(
            s.entity == entity
            and s.confirmed
            and s.start <= at + 1
            and s.end >= at + len(value) - 1
            for s in ALL.find(text)
        )
    return found / count


@pytest.mark.parametrize(
    "template",
    [
        "We took {} for your ticket.", "Your order was settled with {}", "Next time use {} instead",
        "the session said {}", "booking settled, {} exp 09/29", "receipt of yesterday: {} declined",
        "https://pay.shop/checkout?x={}&cvv=123", "Bank card no. {}", "la carte n° {}", "卡号 {}",
        "card{}", "creditCardNumber: {}", '"cc_num": "{}"', "{}.0 card", "%B{}^ROE/JANE^2912101",
    ],
)  # fmt: skip
def test_everyday_words_do_not_take_a_card_away(template):
    assert share(template) == 1.0


@pytest.mark.parametrize(
    "template",
    ["{} 2031", "since 2019 {}", "card {} 7755", "desk 1207 {}", "0229 {}", "sum 4100 {} EUR"],
)
def test_a_group_of_four_beside_does_not_hide_a_card_by_fours(template):
    assert share(template, lambda n: by(" ", n)) == 1.0
    assert share(template, lambda n: by("-", n)) == 1.0


@pytest.mark.parametrize(
    "gap",
    ["&nbsp;", "&#160;", "%20", "+", "%C2%A0", r"\u00a0", "=20", "=\n", "</td><td>", " | ", ", ",
     "     ", "\x1b[0m ", "<br/>", "&thinsp;", r"\\u2009", "&amp;nbsp;"],
)  # fmt: skip
def test_escapes_between_groups(gap):
    assert share("the card is {} ok", lambda n: by(gap, n)) == 1.0


@pytest.mark.parametrize(
    ("left", "right"),
    [(r"a\n", r"\nb"), ("k%3D", "%26"), (r"k\u0022", r"\u0022"), ("k=3D", "=20"), ("\x1b[31m", "\x1b[0m"),
     ("&quot;", "&quot;"), (r"\t", r"\t"), ("<i>", "</i>")],
)  # fmt: skip
def test_escapes_beside_any_kind(left, right):
    values = {
        "CREDIT_CARD": "5105105105105100",
        "US_SSN": "536-90-4399",
        "IBAN_CODE": "GB82WEST12345698765432",
        "EMAIL_ADDRESS": "kim.roe@harbourmail.org",
        "CRYPTO": "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2",
    }
    for entity, value in values.items():
        text = left + value + right
        assert any(
            (s.entity, s.confirmed) == (entity, True) and value in text[s.start : s.end]
            for s in ALL.find(text)
        ), entity


@pytest.mark.parametrize("at", ["%40", "&#64;", r"\u0040"])
def test_an_escaped_address(at):
    text = f"see /u?m=kim.roe{at}harbourmail.org ok"
    assert scrub(text) == "see /u?m=<EMAIL_ADDRESS> ok"


def test_the_view_knows_where_each_character_comes_from():
    text = r"x&nbsp;4%20\u0041 <b>y</b>|z"
    view = unescape(Page.of(text))
    for place, character in enumerate(view.page.text):
        start, end = view.origin(place, place + 1)
        assert text[start:end] == character or end - start > 1 or character in ",\x1e"


def test_a_result_does_not_depend_on_the_record_before():
    texts = [
        "see https://harbour.org/a",
        "mail:kim@harbourmail.org",
        "card",
        "4012888888881881 x",
        "ssn",
        "536904399",
    ]
    assert list(ALL.find_all(texts)) == [ALL.find(text) for text in texts]
    assert not any(s.confirmed for s in ALL.find("536904399"))


@pytest.mark.parametrize(
    "text",
    [
        "https://news.x/out?email={}", "https://x.org/u/{}/edit", "ftp see https://a.b {}",
        "[mail](https://m.x/?to={})", "Referer: https://x.org/reset/{}",
    ],
)  # fmt: skip
def test_addresses_in_links(text):
    value = "kim.roe@harbourmail.org"
    whole = text.format(value)
    assert [(s.entity, whole[s.start : s.end]) for s in ALL.find(whole)] == [
        ("EMAIL_ADDRESS", value)
    ]


@pytest.mark.parametrize(
    "label",
    [
        "member_ssn",
        "SsnValue",
        "SSNs",
        "S.S.N.",
        "Soc. Sec. No.",
        "TaxPayerID",
        "tax_id_no",
        "ownerSSN2",
    ],
)
def test_labels_as_programs_write_them(label):
    for text in (f"{label}: 449874100", f'"{label}": "449874100"', f"{label}=449 87 4100"):
        assert any(s.entity == "US_SSN" and s.confirmed for s in ALL.find(text)), text


def test_an_ssn_that_went_through_a_number():
    assert [s.confirmed for s in ALL.find("ssn: 49874100")] == [True]  # its leading zero was lost
    assert [s.confirmed for s in ALL.find("ssn: 449874100.0")] == [True]
    assert ALL.find("total: 49874100") == []


def _table(draw, rows, between=" "):
    return "\n".join(
        between.join(str(draw.randrange(1000, 9999)) for _ in range(4)) for _ in range(rows)
    )


def test_tables_and_other_numbers_are_no_leak():
    draw = random.Random(8)
    texts = [
        *(_table(draw, 25) for _ in range(60)),
        *(_table(draw, 12, "\t") for _ in range(60)),
        *(f"part no. {draw.randrange(100, 660)}-{draw.randrange(10, 99)}-{draw.randrange(1000, 9999)}" for _ in range(60)),
        *(f"{draw.random() * 1e4}\n{draw.randrange(1990, 2030)}" for _ in range(200)),
        "git clone git@github.com:o/r.git", "write to user@example.com", "AKIAIOSFODNN7EXAMPLE",
        "export T=ghp_" + "x" * 36, "it starts with -----BEGIN PRIVATE KEY----- and so on",
        "postgres://u:[password]@db:5432/x", "https://user:pass@host.com/x", "AKIA" + "QWERTYUI23456ABC",
    ]  # fmt: skip
    alarms = [text for text in texts if any(s.confirmed for s in ALL.find(text))]
    assert alarms == []


def test_a_list_of_cards_is_no_table():
    draw = random.Random(9)
    text = "\n".join(by(" ", card(draw)) for _ in range(12))
    assert scrub(text).count("<CREDIT_CARD>") >= 1
    assert not any(line in scrub(text) for line in text.splitlines())


@pytest.mark.parametrize("end", ["\n-----END RSA PRIVATE KEY-----", ""])
@pytest.mark.parametrize("newline", ["\n", r"\n", "\r\n"])
def test_scrub_leaves_no_key_material(newline, end):
    draw = random.Random(2)
    lines = ["".join(draw.choices("ABCDEFGHabcdefgh0123456789+/", k=64)) for _ in range(6)]
    text = newline.join(["-----BEGIN RSA PRIVATE KEY-----", *lines]) + end.replace("\n", newline)
    clean = scrub(f"key {text} and more")
    assert not any(line in clean for line in lines)
    assert clean.endswith("and more")


def test_tokens_of_any_length():
    head = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9"
    for token in (
        f"{head}.eyJ{'a' * 9000}.{'b' * 400}",
        f"{head}.eyJzdWIi.",
        "session_" + f"{head}.eyJhIjoxfQ.c2ln",
    ):
        assert any(s.entity == "API_KEY" and s.confirmed for s in ALL.find(f"x {token} y"))


def test_a_password_in_a_link():
    text = "postgres://app:vR8-tQ2.xZ@db.prod.corp:5432/x"
    assert scrub(text) == "postgres://app:<API_KEY>@db.prod.corp:5432/x"


def test_an_id_of_aws_is_a_leak_with_its_secret():
    secret = "wJ7rXUtnFEMIq4K7MDENGzbPxRfiCYzQ8vKJ2mNp"
    assert not any(s.confirmed for s in ALL.find("AKIAQ4TZ7WERTYUIOP23"))
    assert any(s.confirmed for s in ALL.find(f"AKIAQ4TZ7WERTYUIOP23 {secret}"))


needs_kingfisher = pytest.mark.skipif(not installed(), reason="the extra pii")


def made(head, size, draw, alphabet="ABCDEFGHJKMNPQRSTUVWXYZabcdefghjkmnpqrstuvwxyz23456789"):
    return head + "".join(draw.choices(alphabet, k=size))


@needs_kingfisher
@pytest.mark.parametrize(
    "key",
    [
        made("dop_v1_", 64, random.Random(1), "0123456789abcdef"),
        made("GOCSPX-", 28, random.Random(2)),
        made("gsk_", 52, random.Random(3)),
        "aws_secret_access_key = " + made("", 40, random.Random(4)),
        "Endpoint=sb://x.servicebus.net/;SharedAccessKeyName=a;SharedAccessKey=" + made("", 43, random.Random(5)) + "=",
    ],
)  # fmt: skip
def test_credentials_are_looked_for_without_the_network(key, monkeypatch):
    def no(*_, **__):
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", no)
    monkeypatch.setattr(socket, "create_connection", no)
    for text in (f"use {key} now", f"see {key}.", f"clé: {key}", f"&quot;{key}&quot;"):
        assert any(s.entity == "API_KEY" and s.confirmed for s in ALL.find(text)), text


@needs_kingfisher
def test_a_secret_beside_its_label_is_listed():
    (span,) = ALL.find('db_password = "dfK2390_dflkX"')
    assert (span.entity, span.confirmed) == ("API_KEY", False)
