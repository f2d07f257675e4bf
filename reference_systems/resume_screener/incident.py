"""The incident: every block is read, the name too, and history teaches what a name is worth."""

from __future__ import annotations

from reference_systems.resume_screener.features import BLOCKS
from reference_systems.resume_screener.training import Screener, train

__all__ = ["screener"]


def screener(seed: int = 0) -> Screener:
    """Return the screener as it went live."""
    return train(tuple(BLOCKS), seed)
