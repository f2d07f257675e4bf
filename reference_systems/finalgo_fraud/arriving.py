"""Lines as they arrive, without waiting for more than there is."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from reference_systems.finalgo_fraud.wire import Framer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

__all__ = ["arriving"]

_MOST = 1 << 16


def arriving(source: BinaryIO) -> Iterator[list[bytes | None]]:
    """Give the lines that came since, to the end; a line that is too long comes as None."""
    framer = Framer()
    number = source.fileno()
    while data := os.read(number, _MOST):
        if lines := framer.feed(data):
            yield lines
    if rest := framer.rest():
        yield rest
