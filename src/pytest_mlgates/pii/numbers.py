"""The digits of a page: gathered into groups and runs, for a whole batch at once.

Digits with nothing between them are a group, groups with only separators between them a run. All
steps are linear; Python looks only at what the vectorised checks leave.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from pytest_mlgates.pii.normalise import GLUE
from pytest_mlgates.pii.page import Page

__all__ = ["Array", "Numbers"]

Array = npt.NDArray[Any]

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
        self.page, self.batch = page, page.batch
        self.bytes = np.frombuffer(self.batch, dtype=np.uint8)
        places = np.flatnonzero((self.bytes - np.uint8(48)) < 10)
        cuts = np.flatnonzero(np.diff(places) > 1)
        firsts = np.concatenate(([0], cuts + 1)) if len(places) else places
        lasts = np.append(cuts, len(places) - 1) if len(places) else places
        self.places = places
        self.start, self.end = places[firsts], places[lasts] + 1
        self.size = self.end - self.start
        # the same as lists: what Python looks at one by one
        self.starts: list[int] = self.start.tolist()
        self.ends: list[int] = self.end.tolist()
        self.sizes: list[int] = self.size.tolist()
        self._into_runs()
        self.run_of: list[int] = self.run.tolist()
        heads = np.flatnonzero(np.diff(self.run, prepend=-1))
        #: first group of each run, and how many groups there are
        self.heads: list[int] = [*heads.tolist(), len(self.run)]

    def _into_runs(self) -> None:
        """Number the runs; two groups share one where only separators part them."""
        self.run = np.zeros(len(self.start), dtype=np.int64)
        if not len(self.start):
            return
        apart = self.start[1:] - self.end[:-1]
        joined = apart <= _WRAPPED
        between = np.zeros(len(apart), dtype=np.uint8)
        for step in range(_WRAPPED):
            near = np.flatnonzero(joined & (apart > step))
            kinds = _KINDS[self.bytes[self.end[near] + step]]
            joined[near] &= kinds > 0
            between[near] |= kinds
        wrapped = (between & _BREAK) > 0
        joined &= ((apart <= _NEAR) & (between < _QUOTE)) | wrapped
        joined &= (between & _SLASH == 0) | (apart == 1)  # "a / b" parts two numbers
        joined &= (between & _COMMA == 0) | self._may_be_listed()
        self.run[1:] = np.cumsum(~joined)

    def _may_be_listed(self) -> Array:
        """Tell where a comma may part two pieces of one number: digit by digit, or by fours."""
        left, right = self.size[:-1], self.size[1:]
        fours: Array = (left >= 3) & (left <= 6) & (right >= 3) & (right <= 6)
        listed: Array = ((left == 1) & (right == 1)) | (fours & ((left == 4) | (right == 4)))
        return listed

    def bounds(self, group: int) -> tuple[int, int]:
        """Return the first and the last group of the run that a group stands in."""
        number = self.run_of[group]
        return self.heads[number], self.heads[number + 1] - 1

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
