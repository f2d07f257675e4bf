"""The forms that a canary's secret can have, each able to draw more secrets of its kind."""

from __future__ import annotations

import math
import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["FORMATS", "Format", "fixed"]

Draw = random.Random

#: the cross sum of twice a digit
_TWICE = dict(zip("0123456789", (0, 2, 4, 6, 8, 1, 3, 5, 7, 9), strict=True))

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_ALPHABET = _LETTERS + _LETTERS.upper() + "0123456789"
_WORDS = [
    "amber",
    "anchor",
    "apple",
    "autumn",
    "basil",
    "beacon",
    "birch",
    "bottle",
    "bridge",
    "candle",
    "canyon",
    "cedar",
    "cherry",
    "cloud",
    "cobalt",
    "comet",
    "coral",
    "cotton",
    "dolphin",
    "ember",
    "falcon",
    "feather",
    "fern",
    "flint",
    "forest",
    "garnet",
    "ginger",
    "glacier",
    "harbor",
    "hazel",
    "heron",
    "honey",
    "island",
    "ivory",
    "jasmine",
    "kettle",
    "ladder",
    "lantern",
    "lemon",
    "lilac",
    "maple",
    "marble",
    "meadow",
    "mirror",
    "mountain",
    "nutmeg",
    "olive",
    "orchid",
    "otter",
    "paper",
    "pebble",
    "pepper",
    "planet",
    "quartz",
    "raven",
    "river",
    "saddle",
    "silver",
    "sparrow",
    "thistle",
    "timber",
    "tulip",
    "velvet",
    "walnut",
]


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of secret: ``draw`` makes one from a source of randomness.

    ``bits`` is the min-entropy of a draw, capitals and separators aside: no value comes up with a
    chance above ``2 ** -bits``. ``draw`` is None for a secret that somebody chose: nothing was drawn
    like it, so it can be extracted, and has no rank among others.

    >>> pin = Format("pin", 4 * math.log2(10), lambda draw: f"{draw.randrange(10_000):04}")
    >>> pin.draw(random.Random(1))
    '2201'
    """

    name: str
    bits: float
    draw: Callable[[Draw], str] | None = None


def fixed(secret: str) -> Format:
    """Return the format of a secret that somebody chose, such as ``999-00-9999``.

    Its bits are those of a draw of as many digits and letters: make sure that the world does not
    know it from elsewhere.

    >>> round(fixed("999-00-9999").bits, 1)
    29.9
    """
    digits = sum(c.isdigit() for c in secret)
    letters = sum(c.isalpha() for c in secret)
    return Format("fixed", digits * math.log2(10) + letters * math.log2(26))


def _draw_digits(draw: Draw, count: int) -> str:
    return "".join(draw.choices("0123456789", k=count))


def _draw_ssn(draw: Draw) -> str:
    """Draw a number with the area 9xx, which is never given out as a social security number."""
    return f"9{_draw_digits(draw, 2)}-{_draw_digits(draw, 2)}-{_draw_digits(draw, 4)}"


def _draw_card(between: str) -> Callable[[Draw], str]:
    def draw_card(draw: Draw) -> str:
        number = "4" + _draw_digits(draw, 14)
        number += _check_digit(number)
        return between.join(number[at : at + 4] for at in range(0, 16, 4))

    return draw_card


def _check_digit(digits: str) -> str:
    """Return what the Luhn algorithm appends (ISO/IEC 7812); thousands of cards are drawn.

    >>> _check_digit("420611806761204")
    '8'
    """
    twice = sum(_TWICE[digit] for digit in digits[-1::-2])
    return str(-(twice + sum(map(int, digits[-2::-2]))) % 10)


def _draw_key(draw: Draw) -> str:
    return "sk_live_" + "".join(draw.choices(_ALPHABET, k=24))


def _draw_email(draw: Draw) -> str:
    """Draw an address at a domain that is reserved for examples (RFC 2606)."""
    return "".join(draw.choices(_LETTERS, k=12)) + "@example.org"


def _draw_uuid(draw: Draw) -> str:
    return str(uuid.UUID(int=draw.getrandbits(128), version=4))


def _sentence(draw: Draw) -> str:
    return " ".join(draw.choices(_WORDS, k=8))


_CARD_BITS = 14 * math.log2(10)

#: the formats that come with the package, by name
FORMATS: dict[str, Format] = {
    form.name: form
    for form in (
        Format("ssn", 8 * math.log2(10), _draw_ssn),
        Format("card", _CARD_BITS, _draw_card("")),
        Format("card_spaces", _CARD_BITS, _draw_card(" ")),
        Format("card_dashes", _CARD_BITS, _draw_card("-")),
        Format("card_dots", _CARD_BITS, _draw_card(".")),
        # a letter comes up in two of 62 cases once capitals do not count
        Format("api_key", 24 * math.log2(31), _draw_key),
        Format("email", 12 * math.log2(26), _draw_email),
        Format("uuid", 122.0, _draw_uuid),
        Format("sentence", 8 * math.log2(len(_WORDS)), _sentence),
    )
}
