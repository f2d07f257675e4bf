"""The vocabulary that both builds share: a byte-level BPE, trained by code and kept in the process.

Same vocabulary, same merges, same ids: the only thing that the incident changed is the code that
applies them.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
from typing import TYPE_CHECKING

from reference_systems.rtb_bidder.inputs import generated_requests
from reference_systems.rtb_bidder.openrtb import text_of

if TYPE_CHECKING:
    from tokenizers import Tokenizer

__all__ = ["SIZE", "merges", "trained", "vocabulary_digest"]

SIZE = 6000
#: the corpus is no run's business: a released vocabulary does not change with the traffic
CORPUS_SEED = 20260
CORPUS_REQUESTS = 800


@functools.cache
def trained() -> Tokenizer:
    """Return the trained Rust tokenizer: split at white space, bytes, merges (Sennrich et al. 2016).

    Takes less than a second, once in a process.
    """
    # one request is one thread's work: the library's pool would only add hand-overs to the tail
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    try:
        from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "the bidder needs tokenizers: pip install 'pytest-mlgates[systems]'"
        ) from error
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.WhitespaceSplit(),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=SIZE,
        min_frequency=2,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    corpus = (text_of(request) for request in generated_requests(CORPUS_REQUESTS, CORPUS_SEED))
    tokenizer.train_from_iterator(corpus, trainer)
    return tokenizer


@functools.cache
def merges() -> tuple[dict[str, int], dict[tuple[str, str], int]]:
    """Return the vocabulary (piece -> id) and the merges (pair -> rank, lowest first)."""
    model = json.loads(trained().to_str())["model"]
    ranks = {tuple(pair): rank for rank, pair in enumerate(model["merges"])}
    return model["vocab"], ranks


@functools.cache
def vocabulary_digest() -> str:
    """Return the SHA-256 of the vocabulary and its merges."""
    return hashlib.sha256(trained().to_str().encode()).hexdigest()
