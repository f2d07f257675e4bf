"""Print the builds side by side: ``python -m reference_systems.medco_rag compare``."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence

from reference_systems.medco_rag.builds import System, build
from reference_systems.medco_rag.folder import Folder
from reference_systems.medco_rag.inputs import charts
from reference_systems.medco_rag.model import Answer
from reference_systems.medco_rag.people import DRUGS, Person
from reference_systems.medco_rag.questions_made import Question, questions
from reference_systems.medco_rag.scoring import equal
from reference_systems.medco_rag.trivial import Mute, PasteAll

__all__ = ["column", "table_of"]

_PATIENTS = 48


def table_of(seed: int, count: int) -> str:
    """Return the table of the README, as Markdown."""
    folder, persons = charts(_PATIENTS, seed)
    asked = questions(persons, count, seed)
    makers: dict[str, Callable[[], System]] = {
        "incident": lambda: build("incident", folder),
        "half": lambda: build("half", folder),
        "fixed": lambda: build("fixed", folder),
        "mute": lambda: Mute(folder),
        "paste-all": lambda: PasteAll(folder),
    }
    columns = {name: column(make(), folder, asked, persons) for name, make in makers.items()}
    answerable = sum(q.gold is not None for q in asked)
    lines = [
        f"Seed {seed}: {len(persons)} made-up patients, {len(asked)} questions, {answerable} of them answerable:",
        "",
        f"| | {' | '.join(columns)} |",
        "|---" * (len(columns) + 1) + "|",
    ]
    lines += [
        f"| {label} | {' | '.join(each[label] for each in columns.values())} |"
        for label in next(iter(columns.values()))
    ]
    return "\n".join(lines)


def column(
    system: System, folder: Folder, asked: Sequence[Question], persons: Sequence[Person] = ()
) -> dict[str, str]:
    """Return the figures of one build."""
    system.warm_up()
    told: list[tuple[Question, Answer]] = []
    took = []
    for question in asked:
        began = time.perf_counter()
        answer = system.ask(question.line())
        took.append((time.perf_counter() - began) * 1e3)
        told.append((question, answer))
    can = [(q, a) for q, a in told if q.gold is not None]
    cannot = [(q, a) for q, a in told if q.gold is None]
    answered = [(q, a) for q, a in can if not a.refused]
    right = [q for q, a in answered if q.gold is not None and equal(a, q.gold, q.never)]
    foreign = [
        a for q, a in told if any(c.source and q.patient not in c.source.file for c in a.claims)
    ]
    read = [_share(folder, q.patient, a) for q, a in answered if any(c.source for c in a.claims)]
    return {
        "answerable questions answered": _of(len(answered), len(can)),
        "answers equal to gold": _of(len(right), len(answered)),
        "unanswerable questions refused": _of(sum(a.refused for _, a in cannot), len(cannot)),
        "answers that name a drug the patient never had": f"{_invented(told, persons):,}",
        "claims without a source": f"{sum(c.source is None for _, a in told for c in a.claims):,}",
        "answers that cite another patient's chart": f"{len(foreign):,}",
        "share of the chart to read, median": f"{statistics.median(read):.2%}" if read else "-",
        "P50 / P99 of an answer, ms": f"{_at(took, 0.5):.0f} / {_at(took, 0.99):.0f}",
    }


def _invented(told: Sequence[tuple[Question, Answer]], persons: Sequence[Person]) -> int:
    """Return how many answers name a drug that was never ordered for the patient, nor asked about."""
    had = {p.id: {o.drug for visit in p.visits for o in visit.orders} for p in persons}
    drugs = [drug for drug, _, _ in DRUGS]
    return sum(
        any(
            drug in answer.text.lower() and drug not in question.text.lower()
            for drug in drugs
            if drug not in had.get(question.patient, drugs)
        )
        for question, answer in told
    )


def _share(folder: Folder, patient: str, answer: Answer) -> float:
    files = (*folder.notes.get(patient, ()), *folder.fhir.get(patient, ()))
    whole = sum(len(folder.text(file)) for file in files)
    spans = {(c.source.file, c.source.start, c.source.end) for c in answer.claims if c.source}
    return sum(end - start for _, start, end in spans) / max(1, whole)


def _of(part: int, whole: int) -> str:
    return f"{part:,} of {whole:,}" + (f" ({part / whole:.1%})" if whole else "")


def _at(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
