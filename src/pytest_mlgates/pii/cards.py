"""Card numbers: windows of digits with a right check digit (``windows``), weighed with their words.

A window whose digits are right is a find; how it is laid out and what stands around it only say how
sure it is. Words are looked at where the layout left a find that is worth it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_mlgates.pii import labels
from pytest_mlgates.pii.near import Pieces
from pytest_mlgates.pii.numbers import Numbers
from pytest_mlgates.pii.spans import Span
from pytest_mlgates.pii.weigh import CONFIRMED, score_of_bits
from pytest_mlgates.pii.windows import Windows, card_bit

__all__ = ["cards"]

_PATH = re.compile(r"://[^\s<>\"']{0,200}[/=]$")
#: the magnetic stripe: track 1 has a B before the number and ^NAME^ after it, track 2 an =
_STRIPE = re.compile(r"^(?:\^[^^\n]{2,26}\^|=)\d{4}")
#: two words and a blank before, and what a clause goes on or ends with
_SAID = re.compile(r"[^\W\d_][ ,]{1,2}[^\W\d_]{1,12}:? $")
_CLAUSE = re.compile(r"[.,;!?]?(?:\s|$)")
_LETTER = re.compile(r"[^\W\d_]")
_ZEROS_OF_FLOAT = re.compile(rb"\.0{1,2}(?![\d.])")
#: what is surely no card is not told
_LEAST = 0.05
#: how far a label may stand before, and what stands in every word for a card
_REACH, _AFTER = 48, 20
_NEAR_CARD = Pieces(
    b"card", b"cc", b"c.c", b"c c", b"c/c", b"pan", b"visa", b"maes", b"mast", b"amex", b"amer", b"dine", b"unio", b"rupa", b"kart",
    b"cart", b"tarj", b"kort", b"kaar", b"\x80", b"\x01",
)  # fmt: skip


def cards(numbers: Numbers) -> Iterator[Span]:
    """Yield every window of groups that can be a card number, with how sure that is."""
    windows = Windows.of(numbers, _NEAR_CARD, _REACH, _AFTER)
    if windows is None:
        return
    columns = (
        numbers.start[windows.a],
        numbers.end[windows.z],
        windows.bits,
        windows.known,
        windows.named,  # no more than a maybe
        windows.a == windows.z,
    )
    for found in zip(*(column.tolist() for column in columns), strict=True):
        if span := _card(numbers, *found):
            yield span


def _card(
    numbers: Numbers,
    start: int,
    end: int,
    bits: int,
    known: bool,
    named: bool,
    alone: bool,
) -> Span | None:
    """Return the find, or nothing where no evidence is worth telling."""
    page = numbers.page
    before = page.before(start, _REACH)
    near = labels.words(before) if _LETTER.search(before) else []
    labelled = named and bool(near) and labels.is_labelled(near, labels.CARD)
    if not known and not labelled:
        return None
    digits = numbers.digits(start, end)
    if digits.count(digits[:1]) == len(digits):
        return None
    after = page.after(end)
    if not near and bits & card_bit("a row of a table") and not _LETTER.search(after):
        return None
    if alone and not bits & card_bit("length of its scheme") and _in_a_sentence(before, after):
        bits |= card_bit("in running text")
    if labelled:
        bits |= card_bit("a card's label right before")
    elif named and (
        labels.is_named(near, labels.CARD) or any(map(labels.CARD, labels.words(after[:_AFTER])))
    ):
        bits |= card_bit("a card's word near")
    sure = score_of_bits("CREDIT_CARD", _with_words(numbers, start, before, after, near, bits))
    if sure < _LEAST:
        return None
    if alone and (zeros := _ZEROS_OF_FLOAT.match(numbers.batch[end : end + 4])):
        end += zeros.end()  # the ".0" of a number that went through a float
    return Span("CREDIT_CARD", start, end, sure, sure >= CONFIRMED)


def _in_a_sentence(before: str, after: str) -> bool:
    """Tell whether words are right before, and a blank or the end of a clause after."""
    return bool(_SAID.search(before) and _CLAUSE.match(after))


def _with_words(
    numbers: Numbers, start: int, before: str, after: str, near: list[str], bits: int
) -> int:
    """Return the evidence with that of the words around, but for those for a card."""
    label, word = card_bit("a card's label right before"), card_bit("a card's word near")
    left = numbers.left(start)
    if (left == b";" or before.endswith("%B")) and _STRIPE.match(after):
        bits = (bits & ~word & ~card_bit("letters hang on")) | label
    if labels.PAID_AFTER.match(after):
        bits |= card_bit("a word of paying right after")
    elif any(map(labels.PAID, near)):
        bits |= card_bit("a word of paying near")
    if not bits & label and labels.is_other(near):
        bits |= card_bit("another label right before")
    elif "://" in before and _PATH.search(before):
        bits |= card_bit("in the path of a link")
    return bits
