"""Is it one? Checksums and number plans; pure functions on what a pattern has found.

Sources: ISO/IEC 7812 (Luhn, issuer numbers), ISO 13616 (IBAN), BIP 173 and 350 (bech32),
SSA (numbers never given out), IRS (ITIN ranges), DEA (check digit), RFC 7519 (JWT).
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import json

__all__ = [
    "base58check",
    "bech32",
    "dea",
    "iban",
    "ip_address",
    "is_itin",
    "is_ssn",
    "jwt",
    "luhn",
    "right_check",
]


def luhn(digits: str) -> bool:
    """Tell whether the last digit is the check digit of the others.

    >>> luhn("4111111111111111"), luhn("4111111111111112")
    (True, False)
    """
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def is_ssn(digits: str) -> bool:
    """Tell whether nine digits can be a US social security number.

    >>> is_ssn("536904399"), is_ssn("666904399"), is_ssn("078051120")
    (True, False, False)
    """
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    return (
        len(digits) == 9
        and area not in ("000", "666")
        and area[0] != "9"
        and group != "00"
        and serial != "0000"
        and digits not in ("078051120", "123456789", "219099999")
    )


def is_itin(digits: str) -> bool:
    """Tell whether nine digits can be a US individual taxpayer identification number.

    >>> is_itin("912701234"), is_itin("912001234")
    (True, False)
    """
    group = int(digits[3:5])
    return (
        len(digits) == 9
        and digits[0] == "9"
        and (50 <= group <= 65 or 70 <= group <= 99)
        and (group not in (89, 93))
    )


# ISO 13616 registry, release 99: length by country
_IBAN_LENGTHS = {
    country: int(length)
    for length, countries in (
        line.split(":")
        for line in (
            "15:NO", "16:BE", "18:DK FO FI GL NL SD FK", "19:MK SI", "20:AT BA EE KZ XK LT LU MN",
            "21:HR LV LI CH", "22:BH BG CR GE DE IE ME RS GB VA", "23:AE GI IL IQ TL SO OM",
            "24:AD CZ MD PK RO SA SK ES SE TN VG", "25:PT ST LY", "26:IS TR",
            "27:FR GR IT MC MR SM BI DJ", "28:AL AZ BY CY DO SV GT HU LB PL NI", "29:BR EG PS QA UA",
            "30:JO KW MU YE", "31:MT SC", "32:LC", "33:RU",
        )
    )
    for country in countries.split()
}  # fmt: skip


def iban(text: str) -> int:
    """Return how many leading characters of ``text`` (no blanks, upper case) are an IBAN, or 0.

    >>> iban("GB82WEST12345698765432ANDMORE"), iban("GB83WEST12345698765432")
    (22, 0)
    """
    length = _IBAN_LENGTHS.get(text[:2], 0)
    if not length or len(text) < length or not text[:length].isalnum():
        return 0
    return length if right_check(text[:length]) else 0


def right_check(text: str) -> bool:
    """Tell whether the two check digits of an account number are right (ISO 7064, mod 97).

    >>> right_check("GB82WEST12345698765432"), right_check("GB28WEST12345698765432")
    (True, False)
    """
    return int("".join(str(int(c, 36)) for c in text[4:] + text[:4])) % 97 == 1


def ip_address(text: str) -> bool:
    """Tell whether ``text`` is an address that can point to someone: no loopback, no ``::``.

    >>> ip_address("84.12.9.7"), ip_address("127.0.0.1"), ip_address("2001:4860::8888")
    (True, False, True)
    """
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified or address.is_multicast)


def dea(text: str) -> bool:
    """Tell whether two letters and seven digits are a DEA registration number.

    >>> dea("AB1234563"), dea("AB1234564")
    (True, False)
    """
    digits = [int(c) for c in text[2:]]
    total = sum(digits[0:6:2]) + 2 * sum(digits[1:6:2])
    return text[0] in "ABCDEFGHJKLMPRSTUX" and total % 10 == digits[6]


_BASE58 = {c: i for i, c in enumerate("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz")}


def base58check(text: str) -> bool:
    """Tell whether ``text`` is a Bitcoin address in Base58Check.

    >>> base58check("1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2")
    True
    >>> base58check("1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN3")
    False
    """
    number = 0
    for character in text:
        if character not in _BASE58:
            return False
        number = number * 58 + _BASE58[character]
    try:
        raw = number.to_bytes(25, "big")
    except OverflowError:
        return False
    return hashlib.sha256(hashlib.sha256(raw[:21]).digest()).digest()[:4] == raw[21:]


_BECH32 = {c: i for i, c in enumerate("qpzry9x8gf2tvdw0s3jn54khce6mua7l")}
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)


def bech32(text: str) -> bool:
    """Tell whether ``text`` is a Bitcoin address in bech32 or bech32m.

    >>> bech32("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4")
    True
    >>> bech32("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5")
    False
    """
    if text not in (text.lower(), text.upper()) or any(c not in _BECH32 for c in text.lower()[3:]):
        return False
    check = 1
    for value in [3, 3, 0, 2, 3, *(_BECH32[c] for c in text.lower()[3:])]:  # 3 3 0 2 3: "bc"
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(_GENERATOR):
            if top >> bit & 1:
                check ^= generator
    return check in (1, 0x2BC830A3)


def jwt(text: str) -> bool:
    """Tell whether the header of a token names its algorithm.

    >>> jwt("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl")
    True
    """
    head = text.split(".", 1)[0]
    try:
        header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except (ValueError, RecursionError):
        return False
    return isinstance(header, dict) and "alg" in header
