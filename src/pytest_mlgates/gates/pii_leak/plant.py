"""Seeded identifiers, planted into texts to learn how many of them a detector finds."""

from __future__ import annotations

import base64
import hashlib
import random
from collections.abc import Callable, Sequence

from pytest_mlgates.gates.pii_leak.plant_national import national_id
from pytest_mlgates.pii.find import Detector
from pytest_mlgates.pii.labels import is_other, words
from pytest_mlgates.pii.validate import iban, luhn

__all__ = ["CARD_FORMATS", "GENERATORS", "card", "count_found", "digits_of", "recall"]

Draw = random.Random
#: characters of a text kept on each side of a planted identifier
_CONTEXT = 500

_CARDS = (("4", 16), ("51", 16), ("2223", 16), ("37", 15), ("6011", 16), ("3530", 16), ("4", 19))
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_HEADER = '{"alg":"HS256","typ":"JWT"}'
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def _made_digits(draw: Draw, count: int) -> str:
    return "".join(draw.choices("0123456789", k=count))


def card(draw: Draw) -> str:
    """Return the digits of a made-up card number of a random scheme, check digit right.

    >>> number = card(random.Random(1))
    >>> luhn(number), len(number)
    (True, 16)
    """
    beginning, length = draw.choice(_CARDS)
    body = beginning + _made_digits(draw, length - len(beginning) - 1)
    return next(body + last for last in "0123456789" if luhn(body + last))


def digits_of(entity: str, length: int, draw: Draw) -> str:
    """Return the digits of a made-up identifier that has as many; nothing where none has.

    >>> len(digits_of("US_SSN", 9, random.Random(1))), digits_of("US_SSN", 8, random.Random(1))
    (9, '')
    """
    if entity == "CREDIT_CARD":
        starts = {
            12: ("5018", "6759"), 13: ("4",), 14: ("36", "38"), 15: ("34", "37"),
            16: ("4", "51", "2223", "6011", "3530"), 19: ("4", "6222"),
        }  # fmt: skip
        beginning = draw.choice(starts.get(length, ("",)))
        body = beginning + _made_digits(draw, length - len(beginning) - 1)
        return next(body + last for last in "0123456789" if luhn(body + last)) if beginning else ""
    made = {"US_SSN": _made_ssn, "US_ITIN": _itin}[entity](draw).replace("-", "")
    return made if len(made) == length else ""


def _grouped(number: str, between: str) -> str:
    cuts = (0, 4, 10, 15) if len(number) == 15 else tuple(range(0, 20, 4))
    parts = [number[a:z] for a, z in zip(cuts, (*cuts[1:], len(number)), strict=True)]
    return between.join(part for part in parts if part)


def _wrapped(number: str, draw: Draw) -> str:
    place = draw.randrange(2, len(number) - 1)
    return number[:place] + "\n" + number[place:]


#: the ways in which cards are written
CARD_FORMATS: dict[str, Callable[[str, Draw], str]] = {
    "plain": lambda number, _: number,
    "space": lambda number, _: _grouped(number, " "),
    "dash": lambda number, _: _grouped(number, "-"),
    "dot": lambda number, _: _grouped(number, "."),
    "no-break space": lambda number, _: _grouped(number, "\u00a0"),
    "double space": lambda number, _: _grouped(number, "  "),
    "en dash": lambda number, _: _grouped(number, "\u2013"),
    "zero-width": lambda number, _: _grouped(number, "\u200b"),
    "line-wrapped": _wrapped,
    "full-width": lambda number, _: "".join(chr(0xFF10 + int(digit)) for digit in number),
    "digit by digit": lambda number, _: " ".join(number),
}


def _made_card(draw: Draw) -> str:
    return draw.choice(list(CARD_FORMATS.values()))(card(draw), draw)


def _made_ssn(draw: Draw) -> str:
    area = draw.choice([n for n in range(1, 900) if n != 666])
    return f"{area:03}-{draw.randrange(1, 100):02}-{draw.randrange(1, 10000):04}"


def _itin(draw: Draw) -> str:
    return f"9{_made_digits(draw, 2)}-{draw.randrange(70, 89)}-{_made_digits(draw, 4)}"


def _made_iban(draw: Draw) -> str:
    account = _made_digits(draw, 18)
    whole = next(
        text for check in range(2, 99) if iban(text := f"DE{check:02}{account}")
    )  # one of 2 to 98 always fits (ISO 7064)
    if draw.random() < 0.5:
        return whole
    return " ".join(whole[at : at + 4] for at in range(0, len(whole), 4))


def _made_email(draw: Draw) -> str:
    name = "".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=draw.randrange(3, 12)))
    host = "".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=draw.randrange(3, 12)))
    return f"{name}{draw.choice(['', '.x', '_7'])}@{host}.{draw.choice(['com', 'org', 'co.uk'])}"


