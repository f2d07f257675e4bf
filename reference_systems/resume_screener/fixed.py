"""The fix: name, gender, college and their like are not read; the history stays the same."""

from __future__ import annotations

from reference_systems.resume_screener.features import BLOCKS
from reference_systems.resume_screener.training import Screener, train

__all__ = ["REMOVED", "screener"]

#: what the audit removed, and what stands in for it: where people live, and what they like
REMOVED = frozenset({"name", "gender", "college", "postcode", "hobbies"})


def screener(seed: int = 0) -> Screener:
    """Return the screener after the audit."""
    return train(tuple(block for block in BLOCKS if block not in REMOVED), seed)
