"""What a detector finds: a span of the original text, its kind, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["ENTITIES", "NAMES", "Span", "settle"]

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


def settle(spans: Iterable[Span]) -> list[Span]:
    """Return spans in order, none over another: the surer one stays, then the longer one.

    >>> a, b = Span("PHONE_NUMBER", 0, 10, 0.4, False), Span("CREDIT_CARD", 0, 16, 0.9, True)
    >>> [span.entity for span in settle([a, b])]
    ['CREDIT_CARD']
    """
    kept: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.start, span.end)):
        while kept and span.start < kept[-1].end:
            last = kept[-1]
            if _weight(span) <= _weight(last):
                break
            kept.pop()
        else:
            kept.append(span)
    return kept


def _weight(span: Span) -> tuple[bool, float, int]:
    return span.confirmed, span.score, span.end - span.start
