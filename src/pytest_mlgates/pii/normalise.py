"""Fold text to one byte a character, so that one set of plain patterns sees every way of writing.

Digits of any script become ASCII digits, dashes ``-``, spaces a blank, characters of other forms
(full-width, mathematical) the ASCII character they stand for where that is a single one (NFKC,
Unicode Standard Annex 15). What is not seen (zero-width, direction marks, combining marks)
becomes ``GLUE``, any other character ``OTHER``. One character in, one byte out: an offset in the
bytes is an offset in the text.
"""

from __future__ import annotations

import sys
import unicodedata
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["GLUE", "OTHER", "RECORD", "fold"]

Array = npt.NDArray[Any]

GLUE = 0x01
OTHER = 0x80
#: parts two records in a batch; never part of an identifier
RECORD = "\x1e"

_DOTS = "\u00b7\u2022\u2024\u2027\u2219\u22c5\u30fb"
_LINES = "\x85\u2028\u2029"
# ideographs, Hangul, surrogates and private use fold to OTHER: no need to look at each
_PLAIN = ((0x3400, 0xA000), (0xAC00, 0xF900), (0x20000, 0xE0000), (0xE0200, sys.maxunicode + 1))


def fold(text: str) -> bytes:
    r"""Return one byte for each character of ``text``; lone surrogates are no error.

    >>> fold("\uff14\uff11\u200b11 \u2013\u00a0\u0664x\u00e9")
    b'41\x0111 - 4x\x80'
    """
    if text.isascii():
        return text.encode()
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    folded = points.astype(np.uint8)
    others = np.flatnonzero(points > 127)
    folded[others] = _table()[points[others]]
    return folded.tobytes()


@cache
def _table() -> Array:
    table = np.full(sys.maxunicode + 1, OTHER, dtype=np.uint8)
    table[:128] = np.arange(128)
    start = 128
    for low, high in _PLAIN:
        for point in range(start, low):
            table[point] = _byte(chr(point))
        start = high
    return table


def _byte(character: str) -> int:
    digit = unicodedata.decimal(character, None)
    if digit is not None:
        return 48 + digit
    category = unicodedata.category(character)
    plain = unicodedata.normalize("NFKC", character)
    if category == "Pd" or character == "\u2212":
        code = "-"
    elif category == "Zs":
        code = " "
    elif character in _LINES:
        code = "\n"
    elif character in _DOTS:
        code = "."
    elif category in ("Cf", "Mn", "Me"):
        return GLUE
    else:
        code = plain
    return ord(code) if len(code) == 1 and code.isascii() else OTHER
