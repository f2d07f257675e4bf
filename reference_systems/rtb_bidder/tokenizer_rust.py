"""The fix: the tokenizer runs in Rust and is called through PyO3."""

from __future__ import annotations

from reference_systems.rtb_bidder.vocabulary import trained, vocabulary_digest

__all__ = ["RustTokenizer"]


class RustTokenizer:
    """The ``tokenizers`` library: byte-level BPE, merged with a priority queue, words cached.

    >>> RustTokenizer().encode("") == []
    True
    """

    def __init__(self) -> None:
        self._tokenizer = trained()
        self.mlgates_digest = f"rust:{vocabulary_digest()}"

    def encode(self, text: str) -> list[int]:
        """Return the token ids of a text."""
        # the batch call is the one that can leave out the offsets, which nothing here reads
        encoded = self._tokenizer.encode_batch_fast([text], add_special_tokens=False)
        ids: list[int] = encoded[0].ids
        return ids
