"""How far apart two texts are: the share of words to insert, delete or replace."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["word_distance"]

# scripts that put no blank between words are told apart by character
_WORDS = re.compile(
    r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]"
    r"|[^\W\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+|[^\w\s]"
)


def word_distance(a: str, b: str) -> float:
    """Return the edit distance of two texts in words, over the words of the longer one (0 to 1).

    Case, width and spacing do not count, punctuation does. A wrong number is one word of many: a
    tolerance above 0 lets it through in a long text.

    >>> word_distance("Turn left at the lights.", "turn  LEFT at the lights.")
    0.0
    >>> word_distance("Turn left now", "Turn right now")
    0.3333333333333333
    """
    one, two = _split_words(a), _split_words(b)
    if one == two:
        return 0.0
    return _edits(one, two) / max(len(one), len(two))


def _split_words(text: str) -> list[str]:
    return _WORDS.findall(unicodedata.normalize("NFKC", text).casefold())


def _edits(a: list[str], b: list[str]) -> int:
    """Return the Levenshtein distance, a row at a time in the bits of whole numbers.

    Myers, J. ACM 46(3), 1999, in the form of Hyyro, 2003.
    """
    if not a or not b:
        return max(len(a), len(b))
    where: dict[str, int] = {}
    for i, word in enumerate(a):
        where[word] = where.get(word, 0) | 1 << i
    full, last, distance = (1 << len(a)) - 1, 1 << (len(a) - 1), len(a)
    up, down = full, 0
    for word in b:
        match = where.get(word, 0)
        zero = (((match & up) + up) ^ up) | match | down
        right, left = down | ~(zero | up) & full, up & zero
        distance += bool(right & last) - bool(left & last)
        right = (right << 1 | 1) & full
        left = (left << 1) & full
        up, down = left | ~(zero | right) & full, right & zero
    return distance
