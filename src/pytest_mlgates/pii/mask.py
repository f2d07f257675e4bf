"""Show a finding without the value: kind, shape, and a digest that needs a key.

A digest without a key would give a card number away: there are few enough to try them all.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from pytest_mlgates.pii.normalise import GLUE, fold
from pytest_mlgates.pii.spans import Span

__all__ = ["Masker", "shape_shown"]


class Masker:
    """Masks the findings of one run; the same value gives the same digest within it.

    ``key`` makes digests comparable between runs; without one it is drawn for this run alone.

    >>> Masker(b"k").mask("card 4111 1111 1111 1111", Span("CREDIT_CARD", 5, 24, 1.0, True))
    'CREDIT_CARD "#### #### #### ####" (digest ea8f1cf8)'
    """

    def __init__(self, key: bytes | None = None) -> None:
        self.key = key or secrets.token_bytes(32)

    def mask(self, text: str, span: Span) -> str:
        """Return what may be shown of a span: digits as ``#``, letters as ``x``, 40 at most."""
        digest = self.digest(fold(text[span.start : span.end]))
        return f'{span.entity} "{shape_shown(text[span.start : span.end])}" (digest {digest})'

    def digest(self, value: bytes, digits: int = 8) -> str:
        """Return the keyed digest of a folded value, however it was written."""
        plain = bytes(c for c in value if chr(c).isalnum() or c in b"@:").lower()
        return hmac.new(self.key, plain, hashlib.sha256).hexdigest()[:digits]


def shape_shown(value: str) -> str:
    """Return what may be shown of a value: digits as ``#``, letters as ``x``, 40 at most.

    >>> shape_shown("4111-1111")
    '####-####'
    """
    shape = "".join(_shape(byte) for byte in fold(value[:200]))
    return shape if len(shape) <= 40 else shape[:39] + "…"


def _shape(byte: int) -> str:
    if byte == GLUE:
        return ""
    character = chr(byte)
    if character.isdigit():
        return "#"
    if character in "\n\r\t":
        return " "
    return character if byte < 0x80 and not character.isalnum() else "x"
