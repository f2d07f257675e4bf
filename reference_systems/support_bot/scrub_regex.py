"""The scrubber of the incident: one pattern. A card with spaces walks past it."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["scrub_all"]

_CARD = re.compile(r"\d{16}")


def scrub_all(texts: Iterable[str]) -> list[str]:
    r"""Return each text with every run of 16 digits replaced.

    >>> scrub_all(["card 4111111111111111", "card 4111 1111 1111 1111"])
    ['card <CREDIT_CARD>', 'card 4111 1111 1111 1111']
    """
    return [_CARD.sub("<CREDIT_CARD>", text) for text in texts]
