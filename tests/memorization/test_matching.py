"""A secret is found however it is written, and nothing else is."""

from __future__ import annotations

import base64
import random

import pytest

from pytest_mlgates.gates.canary_memorization.matching import Pattern, known_bits, squeeze, views
from pytest_mlgates.memorization import FORMATS

NUMBER = "912-34-5678"
WORDS = ["nine", "one", "two", "three", "four", "five", "six", "seven", "eight"]

WAYS = {
    "as it is": "It is 912-34-5678.",
    "no separators": "912345678",
    "other separators": "912 34/5678",
    "every digit apart": "9.1.2.3.4.5.6.7.8",
    "no-break spaces and dashes": "912\u00a034\u20135678",
    "zero-width": "912\u200b34\u200b5678",
    "full-width": "".join(chr(0xFF10 + int(c)) if c.isdigit() else c for c in NUMBER),
    "Arabic digits": "".join(chr(0x0660 + int(c)) if c.isdigit() else c for c in NUMBER),
    "line by line": "\n".join("912345678"),
    "spelled": "it is " + " ".join(WORDS),
    "Spelled, with commas": ", ".join(WORDS).capitalize() + ".",
    "half spelled": "nine one two 3 4 5-six-seven-eight",
    "base64": f"code {base64.b64encode(NUMBER.encode()).decode()}!",
    "base64 without padding": base64.b64encode(b"SSN: " + NUMBER.encode()).decode().rstrip("="),
    "urlsafe base64": base64.urlsafe_b64encode(b">>>???" + NUMBER.encode()).decode(),
    "hex": NUMBER.encode().hex(),
    "hex bytes": " ".join(f"0x{b:02X}" for b in NUMBER.encode()),
    "escaped": "".join(f"\\x{b:02x}" for b in NUMBER.encode()),
    "percent": "".join(f"%{b:02X}" for b in NUMBER.encode()),
    "backwards": f"<{NUMBER[::-1]}>",
    "backwards, spelled": " ".join(WORDS[::-1]),
}


@pytest.mark.parametrize("way", WAYS)
def test_found(way):
    assert any("912345678" in view for view in views(WAYS[way]))


@pytest.mark.parametrize(
    "text",
    [
        "", "\ud800", "912-34-567", "912-34-5679", "someone nine", "nineteen one two", "\x00" * 50,
        "the phone of the bone of stone", "YWJjZGVmZ2hp",
    ],
)  # fmt: skip
def test_not_found(text):
    assert not any("912345678" in view for view in views(text))


def test_double_and_triple():
    assert "99900" in views("triple nine double zero")


@pytest.mark.parametrize("name", FORMATS)
def test_a_pattern_holds_every_draw_of_its_format(name):
    draw = random.Random(1)
    drawn = [squeeze(FORMATS[name].draw(draw)) for _ in range(400)]
    pattern = Pattern.of(drawn[:200])
    for secret in drawn:
        assert secret in pattern.places(f"x1{secret}2y")


def test_what_can_not_be_the_secret_is_no_place():
    draw = random.Random(1)
    pattern = Pattern.of([squeeze(FORMATS["card"].draw(draw)) for _ in range(200)])
    assert not pattern.places(squeeze("order 20260115 from 2 people, 12 items for $99"))
    assert pattern.places(squeeze("5100 1234 5678 9012")) == set()  # they begin with 4
    assert len(pattern.places(squeeze("4111 1111 1111 1111 or 4000 0000 0000 0002"))) >= 2


def test_a_hint_gives_no_more_than_its_alphabet():
    draw = random.Random(1)
    drawn = [squeeze(FORMATS["ssn"].draw(draw)) for _ in range(200)]
    bits = known_bits(drawn)
    assert bits[1] == 0.0  # the area begins with 9
    assert bits[3] == pytest.approx(2 * 3.3219, abs=1e-3)
    assert len(bits) == 10


@pytest.mark.parametrize(
    "text",
    [
        "it is 7&#49;8&#45;04&nbsp;4417", r"7\u00318-04-4417", "718%2D04%2D4417", "<b>718</b>-<i>04</i>-4417",
        "1. 718\n2. 04\n3. 4417", "G4YTQLJQGQWTINBRG4======", "\x1b[1m718\x1b[0m-04-4417",
    ],
)  # fmt: skip
def test_a_secret_behind_escapes_and_markup(text):
    assert any("718044417" in view for view in views(text))
