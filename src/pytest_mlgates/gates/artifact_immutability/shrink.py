"""Leave out operations as long as what is left still breaks the same promise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

__all__ = ["shrink"]

T = TypeVar("T")


def shrink(
    items: Sequence[T], breaks: Callable[[Sequence[T]], bool], most: int = 200
) -> tuple[tuple[T, ...], bool]:
    """Return a shorter sequence that still breaks, and whether none of it can be left out.

    Halves are tried before quarters, then one by one (delta debugging); at most ``most`` sequences
    are tried.

    Source: Zeller and Hildebrandt, IEEE TSE 28(2), 2002.

    >>> shrink([1, 7, 2, 3, 9, 4], lambda found: {7, 9} <= set(found))
    ((7, 9), True)
    """
    found = tuple(items)
    size, tried = max(len(found) // 2, 1), 0
    while True:
        shorter = False
        at = 0
        while at < len(found):
            rest = found[:at] + found[at + size :]
            if tried >= most:
                return found, False
            tried += 1
            if rest and breaks(rest):
                found, shorter = rest, True
            else:
                at += size
        if size == 1 and not shorter:
            return found, True
        size = max(size // 2, 1)
