"""Which texts of a bill are about transfer between zones."""

from __future__ import annotations

import re

__all__ = ["is_zone_transfer"]

#: usage types and operations of AWS
_CODES = re.compile(
    r"DataTransfer-(Regional|xAZ|AZ-)|VpcEndpoint-XZ|\bInterZone-(In|Out)\b|regional data transfer",
    re.IGNORECASE,
)
_ZONE = r"(availability[-_ ]?)?(zone|domain)s?|azs?|ads?"
_BETWEEN = re.compile(
    rf"\b(inter|cross|x)[-_ ]?({_ZONE})\b(?![-_ ]?(load|balanc))"
    rf"|\b(between|across)\b[\w /]*?\b({_ZONE})\b"
    r"|(?<!intra[- ])\bavailability[- ]zones? data transfer",
    re.IGNORECASE,
)
_MOVES = re.compile(r"transfer|traffic|bytes|egress|ingress|bandwidth|\bdata\b", re.IGNORECASE)
_FROM_TO = re.compile(r"\bfrom one (availability[- ])?(zone|domain) to another", re.IGNORECASE)


def is_zone_transfer(text: str) -> bool:
    """Tell whether a text is about data that moves between zones, and not of what is in several.

    >>> is_zone_transfer("Network Inter Zone Data Transfer Out")
    True
    >>> is_zone_transfer("Cross-zone load balancing enabled LCU hours")
    False
    """
    if _CODES.search(text) or _FROM_TO.search(text):
        return True
    return _BETWEEN.search(text) is not None and _MOVES.search(text) is not None
