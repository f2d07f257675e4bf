"""Half a fix: retrieval and citations, but no filter by patient and kind of document.

Every claim is cited and every quote is real; it only stands in somebody else's chart.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from reference_systems.medco_rag.chart import Chart, load_chart
from reference_systems.medco_rag.compose import compose
from reference_systems.medco_rag.engine import Engine
from reference_systems.medco_rag.engine_lance import LanceEngine
from reference_systems.medco_rag.filters import Filter
from reference_systems.medco_rag.folder import Folder
from reference_systems.medco_rag.model import Answer

__all__ = ["Unfiltered"]

_PASSAGES = 12


@dataclass(slots=True)
class Unfiltered:
    """Searches all charts with the patient's name in front of the question, and trusts the ranking."""

    folder: Folder
    engine: Engine = field(default_factory=LanceEngine)
    say: Callable[[str], None] = lambda _: None
    _all: Chart | None = None

    def warm_up(self) -> None:
        """Read and index every chart."""
        if self._all is not None:
            return
        whole = Chart("everybody")
        for patient in self.folder.patients():
            chart = load_chart(self.folder, patient)
            whole.texts.update(chart.texts)
            whole.chunks.update(chart.chunks)
            whole.facts += chart.facts
            for notice in chart.notices:
                self.say(notice)
        whole.index()
        self.engine.add(list(whole.chunks.values()))
        self._all = whole

    def ask(self, line: Mapping[str, object]) -> Answer:
        """Answer a line of input; its filter is read and not used."""
        question = line.get("question", "")
        if not isinstance(question, str):
            raise ValueError("question: must be text")
        return self.answer(question, Filter.of(line))

    def answer(self, question: str, wanted: Filter) -> Answer:
        """Answer from the passages that rank highest among everybody's."""
        self.warm_up()
        assert self._all is not None
        named = f"{self._name(wanted.patient)}: {question[:2_000]}"
        passages = self.engine.search(named, None, _PASSAGES)
        return compose(question, self._all, {chunk.id for chunk in passages}, lambda: passages)

    def _name(self, patient: str) -> str:
        files = (*self.folder.notes.get(patient, ()), *self.folder.fhir.get(patient, ()))
        stem = files[0].rsplit("/", 1)[-1].rsplit(".", 1)[0].removesuffix(patient) if files else ""
        return " ".join(re.findall(r"[^\W\d_]+", stem)) or patient
