"""What a search engine of passages owes: one interface, whichever engine lies behind it."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from reference_systems.medco_rag.filters import Filter
from reference_systems.medco_rag.model import Chunk, DocumentType, Span

__all__ = ["Engine", "Mode", "admitted", "row_of"]


class Mode(StrEnum):
    """How passages are ranked."""

    HYBRID = "hybrid"
    VECTOR = "vector"
    TEXT = "text"


class Engine(Protocol):
    """Passages in, passages out. ``wanted`` None searches every chart: only the half fix does."""

    def add(self, chunks: Sequence[Chunk]) -> None:
        """Take in passages; those of an id that is there are not taken twice."""

    def search(
        self, question: str, wanted: Filter | None, k: int = 10, mode: Mode = Mode.HYBRID
    ) -> list[Chunk]:
        """Return the best passages within the filter, best first."""

    def scan(self, wanted: Filter) -> list[str]:
        """Return the ids of all passages within the filter."""


def row_of(chunk: Chunk) -> dict[str, str | int]:
    """Return a chunk as the flat row that engines store."""
    return {
        "id": chunk.id,
        "patient": chunk.patient,
        "text": chunk.text,
        "file": chunk.span.file,
        "start": chunk.span.start,
        "end": chunk.span.end,
        "document_type": chunk.document_type.value,
        "encounter": chunk.encounter,
        "encounter_date": chunk.encounter_date,
        "doctor_specialty": chunk.doctor_specialty,
        "specialty_key": chunk.doctor_specialty.casefold(),
    }


def admitted(rows: Sequence[dict[str, object]], wanted: Filter | None) -> list[Chunk]:
    """Return the rows as chunks, each filtered once more: an engine's word is not taken for it."""
    found = []
    for row in rows:
        chunk = Chunk(
            id=str(row["id"]),
            patient=str(row["patient"]),
            text=str(row["text"]),
            span=Span(str(row["file"]), int(str(row["start"])), int(str(row["end"]))),
            document_type=DocumentType(str(row["document_type"])),
            encounter=str(row["encounter"]),
            encounter_date=str(row["encounter_date"]),
            doctor_specialty=str(row["doctor_specialty"]),
        )
        if wanted is None or wanted.admits(
            chunk.patient, chunk.document_type, chunk.doctor_specialty, chunk.encounter_date
        ):
            found.append(chunk)
    return found
