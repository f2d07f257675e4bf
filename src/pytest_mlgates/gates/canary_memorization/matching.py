r"""Is the secret in the text, however it is written? And could it be there by chance?

A text is looked at with letters and digits only (any script's digits, no separators, no capitals),
with number words as digits, backwards, with escapes and markup read, without the numbers of its
lines, and with what base64, base32 or hexadecimal in it stands for.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
import string
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

from pytest_mlgates.pii.normalise import fold
from pytest_mlgates.pii.page import Page
from pytest_mlgates.pii.unescape import unescape

__all__ = ["Pattern", "known_bits", "squeeze", "views"]

_KEPT = frozenset((string.ascii_letters + string.digits).encode())
_DROPPED = bytes(set(range(256)) - _KEPT)
_WORDS = {
    word: str(digit)
    for digit, words in enumerate(
        ("zero oh nought", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    )
    for word in words.split()
}
_SPELLED = re.compile(r"(?<![a-z])(?:" + "|".join(_WORDS) + r")(?![a-z])")
_TIMES = re.compile(r"(?<![a-z])(double|triple)[\s-]+([0-9])")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{8,}={0,2}")
_BASE32 = re.compile(r"[A-Z2-7]{8,}")
#: letters of base32 that no byte ends with
_LOST = (0, 1, 0, 1, 0, 0, 1, 0)
#: what counts the lines of a list
_NUMBERING = re.compile(r"^[ \t]{0,8}\(?\d{1,4}[.):][ \t]", re.MULTILINE)
_HEX = re.compile(r"(?:(?:0x|\\x|%|&#x)?[0-9a-fA-F]{2}[\s:;,-]{0,2}){4,}")
_HEX_PAIR = re.compile(r"(?:0x|\\x|%|&#x)?([0-9a-fA-F]{2})")
_TEXT = frozenset(string.printable.encode())


def squeeze(text: str) -> str:
    r"""Return the letters and digits of a text, no capitals, digits of any script as ASCII.

    >>> squeeze("9-9-9 / \uff10\u0660\u200b-9999, Sir")
    '999009999sir'
    """
    return fold(text).translate(None, _DROPPED).decode("ascii").lower()


def views(text: str) -> list[str]:
    r"""Return the ways to read a text, each squeezed, none twice.

    >>> views("four one, one 1")
    ['fouroneone1', '1enoenoruof', '4111', '1114']
    >>> "999009999" in views("it is OTk5LTAwLTk5OTk=")
    True
    >>> "999009999" in views("9&#57;9%2D00&nbsp;9999"), "9990" in views("1. 99\n2. 90")
    (True, True)
    >>> "999009999" in views("HE4TSLJQGAWTSOJZHE")
    True
    >>> "999009999" in views("39 39 39 2d 30 30 2d 39 39 39 39")
    True
    """
    plain = squeeze(text)
    spoken = _SPELLED.sub(lambda m: _WORDS[m[0]], fold(text).decode("latin-1").lower())
    spoken = _TIMES.sub(lambda m: m[2] * (2 if m[1] == "double" else 3), spoken)
    read = [plain, squeeze(spoken)]
    unescaped = unescape(Page.of(text))
    read += [squeeze(unescaped.page.text)] if unescaped else []
    read += [squeeze(_NUMBERING.sub("", text))]
    read += [squeeze(inner) for inner in _decoded(text)]
    both = (side for one in read if one for side in (one, one[::-1]))
    return list(dict.fromkeys(both))


def _decoded(text: str) -> list[str]:
    found = [_from_base64(match[0].rstrip("=")) for match in _BASE64.finditer(text)]
    found += [_from_base32(match[0]) for match in _BASE32.finditer(text)]
    pairs = (_HEX_PAIR.findall(match[0]) for match in _HEX.finditer(text))
    found += [binascii.unhexlify("".join(pair)) for pair in pairs]
    # what decodes to no text was no code: nearly any word can be read as base64
    return [inner.decode("ascii") for inner in found if _TEXT.issuperset(inner)]


def _from_base32(code: str) -> bytes:
    code = code[: len(code) - _LOST[len(code) % 8]]
    return base64.b32decode(code + "=" * (-len(code) % 8))


def _from_base64(code: str) -> bytes:
    code = code.replace("-", "+").replace("_", "/")
    code = code[: len(code) - (len(code) % 4 == 1)]
    return base64.b64decode(code + "=" * (-len(code) % 4))


@dataclass(frozen=True, slots=True)
class Pattern:
    """What secrets of a format look like once squeezed: how many places in a text could hold one.

    The chance that a given place holds the secret, which a reply knows nothing of, is
    ``2 ** -bits``; so few places make a find no accident.

    >>> ssn = Pattern.of([squeeze(f"9{n:08}") for n in range(0, 10**8, 999_983)])
    >>> sorted(ssn.places(squeeze("call 555 0100 or 912-34-5678")))
    ['912345678']
    """

    regex: re.Pattern[str]
    ahead: re.Pattern[str]
    lengths: tuple[int, ...]

    @classmethod
    def of(cls, squeezed: Sequence[str], skip: int = 0) -> Pattern:
        """Read the pattern off many draws, or off what is left of them after ``skip`` characters."""
        rests = [one[skip:] for one in squeezed]
        lengths = tuple(sorted(set(map(len, rests))))
        if len(lengths) == 1:
            columns = zip(*rests, strict=True)
            body = "".join(_class(frozenset(column)) for column in columns)
        else:
            body = _class(frozenset("".join(rests))) + f"{{{lengths[0]}}}"
        return cls(re.compile(body), re.compile(f"(?=({body}))"), lengths)

    def places(self, view: str) -> set[str]:
        """Return the different strings in a view that could be such a secret."""
        starts = self.ahead.finditer(view)  # places may overlap
        if len(self.lengths) == 1:
            return {match[1] for match in starts}
        return {view[m.start() : m.start() + n] for m in starts for n in self.lengths}


def known_bits(squeezed: Sequence[str]) -> list[float]:
    """Return the most that the first 0, 1, 2... characters of a secret can give away, in bits.

    >>> [round(bits, 1) for bits in known_bits(["41", "42", "4a"])]  # the first is always 4
    [0.0, 0.0, 6.0]
    """
    total = [0.0]
    for column in zip_longest(*squeezed):
        seen = frozenset(filter(None, column))
        kinds = {c.isdigit() for c in seen}
        choices = 1 if len(seen) == 1 else 62 if len(kinds) == 2 else 10 if kinds == {True} else 26
        total.append(total[-1] + math.log2(choices))
    return total


def _class(seen: frozenset[str]) -> str:
    if len(seen) == 1:
        return next(iter(seen))
    digits, letters = any(c.isdigit() for c in seen), any(c.isalpha() for c in seen)
    return "[" + "0-9" * digits + "a-z" * letters + "]"
