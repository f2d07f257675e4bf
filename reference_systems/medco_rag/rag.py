"""The copilot: charts in, questions in, cited answers out; the builds differ in what is here named."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from reference_systems.medco_rag.chart import Chart, load_chart
from reference_systems.medco_rag.compose import compose
from reference_systems.medco_rag.draft import refusal
from reference_systems.medco_rag.endpoint import Endpoint
from reference_systems.medco_rag.engine import Engine, Mode
from reference_systems.medco_rag.engine_lance import LanceEngine
from reference_systems.medco_rag.filters import Filter
from reference_systems.medco_rag.folder import Folder
from reference_systems.medco_rag.identifiers import asks_for_identifier, without_identifiers
from reference_systems.medco_rag.model import Answer, Chunk, Span

__all__ = ["Copilot"]

#: passages that the composer reads where no typed fact answers
_PASSAGES = 20
#: charts that are kept in memory; the engine keeps the passages of all
_KEPT = 48


@dataclass(slots=True)
class Copilot:
    """Answers about one chart at a time; charts are read and indexed when first asked about.

    ``say`` receives notices: files skipped, resources not read.
    """

    folder: Folder
    engine: Engine = field(default_factory=LanceEngine)
    mode: Mode = Mode.HYBRID
    say: Callable[[str], None] = lambda _: None
    endpoint: Endpoint | None = None
    _charts: dict[str, Chart] = field(default_factory=dict)
    _told: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Name the files of the folder that can't be read."""
        for file, why in self.folder.skipped:
            self.say(f"skipped {file}: {why}")

    def ask(self, line: Mapping[str, object]) -> Answer:
        """Answer a line of input.

        :raises BadFilter: for a filter that can't be meant.
        :raises ValueError: for a question that is not text.
        """
        question = line.get("question", "")
        if not isinstance(question, str):
            raise ValueError("question: must be text")
        return self.answer(question, Filter.of(line))

    def answer(self, question: str, wanted: Filter) -> Answer:
        """Answer a question within a filter."""
        chart = self.chart(wanted.patient)
        if chart is None:
            return refusal("there is no chart of this patient")
        allowed = set(self.engine.scan(wanted))

        def passages() -> list[Chunk]:
            return self.engine.search(question[:2_000], wanted, _PASSAGES, self.mode)

        if asks_for_identifier(question[:2_000]):
            return refusal("what points at a person, such as a number or address, is not given out")
        if self.endpoint is not None and question.strip() and len(question) <= 2_000:
            return without_identifiers(self.endpoint.compose(question, chart, passages()))
        return without_identifiers(compose(question, chart, allowed, passages))

    def warm_up(self) -> None:
        """Load the embeddings and the search engine."""
        from reference_systems.medco_rag.embed import embedder

        embedder().one("warm")

    def chart(self, patient: str) -> Chart | None:
        """Return a patient's chart, indexed; None where no file is theirs."""
        if (known := self._charts.pop(patient, None)) is not None:
            self._charts[patient] = known  # the last one used is the last to go
            return known
        if patient not in self.folder.notes and patient not in self.folder.fhir:
            return None
        chart = load_chart(self.folder, patient)
        self.engine.add(list(chart.chunks.values()))
        if patient not in self._told:
            self._told.add(patient)
            for notice in (*chart.notices, *map(_left_out, chart.orders)):
                self.say(notice)
        while len(self._charts) >= _KEPT:
            del self._charts[next(iter(self._charts))]
        self._charts[patient] = chart
        return chart


def _left_out(span: Span) -> str:
    return f"{span.file}: characters {span.start} to {span.end} speak to software and were not read"
