"""The digits of a page: gathered into groups and runs, for a whole batch at once.

Digits with nothing between them are a group, groups with only separators between them a run. All
steps are linear; Python looks only at what the vectorised checks leave.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from pytest_mlgates.pii.normalise import GLUE
from pytest_mlgates.pii.page import Page

__all__ = ["Array", "Numbers"]

Array = npt.NDArray[Any]

_DIGIT_MASK = bytes(48 <= c <= 57 for c in range(256))
_NO_DIGITS = bytes(c for c in range(256) if not 48 <= c <= 57)
#: what may stand between two groups of one number; replies quote the lines of a letter with ">"
_BLANK, _BREAK, _SLASH, _COMMA, _QUOTE = 1, 2, 4, 8, 16
_KINDS = np.zeros(256, dtype=np.uint8)
_KINDS[list(b" \t\x0b\x0c-._()" + bytes([GLUE]))] = _BLANK
_KINDS[list(b"\n\r/,>")] = _BREAK, _BREAK, _SLASH, _COMMA, _QUOTE

#: most characters between two groups of one number, without and with a line break among them
_NEAR, _WRAPPED = 4, 8


class Numbers:
    """The groups of digits of one page: where each starts and ends, and in which run it stands."""

    def __init__(self, page: Page) -> None:
        self.page, self.batch, self.bytes = page, page.batch, page.codes
        digit = np.frombuffer(self.batch.translate(_DIGIT_MASK), dtype=np.bool_)
        edges = np.flatnonzero(digit[1:] != digit[:-1]) + 1
        first = [0] if len(digit) and digit[0] else []
        last = [len(digit)] if len(digit) and digit[-1] else []
        edges = np.concatenate((first, edges, last)).astype(np.int64) if first or last else edges
        self.start, self.end = edges[::2], edges[1::2]
        self.size = self.end - self.start
        #: between two groups: how far apart they are, and whether one number may hold both
        self.apart = self.start[1:] - self.end[:-1]
        self._into_runs()

    # the same as lists: what Python looks at one by one
    @cached_property
    def starts(self) -> list[int]:
        """Where each group starts."""
        return list(self.start.tolist())

    @cached_property
    def ends(self) -> list[int]:
        """Where each group ends (exclusive)."""
        return list(self.end.tolist())

    @cached_property
    def sizes(self) -> list[int]:
        """How many digits each group has."""
        return list(self.size.tolist())

    @cached_property
    def heads(self) -> Array:
        """The first group of each run, and how many groups there are."""
        return np.append(np.flatnonzero(np.diff(self.run, prepend=-1)), len(self.run))

    @cached_property
    def total(self) -> Array:
        """How many digits each run has."""
        upto = np.concatenate(([0], np.cumsum(self.size)))
        return upto[self.heads[1:]] - upto[self.heads[:-1]]

    @cached_property
    def digit_values(self) -> Array:
        """The values of all digits of the page, in order."""
        return np.frombuffer(self.batch.translate(None, _NO_DIGITS), dtype=np.uint8) - np.uint8(48)

    def _into_runs(self) -> None:
        """Number the runs; two groups share one where only separators part them."""
        self.run = np.zeros(len(self.start), dtype=np.int64)
        if not len(self.apart):
            return
        near = np.flatnonzero(self.apart <= _WRAPPED)
        apart, ends = self.apart[near], self.end[near]
        joined = np.ones(len(near), dtype=np.bool_)
        between = np.zeros(len(near), dtype=np.uint8)
        for step in range(_WRAPPED):
            inside = np.flatnonzero(joined & (apart > step))
            if not len(inside):
                break
            kinds = _KINDS[self.bytes[ends[inside] + step]]
            joined[inside] = kinds > 0
            between[inside] |= kinds
        wrapped = (between & _BREAK) > 0
        joined &= ((apart <= _NEAR) & (between < _QUOTE)) | wrapped
        joined &= (between & _SLASH == 0) | (apart == 1)  # "a / b" parts two numbers
        joined &= (between & _COMMA == 0) | _may_be_listed(self.size[near], self.size[near + 1])
        parted = np.ones(len(self.apart), dtype=np.bool_)
        parted[near[joined]] = False
        np.cumsum(parted, out=self.run[1:])

    def bounds(self, group: int) -> tuple[int, int]:
        """Return the first and the last group of the run that a group stands in."""
        number = int(self.run[group])
        return int(self.heads[number]), int(self.heads[number + 1]) - 1

    def digits(self, start: int, end: int) -> bytes:
        """Return the digits between two places."""
        return self.batch[start:end].translate(None, _NO_DIGITS)

    def gap(self, i: int) -> bytes:
        """Return what stands between group ``i`` and the next one."""
        return self.batch[self.ends[i] : self.starts[i + 1]]

    def left(self, place: int) -> bytes:
        """Return the byte before a place, or nothing at the start."""
        return self.batch[place - 1 : place] if place else b""

    def right(self, place: int) -> bytes:
        """Return the byte at a place, or nothing at the end."""
        return self.batch[place : place + 1]

    def is_digit(self, place: int) -> bool:
        """Tell whether a digit stands at a place."""
        return 0 <= place < len(self.batch) and 48 <= self.batch[place] <= 57

    def in_a_word(self, start: int, end: int) -> bool:
        """Tell whether a letter, a digit or an underscore hangs on."""
        left, right = self.left(start), self.right(end)
        return left.isalnum() or right.isalnum() or left == b"_" or right == b"_"

    def longer(self, a: int, z: int) -> bool:
        """Tell whether more groups hang on to those from ``a`` to ``z`` with the same separator."""
        inside = self.gap(a)
        before = a > 0 and self.gap(a - 1) == inside
        after = z + 1 < len(self.end) and self.gap(z) == inside
        return bool(before or after)


def _may_be_listed(left: Array, right: Array) -> Array:
    """Tell where a comma may part two pieces of one number: digit by digit, or by fours."""
    fours: Array = (left >= 3) & (left <= 6) & (right >= 3) & (right <= 6)
    listed: Array = ((left == 1) & (right == 1)) | (fours & ((left == 4) | (right == 4)))
    return listed
