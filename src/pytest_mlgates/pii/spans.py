"""What a detector finds: a span of the original text, its kind, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["BY_REGION", "ENTITIES", "NAMES", "Span", "settle"]

#: what is found by pattern and validator
ENTITIES = (
    "CREDIT_CARD",
    "US_SSN",
    "US_ITIN",
    "IBAN_CODE",
    "EMAIL_ADDRESS",
    "PHONE_NUMBER",
    "IP_ADDRESS",
    "CRYPTO",
    "MEDICAL_LICENSE",
    "API_KEY",
)
#: what is looked for where it is asked for: by name, or with a region whose identifiers are known
BY_REGION = ("NATIONAL_ID", "PASSPORT", "MEDICAL_RECORD", "BIRTH_DATE")
#: what takes a language model
NAMES = ("PERSON", "LOCATION")


@dataclass(frozen=True, slots=True)
class Span:
    """Characters ``start`` to ``end`` (exclusive) of a text, and what they are.

    ``score`` lies between 0 and 1. ``confirmed`` says that a checksum, a format nothing else has,
    or a word beside it vouches for the kind: only such spans fail a gate.

    >>> Span("CREDIT_CARD", 8, 24, 0.95, True).entity
    'CREDIT_CARD'
    """

    entity: str
    start: int
    end: int
    score: float
    confirmed: bool

    def moved(self, by: int) -> Span:
        """Return the same find, ``by`` characters further on."""
        return Span(self.entity, self.start + by, self.end + by, self.score, self.confirmed)


def settle(spans: Iterable[Span]) -> list[Span]:
    """Return spans in order, none over another: the surer one stays.

    Where two of one kind are as sure, one span over both stays: either may be meant.

    >>> a, b = Span("PHONE_NUMBER", 0, 10, 0.4, False), Span("CREDIT_CARD", 0, 16, 0.9, True)
    >>> [span.entity for span in settle([a, b])]
    ['CREDIT_CARD']
    """
    kept: list[Span] = []
    for found in sorted(spans, key=lambda span: (span.start, span.end)):
        span = found
        while kept and span.start < kept[-1].end:
            last = kept[-1]
            if span.entity == last.entity and _rank(span) == _rank(last):  # either may be meant
                span = Span(
                    span.entity, last.start, max(span.end, last.end), last.score, last.confirmed
                )
            elif not _goes_first(span, last):
                break
            kept.pop()
        else:
            kept.append(span)
    return kept


def _goes_first(span: Span, last: Span) -> bool:
    """Tell whether a span takes the place of one that it overlaps and that starts no later."""
    if span.entity != last.entity and span.confirmed and last.confirmed:
        if span.end <= last.end and (span.start, span.end) != (last.start, last.end):
            return False  # part of a longer one, as fours of an IBAN may add up
        if span.start == last.start:
            return True
    return _rank(span) > _rank(last)


def _rank(span: Span) -> tuple[bool, float]:
    return span.confirmed, span.score
