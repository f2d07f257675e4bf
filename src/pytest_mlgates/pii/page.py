"""A batch of records as one text: characters beside one byte each, and what stands around a place."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from pytest_mlgates.pii.normalise import RECORD, fold

__all__ = ["Page"]


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
    def lower(self) -> bytes:
        """The folded text in small letters: whether a word may stand anywhere in it."""
        return self.batch.lower()

    def before(self, place: int, reach: int = 48) -> str:
        """Return what stands before a place, in its own record."""
        return self.text[max(0, place - reach) : place].rpartition(RECORD)[2]

    def after(self, place: int, reach: int = 32) -> str:
        """Return what stands from a place on, in its own record."""
        return self.text[place : place + reach].partition(RECORD)[0]
