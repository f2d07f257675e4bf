"""What a run of ``grounding`` records: answers by what was found of them, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pytest_mlgates.core.details import Count

__all__ = ["Seen"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Questions and answers so far.

    ``answers`` said something; of these ``unsupported`` hold a claim that is surely without
    support and ``unclear`` one that no rule could confirm. ``answered`` of the ``answerable``
    questions got an answer with a claim; ``refused`` of the ``unanswerable`` got a refusal.
    """

    questions: Count
    repeated: Count
    answers: Count
    unsupported: Count
    unclear: Count
    answerable: Count
    answered: Count
    unanswerable: Count
    refused: Count
    claims: Count
    without_claim: Count
    judged: Count
    reasons: Mapping[str, Count]
    findings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        parts = (
            ("unsupported", self.unsupported + self.unclear, "answers", self.answers),
            ("answered", self.answered, "answerable", self.answerable),
            ("refused", self.refused, "unanswerable", self.unanswerable),
            ("answerable", self.answerable + self.unanswerable, "questions", self.questions),
            ("answers", self.answers, "questions", self.questions),
        )
        for name, part, whole_name, whole in parts:
            if part > whole:
                raise ValueError(f"{name}: {part} of {whole} {whole_name}")
        if bool(self.unsupported + self.unclear) != bool(self.reasons):
            raise ValueError("reasons: stand for no answer, or an answer has none")
