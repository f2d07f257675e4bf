"""Evidence for and against a find, added up; the weights are data (``weights.json``).

A weight is the logarithm of how much likelier a piece of evidence is beside a real value than
beside a number that only looks like one. Their sum is turned into a score between 0 and 1; from
0.5 on a find is confirmed. Nothing vetoes: a checksum and a soft word against it are both heard.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from functools import cache
from importlib import resources

__all__ = ["CONFIRMED", "bit_of", "score", "score_of_bits", "weights"]

#: score from which a find is confirmed
CONFIRMED = 0.5


@cache
def weights(kind: str) -> dict[str, float]:
    """Return the weight of each piece of evidence for a kind.

    >>> weights("CREDIT_CARD")["a card's label right before"] > 5
    True
    """
    data = resources.files("pytest_mlgates.pii").joinpath("weights.json").read_text("utf-8")
    found: dict[str, float] = json.loads(data)["weights"][kind]
    return found


def score(kind: str, evidence: Iterable[str]) -> float:
    """Return how sure a find is, between 0 and 1.

    >>> score("CREDIT_CARD", ["length of its scheme"]) > 0.5
    True
    >>> score("CREDIT_CARD", ["length of its scheme", "another label right before"]) < 0.5
    True
    """
    known = weights(kind)
    total = known["always"] + sum(known[name] for name in evidence)
    return round(1 / (1 + math.exp(-total)), 2)


@cache
def bit_of(kind: str, evidence: str) -> int:
    """Return the bit of a piece of evidence: those of many candidates are gathered as numbers."""
    return 1 << list(weights(kind)).index(evidence)


@cache
def score_of_bits(kind: str, bits: int) -> float:
    """Return how sure a find is whose evidence is given as bits.

    >>> bits = bit_of("US_SSN", "its label near") | bit_of("US_SSN", "documentation")
    >>> score_of_bits("US_SSN", bits) == score("US_SSN", ["its label near", "documentation"])
    True
    """
    return score(kind, (name for at, name in enumerate(weights(kind)) if bits >> at & 1))
