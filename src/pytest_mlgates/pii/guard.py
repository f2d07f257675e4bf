"""The last line before a reply is sent: a reply that gives somebody away is not."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from pytest_mlgates.core.errors import MlgatesError
from pytest_mlgates.pii.find import Detector
from pytest_mlgates.pii.normalise import fold

__all__ = ["LeakError", "guard"]


class LeakError(MlgatesError):
    """A reply holds personal data, a secret or a canary; the message shows none of it."""


def guard(reply: str, secrets: Iterable[str] = (), detector: Detector | None = None) -> str:
    """Return a reply as it is, or raise LeakError where it holds what must not be sent.

    ``secrets`` are values that are looked for however they are parted (canaries). A piece of an
    identifier in each of several replies, and other spellings (words, ciphers), are not caught.

    >>> guard("Your refund is on its way.")
    'Your refund is on its way.'
    >>> guard("Your card is 4111-1111-1111-1111")
    Traceback (most recent call last):
        ...
    pytest_mlgates.pii.guard.LeakError: the reply holds a CREDIT_CARD: it is not sent
    >>> guard("it is 9990 0999", secrets=["9990-0999"])
    Traceback (most recent call last):
        ...
    pytest_mlgates.pii.guard.LeakError: the reply holds a secret that was planted: it is not sent
    """
    for span in (detector or _default()).find(reply):
        if span.confirmed:
            raise LeakError(f"the reply holds a {span.entity}: it is not sent")
    plain = _letters(reply)
    if any(_letters(secret) in plain for secret in secrets if _letters(secret)):
        raise LeakError("the reply holds a secret that was planted: it is not sent")
    return reply


def _letters(text: str) -> bytes:
    return bytes(c for c in fold(text) if chr(c).isalnum() and c < 0x80).lower()


@cache
def _default() -> Detector:
    return Detector()
