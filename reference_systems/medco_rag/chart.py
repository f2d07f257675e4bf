"""One patient's chart in memory: chunks, typed facts, and every sentence by its words."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from reference_systems.medco_rag.context import Context, context_of, narrowed
from reference_systems.medco_rag.fhir import read_bundle
from reference_systems.medco_rag.folder import Folder
from reference_systems.medco_rag.jsonspans import read
from reference_systems.medco_rag.model import Chunk, Fact, Source, Span
from reference_systems.medco_rag.model import DocumentType as Doc
from reference_systems.medco_rag.notes import read_note
from reference_systems.medco_rag.sections import document_type
from reference_systems.medco_rag.sentences import addressed_to_software, sentences
from reference_systems.medco_rag.terms import find, stem, tokens, variants

__all__ = ["Chart", "Mention", "is_note", "load_chart", "mixed_section"]


@dataclass(frozen=True, slots=True)
class Mention:
    """A sentence of a note that holds the words asked for, and what it says of them."""

    span: Span
    chunk: Chunk
    context: Context
    words: Span


@dataclass(slots=True)
class Chart:
    """What is known of one patient; ``texts`` are the files as characters."""

    patient: str
    texts: dict[str, str] = field(default_factory=dict)
    chunks: dict[str, Chunk] = field(default_factory=dict)
    facts: list[Fact] = field(default_factory=list)
    names: frozenset[str] = frozenset()
    notices: list[str] = field(default_factory=list)
    orders: list[Span] = field(default_factory=list)
    _sentences: dict[str, list[tuple[Span, str]]] = field(default_factory=dict)
    _by_stem: dict[str, set[str]] = field(default_factory=dict)

    def source(self, span: Span) -> Source:
        """Return a place with what stands there."""
        text = self.texts[span.file]
        return Source(span.file, span.start, span.end, text[span.start : span.end])

    def quote(self, span: Span) -> str:
        """Return what stands at a place."""
        return self.texts[span.file][span.start : span.end]

    def mentions(self, words: tuple[str, ...], allowed: Collection[str]) -> Iterator[Mention]:
        """Yield every sentence of the allowed note passages that holds the words or their like."""
        for way in variants(words):
            if not way:
                continue
            candidates = set.intersection(*(self._by_stem.get(word, set()) for word in set(way)))
            for said in candidates:
                inside = tokens(said)
                found = find(way, inside)
                if found is None:
                    continue
                first, last = inside[found[0]][1], inside[found[1]][2]
                for span, name in self._sentences[said]:
                    if name in allowed:
                        yield self._mention(said, span, name, first, last)

    def sentences_of(self, chunk: Chunk) -> Iterator[tuple[Span, str]]:
        """Yield the sentences of a note's passage, those that give orders to software aside."""
        text = self.texts[chunk.span.file]
        for start, end in sentences(text, chunk.span.start, chunk.span.end):
            said = text[start:end]
            if not addressed_to_software(said):
                yield Span(chunk.span.file, start, end), said

    def index(self) -> None:
        """Note which sentences hold which words."""
        for chunk in self.chunks.values():
            if not is_note(chunk) or chunk.id.endswith(":allergy"):
                continue
            text = self.texts[chunk.span.file]
            for start, end in sentences(text, chunk.span.start, chunk.span.end):
                said = text[start:end]
                span = Span(chunk.span.file, start, end)
                if said in self._sentences:
                    self._sentences[said].append((span, chunk.id))
                    continue
                if addressed_to_software(said):
                    self.orders.append(span)
                    continue
                self._sentences[said] = [(span, chunk.id)]
                for word, _, _ in tokens(said):
                    self._by_stem.setdefault(word, set()).add(said)

    def _mention(self, said: str, span: Span, name: str, first: int, last: int) -> Mention:
        chunk = self.chunks[name]
        family = chunk.document_type is Doc.FAMILY_HISTORY
        mixed = family and mixed_section(self.texts[chunk.span.file], chunk)
        told = context_of(said, first, last, family=family and not mixed, mixed=mixed)
        told = narrowed(told, said, first)
        return Mention(span, chunk, told, Span(span.file, span.start + first, span.start + last))


def is_note(chunk: Chunk) -> bool:
    """Tell whether a passage is a stretch of a note, not of a FHIR file."""
    return chunk.span.file.startswith("notes/")


def load_chart(folder: Folder, patient: str) -> Chart:
    """Read everything of one patient; a file that fails is named in ``notices``."""
    chart = Chart(patient)
    names: set[str] = set()
    for file in folder.fhir.get(patient, ()):
        try:
            text = folder.text(file)
            bundle = read_bundle(patient, file, text)
        except (OSError, ValueError, RecursionError) as error:
            chart.notices.append(f"{file}: skipped: {error}")
            continue
        chart.texts[file] = text
        chart.facts += bundle.facts
        chart.chunks.update((chunk.id, chunk) for chunk in bundle.chunks)
        chart.notices += bundle.notices
        names |= _names_in(text)
    for file in folder.notes.get(patient, ()):
        try:
            text = folder.text(file)
        except (OSError, ValueError) as error:
            chart.notices.append(f"{file}: skipped: {error}")
            continue
        chunks, facts = read_note(patient, file, text)
        chart.texts[file] = text
        chart.facts += facts
        chart.chunks.update((chunk.id, chunk) for chunk in chunks)
    for file in chart.texts:
        stem_of_file = Path(file).stem.removesuffix(patient)
        names |= {
            stem(word)
            for word in re.split(r"[^A-Za-z\u00c0-\u024f]+|\d+", stem_of_file)
            if len(word) > 1
        }
        names |= {stem(word) for word in re.split(r"[_\W]+", stem_of_file) if len(word) > 1}
    chart.names = frozenset(names)
    _lend_specialties(chart)
    chart.index()
    return chart


def _names_in(text: str) -> set[str]:
    """Return the stems of the patient's names, to be left out of questions."""
    at = text.find('"Patient"')
    start = text.find('"name"', at) if at >= 0 else -1
    if start < 0:
        return set()
    try:
        node = read(text, text.index("[", start))
    except ValueError:
        return set()
    found: set[str] = set()
    for name in node.items():
        words = [name.text("family"), name.text("text")]
        words += [each.value for each in name.items("given") if isinstance(each.value, str)]
        found |= {word for part in words for word, _, _ in tokens(part)}
        found |= {stem(part) for part in words if part}
    return found


def _lend_specialties(chart: Chart) -> None:
    """Give a note that names no specialty the one of the FHIR encounter of its day, if one only."""
    from dataclasses import replace

    days: dict[str, set[str]] = {}
    for chunk in chart.chunks.values():
        if not is_note(chunk) and chunk.encounter and chunk.doctor_specialty:
            days.setdefault(chunk.encounter_date, set()).add(chunk.doctor_specialty)
    for name, chunk in chart.chunks.items():
        known = days.get(chunk.encounter_date, set())
        if is_note(chunk) and not chunk.doctor_specialty and len(known) == 1:
            chart.chunks[name] = replace(chunk, doctor_specialty=next(iter(known)))


def mixed_section(text: str, chunk: Chunk) -> bool:
    """Tell whether the heading above a passage names relatives and something else at once."""
    line = text[: chunk.span.start].rstrip().rsplit("\n", 1)[-1]
    head = line.split(":", 1)[0].strip(" #*\t")
    return document_type(head) is Doc.FAMILY_HISTORY and "soc" in head.lower()