def _phone(draw: Draw) -> str:
    exchange = f"{draw.randrange(220, 999)}"
    return draw.choice(["+1 212 {} {}", "+1-212-{}-{}", "+1 (212) {}-{}"]).format(
        exchange, _made_digits(draw, 4)
    )


def _ip(draw: Draw) -> str:
    return ".".join(str(draw.randrange(20, 200)) for _ in range(4)).replace("127.", "128.", 1)


def _crypto(draw: Draw) -> str:
    raw = b"\0" + draw.randbytes(20)
    raw += hashlib.sha256(hashlib.sha256(raw).digest()).digest()[:4]
    number, text = int.from_bytes(raw, "big"), ""
    while number:
        number, rest = divmod(number, 58)
        text = _BASE58[rest] + text
    return "1" + text


def _licence(draw: Draw) -> str:
    digits = [draw.randrange(10) for _ in range(6)]
    check = (sum(digits[0::2]) + 2 * sum(digits[1::2])) % 10
    return f"DEA A{draw.choice('BCDE')}{''.join(map(str, digits))}{check}"


def _passport(draw: Draw) -> str:
    return f"passport no. {draw.choice('ACKLMNPXZ')}{_made_digits(draw, 7)}"


def _medical_record(draw: Draw) -> str:
    return f"MRN: {draw.choice('123456789')}{_made_digits(draw, 6)}"


def _birth_date(draw: Draw) -> str:
    day, month, year = draw.randrange(1, 29), draw.randrange(1, 13), draw.randrange(1930, 2015)
    return draw.choice(
        (
            f"born {day}.{month}.{year}",
            f"DOB {month}/{day}/{year}",
            f"dob: {year}-{month:02}-{day:02}",
        )
    )


def _made_key(draw: Draw) -> str:
    def more(count: int) -> str:
        return "".join(draw.choices(_ALPHABET, k=count))

    def part(text: str) -> str:
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    keys = (
        f"AKIA{''.join(draw.choices(_BASE32, k=16))} {more(40)}",  # an id opens nothing alone
        "ghp_" + more(36),
        f"xoxb-{_made_digits(draw, 12)}-{more(24)}",
        "sk_live_" + more(24),
        "AIza" + more(35),
        ".".join((part(_HEADER), part('{"sub":1}' + more(12)), more(43))),
    )
    return draw.choice(keys)


#: entity -> a made-up identifier of that kind
GENERATORS: dict[str, Callable[[Draw], str]] = {
    "CREDIT_CARD": _made_card,
    "US_SSN": _made_ssn,
    "US_ITIN": _itin,
    "IBAN_CODE": _made_iban,
    "EMAIL_ADDRESS": _made_email,
    "PHONE_NUMBER": _phone,
    "IP_ADDRESS": _ip,
    "CRYPTO": _crypto,
    "MEDICAL_LICENSE": _licence,
    "API_KEY": _made_key,
    "PASSPORT": _passport,
    "MEDICAL_RECORD": _medical_record,
    "BIRTH_DATE": _birth_date,
}


def recall(
    detector: Detector, texts: Sequence[str], entity: str, count: int, least: float, draw: Draw
) -> int:
    """Return how many of ``count`` identifiers, planted into ``texts``, are found and confirmed.

    Each goes between two words of a text drawn at random; ``least`` is the score that counts.

    >>> recall(Detector(), ["we are glad to help"], "CREDIT_CARD", 50, 0.5, random.Random(1))
    50
    """
    planted, places = [], []
    for _ in range(count):
        text = draw.choice(texts)
        if entity == "NATIONAL_ID":
            value = national_id(detector.id_regions, draw)
        else:
            value = GENERATORS[entity](draw)
        at = _gap(text, draw)
        left, right = text[max(0, at - _CONTEXT) : at], text[at : at + _CONTEXT]
        planted.append(f"{left} {value} {right}")
        places.append((len(left) + 1, len(left) + 1 + len(value)))
    return count_found(detector, planted, places, entity, least)


def count_found(
    detector: Detector,
    texts: Sequence[str],
    places: Sequence[tuple[int, int]],
    entity: str,
    least: float,
) -> int:
    """Return in how many texts what stands at its place is found and confirmed."""
    found = 0
    for spans, (start, end) in zip(detector.find_all(texts), places, strict=True):
        found += any(
            span.entity == entity
            and span.confirmed
            and span.score >= least
            and span.start < end
            and span.end > start
            for span in spans
        )
    return found


def _gap(text: str, draw: Draw) -> int:
    """Return a place between two words: a blank from a random place on, or the end."""
    start = draw.randrange(len(text) + 1)
    blanks = (at for at in range(start, len(text)) if text[at].isspace())
    # a label of something else ("order no. ...") tells what follows it: no place for a plant
    return next((at for at in blanks if not is_other(words(text[max(0, at - 48) : at]))), len(text))
