"""The fixed build: a local table, look-ups that nobody waits for, and learning from each label."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from reference_systems.finalgo_fraud.running import Running, served

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ["scorer"]


@contextlib.contextmanager
def scorer(state: Path, *more: str, prefix: Sequence[str] = ()) -> Iterator[Running]:
    """Serve it in a process of its own while the block runs."""
    with served("fixed", state, *more, prefix=prefix) as found:
        yield found
