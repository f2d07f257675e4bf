"""Which card numbers are given out: issuer ranges and their lengths, checked for many at once.

The ranges are public (ISO/IEC 7812 leaves the registry closed; these are what the schemes publish).
Lengths run from 12 to 19 digits.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from pytest_mlgates.pii.validate import luhn

__all__ = ["issued", "luhn_sums", "may_be_card"]

_SCHEMES = (  # first and last beginning, lengths
    ("2200-2204", "16-19"),  # Mir
    ("2221-2720", "16"),  # Mastercard, 2-series
    ("300-305", "14-19"), ("3095", "14-19"), ("36", "14-19"), ("38-39", "14-19"),  # Diners Club
    ("34", "15"), ("37", "15"),  # American Express
    ("35", "16-19"),  # JCB (3528-3589), RuPay (353, 356), LankaPay (357)
    ("4", "13,16,19"),  # Visa
    ("50", "12-19"), ("56-58", "12-19"),  # Maestro, Verve, Elo, RuPay
    ("51-55", "16"),  # Mastercard
    ("6011", "16-19"), ("644-649", "16-19"), ("65", "16-19"),  # Discover, RuPay
    ("60", "16"), ("606282", "13-19"),  # RuPay, Hipercard
    ("62", "16-19"), ("81-82", "16-19"),  # UnionPay, RuPay
    ("6304", "12-19"), ("636", "16-19"), ("6390", "12-19"), ("67", "12-19"), ("6759", "12-19"),
    ("9792", "16"),  # Troy
    ("1800", "15"), ("2131", "15"),  # JCB, older
    *((start, "16") for start in ("3088", "3096", "3112", "3158", "3337")),  # JCB, older
    ("637-639", "16"), ("6333-6334", "16-19"), ("6767", "16-19"),  # InstaPayment, Switch, Solo
    ("8600", "16"), ("9860", "16"), ("9704", "16-19"), ("9682", "16"),  # UzCard, Humo, Napas, Mada
    ("1946", "16"), ("2205", "16"),  # GPN, PayPak
)  # fmt: skip

Array = npt.NDArray[Any]


def _lengths(text: str) -> int:
    mask = 0
    for part in text.split(","):
        low, _, high = part.partition("-")
        for length in range(int(low), int(high or low) + 1):
            mask |= 1 << length
    return mask


def _issuer_table() -> Array:
    """Return for each beginning of four digits which lengths exist, as bits."""
    table = np.zeros(10_000, dtype=np.uint32)
    for beginnings, lengths in _SCHEMES:
        low, _, high = beginnings.partition("-")
        first, last = low[:4].ljust(4, "0"), (high or low)[:4].ljust(4, "9")
        table[int(first) : int(last) + 1] |= np.uint32(_lengths(lengths))
    return table


_ALLOWED = _issuer_table()
#: what a digit counts for where it is doubled
_DOUBLED = np.array([0, 2, 4, 6, 8, 1, 3, 5, 7, 9], dtype=np.uint8)


def issued(lead: Array, length: Array) -> Array:
    """Tell for each number, by its first four digits and its length, whether some scheme gives it out.

    >>> issued(np.array([4111, 1111]), np.array([16, 15])).tolist()
    [True, False]
    """
    known: Array = (_ALLOWED[lead] >> length.astype(np.uint32)) & 1 == 1
    return known


def luhn_sums(digits: Array) -> Array:
    """Return prefix sums from which the Luhn sum of any window follows: rows by parity of its end.

    >>> sums = luhn_sums(np.array([int(c) for c in "4111111111111111"]))
    >>> int(sums[16 % 2, 16] - sums[16 % 2, 0]) % 10
    0
    """
    doubled = _DOUBLED[digits]
    sums = np.zeros((2, len(digits) + 1), dtype=np.int32)
    for parity in (0, 1):
        terms = digits.astype(np.uint8)
        terms[parity::2] = doubled[parity::2]
        np.cumsum(terms, out=sums[parity, 1:], dtype=np.int32)
    return sums


def may_be_card(number: str, *, check: bool = True) -> bool:
    """Tell whether digits have the length, the issuer and (``check``) the check digit of a card.

    >>> may_be_card("4111111111111111"), may_be_card("4111111111111112", check=False)
    (True, True)
    """
    lengths = int(_ALLOWED[int(number[:4])])
    return bool(lengths >> len(number) & 1) and (not check or luhn(number))
