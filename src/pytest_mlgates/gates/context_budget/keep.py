"""What a policy says must be kept, and whether a text holds it."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Keep", "folded", "holds", "parse_keep"]

RULE = re.compile(r"([A-Za-z_][\w-]*)(?:\s*>=\s*(\d+(?:\.\d+)?)\s*(%?))?")


@dataclass(frozen=True, slots=True)
class Keep:
    """A field of the questions whose items must be in the context, and which share of them."""

    what: str
    share: float


def parse_keep(text: str) -> Keep:
    """Read one thing to keep, as a policy writes it; raise ValueError.

    >>> parse_keep("path"), parse_keep("names >= 0.95"), parse_keep("names>=95%")
    (Keep(what='path', share=1.0), Keep(what='names', share=0.95), Keep(what='names', share=0.95))
    """
    match = RULE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a field of the questions, nor like 'names >= 0.95'")
    what, number, percent = match.groups()
    share = 1.0 if number is None else float(number) / (100 if percent else 1)
    if not 0 < share <= 1:
        raise ValueError(f"{text!r}: the share must be above 0 and at most 1")
    if what == "question":
        raise ValueError("'question' is what is asked, not what is kept")
    return Keep(what, share)


def folded(text: str) -> str:
    """Return a text with its blanks folded: indentation is no part of what is kept."""
    return " ".join(text.split())


def holds(context: str, item: str) -> bool:
    """Tell whether a folded context has a folded item, and not only as part of a longer word.

    >>> holds("calls get/1 and put/2", "get/1"), holds("calls get/12", "get/1")
    (True, False)
    """
    at = context.find(item)
    while at >= 0:
        end = at + len(item)
        before = context[at - 1 : at] if at else ""
        if not (_joins(before, item[:1]) or _joins(item[-1:], context[end : end + 1])):
            return True
        at = context.find(item, at + 1)
    return False


def _joins(left: str, right: str) -> bool:
    return _in_word(left) and _in_word(right)


def _in_word(letter: str) -> bool:
    return letter.isalnum() or letter in ("_", "$") if letter else False
