"""A text that a pattern fits, drawn at random: one character of each class, a branch of each choice."""

from __future__ import annotations

import random
import re
import string
import warnings
from typing import Any

try:
    from re import _constants as codes
    from re import _parser as parser
except ImportError:  # Python before 3.11
    import sre_constants as codes  # type: ignore[no-redef]
    import sre_parse as parser  # type: ignore[no-redef]

__all__ = ["made"]

_CLASSES = {
    codes.CATEGORY_DIGIT: string.digits,
    codes.CATEGORY_WORD: string.ascii_letters + string.digits,
    codes.CATEGORY_SPACE: " ",
    codes.CATEGORY_NOT_SPACE: string.ascii_letters + string.digits,
    codes.CATEGORY_NOT_WORD: " ",
}


def made(pattern: str, draw: random.Random) -> str:
    """Return a text that a pattern fits; anchors and what is looked at around are left out.

    >>> re.fullmatch("ab[0-9]{3}(?:x|y)", made("ab[0-9]{3}(?:x|y)", random.Random(1))) is not None
    True
    """
    # flags amid a pattern are an error to Python, and mean nothing to what is drawn
    plain = re.sub(r"\(\?[a-z]+(?:-[a-z]+)?\)|\(\?-[a-z]+\)", "", pattern)
    plain = re.sub(r"\(\?[a-z]*-[a-z]+:", "(?:", plain).replace(r"\z", r"\Z")
    plain = re.sub(r"\(\?<([A-Za-z])", r"(?P<\1", plain)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return "".join(_drawn(parser.parse(plain), draw))


def _drawn(parsed: Any, draw: random.Random) -> list[str]:
    out: list[str] = []
    for code, value in parsed:
        if code is codes.LITERAL:
            out.append(chr(value))
        elif code is codes.NOT_LITERAL:
            out.append("x" if value != ord("x") else "y")
        elif code is codes.ANY:
            out.append(draw.choice(string.ascii_letters))
        elif code is codes.IN:
            out.append(draw.choice(_members(value)))
        elif code in (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT):
            low, high, inner = value
            for _ in range(draw.randint(low, min(int(high), low + 4))):
                out += _drawn(inner, draw)
        elif code is codes.SUBPATTERN:
            out += _drawn(value[-1], draw)
        elif code is codes.BRANCH:
            out += _drawn(draw.choice(value[1]), draw)
        elif code is codes.ATOMIC_GROUP:
            out += _drawn(value, draw)
    return out


def _members(items: Any) -> str:
    found = ""
    negated = False
    for code, value in items:
        if code is codes.NEGATE:
            negated = True
        elif code is codes.LITERAL:
            found += chr(value)
        elif code is codes.RANGE:
            found += "".join(map(chr, range(value[0], value[1] + 1)))
        elif code is codes.CATEGORY:
            found += _CLASSES.get(value, "a")
    if negated:
        return "".join(c for c in string.ascii_letters + string.digits + " ;" if c not in found)
    return found
