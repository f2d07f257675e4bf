"""Mask what points to a person in a piece of a résumé before it is shown."""

from __future__ import annotations

import re

__all__ = ["mask"]

_PATTERNS = (
    (re.compile(r"\b(?:https?|ftp)://\S+|\bwww\.\S+", re.IGNORECASE), "<url>"),
    (re.compile(r"[^\s@<>\"'(),;:]+@[^\s@<>\"'(),;:]+"), "<email>"),
    (re.compile(r"\b(?:[a-z0-9-]+\.)+[a-z]{2,}/\S*", re.IGNORECASE), "<url>"),
    # four digits or more, also where blanks, dots, dashes or brackets part them
    (re.compile(r"\+?\(?\d(?:[\s().\-/]{0,3}\d){3,}"), "<number>"),
)


def mask(text: str) -> str:
    """Return ``text`` with e-mail addresses, URLs and numbers of four digits or more masked.

    >>> mask("Call 555-0100 or mail jo.doe@example.org, see https://example.org/jo (3 years)")
    'Call <number> or mail <email>, see <url> (3 years)'
    """
    for pattern, word in _PATTERNS:
        text = pattern.sub(word, text)
    return text
