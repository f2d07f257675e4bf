"""Builds of no use that must not pass either: one says nothing, one says everything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reference_systems.medco_rag.draft import refusal
from reference_systems.medco_rag.filters import Filter
from reference_systems.medco_rag.folder import Folder
from reference_systems.medco_rag.model import Answer, Claim, Source
from reference_systems.medco_rag.notes import read_note

__all__ = ["Mute", "PasteAll"]


@dataclass(frozen=True, slots=True)
class Mute:
    """Refuses every question: no claim of it is wrong."""

    folder: Folder

    def ask(self, line: Mapping[str, object]) -> Answer:
        """Refuse."""
        return self.answer(str(line.get("question", "")), Filter.of(line))

    def answer(self, question: str, wanted: Filter) -> Answer:  # noqa: ARG002
        """Refuse."""
        return refusal("this build never answers")

    def warm_up(self) -> None:
        """Do nothing."""


@dataclass(frozen=True, slots=True)
class PasteAll:
    """Answers every question with the whole of the patient's notes, each passage cited."""

    folder: Folder

    def ask(self, line: Mapping[str, object]) -> Answer:
        """Paste the chart."""
        return self.answer(str(line.get("question", "")), Filter.of(line))

    def answer(self, question: str, wanted: Filter) -> Answer:  # noqa: ARG002
        """Paste the chart."""
        claims = []
        for file in self.folder.notes.get(wanted.patient, ()):
            text = self.folder.text(file)
            for chunk in read_note(wanted.patient, file, text)[0]:
                span = chunk.span
                claims.append(Claim(chunk.text, Source(file, span.start, span.end, chunk.text)))
        return Answer("\n".join(claim.text for claim in claims), tuple(claims))

    def warm_up(self) -> None:
        """Do nothing."""
