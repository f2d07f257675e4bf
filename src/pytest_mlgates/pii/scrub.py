"""Take personal data out of text before it is stored, logged or learnt from."""

from __future__ import annotations

from functools import cache

from pytest_mlgates.pii.find import Detector

__all__ = ["scrub"]


def scrub(text: str, detector: Detector | None = None) -> str:
    """Return ``text`` with every span found, sure or not, replaced by ``<ENTITY>``.

    >>> scrub("My card is 4111-1111-1111-1111, mail jo@example.org")
    'My card is <CREDIT_CARD>, mail <EMAIL_ADDRESS>'
    """
    parts, at = [], 0
    for span in (detector or _default()).find(text):
        parts += [text[at : span.start], f"<{span.entity}>"]
        at = span.end
    return "".join([*parts, text[at:]])


@cache
def _default() -> Detector:
    return Detector()
