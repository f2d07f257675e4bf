"""US social security and taxpayer numbers, and DEA registration numbers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pytest_mlgates.pii import labels
from pytest_mlgates.pii.near import Pieces
from pytest_mlgates.pii.numbers import Numbers
from pytest_mlgates.pii.spans import Span
from pytest_mlgates.pii.validate import dea, is_itin, is_ssn
from pytest_mlgates.pii.weigh import CONFIRMED, score

__all__ = ["licences", "ssns"]

#: nine digits that nothing speaks for are not told
_LEAST = 0.2
#: nine digits alone are looked at where one of these stands near
_HINTS = (b"ss", b"s.s", b"s. s", b"soc", b"tin", b"tax")
_NEAR_SSN = Pieces(*_HINTS)
_LETTERS = np.zeros(256, dtype=bool)
_LETTERS[list(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")] = True


def ssns(numbers: Numbers) -> Iterator[Span]:
    """Yield social security numbers and taxpayer numbers."""
    size, run = numbers.size, numbers.run
    for sizes in ((3, 2, 4), (3, 6), (5, 4)):
        count = len(sizes)
        if len(size) < count:
            continue
        fits = run[: len(run) - count + 1] == run[count - 1 :]
        for place, wanted in enumerate(sizes):
            fits &= size[place : len(size) - count + 1 + place] == wanted
        for i in np.flatnonzero(fits).tolist():
            yield from _ssn(numbers, i, i + count - 1)
    # eight where a leading zero was lost, seven where two were: only a label makes them one
    alone = np.flatnonzero((size <= 9) & (size >= 7))
    near = _NEAR_SSN.around(numbers.page, numbers.start[alone], numbers.end[alone], 48, 24)
    for i in alone[near].tolist():
        yield from _ssn(numbers, i, i)


def _ssn(numbers: Numbers, a: int, z: int) -> Iterator[Span]:
    start, end = numbers.starts[a], numbers.ends[z]
    near = numbers.page.lower[max(0, start - 48) : end + 24]
    if a == z and not any(hint in near for hint in _HINTS):
        return
    digits = numbers.digits(start, end).decode()
    whole = digits.zfill(9)
    entity = "US_SSN" if is_ssn(whole) else "US_ITIN" if is_itin(whole) else ""
    if not entity or (z - a == 1 and numbers.gap(a).strip(b"-. ")):
        return
    page = numbers.page
    before = labels.words(page.before(start))
    labelled = labels.is_labelled(before, labels.SSN)
    if not labelled and (len(digits) < 9 or z - a == 1):
        return  # part of a list, or a ZIP code with four more digits
    named = labelled or labels.is_named(before, labels.SSN)
    named = named or labels.is_named(labels.words(page.after(end, 24)), labels.SSN)
    evidence = []
    if z - a == 2:
        dashed = b"-" in numbers.gap(a) and numbers.gap(a) == numbers.gap(a + 1)
        evidence.append("dashes as in an SSN" if dashed else "grouped as an SSN")
    if named:
        evidence.append("its label near")
    elif z == a:
        return
    if not labelled and labels.is_other(before):
        evidence.append("another label right before")
    if numbers.in_a_word(start, end):
        evidence.append("letters hang on")
    if all(len(set(group)) == 1 for group in (whole[:3], whole[3:5], whole[5:])):
        evidence.append("documentation")  # 111-22-3333
    if _goes_on(numbers, a, z):
        evidence.append("a longer number")
    sure = score("US_SSN", evidence)
    if sure >= _LEAST:
        yield Span(entity, start, end, sure, sure >= CONFIRMED)


def _goes_on(numbers: Numbers, a: int, z: int) -> bool:
    """Tell whether the digits are part of a longer number or of a decimal."""
    if a != z:
        start = numbers.starts[a]
        decimal = numbers.left(start) == b"." and numbers.is_digit(start - 2)
        return numbers.longer(a, z) or (decimal and b"." not in numbers.gap(a))
    start, end = int(numbers.start[a]), int(numbers.end[a])
    left, right = numbers.left(start), numbers.right(end)
    tail = (
        right == b"."
        and numbers.is_digit(end + 1)
        and numbers.batch[end : end + 3].rstrip(b"0") != b"."
    )
    return (
        (left in (b".", b"-") and numbers.is_digit(start - 2))
        or tail
        or (right == b"-" and numbers.is_digit(end + 1))
    )


def licences(numbers: Numbers) -> Iterator[Span]:
    """Yield DEA registration numbers: two letters, seven digits, the last a check digit."""
    first = np.flatnonzero((numbers.size == 7) & (numbers.start >= 2))
    for back in (1, 2):
        first = first[_LETTERS[numbers.bytes[numbers.start[first] - back]]]
    for i in first.tolist():
        start, end = numbers.starts[i] - 2, numbers.ends[i]
        if numbers.in_a_word(start, end):
            continue
        if dea(numbers.batch[start:end].decode("latin-1").upper()):
            named = any(map(labels.DEA, labels.words(numbers.page.before(start))))
            yield Span("MEDICAL_LICENSE", start, end, 0.95 if named else 0.3, named)
