"""A batch of records as one text: characters beside one byte each, and what stands around a place."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from pytest_mlgates.pii.normalise import RECORD, fold

__all__ = ["CLASSES", "MARGIN", "Page"]

#: 32 classes of characters: letters of either case 1 to 26, then these, and 0 for any other one
_OTHER_CLASSES = b". \x01\x80"
_CLASS = bytearray(256)
for _code in range(26):
    _CLASS[65 + _code] = _CLASS[97 + _code] = _code + 1
for _code, _sign in enumerate(_OTHER_CLASSES):
    _CLASS[_sign] = 27 + _code
CLASSES = bytes(_CLASS)
#: characters of no class before and after those of a page
MARGIN = 64


@dataclass(frozen=True)
class Page:
    """Records joined by ``RECORD``, and the same folded: an offset in one is an offset in the other.

    >>> page = Page.of("card: 4111")
    >>> page.before(6), page.after(4)
    ('card: ', ': 4111')
    """

    text: str
    batch: bytes

    @classmethod
    def of(cls, text: str) -> Page:
        """Fold a text."""
        return cls(text, fold(text))

    @cached_property
    def codes(self) -> npt.NDArray[Any]:
        """The folded text as an array."""
        return np.frombuffer(self.batch, dtype=np.uint8)

    @cached_property
    def classes(self) -> npt.NDArray[Any]:
        """The class of each character, with a margin around them."""
        margin = bytes(MARGIN)
        return np.frombuffer(margin + self.batch.translate(CLASSES) + margin, dtype=np.uint8)

    @cached_property
    def records(self) -> npt.NDArray[Any]:
        """Where each record starts."""
        return np.concatenate(([0], np.flatnonzero(self.codes == ord(RECORD)) + 1))

    @cached_property
    def lower(self) -> bytes:
        """The folded text in small letters: whether a word may stand anywhere in it."""
        return self.batch.lower()

    def before(self, place: int, reach: int = 48) -> str:
        """Return what stands before a place, in its own record."""
        return self.text[max(0, place - reach) : place].rpartition(RECORD)[2]

    def after(self, place: int, reach: int = 32) -> str:
        """Return what stands from a place on, in its own record."""
        return self.text[place : place + reach].partition(RECORD)[0]
