"""Phone numbers: with ``+`` anywhere, without it by the number plans of the regions asked for.

libphonenumber (package ``phonenumbers``) knows the plans. A valid number is confirmed by ``+``, by
a word for a phone, or by the layout of the USA with such a word; any other one is listed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np

from pytest_mlgates.core.errors import Unmeasurable
from pytest_mlgates.core.words import install
from pytest_mlgates.pii import labels
from pytest_mlgates.pii.near import Pieces
from pytest_mlgates.pii.numbers import Array, Numbers
from pytest_mlgates.pii.spans import Span

__all__ = ["phones"]

_US = {(3, 3, 4), (1, 3, 3, 4)}
#: what a word for a phone has in it: cheaper than looking for the words themselves
_HINTS = (
    b"tel", b"fon", b"phon", b"call", b"mob", b"cell", b"fax", b"what", b"text", b"ring", b"rang", b"reach", b"dial",
    b"hand", b"port", b"vil", b"sms", b"ont", b"puh", b"gsm", b"\x80",
)  # fmt: skip
_REACH = 28
#: "call me on", "you can text us at": what follows is dialled
_DIAL = re.compile(
    r"\b(?:call|ring|phone|text|dial|reach|contact|sms)(?:ing|ed)?"
    r"(?:(?: (?:me|us|him|her|them|you|someone|back)){1,2}(?: (?:on|at|under|via|by))?| (?:on|at|under|via))"
    r":? ?[(+]?$",
    re.IGNORECASE,
)
#: an address of a machine
_QUAD = re.compile(rb"\d{1,3}(?:\.\d{1,3}){3}")
_NEAR_PHONE = Pieces(*_HINTS, b"\x01")


def phones(numbers: Numbers, regions: Sequence[str]) -> Iterator[Span]:
    """Yield phone numbers: with ``+``, written as in the USA, or beside a word for a phone."""
    if not len(numbers.run):
        return
    heads, total = numbers.heads[:-1], numbers.total
    tails = numbers.heads[1:] - 1
    threefour = _hold_a_phone(numbers, len(heads))
    plus = np.zeros(len(heads), dtype=np.bool_)
    for back in (1, 2, 3):
        plus |= numbers.bytes[np.maximum(numbers.start[heads] - back, 0)] == ord("+")
    keep = (total >= 7) & ((total <= 15) | threefour | plus)
    keep[tails - heads == 2] &= ~_dated(numbers, heads[tails - heads == 2])
    # what is neither shaped as a phone number nor near a word for one is none
    unshaped = np.flatnonzero(keep & ~plus & ~threefour)
    keep[unshaped] = _NEAR_PHONE.before(numbers.page, numbers.start[heads[unshaped]], _REACH)
    for a, z, n in zip(
        heads[keep].tolist(), tails[keep].tolist(), total[keep].tolist(), strict=True
    ):
        yield from _in_run(numbers, a, z, n, regions)


def _hold_a_phone(numbers: Numbers, count: int) -> Array:
    """Tell for each run whether groups of three, three and four stand in it."""
    size, run = numbers.size, numbers.run
    found: Array = np.zeros(count, dtype=bool)
    if len(size) >= 3:
        shaped = (size[:-2] == 3) & (size[1:-1] == 3) & (size[2:] == 4) & (run[:-2] == run[2:])
        found[run[:-2][shaped]] = True
    return found


def _dated(numbers: Numbers, first: Array) -> Array:
    """Tell for each run of three groups whether it is a date; most short runs are."""
    sizes = numbers.size[first] * 100 + numbers.size[first + 1] * 10 + numbers.size[first + 2]
    dates: Array = (sizes == 422) | (sizes == 224)
    return dates


def _in_run(numbers: Numbers, a: int, z: int, total: int, regions: Sequence[str]) -> Iterator[Span]:
    sizes = tuple(numbers.sizes[a : z + 1]) if z - a < 64 else ()
    start = numbers.starts[a]
    if numbers.batch[max(0, start - 3) : start].rstrip(b"( \x01").endswith(b"+"):
        last = min(z, a + 7)  # other numbers may follow
        for end in numbers.ends[a : last + 1][::-1]:
            if found := _phone(numbers, start, end, ("",), shaped=True, named=True):
                yield found
                return
    if total <= 15:
        shaped, named = sizes in _US, _is_named(numbers, start)
        if shaped or named:
            found = _phone(numbers, start, numbers.ends[z], regions, shaped=shaped, named=named)
            if found:
                yield found
        return
    for i in range(len(sizes) - 2):
        if sizes[i : i + 3] == (3, 3, 4) and not numbers.longer(a + i, a + i + 2):
            first, last = numbers.starts[a + i], numbers.ends[a + i + 2]
            named = _is_named(numbers, first)
            if found := _phone(numbers, first, last, regions, shaped=True, named=named):
                yield found


def _is_named(numbers: Numbers, start: int) -> bool:
    near = numbers.page.lower[max(0, start - _REACH) : start]
    if not any(hint in near for hint in _HINTS):
        return False
    before = labels.words(numbers.page.before(start, _REACH))
    return labels.is_named(before, labels.PHONE) and not labels.is_other(before)


def _phone(
    numbers: Numbers, start: int, end: int, regions: Sequence[str], *, shaped: bool, named: bool
) -> Span | None:
    """Return the number, surest region first; ``("",)`` is that of a number with ``+``."""
    digits = numbers.digits(start, end).decode()
    extension = numbers.right(end).lower() == b"x" and numbers.is_digit(end + 1)
    if not 7 <= len(digits) <= 15 or (numbers.in_a_word(start, end) and not extension):
        return None
    valid = [_is_valid(digits, region) for region in regions]
    while start > 0 and numbers.batch[start - 1] in b"+(":
        start -= 1
    if not any(valid):
        possible = named and any(v is not None for v in valid)
        if (
            possible
            and not _QUAD.fullmatch(numbers.batch[start:end])
            and _is_labelled(numbers, start)
        ):
            return Span("PHONE_NUMBER", start, end, 0.6, True)  # of a length that can be dialled
        likely = (shaped and any(v is not None for v in valid)) or (named and digits[0] == "0")
        return Span("PHONE_NUMBER", start, end, 0.3, False) if likely else None
    dialled = named or numbers.batch[start : start + 1] == b"("  # (212) 736-5000
    return Span("PHONE_NUMBER", start, end, 0.8 if dialled else 0.4, dialled)


def _is_labelled(numbers: Numbers, start: int) -> bool:
    """Tell whether a label stands right before a number, or words that ask to dial it."""
    before = numbers.page.before(start, _REACH)
    return bool(_DIAL.search(before)) or labels.is_labelled(labels.words(before), labels.PHONE_NOUN)


def _is_valid(digits: str, region: str) -> bool | None:
    """Tell whether a plan gives this number out; None where it could not even be dialled."""
    try:
        import phonenumbers
    except ImportError:
        raise Unmeasurable(f"PHONE_NUMBER takes phonenumbers: {install('pii')}") from None
    try:
        number = phonenumbers.parse("+" * (not region) + digits, region or None)
    except phonenumbers.NumberParseException:
        return None
    if phonenumbers.is_valid_number(number):
        return True
    return False if phonenumbers.is_possible_number(number) else None
