"""The seed of each gate of a run: drawn from what names it, so that nobody chooses it."""

from __future__ import annotations

import hashlib

__all__ = ["seed_for"]


def seed_for(run_seed: int, *names: object) -> int:
    """Return a seed of 63 bits for one gate of a run, the same on every machine.

    ``names`` are those of its test and its entry, and the number of the call.

    >>> seed_for(0, "test_a", "p99_latency", 1) == seed_for(0, "test_a", "p99_latency", 1)
    True
    """
    text = "\x1f".join(map(str, (run_seed, *names)))
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "replace")).digest()[:8]) >> 1
