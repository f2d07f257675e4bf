"""Whether a word may stand near a place: for many places at once, and never wrong when it says no.

Words are looked for in Python, one context at a time, which is what number-dense text would pay
for at each of its numbers. Here each word is given by a piece that stands in all of its spellings
(``call``); its first three letters and its second to fourth are looked up in two tables, for all
characters before all places in one go. What both tables know is a maybe, which Python looks at.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from pytest_mlgates.pii.numbers import Array
from pytest_mlgates.pii.page import CLASSES, MARGIN, Page

__all__ = ["Pieces"]

#: places looked at together
_MAX_ROWS = 1 << 14


class Pieces:
    """Pieces of words: of each the first four characters count.

    >>> page = Page.of("please phone 555, or pay 70")
    >>> Pieces(b"phon", b"fax").before(page, np.array([13, 25]), 8).tolist()
    [True, False]
    """

    def __init__(self, *pieces: bytes) -> None:
        # pieces of one character have a bit of their own, or every second look-up would agree
        self._first, self._then = np.zeros((2, 32, 32, 32), dtype=np.uint8)
        for piece in pieces:
            known = [np.array([code]) for code in piece[:4].translate(CLASSES)]
            places = [*known, *[np.arange(32)] * (4 - len(known))]
            bit = 1 << (len(known) == 1)
            self._first[np.ix_(*places[:3])] |= bit
            self._then[np.ix_(*places[1:])] |= bit

    def before(self, page: Page, places: Array, reach: int) -> Array:
        """Tell for each place whether a piece may start in the ``reach`` characters before it."""
        return self._in(page, places, -reach, 0)

    def after(self, page: Page, places: Array, reach: int) -> Array:
        """Tell for each place whether a piece may start in the ``reach`` characters from it on."""
        return self._in(page, places, 0, reach)

    def around(self, page: Page, starts: Array, ends: Array, before: int, after: int) -> Array:
        """Tell whether one may start so far before a start, or so far after an end."""
        found: Array = self._in(page, starts, -before, 0) | self._in(page, ends, 0, after)
        return found

    def _in(self, page: Page, places: Array, low: int, high: int) -> Array:
        if not len(places):
            return np.zeros(0, dtype=np.bool_)
        rows = sliding_window_view(page.classes, high - low + 3)
        found = np.zeros(len(places), dtype=np.bool_)
        for at in range(0, len(places), _MAX_ROWS):
            near = rows[places[at : at + _MAX_ROWS] + (low + MARGIN)].astype(np.uint16)
            three = near[:, :-2] << 10
            three |= near[:, 1:-1] << 5
            three |= near[:, 2:]
            first = self._first.ravel()[three[:, :-1]]
            row, column = np.nonzero(first)
            both = first[row, column] & self._then.ravel()[three[row, column + 1]]
            found[row[both > 0] + at] = True
        return found
