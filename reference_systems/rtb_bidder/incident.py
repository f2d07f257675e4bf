"""The incident build: same model, same token ids, the tokenizer is a Python loop."""

from __future__ import annotations

import functools

from reference_systems.rtb_bidder.bidder import Bidder
from reference_systems.rtb_bidder.model import trained_model
from reference_systems.rtb_bidder.tokenizer_loop import LoopTokenizer

__all__ = ["bidder"]


@functools.cache
def bidder() -> Bidder:
    """Return the bidder whose P99 jumped."""
    return Bidder(LoopTokenizer(), trained_model())
