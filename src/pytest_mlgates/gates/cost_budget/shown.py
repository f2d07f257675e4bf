"""Names from a bill as a record may hold them: a tag can be somebody's address, or worse."""

from __future__ import annotations

import re

from pytest_mlgates.core.words import printable

__all__ = ["shown"]

_MAIL = re.compile(r"[^\s@/:<>\"']+@[^\s@/:<>\"']+\.\w+")
_DIGITS = re.compile(r"(?<!\d)\d(?:[ \-]?\d){12,18}(?!\d)")
_LONGEST = 80


def shown(name: object) -> str:
    """Return a name on one line, not too long, e-mail addresses and card numbers masked.

    >>> shown("training/worker-17"), shown("owner jo@example.org"), shown("4111-1111-1111-1111")
    ('training/worker-17', 'owner <e-mail>', '<number>')
    """
    text = _DIGITS.sub(_mask_card, _MAIL.sub("<e-mail>", str(name)))
    text = printable(text.encode("utf-8", "replace").decode())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _mask_card(match: re.Match[str]) -> str:
    digits = [int(c) for c in match[0] if c.isdigit()]
    doubled = [d if i % 2 == 0 else d * 2 - 9 * (d > 4) for i, d in enumerate(digits[::-1])]
    return "<number>" if sum(doubled) % 10 == 0 else match[0]
